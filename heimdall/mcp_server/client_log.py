"""Log messages to the client: how far the model is, for those who look at a server's log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, get_args

import anyio
from mcp_types import EmptyResult, LoggingLevel, SetLevelRequestParams

from heimdall.mcp_server.model_work import ModelState, ModelWork, Situation

if TYPE_CHECKING:
    from mcp.server import ServerRequestContext

LOGGER: Final = "heimdall.model"
_LEVELS: Final[tuple[LoggingLevel, ...]] = get_args(LoggingLevel)
_LOOK_SECONDS: Final = 0.25
_FETCHING_EVERY: Final = 0.1
"""A message for each tenth of the work."""
_MOST_SESSIONS: Final = 1000


class ClientLog:
    """Which messages each session wants; until it says so, those from `info` on."""

    def __init__(self) -> None:
        self._levels: dict[str | None, LoggingLevel] = {}

    async def set_level(
        self, ctx: ServerRequestContext[Any, Any], params: SetLevelRequestParams
    ) -> EmptyResult:
        """Handler of `logging/setLevel`."""
        while len(self._levels) >= _MOST_SESSIONS:
            del self._levels[next(iter(self._levels))]
        self._levels[_session(ctx)] = params.level
        return EmptyResult()

    async def follow(self, model: ModelWork, ctx: ServerRequestContext[Any, Any]) -> None:
        """Tell the client of each stage of the model's work, until there is nothing more to tell."""
        told: tuple[ModelState, int] | None = None
        while True:
            situation = model.situation
            step = situation.state, int(situation.fraction / _FETCHING_EVERY)
            if step != told and situation.state is not ModelState.WAITING:
                told = step
                await self._tell(situation, ctx)
            if not situation.busy:
                return
            await anyio.sleep(_LOOK_SECONDS)

    async def _tell(self, situation: Situation, ctx: ServerRequestContext[Any, Any]) -> None:
        level: LoggingLevel = "warning" if situation.state is ModelState.FAILED else "info"
        if _LEVELS.index(level) >= _LEVELS.index(self._levels.get(_session(ctx), "info")):
            data = {"state": situation.state.value, "message": situation.detail}
            await ctx.session.send_log_message(level, data, LOGGER)


def _session(ctx: ServerRequestContext[Any, Any]) -> str | None:
    """The session's id over HTTP; on stdio there is but one."""
    headers = getattr(ctx.request, "headers", None)
    return None if headers is None else headers.get("mcp-session-id")
