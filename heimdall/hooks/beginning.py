"""What a model is told when a conversation begins, and what is to survive when one is compacted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cognitive_memory.core.memory import Memory, Origin
from cognitive_memory.core.recall import EVERYTHING, RecallFilter
from heimdall.hooks.telling import Section, Told, compose, may_come_by_itself

if TYPE_CHECKING:
    from cognitive_memory.storage.reading import Reader

MOST_BYTES = 4_500
"""Some 1,500 tokens, a fifth of them spare: Codex takes 2,500, Claude Code 9,950 characters, Cursor 10,000."""

PREFERENCES = RecallFilter(tags=frozenset({"preference", "preferences"}))
LESSONS = RecallFilter(tags=frozenset({"session_lesson"}))

_HEADING = "This project's long-term memory (heimdall). recall_memories finds more, store_memory keeps what should last"
_USERS_HEADING = "The user's long-term memory (heimdall)"
_EVERYWHERE = "What holds in all projects of the user:"
_PINNED, _PREFERRED, _LEARNED, _CHANGED = 20, 10, 5, 5
_LOOKED_AT = 50  # most of what is captured does not come by itself


def at_the_start(
    reader: Reader | None, users: Reader | None = None, *, seen: int | None, known: list[str]
) -> Told:
    """What is pinned, what the user prefers, what the latest sessions have taught, what has changed.

    Args:
        reader: of the project's memory; None if there is none.
        users: of the user's; None if there is none.
        seen: the revision that a conversation was told of last; None: there was none.
        known: ids of what this conversation has been shown.
    """
    everywhere = Section(_EVERYWHERE, _of_user(users, size=_PREFERRED))
    if reader is None:
        return compose(_USERS_HEADING, [everywhere], most=MOST_BYTES, known=known)
    latest = _own(reader, order="changed", size=_CHANGED)
    if seen is None:
        changed = Section("The latest:", latest)
    else:
        fresh = [memory for memory in latest if memory.revision > seen]
        changed = Section("New or changed since the last session:", fresh)
    sections = [
        Section("Pinned by the user:", _own(reader, pinned=True, size=_PINNED)),
        everywhere,
        Section("What the user prefers:", _own(reader, PREFERENCES, size=_PREFERRED)),
        Section("Lessons of the latest sessions:", _own(reader, LESSONS, size=_LEARNED)),
        changed,
    ]
    others = {} if seen is None else reader.changed_since(seen)
    return compose(_HEADING, sections, most=MOST_BYTES, known=known, end=_counted(others))


def to_survive(
    reader: Reader, users: Reader | None = None, *, shown: list[str], seen: int | None
) -> Told:
    """What a compaction's summary should keep: what is pinned, what was stored meanwhile.

    Args:
        reader: of the project's memory.
        users: of the user's; None if there is none.
        shown: ids of what the conversation was shown.
        seen: the revision at which it was told something last.
    """
    latest = _own(reader, order="changed", size=_CHANGED)
    stored = [memory for memory in latest if seen is not None and memory.revision > seen]
    used = [memory for memory in reader.known(shown) if may_come_by_itself(memory)]
    sections = [
        Section("Pinned by the user:", _own(reader, pinned=True, size=_PINNED)),
        Section(_EVERYWHERE, _of_user(users, size=_PREFERRED, pinned=True)),
        Section("Stored during this conversation:", stored),
        Section("Recalled in this conversation:", list(reversed(used))),
    ]
    heading = "Keep in the summary what of this project's memory (heimdall) the work goes by"
    return compose(heading, sections, most=MOST_BYTES)


def _of_user(users: Reader | None, *, size: int, pinned: bool | None = None) -> list[Memory]:
    """The first of what holds in all projects: what is pinned before the rest."""
    if users is None:
        return []
    kinds = (True, False) if pinned is None else (pinned,)
    return [memory for kind in kinds for memory in _own(users, pinned=kind, size=size)][:size]


def _own(
    reader: Reader,
    wanted: RecallFilter = EVERYTHING,
    *,
    order: str = "newest",
    size: int,
    pinned: bool | None = None,
) -> list[Memory]:
    """The first memories of an order that may come by themselves."""
    found = [
        memory
        for origin, most in ((Origin.STORED, size), (Origin.CAPTURED, _LOOKED_AT))
        for memory in reader.page(
            wanted, order=order, size=most, after=None, pinned=pinned, origin=origin
        )
        if may_come_by_itself(memory)
    ]
    if order == "changed":
        return sorted(found, key=lambda memory: memory.revision, reverse=True)[:size]
    return sorted(found, key=lambda memory: memory.created_at, reverse=True)[:size]


def _counted(changes: Mapping[str, int]) -> str:
    """What else has changed, in numbers alone: whose words these are, nobody here knows."""
    names = {
        Origin.DOCUMENT: "from documents",
        Origin.COMMIT: "from commits",
        Origin.CAPTURED: "from conversations",
        Origin.ADOPTED: "adopted",
    }
    parts = [f"{changes[origin]:,} {name}" for origin, name in names.items() if changes.get(origin)]
    return (
        f"Since the last session also: {', '.join(parts)}; recall_memories finds them."
        if parts
        else ""
    )
