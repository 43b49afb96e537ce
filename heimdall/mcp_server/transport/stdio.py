"""The stdio transport: messages of the client to the SDK's streams and back, over descriptors that nobody else has.

The SDK's own transport leaves broken messages unanswered, reads lines of any length, and drops what is being worked on
when the client closes its end; this one does not. Everything above the messages is the SDK's.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

import anyio
import anyio.to_thread
import mcp_types as types
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage

from heimdall.mcp_server.transport.descriptors import Wire
from heimdall.mcp_server.transport.handshake import Handshake
from heimdall.mcp_server.transport.lines import TooLongError, write_line
from heimdall.mcp_server.transport.messages import (
    ANSWERS,
    BadMessageError,
    decode,
    encode,
    too_long,
)

DRAIN_SECONDS = 5.0
"""How long requests are still worked on after the client closed its end."""
_FLUSH_SECONDS = 5.0
"""How long a client may take to read the last messages; one that is gone is noticed at once."""

_log = logging.getLogger(__name__)

Incoming: TypeAlias = "MemoryObjectReceiveStream[SessionMessage | Exception]"
Outgoing: TypeAlias = "MemoryObjectSendStream[SessionMessage]"


@asynccontextmanager
async def stdio_streams(
    wire: Wire, handshake: Handshake, before_end: Callable[[], Awaitable[None]]
) -> AsyncIterator[tuple[Incoming, Outgoing]]:
    """The client's messages, and where to send ours. The messages end when the client goes away.

    A line that is no message is answered with a JSON-RPC error where an answer is due. When the client closes its end,
    requests that were read before are still answered, for `DRAIN_SECONDS` at most.

    Args:
        handshake: has read the first line, and perhaps answered it.
        before_end: sends what the client still has to hear, whatever happened to its requests.
    """
    to_server, from_client = anyio.create_memory_object_stream[SessionMessage | Exception]()
    from_server, to_client = anyio.create_memory_object_stream[SessionMessage]()
    connection = _Connection(wire, handshake, before_end)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(connection.read, to_server, from_server.clone())
        tasks.start_soon(connection.write, to_client, tasks.cancel_scope)
        yield from_client, from_server
        from_server.close()
        with anyio.move_on_after(_FLUSH_SECONDS):
            await connection.all_written.wait()
        tasks.cancel_scope.cancel()  # a thread that waits for a line is left behind


class _Connection:
    """Both directions of one client's connection, and which of its requests are unanswered."""

    def __init__(
        self, wire: Wire, handshake: Handshake, before_end: Callable[[], Awaitable[None]]
    ) -> None:
        self._wire = wire
        self._handshake = handshake
        self._before_end = before_end
        self._unanswered: set[str] = set()
        self._answered = anyio.Event()
        self.all_written = anyio.Event()

    async def read(
        self, to_server: MemoryObjectSendStream[SessionMessage | Exception], refusals: Outgoing
    ) -> None:
        """Hand on what the client sends until it closes its end, and wait for what is being worked on."""
        async with to_server, refusals:
            turn = anyio.CapacityLimiter(1)
            while True:
                try:
                    line = await anyio.to_thread.run_sync(
                        self._handshake.next_line, abandon_on_cancel=True, limiter=turn
                    )
                    if line is None:
                        break
                    if not line.strip():
                        continue
                    message = decode(line)
                except TooLongError as error:
                    await refusals.send(SessionMessage(too_long(error)))
                except BadMessageError as error:
                    _log.warning("%s", error)
                    for answer in error.answers:
                        await refusals.send(SessionMessage(answer))
                except OSError as error:
                    _log.warning("stdin can't be read any more: %s", error)
                    break
                else:
                    self._was_read(message)
                    await to_server.send(SessionMessage(message))
            # The SDK cancels all that goes on when its messages end, so they end when nothing is left to be said.
            with anyio.move_on_after(DRAIN_SECONDS):
                while self._unanswered:
                    await self._answered.wait()
            with anyio.move_on_after(_FLUSH_SECONDS):
                await self._before_end()

    async def write(
        self, to_client: MemoryObjectReceiveStream[SessionMessage], scope: anyio.CancelScope
    ) -> None:
        """Write what the server sends, one message after the other; a client that is gone ends the connection."""
        turn = anyio.CapacityLimiter(1)
        async with to_client:
            async for outgoing in to_client:
                if self._is_held_back(outgoing.message):
                    continue
                line = encode(outgoing.message)
                try:
                    await anyio.to_thread.run_sync(
                        write_line, self._wire.outgoing, line, abandon_on_cancel=True, limiter=turn
                    )
                except OSError:
                    scope.cancel()
                    return
                if isinstance(outgoing.message, ANSWERS):
                    self._settle(outgoing.message.id)
        self.all_written.set()

    def _is_held_back(self, message: types.JSONRPCMessage) -> bool:
        """Whether it is the SDK's answer to what the handshake answered already."""
        answered = self._handshake.answered
        if answered is None or not isinstance(message, ANSWERS) or message.id != answered:
            return False
        self._handshake.answered = None
        self._settle(answered)
        if isinstance(message, types.JSONRPCError):
            _log.error(
                "initialize was answered before it was understood: %s; please report this",
                message.error.message,
            )
        return True

    def _was_read(self, message: types.JSONRPCMessage) -> None:
        if isinstance(message, types.JSONRPCRequest):
            self._unanswered.add(str(message.id))
        elif (
            isinstance(message, types.JSONRPCNotification)
            and message.method == "notifications/cancelled"
        ):
            self._settle((message.params or {}).get("requestId"))  # will never be answered

    def _settle(self, request_id: object) -> None:
        self._unanswered.discard(str(request_id))
        self._answered.set()
        self._answered = anyio.Event()
