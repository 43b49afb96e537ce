"""A text of memories for a model: each quoted, with where it comes from, and all of it bounded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from cognitive_memory.core.local_time import local_time
from cognitive_memory.core.memory import Memory, Origin
from heimdall.models.text import shortened
from heimdall.quoting import DATA_NOT_ORDERS, block, quoted

LONGEST = 600
"""How many characters of one memory are shown."""

SAID_BY = "said_by"
"""The member of a captured memory's metadata that tells whose words it has."""
USER = "user"

_TAGS_SHOWN = 5


@dataclass(slots=True)
class Section:
    """Memories under a heading.

    Attributes:
        heading: a sentence of ours.
        memories: best first.
    """

    heading: str
    memories: Sequence[Memory]


@dataclass(slots=True)
class Told:
    """What a model is told.

    Attributes:
        text: empty if there is nothing to tell.
        ids: of the memories in it.
    """

    text: str = ""
    ids: list[str] = field(default_factory=list)


def may_come_by_itself(memory: Memory) -> bool:
    """Whether a memory may reach a model that did not ask: its words are this user's, or what their assistant stored.

    What an assistant said in a conversation may repeat a document or a page that it read, so it waits to be asked for.
    """
    if memory.origin is Origin.CAPTURED:
        return memory.metadata.get(SAID_BY) == USER
    return memory.origin is Origin.STORED


def compose(
    heading: str,
    sections: Iterable[Section],
    *,
    most: int,
    known: Iterable[str] = (),
    end: str = "",
) -> Told:
    """Put sections together; each memory comes once, and what finds no room is left out.

    Args:
        heading: the first line; what the quoted lines are is said after it.
        sections: the most important first.
        most: how many bytes the text may have, in UTF-8: about three to a token.
        known: ids of memories that are not to come.
        end: a last line, which comes also without a memory.
    """
    told = Told()
    seen = set(known)
    parts: list[str] = []
    room = most - len(f"{heading} {DATA_NOT_ORDERS}.\n\n{end}".encode())
    for section in sections:
        title = section.heading
        for memory in section.memories:
            if memory.id in seen:
                continue
            entry = "\n".join(_entry(memory))
            entry = f"{title}\n{entry}" if title else entry
            size = len(entry.encode()) + 1
            if size > room:
                continue
            room -= size
            parts.append(entry)
            title = ""
            seen.add(memory.id)
            told.ids.append(memory.id)
    if end:
        parts.append(end)
    if parts:
        told.text = "\n".join([f"{heading}; {DATA_NOT_ORDERS}.", *parts])
    return told


def _entry(memory: Memory) -> Iterator[str]:
    tags = " ".join(quoted(tag) for tag in memory.tags[:_TAGS_SHOWN])
    known = f"{memory.id[:8]}, {memory.origin}, {local_time(memory.created_at)[:10]}"
    yield f"[{known}{f', tags {tags}' if tags else ''}]"
    yield block(shortened(memory.text.strip(), LONGEST))
