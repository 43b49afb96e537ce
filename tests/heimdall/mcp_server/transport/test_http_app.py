from __future__ import annotations

import pytest
from starlette.types import Message

from heimdall.mcp_server.roots import Roots
from heimdall.mcp_server.service import Service
from heimdall.mcp_server.transport.bearer_token import Token
from heimdall.mcp_server.transport.http_app import make_app
from heimdall.mcp_server.transport.names import Names


@pytest.mark.anyio
@pytest.mark.parametrize(("pieces", "read"), [(1, 1), (3, 3), (1000, 64)])
async def test_what_is_refused_is_read_first_unless_it_is_much(pieces: int, read: int) -> None:
    """A connection that is closed with bytes unread is reset, and the client may not see the answer."""
    app = make_app(
        Service(Roots()), Token("a-secret-of-some-length", "here"), Names(frozenset(), frozenset())
    )
    done: list[object] = []

    async def receive() -> Message:
        done.append("read")
        more = len(done) < pieces
        return {"type": "http.request", "body": bytes(1024), "more_body": more}

    async def send(message: Message) -> None:
        done.append(message.get("status", "body"))

    scope = {"type": "http", "method": "POST", "path": "/mcp", "headers": []}
    await app(scope, receive, send)
    assert done == ["read"] * read + [401, "body"]
