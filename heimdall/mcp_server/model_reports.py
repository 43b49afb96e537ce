"""What clients are told of the model: log messages for a session, progress for a call that waits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, get_args

import anyio
from mcp_types import EmptyResult, LoggingLevel, SetLevelRequestParams
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from heimdall.mcp_server.model_loader import ModelLoader, ModelState, ModelStatus
from heimdall.quoting import clean

if TYPE_CHECKING:
    from heimdall.mcp_server.context import Context

LOGGER: Final = "heimdall.model"
_LEVELS: Final[tuple[LoggingLevel, ...]] = get_args(LoggingLevel)
_LOOK_SECONDS: Final = 0.25
_FETCHING_EVERY: Final = 0.1
"""A message for each tenth of the work."""
_MOST_SESSIONS: Final = 1000


async def watch(model: ModelLoader) -> AsyncIterator[ModelStatus]:
    """The model's status, a few times a second, until nothing is going on: the last one included."""
    while True:
        status = model.status
        yield status
        if not status.busy:
            return
        # Looks instead of being woken: each chunk of a download is news, and no client wants so much.
        await anyio.sleep(_LOOK_SECONDS)


class Reporter:
    """Tells one client of each stage of the model's work, once.

    Args:
        ctx: of the request or notification that the messages belong to.
        level: the least level that is sent.
    """

    def __init__(
        self, model: ModelLoader, ctx: Context, level: Callable[[], LoggingLevel] = lambda: "debug"
    ) -> None:
        self._model = model
        self._ctx = ctx
        self._level = level
        self._told: tuple[ModelState, int] | None = None
        self._telling = anyio.Lock()

    async def tell(self) -> None:
        """Send the present stage unless it was sent; when this returns, it goes before whatever is sent next."""
        status = self._model.status
        step = status.state, int(status.fraction / _FETCHING_EVERY)
        async with self._telling:
            if step == self._told or status.state is ModelState.WAITING:
                return
            self._told = step
            level: LoggingLevel = "warning" if status.state is ModelState.FAILED else "info"
            if _LEVELS.index(level) >= _LEVELS.index(self._level()):
                data = {"state": status.state.value, "message": clean(status.detail)}
                await self._ctx.session.send_log_message(level, data, LOGGER)

    async def follow(self) -> None:
        """Tell each stage, until there is nothing more to tell."""
        async for _ in watch(self._model):
            await self.tell()


class ClientLog:
    """Which messages each session wants (until it says so, those from `info` on), and what it was told."""

    def __init__(self, model: ModelLoader) -> None:
        self._model = model
        self._levels: dict[str | None, LoggingLevel] = {}
        self._reporters: dict[str | None, Reporter] = {}

    async def set_level(self, ctx: Context, params: SetLevelRequestParams) -> EmptyResult:
        """Handler of `logging/setLevel`."""
        while len(self._levels) >= _MOST_SESSIONS:
            del self._levels[next(iter(self._levels))]
        self._levels[_session(ctx)] = params.level
        return EmptyResult()

    @contextmanager
    def reporter(self, ctx: Context) -> Iterator[Reporter]:
        """The reporter of a client's session; while the block runs, `catch_up` uses it too."""
        session = _session(ctx)
        reporter = Reporter(self._model, ctx, lambda: self._levels.get(session, "info"))
        self._reporters[session] = reporter
        try:
            yield reporter
        finally:
            if self._reporters.get(session) is reporter:  # a client may say twice that it is ready
                del self._reporters[session]

    async def catch_up(self, ctx: Context | None = None) -> None:
        """Tell a session that has a reporter how far the model is now.

        Due before an answer that depends on it and before the server ends. Either could fall between two looks at the
        model, and a client would hear of the last stage too late or never.

        Args:
            ctx: of a request of the session; None: the only client of this process.
        """
        if reporter := self._reporters.get(None if ctx is None else _session(ctx)):
            await reporter.tell()


async def until_ready(model: ModelLoader, ctx: Context) -> None:
    """Wait while the model is being made ready, and report progress and log messages if the call wants them."""
    # From 2026-07-28 on, log messages belong to a request, and the SDK drops those that it did not ask for.
    own_log = Reporter(model, ctx) if ctx.protocol_version in MODERN_PROTOCOL_VERSIONS else None
    reported = -1.0
    async for status in watch(model):
        if own_log is not None:
            await own_log.tell()
        if status.busy and status.fraction > reported:  # progress may only rise
            reported = status.fraction
            await ctx.session.report_progress(round(reported, 4), 1.0, clean(status.detail))


def _session(ctx: Context) -> str | None:
    """The session's id over HTTP; on stdio there is but one."""
    headers = getattr(ctx.request, "headers", None)
    return None if headers is None else headers.get("mcp-session-id")
