"""What the environment asks of the resolver, read when it is needed and checked."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit, urlunsplit

from .errors import ModelError
from .secrets import HIDDEN, redact_url

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"", "0", "false", "no", "off"})
SOURCES = ("mirror", "github", "huggingface", "index")
"""The remote sources, in their default order."""
FETCH_MOMENTS = ("import", "use", "never")
"""When models may be downloaded unasked; the first is the default."""
DEFAULT_STALL_SECONDS = 30.0
DEFAULT_CONNECT_SECONDS = 15.0
DEFAULT_LOCK_SECONDS = 600.0
REGISTRY_SCHEMES = ("oci", "oci+http", "oci+https")
"""Of OCI registries; the second and third say how they are asked."""
DEFAULT_GITHUB_URL = "https://github.com"
_HEADER = re.compile(
    r"(?P<name>[!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(?P<value>[!-~](?:[ -~]*[!-~])?)"
)


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

    says = "{variable}={found!r}: expected {expected}"


@dataclass(frozen=True, slots=True)
class Settings:
    """The resolver's settings.

    Attributes:
        mirrors: URL prefixes, perhaps with a query, and without a slash at the end of their path.
        mirror_header: name and value of a header that mirrors alone get.
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

    mirrors: tuple[str, ...] = field(default=(), repr=False)
    mirror_header: tuple[str, str] | None = field(default=None, repr=False)
    github_url: str = DEFAULT_GITHUB_URL
    github_token: str | None = field(default=None, repr=False)
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
        """Read the variables (docs/reference/variables.md).

        Raises:
            SettingsError: naming the variable, its value and what is allowed.
        """
        environ = os.environ if environment is None else environment
        return cls(
            mirrors=_mirrors(environ),
            mirror_header=_header(environ, "HEIMDALL_MIRROR_HEADER"),
            github_url=_github_url(environ.get("HEIMDALL_GITHUB_URL") or DEFAULT_GITHUB_URL),
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


def _header(environ: Mapping[str, str], variable: str) -> tuple[str, str] | None:
    text = environ.get(variable, "").strip()
    if not text:
        return None
    if not (match := _HEADER.fullmatch(text)):
        raise SettingsError(
            variable, "…", "'Name: value' in printable ASCII characters (it is not shown)"
        )
    name = match["name"]
    return "Authorization" if name.lower() == "authorization" else name, match["value"]


def _github_url(url: str) -> str:
    parts = _parts(url)
    if parts and parts.scheme in {"http", "https"} and not (parts.query or parts.fragment):
        return url.rstrip("/")
    expected = "a URL as https://host or http://host, without a query"
    raise SettingsError("HEIMDALL_GITHUB_URL", redact_url(url), expected)


def _mirrors(environ: Mapping[str, str]) -> tuple[str, ...]:
    variable = "HEIMDALL_MODELS_MIRROR"
    urls = _list(environ, variable)
    if any("://" not in url for url in urls[1:]):
        # It may have been within a password, whose halves are not shown.
        raise SettingsError(variable, "…", "URLs separated by commas; one within a URL is %2C")
    return tuple(_mirror(url) for url in urls)


def _mirror(url: str) -> str:
    parts = _parts(url)
    is_file = parts is not None and parts.scheme == "file"
    is_registry = parts is not None and parts.scheme in REGISTRY_SCHEMES
    # Windows reaches other machines so; elsewhere it would be taken for a folder of this one.
    if parts and is_file and parts.netloc not in {"", "localhost"} and os.name != "nt":
        mounted = f"file:///{parts.netloc}{parts.path}"
        expected = f"a path of this machine, as {mounted} or where the share is mounted"
    elif parts and is_registry and parts.path != parts.path.lower():
        expected = "a repository in lower case: registries have no other names"
    elif parts and not parts.fragment and not (parts.query and (is_file or is_registry)):
        return urlunsplit(parts._replace(path=parts.path.rstrip("/")))
    else:
        expected = (
            "a URL as https://host/path, http://host/path, file:///path or oci://host/repository"
        )
        if "@" in url:
            expected += (
                "; in its user and password write @ as %40, : as %3A, / as %2F, ? as %3F, # as %23"
            )
    raise SettingsError("HEIMDALL_MODELS_MIRROR", redact_url(url), expected)


def _parts(url: str) -> SplitResult | None:
    """A URL taken apart; None if it is none that can be used."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    # What is taken for host and path may be halves of a password, which is then not shown.
    if parts.scheme != "file" and (not parts.hostname or redact_url(url).endswith(HIDDEN)):
        return None
    return parts if parts.scheme in {"http", "https", "file", *REGISTRY_SCHEMES} else None
