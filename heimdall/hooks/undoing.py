"""Taking captures back: the last one, or single memories of any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cognitive_memory.core.memory import Memory, Origin
from cognitive_memory.core.recall import RecallFilter
from heimdall.errors import HeimdallError
from heimdall.hooks.capture import CAPTURE

if TYPE_CHECKING:
    from cognitive_memory.joint_memory import JointMemory

_CAPTURED = RecallFilter(origins=frozenset({Origin.CAPTURED}))


@dataclass(frozen=True, slots=True)
class Undone:
    """What was taken back, or would be.

    Attributes:
        memories: what they were.
        kept: those of the capture that stay, since the user has pinned them.
    """

    memories: tuple[Memory, ...] = ()
    kept: tuple[Memory, ...] = ()


class NotCapturedError(HeimdallError):
    """The memory of that id was not captured; the text says what to do."""


def undo_last(memories: JointMemory, *, dry_run: bool = False) -> Undone:
    """Delete what the last capture brought, but for what the user has pinned since.

    What was said stays in its transcript, and is not captured again.
    """
    found = list(memories.memories_of(_CAPTURED))
    last = max((_capture(one) for one in found if not one.pinned), default="")
    of_it = [one for one in found if last and _capture(one) == last]
    gone = tuple(one for one in of_it if not one.pinned)
    if not dry_run and gone:
        gone = memories.delete(one.id for one in gone)
    return Undone(gone, tuple(one for one in of_it if one.pinned))


def undo(memories: JointMemory, ids: Sequence[str], *, dry_run: bool = False) -> Undone:
    """Delete captured memories, all or none.

    Args:
        memories: the project's and the user's.
        ids: theirs, or the first eight characters or more of each.
        dry_run: delete nothing.

    Raises:
        NotCapturedError: one was not captured; nothing was deleted.
        MemoryValueError, UnknownMemoryError, AmbiguousIdError: as `whole_ids`; nothing was deleted.
    """
    chosen = [memories.get(one) for one in memories.whole_ids(ids)]
    for one in chosen:
        if one.origin is not Origin.CAPTURED:
            raise NotCapturedError(
                f"{one.id} was not captured, and nothing was undone; 'heimdall recent --captured' shows what was, "
                "'heimdall delete-memory' deletes what was stored"
            )
    return Undone(tuple(chosen) if dry_run else memories.delete(one.id for one in chosen))


def _capture(memory: Memory) -> str:
    return str(memory.metadata.get(CAPTURE, ""))
