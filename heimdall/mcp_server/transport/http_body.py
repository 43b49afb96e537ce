"""Bodies of HTTP requests: what the SDK could not understand is answered here, with the request's id if it has one."""

from __future__ import annotations

import json
from typing import Final

import mcp_types as types
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from heimdall.mcp_server.transport.lines import TooLongError
from heimdall.mcp_server.transport.messages import BadMessageError, decode, encode, too_long

LONGEST_BODY: Final = 4 * 1024 * 1024
"""Bytes of the longest request, as the SDK has it."""
_LENGTHS: Final = {b"content-length", b"transfer-encoding"}


class ReadMessages:
    """Lets through what is one JSON-RPC message, mended as on stdio."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        is_json = scope["type"] == "http" and scope["method"] == "POST" and _says_json(scope)
        if not is_json:
            await self._app(scope, receive, send)
            return
        try:
            body = await _read(receive)
            if body is None:
                return  # the client is gone
            message = decode(body)
        except TooLongError as error:
            await _answer(413, [too_long(error)])(scope, receive, send)
            return
        except BadMessageError as error:
            status = 400 if error.answers else 202
            await _answer(status, error.answers)(scope, receive, send)
            return
        whole = encode(message) if b"\\" in body or not body.isascii() else body
        first: list[Message] = [{"type": "http.request", "body": whole, "more_body": False}]

        async def again() -> Message:
            return first.pop() if first else await receive()

        length = [(b"content-length", str(len(whole)).encode())]
        headers = [(name, value) for name, value in scope["headers"] if name not in _LENGTHS]
        await self._app({**scope, "headers": headers + length}, again, send)


def _says_json(scope: Scope) -> bool:
    return Headers(scope=scope).get("content-type", "").lower().startswith("application/json")


async def _read(receive: Receive) -> bytes | None:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if len(body) > LONGEST_BODY:
            raise TooLongError(LONGEST_BODY, bytes(body), b"")
        if not message.get("more_body", False):
            return bytes(body)


def _answer(
    status: int, answers: tuple[types.JSONRPCError, ...] | list[types.JSONRPCError]
) -> Response:
    documents = [json.loads(encode(answer)) for answer in answers]
    if not documents:
        return Response(status_code=status)
    content = json.dumps(documents[0] if len(documents) == 1 else documents)
    return Response(content, status, media_type="application/json")
