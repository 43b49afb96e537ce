"""What a tool is: its place in the table, what it is called with, and how it answers or refuses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel

from heimdall.errors import HeimdallError

if TYPE_CHECKING:
    from mcp_types import ToolAnnotations

    from cognitive_memory.project_memory import ProjectMemory
    from heimdall.mcp_server.context import Context
    from heimdall.mcp_server.service import Service
    from heimdall.mcp_server.tools.arguments import Arguments

A = TypeVar("A", bound="Arguments")


class ToolError(HeimdallError):
    """A tool can't do what it was asked; the text says why, and what to do instead."""


@dataclass(frozen=True, slots=True)
class Call(Generic[A]):
    """One call of a tool."""

    service: Service
    ctx: Context
    arguments: A

    async def memory_with(self, memory_id: str) -> ProjectMemory:
        """The memory of the client's project, to look there for the id.

        Raises:
            ToolError: the project has none yet.
        """
        memory = await self.service.memory(self.ctx)
        if memory is None:
            raise ToolError(
                f"no memory has the id {memory_id}: this project has no memories yet. store_memory makes the first."
            )
        return memory


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool answers: once for programs, once for readers."""

    content: BaseModel
    text: str


@dataclass(frozen=True, slots=True)
class Tool:
    """A row of the table of tools.

    Attributes:
        title: its name for people.
        description: for the language model that decides whether to call it.
        run: does it; raises `HeimdallError` with a text for the caller.
    """

    name: str
    title: str
    description: str
    arguments: type[Arguments]
    result: type[BaseModel]
    annotations: ToolAnnotations
    run: Callable[[Call[Any]], Awaitable[Answer]]


def as_utf8(value: object) -> str:
    """A text that JSON can carry: what is no UTF-8 in a path, for example, is escaped."""
    return str(value).encode("utf-8", "backslashreplace").decode()
