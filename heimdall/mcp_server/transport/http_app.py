"""The ASGI application: the SDK's streamable HTTP behind a bearer token and checks of Host, Origin and body."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import anyio
from mcp.server.transport_security import TransportSecuritySettings
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from heimdall.mcp_server.server import make_server
from heimdall.mcp_server.service import Service
from heimdall.mcp_server.transport.bearer_token import Token
from heimdall.mcp_server.transport.http_body import ReadMessages
from heimdall.mcp_server.transport.names import Names

PATH = "/mcp"
_MOST_READ_AWAY: Final = 64 * 1024
_READ_AWAY_SECONDS: Final = 1.0


def make_app(service: Service, token: Token, names: Names) -> ASGIApp:
    """The application.

    Args:
        names: under which it may be asked, besides this machine's own.
    """
    # The SDK takes a host that begins as an allowed one does for that one.
    unchecked = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    inner = make_server(service).streamable_http_app(
        streamable_http_path=PATH, transport_security=unchecked
    )
    return _Guarded(ReadMessages(inner), token, names)


def shows(token: Token, headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a request's headers show the token."""
    shown = [value.decode("latin-1") for name, value in headers if name == b"authorization"]
    scheme, _, secret = shown[0].partition(" ") if len(shown) == 1 else ("", "", "")
    return scheme.lower() == "bearer" and token.matches(secret.strip())


async def _read_away(receive: Receive) -> None:
    """Read what comes with a request that is refused: a connection that ends with bytes unread takes its answer with it."""
    size, more = 0, True
    with anyio.move_on_after(_READ_AWAY_SECONDS):
        while more and size < _MOST_READ_AWAY:
            message = await receive()
            size += len(message.get("body", b""))
            more = message.get("more_body", False)


class _Guarded:
    """Lets through what shows the token and asks under a name of ours."""

    def __init__(self, app: ASGIApp, token: Token, names: Names) -> None:
        self._app = app
        self._token = token
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # The lifespan's messages pass, or the SDK would never start its session manager.
        refused = self._refusal(scope) if scope["type"] == "http" else None
        if refused:
            await _read_away(receive)
        await (refused or self._app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if not shows(self._token, scope["headers"]):
            message = "Unauthorized: send 'Authorization: Bearer TOKEN'; the server says at its start where its token is"
            return JSONResponse(
                {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": message}},
                401,
                {"WWW-Authenticate": 'Bearer realm="heimdall-mcp"', "Connection": "close"},
            )
        # Also a request as to a proxy, whose target names a host of its own.
        if not scope["path"].startswith("/") or not self._names.may_host(headers.getlist("host")):
            return PlainTextResponse("Invalid Host header", 421)
        if not self._names.may_origin(headers.getlist("origin")):
            return PlainTextResponse("Invalid Origin header", 403)
        return None
