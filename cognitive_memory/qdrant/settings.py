"""Which Qdrant, and how to talk to it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from cognitive_memory.qdrant.errors import QdrantSettingsError

LOCAL = "local"
URL_VARIABLE = "HEIMDALL_QDRANT_URL"
KEY_VARIABLE = "HEIMDALL_QDRANT_API_KEY"
TIMEOUT = 10
"""Seconds for one request; a recall falls back to the local index after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QdrantSettings:
    """Which Qdrant, and how to talk to it.

    Attributes:
        url: the server's or cluster's address; None: the client's own local mode.
        api_key: sent to the server; never shown.
        directory: where local mode keeps its files.
        timeout: seconds for one request.
    """

    url: str | None
    directory: Path
    api_key: str | None = field(default=None, repr=False)
    timeout: int = TIMEOUT

    @property
    def place(self) -> str:
        """Where it is, for people: without a secret."""
        return str(self.directory) if self.url is None else redacted(self.url)


def qdrant_settings(configured: str | None, variables: Mapping[str, str] | None = None) -> QdrantSettings | None:
    """The settings in force; None if no Qdrant is configured.

    Args:
        configured: `qdrant.url` of the project's settings; `$HEIMDALL_QDRANT_URL` wins over it. "local" stands for the
            client's own local mode in the shared directory.
        variables: the environment; default: this process's. The key is in `$HEIMDALL_QDRANT_API_KEY` alone, never in a
            file that might be shared.

    Raises:
        QdrantSettingsError: the address is none.
    """
    from heimdall.cognitive_system.data_dirs import get_qdrant_data_dir

    variables = os.environ if variables is None else variables
    value = variables.get(URL_VARIABLE) or configured
    if not value:
        return None
    if value == LOCAL:
        return QdrantSettings(url=None, directory=get_qdrant_data_dir())
    name = URL_VARIABLE if variables.get(URL_VARIABLE) else "qdrant.url"
    return QdrantSettings(
        url=checked_url(name, value), directory=get_qdrant_data_dir(), api_key=variables.get(KEY_VARIABLE) or None
    )


def checked_url(setting: str, value: str) -> str:
    """`value` if it is the address of a server.

    Raises:
        QdrantSettingsError: it is not; the message shows it without secrets.
    """
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise QdrantSettingsError(
            setting,
            f"expected '{LOCAL}' or an address such as https://qdrant.example.org:6333, got {redacted(value)!r}",
        )
    return value


def redacted(url: str) -> str:
    """An address without user, password and query."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "***" if "@" in url else url
    return urlunsplit((parts.scheme, host, parts.path, "", "")) if parts.netloc else url.rpartition("@")[2]
