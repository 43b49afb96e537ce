"""What a tool is: its place in the table, what it is called with, and how it answers or refuses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel

from heimdall.errors import HeimdallError

if TYPE_CHECKING:
    from mcp.server import ServerRequestContext
    from mcp_types import ToolAnnotations

    from heimdall.mcp_server.service import Service
    from heimdall.mcp_server.tools.arguments import Arguments

A = TypeVar("A", bound="Arguments")


class ToolError(HeimdallError):
    """A tool can't do what it was asked; the text says why, and what to do instead."""


@dataclass(frozen=True, slots=True)
class Call(Generic[A]):
    """One call of a tool."""

    service: Service
    ctx: ServerRequestContext[Any, Any]
    arguments: A


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
