"""Waiting for the model on behalf of one call, which is told how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from heimdall.mcp_server.client_log import Reporter, watch

if TYPE_CHECKING:
    from mcp.server import ServerRequestContext

    from heimdall.mcp_server.model_work import ModelWork


async def until_ready(model: ModelWork, ctx: ServerRequestContext[Any, Any]) -> None:
    """Wait while the model is being made ready, and report progress and log messages if the call wants them."""
    # From 2026-07-28 on, log messages belong to a request, and the SDK drops those that it did not ask for.
    own_log = Reporter(model, ctx) if ctx.protocol_version in MODERN_PROTOCOL_VERSIONS else None
    reported = -1.0
    async for situation in watch(model):
        if own_log is not None:
            await own_log.tell()
        if situation.busy and situation.fraction > reported:  # progress may only rise
            reported = situation.fraction
            await ctx.session.report_progress(round(reported, 4), 1.0, situation.detail)
