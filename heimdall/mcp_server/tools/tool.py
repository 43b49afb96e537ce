"""What a tool is: a function, what clients are told of it, and how it answers or refuses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias, get_type_hints

from heimdall.errors import HeimdallError

if TYPE_CHECKING:
    import mcp_types as types

    from cognitive_memory.project_memory import ProjectMemory
    from heimdall.mcp_server.context import Context
    from heimdall.mcp_server.service import Service
    from heimdall.mcp_server.tools.arguments import Arguments
    from heimdall.mcp_server.tools.results import Result


class ToolError(HeimdallError):
    """A tool can't do what it was asked; the text says why, and what to do instead."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool."""

    service: Service
    ctx: Context

    async def memory_with(self, memory_id: str) -> tuple[ProjectMemory, str]:
        """The memory of the client's project or the user's, whichever has the id, and the whole id.

        Hooks and commands show the beginnings of ids.

        Raises:
            ToolError: there is none yet.
            HeimdallError: none has it, or it is no id.
        """
        joint = await self.service.memories_of(self.ctx)
        if not joint.memories:
            raise ToolError(
                f"no memory has the id {memory_id}: this project has no memories yet. store_memory makes the first."
            )
        return await self.service.in_thread(joint.named, memory_id)


Run: TypeAlias = "Callable[[Call, Any], Awaitable[tuple[Result, str]]]"
"""Takes a call and its `arguments`, answers once for programs and once for readers, or raises `HeimdallError`."""


@dataclass(frozen=True)
class Tool:
    """A tool. Its function's signature says what it takes and what it answers with.

    Attributes:
        title: its name for people.
        reads: whether it only reads.
        destroys: whether it replaces or deletes what is stored.
    """

    title: str
    run: Run
    reads: bool
    destroys: bool

    @property
    def name(self) -> str:
        """The function's name."""
        return self.run.__name__

    @cached_property
    def arguments(self) -> type[Arguments]:
        """The model of what it takes."""
        model: type[Arguments] = get_type_hints(self.run)["arguments"]
        return model

    @cached_property
    def listed(self) -> types.Tool:
        """The tool as the protocol has it."""
        import mcp_types as types

        from heimdall.mcp_server.tools.schemas import schema_of

        # Without a schema of the result: those of all tools took more room in a conversation than all the rest.
        return types.Tool(
            name=self.name,
            title=self.title,
            # for the language model that decides whether to call it
            description=" ".join((self.run.__doc__ or "").split()),
            input_schema=schema_of(self.arguments),
            annotations=types.ToolAnnotations(
                read_only_hint=self.reads,
                destructive_hint=self.destroys,
                idempotent_hint=True,  # storing the same again changes nothing
                open_world_hint=False,
            ),
        )


def tool(title: str, *, reads: bool = False, destroys: bool = False) -> Callable[[Run], Tool]:
    """Make a `Tool` of a function, whose docstring is the description."""
    return lambda run: Tool(title, run, reads, destroys)
