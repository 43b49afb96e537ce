"""Waiting for the model on behalf of one call, which is told how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import anyio
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from heimdall.mcp_server.client_log import ClientLog

if TYPE_CHECKING:
    from mcp.server import ServerRequestContext

    from heimdall.mcp_server.model_work import ModelWork

_LOOK_SECONDS: Final = 0.25


async def until_ready(model: ModelWork, ctx: ServerRequestContext[Any, Any]) -> None:
    """Wait while the model is being made ready, and report progress and log messages if the call wants them."""
    async with anyio.create_task_group() as tasks:
        if (
            ctx.protocol_version in MODERN_PROTOCOL_VERSIONS
        ):  # there, log messages belong to a request that asks for them
            tasks.start_soon(ClientLog().follow, model, ctx)
        reported = -1.0
        while (situation := model.situation).busy:
            if situation.fraction > reported:  # progress may only rise
                reported = situation.fraction
                await ctx.session.report_progress(round(reported, 4), 1.0, situation.detail)
            await anyio.sleep(_LOOK_SECONDS)
