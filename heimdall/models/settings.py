"""What the environment asks of the resolver, read when it is needed and checked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from .errors import ModelError
from .secrets import redact_url

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"", "0", "false", "no", "off"})
SOURCES = ("mirror", "github", "huggingface", "index")
"""The remote sources, in their default order."""
FETCH_MOMENTS = ("import", "use", "never")
"""When models may be downloaded unasked; the first is the default."""
DEFAULT_STALL_SECONDS = 30.0
DEFAULT_CONNECT_SECONDS = 15.0
DEFAULT_LOCK_SECONDS = 600.0
DEFAULT_GITHUB_URL = "https://github.com"


@dataclass(eq=False, repr=False)
class SettingsError(ModelError):
    """An environment variable has a value that can't be used.

    Attributes:
        variable: its name.
        found: its value.
        expected: what is allowed.
    """

    variable: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.variable}={self.found!r}: expected {self.expected}"


@dataclass(frozen=True, slots=True)
class Settings:
    """The resolver's settings.

    Attributes:
        mirrors: URL prefixes without a trailing slash; assets are at `<prefix>/<tag>/<asset>`.
        github_url: the GitHub host's URL, without a trailing slash.
        github_token: sent to that host alone.
        sources: the remote sources to ask, in order.
        offline: the variable that forbids the network, or None.
        stall_seconds: how long a connection may stay without a byte.
        connect_seconds: how long making a connection may take: name, host, proxy and TLS together.
        lock_seconds: how long to wait for another process' download.
        progress: whether to show progress on stderr.
        fetch: when to download: at `import`, at first `use`, or `never` unless asked to by `heimdall models pull`.
    """

    mirrors: tuple[str, ...] = ()
    github_url: str = DEFAULT_GITHUB_URL
    github_token: str | None = None
    sources: tuple[str, ...] = SOURCES
    offline: str | None = None
    stall_seconds: float = DEFAULT_STALL_SECONDS
    connect_seconds: float = DEFAULT_CONNECT_SECONDS
    lock_seconds: float = DEFAULT_LOCK_SECONDS
    progress: bool = True
    fetch: str = "import"

    @property
    def network_forbidden_by(self) -> str | None:
        """The variable that keeps every remote source closed, or None."""
        return self.offline or ("HEIMDALL_FETCH=never" if self.fetch == "never" else None)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the variables named in the README.

        Raises:
            SettingsError: naming the variable, its value and what is allowed.
        """
        environ = os.environ if environment is None else environment
        return cls(
            mirrors=tuple(
                _url("HEIMDALL_MODELS_MIRROR", url)
                for url in _list(environ, "HEIMDALL_MODELS_MIRROR")
            ),
            github_url=_url(
                "HEIMDALL_GITHUB_URL", environ.get("HEIMDALL_GITHUB_URL") or DEFAULT_GITHUB_URL
            ),
            github_token=_secret(environ, "HEIMDALL_GITHUB_TOKEN")
            or _secret(environ, "GITHUB_TOKEN"),
            sources=_sources(environ),
            offline=next(
                (name for name in ("HEIMDALL_OFFLINE", "HF_HUB_OFFLINE") if _flag(environ, name)),
                None,
            ),
            stall_seconds=_seconds(environ, "HEIMDALL_HTTP_TIMEOUT", DEFAULT_STALL_SECONDS),
            connect_seconds=_seconds(environ, "HEIMDALL_CONNECT_TIMEOUT", DEFAULT_CONNECT_SECONDS),
            lock_seconds=_seconds(environ, "HEIMDALL_LOCK_TIMEOUT", DEFAULT_LOCK_SECONDS),
            progress=_flag(environ, "HEIMDALL_PROGRESS", default=True),
            fetch=_choice(environ, "HEIMDALL_FETCH", FETCH_MOMENTS),
        )


def _list(environ: Mapping[str, str], variable: str) -> list[str]:
    return [item for part in environ.get(variable, "").split(",") if (item := part.strip())]


def _flag(environ: Mapping[str, str], variable: str, *, default: bool = False) -> bool:
    if variable not in environ:
        return default
    value = environ[variable].strip().lower()
    if value in _TRUE or value in _FALSE:
        return value in _TRUE
    raise SettingsError(variable, environ[variable], "1, true, yes, on, or 0, false, no, off")


def _seconds(environ: Mapping[str, str], variable: str, default: float) -> float:
    text = environ.get(variable, "").strip()
    try:
        value = float(text) if text else default
    except ValueError:
        value = -1.0
    if 0 < value < float("inf"):
        return value
    raise SettingsError(variable, text, "a positive number of seconds")


def _secret(environ: Mapping[str, str], variable: str) -> str | None:
    secret = environ.get(variable, "").strip()
    if not all("!" <= character <= "~" for character in secret):
        raise SettingsError(
            variable, "…", "printable ASCII characters without blanks (the value is not shown)"
        )
    return secret or None


def _choice(environ: Mapping[str, str], variable: str, allowed: tuple[str, ...]) -> str:
    value = environ.get(variable, "").strip().lower() or allowed[0]
    if value in allowed:
        return value
    raise SettingsError(variable, value, f"one of {', '.join(allowed)}")


def _sources(environ: Mapping[str, str]) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys(_list(environ, "HEIMDALL_SOURCES")))
    if unknown := [name for name in chosen if name not in SOURCES]:
        raise SettingsError(
            "HEIMDALL_SOURCES",
            ",".join(unknown),
            f"a comma-separated choice of {', '.join(SOURCES)}",
        )
    return chosen or SOURCES


def _url(variable: str, url: str) -> str:
    try:
        parts = urlsplit(url)
        fine = parts.scheme == "file" or (
            parts.scheme in {"http", "https"} and bool(parts.hostname)
        )
        _ = parts.port
    except ValueError:
        fine = False
    if fine and not (
        parts.query
        or parts.fragment
        or (variable == "HEIMDALL_GITHUB_URL" and parts.scheme == "file")
    ):
        return url.rstrip("/")
    expected = (
        "a URL that begins with https:// or http://, for a mirror also file://, without a query"
    )
    raise SettingsError(variable, redact_url(url), expected)
