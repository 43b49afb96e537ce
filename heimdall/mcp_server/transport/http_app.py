"""The ASGI application: the SDK's streamable HTTP behind a bearer token and checks of Host and Origin."""

from __future__ import annotations

from collections.abc import Sequence

from mcp.server.transport_security import TransportSecuritySettings
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from heimdall.mcp_server.server import make_server
from heimdall.mcp_server.service import Service
from heimdall.mcp_server.transport.bearer_token import Token

PATH = "/mcp"
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def make_app(
    service: Service, token: Token, *, hosts: Sequence[str] = (), origins: Sequence[str] = ()
) -> ASGIApp:
    """The application.

    Args:
        hosts: values of the Host header that are answered besides loopback's; a web page that rebinds its own name to
            this machine shows that name.
        origins: values of the Origin header that are answered besides loopback's.
    """
    security = TransportSecuritySettings(
        allowed_hosts=[*(f"{name}:*" for name in _LOOPBACK), *hosts],
        allowed_origins=[*(f"http://{name}:*" for name in _LOOPBACK), *origins],
    )
    inner = make_server(service).streamable_http_app(
        streamable_http_path=PATH, transport_security=security
    )
    return _TokenRequired(inner, token)


class _TokenRequired:
    """Lets through what shows the token."""

    def __init__(self, app: ASGIApp, token: Token) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # The lifespan's messages pass, or the SDK would never start its session manager.
        if scope["type"] == "http" and not self._may_pass(Headers(scope=scope)):
            message = "Unauthorized: send 'Authorization: Bearer TOKEN'; the server says at its start where its token is"
            refused = JSONResponse(
                {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": message}},
                401,
                {"WWW-Authenticate": 'Bearer realm="heimdall-mcp"'},
            )
            await refused(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _may_pass(self, headers: Headers) -> bool:
        scheme, _, shown = headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self._token.matches(shown.strip())
