"""What all handlers share: the client's project, its memory, the model's background work, and threads to work in."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

import anyio
import anyio.to_thread

from heimdall.errors import HeimdallError
from heimdall.mcp_server import projects
from heimdall.mcp_server.model_loader import ModelLoader
from heimdall.mcp_server.model_reports import ClientLog

if TYPE_CHECKING:
    from mcp_types import InputRequiredResult, InputResponseRequestParams

    from cognitive_memory.joint_memory import JointMemory
    from cognitive_memory.project_memory import ProjectMemory
    from heimdall.mcp_server.context import Context
    from heimdall.mcp_server.roots import Roots

_THREADS: Final = 8
"""How many calls are worked on at once; the others wait their turn."""

_log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


class Service:
    """One server process.

    Args:
        roots: of the client, when this process serves a single one; None over HTTP, where `HEIMDALL_PROJECT` or the
            working directory decides for all clients.
        memories: those that are open already.
    """

    def __init__(self, roots: Roots | None, memories: projects.Memories | None = None) -> None:
        self.roots = roots
        self.memories = memories or projects.Memories()
        self.model = ModelLoader()
        self.log = ClientLog(self.model)
        self._threads = anyio.CapacityLimiter(_THREADS)

    async def in_thread(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run what may block; a call that is cancelled is no longer waited for."""
        # A query can't be broken off; its thread ends by itself and its result is dropped.
        work = functools.partial(function, *args, **kwargs)
        return await anyio.to_thread.run_sync(work, abandon_on_cancel=True, limiter=self._threads)

    def question(
        self, ctx: Context, params: InputResponseRequestParams
    ) -> InputRequiredResult | None:
        """What the client has to be asked before this request can be served."""
        return None if self.roots is None else self.roots.question(ctx, params)

    async def prepare(self, ctx: Context | None) -> None:
        """Begin with the model, and with what the project's memory still lacks of it."""
        memory = None
        try:
            memory = await self.memory(ctx)
        except (HeimdallError, OSError) as error:  # the first call of a tool says it to somebody
            _log.warning("the project's memory can't be opened yet: %s", error)
        self.model.begin(memory)

    async def project(self, ctx: Context | None) -> projects.Choice:
        """The client's project; None is enough where its roots are not asked for.

        Raises:
            HeimdallError: it can't be told.
        """
        paths = await self.roots.ask(ctx) if self.roots and ctx else ()
        choice = await self.in_thread(projects.find, paths)
        named = choice.chosen_by == "HEIMDALL_PROJECT"
        if self.roots and self.roots.unread and not (paths or named):
            # The memories go elsewhere than the client means: whoever looks is told why.
            unread = ", ".join(self.roots.unread)
            because = (
                f"{choice.chosen_by}; no directory of this machine is {unread}, the client's root"
            )
            choice = replace(choice, chosen_by=because)
        return choice

    async def project_if_any(self, ctx: Context | None) -> projects.Choice | None:
        """As `project`; None where there is none, and the user's own memory to work with.

        Raises:
            HeimdallError: the project can't be told, unless there is none, and a memory of the user's.
        """
        from cognitive_memory.project.errors import NoProjectError

        try:
            return await self.project(ctx)
        except NoProjectError:
            if not await self.in_thread(self.memories.has_users):
                raise
            return None

    async def memory(self, ctx: Context | None) -> ProjectMemory | None:
        """The memory of the client's project; None while it has none."""
        choice = await self.project(ctx)
        return await self.in_thread(self.memories.existing, choice.project)

    async def memories_of(self, ctx: Context) -> JointMemory:
        """The memory of the client's project and the user's, as far as they are there.

        Raises:
            HeimdallError: as `project_if_any`, or the memory can't be opened.
        """
        choice = await self.project_if_any(ctx)
        return await self.in_thread(self.memories.joint, choice)

    async def memory_made(self, ctx: Context, scope: str = "project") -> ProjectMemory:
        """The memory of the client's project, or the user's, made if there is none."""
        if scope == "user":
            return await self.in_thread(self.memories.users)
        choice = await self.project(ctx)
        return await self.in_thread(self.memories.made, choice.project)

    def close(self, seconds: float) -> None:
        """End what goes on in the background, `seconds` at most, and close the databases."""
        # First what writes to the databases, then they.
        self.model.stop(seconds)
        self.memories.close()
