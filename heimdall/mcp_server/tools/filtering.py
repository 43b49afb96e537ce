"""Which memories the arguments of a tool mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cognitive_memory.core.recall import RecallFilter
from heimdall.mcp_server.tools.lenient import split_kinds
from heimdall.quoting import quoted

if TYPE_CHECKING:
    from cognitive_memory.joint_memory import JointMemory
    from heimdall.mcp_server.tools.arguments import Filtered
    from heimdall.mcp_server.tools.recalling import Question


@dataclass(frozen=True, slots=True)
class Wanted:
    """Memories that are wanted.

    Attributes:
        filter: what lets them through.
        why_none: what an answer without any should say.
    """

    filter: RecallFilter
    why_none: tuple[str, ...] = ()


def wanted(joint: JointMemory, asked: Filtered | Question, source: str | None = None) -> Wanted:
    """What is wanted of memories; tags are meant whatever their case."""
    types, kinds = split_kinds(asked.types)
    named = frozenset((*asked.tags, *kinds))
    tags, unknown = named, list[str]()
    if named:
        known = set[str]()
        for memory in joint.memories.values():
            with memory.storage.reading() as reader:
                known |= {*reader.tags_like(named)}
        plain = {tag.casefold() for tag in known}
        unknown = sorted(tag for tag in named if tag.strip().casefold() not in plain)
        tags = frozenset(known) or named
    span = asked.date_range
    why_none = [f"No memory has the tag {quoted(tag)}." for tag in unknown]
    return Wanted(
        RecallFilter(
            types=types,
            tags=tags,
            sources=frozenset([source] if source else []),
            since=span.since if span else None,
            until=span.until if span else None,
        ),
        tuple(why_none),
    )
