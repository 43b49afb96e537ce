"""What a client asks first, and the answers that need nothing of this machine: who we are, and what is in the lists.

They are, byte for byte, what the SDK would say; a test compares them. `static_lists.json` holds what the SDK made of the
lists of tools, prompts and resource templates, and the same test tells how to write it again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import cache
from pkgutil import get_data
from typing import Any, Final, NamedTuple, TypeAlias

from heimdall.mcp_server import guide
from heimdall.version import own_version

Call: TypeAlias = "Callable[[dict[str, Any]], dict[str, Any] | None]"
"""Gives the result of a `tools/call` by its parameters; None if the SDK has to see to it."""
VERSIONS: Final = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
"""The protocol versions that begin with `initialize`; the last one is offered to clients that want another."""
MODERN_VERSION: Final = "2026-07-28"
"""The protocol version whose requests each say by whom they are made."""
LISTS: Final = "static_lists.json"
"""The file with the results: of each of the protocol's eras, by method."""

_CAPABILITIES: Final = {
    "logging": {},
    "prompts": {"listChanged": False},
    "resources": {"listChanged": False, "subscribe": False},
    "tools": {"listChanged": False},
}
_META: Final = "io.modelcontextprotocol/"


class Answer(NamedTuple):
    """An answer to a client's request.

    Attributes:
        request_id: the request's.
        line: the response, without its newline.
        first: whether it is the connection's first request. The SDK has to see that one: it tells the protocol's era.
    """

    request_id: str | int
    line: bytes
    first: bool


class Opening:
    """The beginning of one connection. Everything that leaves something to decide is left to the SDK.

    Each method is answered once: what a client that reads nothing is told fits into any pipe.

    Args:
        call: not asked where the client's roots tell the project, nor after another request was left to the SDK.

    Attributes:
        left: whether a request was left to the SDK.
    """

    def __init__(self, call: Call = lambda _: None) -> None:
        self.left = False
        self._call = call
        self._rooted = False
        self._modern: bool | None = None
        self._over = False
        self._first: str | int | None = None
        self._left = {"ping", "tools/call", *_results(modern=True)}

    def answer(self, line: bytes) -> Answer | None:
        """The answer to a message of the client; None if the SDK has to see to it."""
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            message = None
        if isinstance(message, dict) and "method" in message and "id" not in message:
            return None  # a notification
        result = None if self._over else self._result(message)
        if result is None:
            self.left = True
            # The first request decides the era, and how it is refused is the SDK's matter.
            self._over = self._over or self._first is None
            return None
        request_id, first = message["id"], self._first is None
        self._first = request_id if first else self._first
        response = {"jsonrpc": "2.0", "id": request_id, "result": result}
        written = json.dumps(response, ensure_ascii=False, separators=(",", ":"))
        return Answer(request_id, written.encode(), first)

    def _result(self, message: Any) -> dict[str, Any] | None:
        match message:
            case {
                "jsonrpc": "2.0",
                "id": str() | int() as request_id,
                "method": str(method),
                **rest,
            }:
                params: Any = rest.pop("params", {})
                same = request_id == self._first and self._first is not None
                if rest or same or isinstance(request_id, bool) or not _is_text(str(request_id)):
                    return None
            case _:
                return None
        if method == "initialize":
            version = None if self._first is not None else _wanted_version(params)
            if version is None:
                return None
            self._modern = False
            self._rooted = "roots" in params["capabilities"] and not os.environ.get(
                "HEIMDALL_PROJECT"
            )
            return _initialized(version)
        called = method == "tools/call"
        if called and (self.left or self._rooted):
            return None
        if self._modern is not False and method != "ping" and _is_modern(params):
            modern = True
        elif (
            self._modern is False
            and method != "server/discover"
            and (_is_call(params) if called else _is_bare(params))
        ):
            modern = False
        else:
            return None
        if method not in self._left:
            return None
        self._left.remove(method)
        self._modern = modern
        if called:
            return self._call(params)
        result = _results(modern=modern).get(method, {})
        return {**result, "_meta": {f"{_META}serverInfo": _server()}} if modern else result


@cache
def _results(*, modern: bool) -> dict[str, dict[str, Any]]:
    eras: dict[str, dict[str, dict[str, Any]]] = json.loads(get_data(__package__, LISTS) or b"{}")
    return eras[MODERN_VERSION if modern else VERSIONS[-1]]


def _initialized(version: str) -> dict[str, Any]:
    return {
        "capabilities": _CAPABILITIES,
        "instructions": guide.INSTRUCTIONS,
        "protocolVersion": version if version in VERSIONS else VERSIONS[-1],
        "serverInfo": _server(),
    }


def _server() -> dict[str, str]:
    about = guide.SERVER_INFO | {"version": own_version()}
    return {name: about[name] for name in ("name", "title", "version", "websiteUrl")}


def _wanted_version(params: Any) -> str | None:
    """The version that the parameters of a plain `initialize` want; None where the SDK has to look at them."""
    match params:
        case {
            "protocolVersion": str(version),
            "capabilities": capabilities,
            "clientInfo": client,
            **more,
        } if not more and _is_client(client) and _are_plain(capabilities):
            return version
    return None


def _is_modern(params: Any) -> bool:
    """Whether the parameters are those of a plain request since 2026-07-28."""
    match params:
        case {"_meta": dict(meta), **more} if not more:
            told = dict(meta)
            return (
                told.pop(f"{_META}protocolVersion", None) == MODERN_VERSION
                and _are_plain(told.pop(f"{_META}clientCapabilities", None))
                and _is_client(told.pop(f"{_META}clientInfo", {"name": "", "version": ""}))
                and _is_token(told)
            )
    return False


def _is_bare(params: Any) -> bool:
    """Whether parameters say nothing, as before."""
    match params:
        case {"_meta": dict(meta), **more}:
            return not more and _is_token(meta)
        case dict():
            return not params
    return False


def _is_call(params: Any) -> bool:
    """Whether the parameters are those of a call of a tool, as before."""
    match params:
        case {"name": str(), "arguments": dict(), **more}:
            return more.keys() <= {"_meta"} and _is_bare(more)
    return False


def _is_token(meta: dict[str, Any]) -> bool:
    token = meta.get("progressToken", 0)
    return meta.keys() <= {"progressToken"} and type(token) in {str, int}


def _is_client(client: object) -> bool:
    # Icons, which the SDK may refuse, are left to it.
    return (
        isinstance(client, dict)
        and {"name", "version"} <= client.keys()
        and all(isinstance(value, str) for value in client.values())
    )


def _are_plain(capabilities: object) -> bool:
    # Elaborate ones, too.
    return isinstance(capabilities, dict) and all(
        isinstance(capability, dict)
        and all(isinstance(flag, (bool, dict)) for flag in capability.values())
        for capability in capabilities.values()
    )


def _is_text(text: str) -> bool:
    """Whether it can be written as UTF-8: half a character, as JavaScript cuts it, can't."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
