"""Credentials that are on this machine already: in `.netrc`, and where registry clients keep theirs."""

from __future__ import annotations

import base64
import binascii
import json
import netrc
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import SourceError
from ..transfer.address import basic_authorization

_HELPER = re.compile(r"[A-Za-z0-9._-]+")
_TOKEN_USER = "<token>"  # noqa: S105 (what helpers answer instead of a user's name)
_DOCKER_HUB = "index.docker.io"


@dataclass(frozen=True, slots=True)
class Login:
    """What a registry is shown.

    Attributes:
        origin: where it was found, for messages.
        basic: the value of an `Authorization` header that user and password make.
        identity_token: what is exchanged for a token instead.
    """

    origin: str
    basic: str | None = field(default=None, repr=False)
    identity_token: str | None = field(default=None, repr=False)


def netrc_authorization(host: str) -> tuple[str | None, str]:
    """The authorization that `$NETRC`, `~/.netrc` or `~/_netrc` has for a host, if any; and what is wrong with the file, if it can't be read."""
    named = os.environ.get("NETRC")
    for name in [named] if named else ["~/.netrc", "~/_netrc"]:
        path = os.path.expanduser(name)  # noqa: PTH111 (without a home it stays as it is)
        try:
            found = netrc.netrc(path).authenticators(host)
        except FileNotFoundError:
            continue
        except (OSError, ValueError, netrc.NetrcParseError) as error:
            # Its own words may repeat a password.
            told = getattr(error, "strerror", None) or f"line {getattr(error, 'lineno', '?')}"
            return None, f"{path} has no credentials that can be read ({told})"
        return (basic_authorization(found[0], found[2] or "") if found else None), ""
    return None, ""


def registry_login(registry: str, repository: str, seconds: float) -> Login | None:
    """What `docker login`, `oras login`, `podman login` or `.netrc` left for a registry.

    Args:
        registry: its host, and port if it has one.
        repository: entries may be for a part of the registry; the nearest one counts.
        seconds: how long a credential helper may take.

    Raises:
        SourceError: if a file or helper that has them can't be read.
    """
    for path in _files():
        try:
            document = json.loads(path.read_text("utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError) as error:
            told = getattr(error, "strerror", None) or "it is no JSON"
            raise SourceError(f"{path} has no credentials that can be read ({told})") from error
        try:
            login = _login(document, str(path), registry, repository, seconds)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise SourceError(f"{path} has no credentials that can be read") from error
        if login:
            return login
    host = registry.rpartition(":")[0] or registry
    authorization, trouble = netrc_authorization(host)
    if trouble:
        raise SourceError(trouble)
    return Login(".netrc", authorization) if authorization else None


def _files() -> Iterator[Path]:
    """The files of registry clients, in the order in which they are looked at."""
    home = os.path.expanduser("~")  # noqa: PTH111 (without a home it stays as it is)
    environ = os.environ
    if named := environ.get("REGISTRY_AUTH_FILE"):
        yield Path(named)
    yield Path(environ.get("DOCKER_CONFIG") or f"{home}/.docker", "config.json")
    if runtime := environ.get("XDG_RUNTIME_DIR"):
        yield Path(runtime, "containers", "auth.json")
    yield Path(environ.get("XDG_CONFIG_HOME") or f"{home}/.config", "containers", "auth.json")


def _login(
    document: dict[str, object], path: str, registry: str, repository: str, seconds: float
) -> Login | None:
    places = [f"{registry}/{repository}"]
    while "/" in places[-1]:
        places.append(places[-1].rpartition("/")[0])
    auths: dict[str, dict[str, str]] = document.get("auths") or {}  # type: ignore[assignment]
    known = {_place(key): entry for key, entry in auths.items()}
    for entry in (known[place] for place in places if place in known):
        if token := entry.get("identitytoken"):
            return Login(path, identity_token=token)
        if auth := entry.get("auth"):
            user, _, password = _decoded(auth).partition(":")
            return Login(path, basic_authorization(user, password.rstrip("\0")))
        if "username" in entry:
            return Login(path, basic_authorization(entry["username"], entry.get("password", "")))
    helpers: dict[str, str] = document.get("credHelpers") or {}  # type: ignore[assignment]
    server = f"https://{registry}/v1/" if registry == _DOCKER_HUB else registry
    helper = helpers.get(registry) or document.get("credsStore")
    return _of_helper(str(helper), server, seconds) if helper else None


def _place(key: str) -> str:
    """`https://index.docker.io/v1/` is what old clients write for a host."""
    bare = key.partition("://")[2] or key
    return re.sub(r"/v[12]/?$", "", bare).rstrip("/")


def _decoded(auth: str) -> str:
    try:
        return base64.b64decode(auth, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError("auth is not base64") from error


def _of_helper(name: str, server: str, seconds: float) -> Login | None:
    program = f"docker-credential-{name}"
    if not _HELPER.fullmatch(name):
        raise ValueError(name)
    try:
        done = subprocess.run(
            [program, "get"],
            input=server.encode(),
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SourceError(f"{program} can't be asked ({type(error).__name__})") from error
    if done.returncode:  # it has none
        return None
    answer = json.loads(done.stdout)
    if answer["Username"] == _TOKEN_USER:
        return Login(program, identity_token=answer["Secret"])
    return Login(program, basic_authorization(answer["Username"], answer["Secret"]))
