"""Which Qdrant, and how to talk to it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from cognitive_memory.core.config import ConfigError
from heimdall.models.secrets import redact_url

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
        return str(self.directory) if self.url is None else redact_url(self.url)

    def key_in_the_clear(self) -> str | None:
        """A warning if a key would go over the network in the clear."""
        if self.url is None or self.api_key is None or self.url.startswith("https:"):
            return None
        if urlsplit(self.url).hostname in {"localhost", "127.0.0.1", "::1"}:
            return None
        return f"the key goes to {self.place} unencrypted: use https"


def qdrant_settings(variables: Mapping[str, str] | None = None) -> QdrantSettings | None:
    """The settings in force; None if no Qdrant is configured.

    They come from the environment alone: a file in a cloned repository must not decide where
    memories and a key are sent.

    Args:
        variables: the environment; default: this process's. `HEIMDALL_QDRANT_URL` is an address, or
            "local" for the client's own local mode in the shared directory;
            `HEIMDALL_QDRANT_API_KEY` is sent to that address.

    Raises:
        ConfigError: the address is none; the message shows it without secrets.
    """
    from heimdall.cognitive_system.data_dirs import get_qdrant_data_dir

    variables = os.environ if variables is None else variables
    value = variables.get(URL_VARIABLE)
    if not value:
        return None
    directory = get_qdrant_data_dir()
    if value == LOCAL:
        return QdrantSettings(url=None, directory=directory)
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError(
            URL_VARIABLE,
            f"expected '{LOCAL}' or an address such as https://qdrant.example.org:6333, got {redact_url(value)!r}",
        )
    return QdrantSettings(
        url=value, directory=directory, api_key=variables.get(KEY_VARIABLE) or None
    )
