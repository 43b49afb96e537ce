"""Which Qdrant, and how to talk to it."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from cognitive_memory.core.config import ConfigError
from heimdall.models.secrets import redact_url

URL_VARIABLE = "HEIMDALL_QDRANT_URL"
KEY_VARIABLE = "HEIMDALL_QDRANT_API_KEY"
TIMEOUT_VARIABLE = "HEIMDALL_QDRANT_TIMEOUT"
RECALL_SECONDS = 1.5
"""What a recall spends on Qdrant at most; the vectors on this machine are searched after it."""
MOST_RECALL_SECONDS = 600.0
REQUEST_SECONDS = 30.0
"""What one request of a push, pull or verify may wait; nobody waits for their answer at a prompt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QdrantSettings:
    """Which Qdrant, and how to talk to it.

    Attributes:
        urls: the addresses of a server, or of several nodes of one cluster, in the order in which
            they are asked.
        api_key: sent to these addresses; never shown.
        directory: where is kept what is known of silent nodes.
        recall_seconds: what a recall spends on Qdrant at most, whatever it does.
        request_seconds: what one request of anything else may wait.
    """

    urls: tuple[str, ...]
    directory: Path
    api_key: str | None = field(default=None, repr=False)
    recall_seconds: float = RECALL_SECONDS
    request_seconds: float = REQUEST_SECONDS

    @property
    def nodes(self) -> tuple[QdrantSettings, ...]:
        """The settings for each node alone."""
        return tuple(replace(self, urls=(url,)) for url in self.urls)

    @property
    def place(self) -> str:
        """Where it is, for people: without a secret."""
        return ", ".join(map(redact_url, self.urls))

    def key_in_the_clear(self) -> str | None:
        """A warning if a key would go over the network in the clear."""
        if self.api_key is None:
            return None
        clear = ", ".join(redact_url(url) for url in self.urls if _is_readable_on_the_way(url))
        return f"the key goes to {clear} unencrypted: use https" if clear else None


def _is_readable_on_the_way(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme != "https" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}


def qdrant_settings(variables: Mapping[str, str] | None = None) -> QdrantSettings | None:
    """The settings in force; None if no Qdrant is configured.

    They come from the environment alone: a file in a cloned repository must not decide where
    memories and a key are sent.

    Args:
        variables: the environment; default: this process's. `HEIMDALL_QDRANT_URL` is an address, or
            several separated by commas; `HEIMDALL_QDRANT_API_KEY` is sent to them;
            `HEIMDALL_QDRANT_TIMEOUT` says how many seconds a recall spends on them at most.

    Raises:
        ConfigError: an address is none, or the timeout is no number of seconds; the message shows
            an address without secrets.
    """
    from heimdall.cognitive_system.data_dirs import get_qdrant_data_dir

    variables = os.environ if variables is None else variables
    value = variables.get(URL_VARIABLE)
    if not value:
        return None
    urls = tuple(dict.fromkeys(url for part in value.split(",") if (url := part.strip())))
    for url in urls or (value,):
        _check_address(url)
    return QdrantSettings(
        urls=urls,
        directory=get_qdrant_data_dir(),
        api_key=variables.get(KEY_VARIABLE) or None,
        recall_seconds=_recall_seconds(variables.get(TIMEOUT_VARIABLE)),
    )


def _check_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        example = "https://qdrant.example.org:6333"
        raise ConfigError(
            URL_VARIABLE,
            f"expected an address such as {example} (several: separated by commas), "
            f"got {redact_url(url)!r}",
        )


def _recall_seconds(value: str | None) -> float:
    if not value:
        return RECALL_SECONDS
    try:
        seconds = float(value)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= MOST_RECALL_SECONDS:
        raise ConfigError(
            TIMEOUT_VARIABLE,
            f"expected seconds, more than 0 and at most {MOST_RECALL_SECONDS:.0f}, got {value!r}",
        )
    return seconds
