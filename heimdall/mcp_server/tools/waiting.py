"""Waiting for the model on behalf of one call, which is told how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import anyio

if TYPE_CHECKING:
    from mcp.server import ServerRequestContext

    from heimdall.mcp_server.model_work import ModelWork, Situation

_LOOK_SECONDS: Final = 0.25


async def until_ready(model: ModelWork, ctx: ServerRequestContext[Any, Any]) -> Situation:
    """Wait while the model is being made ready, and report progress if the call wants it.

    Returns:
        How it ended: ready, failed, or waiting when nobody works on it.
    """
    reported = -1.0
    while (situation := model.situation).busy:
        if situation.fraction > reported:  # progress may only rise
            reported = situation.fraction
            await ctx.session.report_progress(round(reported, 4), 1.0, situation.detail)
        await anyio.sleep(_LOOK_SECONDS)
    return situation
