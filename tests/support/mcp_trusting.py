"""The HTTP server for clients that can't send a token: the same application, with the header added on the way in.

Run as `python -m tests.support.mcp_trusting`; says its URL on stderr as `heimdall-mcp --http` does.
"""

from __future__ import annotations

import sys

import anyio
import uvicorn
from starlette.types import Receive, Scope, Send

from heimdall.mcp_server.service import Service
from heimdall.mcp_server.transport.address import Address
from heimdall.mcp_server.transport.bearer_token import Token
from heimdall.mcp_server.transport.http_app import make_app
from heimdall.mcp_server.transport.names import Names

TOKEN = Token("known-to-nobody-but-us", "these tests")


def main() -> None:
    inner = make_app(Service(None), TOKEN, Names.of((), ()))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {
                **scope,
                "headers": [
                    *scope["headers"],
                    (b"authorization", b"Bearer " + TOKEN.secret.encode()),
                ],
            }
        await inner(scope, receive, send)

    bound = Address("127.0.0.1", 0).listen()
    print(f"http://127.0.0.1:{bound.getsockname()[1]}/mcp", file=sys.stderr, flush=True)
    anyio.run(uvicorn.Server(uvicorn.Config(app, log_level="warning")).serve, [bound])


if __name__ == "__main__":
    main()
