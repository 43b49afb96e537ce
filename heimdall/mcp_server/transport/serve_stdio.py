"""Serving one client on stdin and stdout."""

from __future__ import annotations

import gc
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NoReturn

from heimdall.mcp_server.transport.descriptors import claim_standard_streams
from heimdall.mcp_server.transport.handshake import Handshake

if TYPE_CHECKING:
    from mcp.server import Server

    from heimdall.mcp_server.projects import Memories
    from heimdall.mcp_server.service import Service
    from heimdall.mcp_server.transport.descriptors import Wire


_QUIET_SECONDS: Final = 0.1
"""How long a client says nothing until the SDK is imported, which nobody waits for yet."""


def serve_stdio() -> NoReturn:
    """Serve until the client goes away; then end the process: 0, or 128 + n when signal n ended it."""
    # Before anything else is imported: whatever prints from here on can't reach the client.
    wire = claim_standard_streams()
    handshake = Handshake(wire)
    # Imports make millions of objects and next to no garbage: looking for it is a tenth of the time until the answer.
    gc.disable()
    from heimdall.mcp_server.log import begin_log, tell_beginning
    from heimdall.mcp_server.projects import Memories

    begin_log()
    memories = Memories()
    handshake.until_needed(partial(_call, memories), _QUIET_SECONDS)
    tell_beginning()
    import anyio

    from heimdall.mcp_server.roots import Roots
    from heimdall.mcp_server.server import make_server
    from heimdall.mcp_server.service import Service
    from heimdall.mcp_server.transport.lifetime import end

    signals: list[int] = []
    service = Service(Roots(), memories)
    gc.freeze()
    gc.enable()
    anyio.run(_serve, wire, handshake, service, make_server(service), signals)
    end(service, signals)


def _call(memories: Memories, params: dict[str, Any]) -> dict[str, Any] | None:
    from heimdall.mcp_server.tools.first_recall import first_recall

    return first_recall(memories, params)


async def _serve(
    wire: Wire, handshake: Handshake, service: Service, server: Server[Any], signals: list[int]
) -> None:
    import anyio

    from heimdall.mcp_server.transport.lifetime import end_by_signal, end_with_client
    from heimdall.mcp_server.transport.stdio import stdio_streams

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(end_by_signal, tasks.cancel_scope, signals)
        tasks.start_soon(end_with_client, tasks.cancel_scope)
        async with stdio_streams(wire, handshake, service.log.catch_up) as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())
        tasks.cancel_scope.cancel()
