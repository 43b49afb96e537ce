"""The project's memory and the user's, asked as one."""

from __future__ import annotations

import heapq
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Self

from cognitive_memory.core.memory import Memory, Origin, Scope
from cognitive_memory.core.recall import (
    EVERYTHING,
    MEANING_ALONE,
    NOTHING_FITS,
    Recall,
    RecallFilter,
    RecallMode,
    waiting,
)
from cognitive_memory.core.values import as_id
from cognitive_memory.opening import existing_memory
from cognitive_memory.project.errors import NoProjectError
from cognitive_memory.project.find import Project
from cognitive_memory.project.user import user_place
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.retrieval.duplicates import without_duplicates
from cognitive_memory.storage.errors import UnknownMemoryError
from cognitive_memory.storage.short_ids import whole_ids
from heimdall.errors import HeimdallError

_SORTED_BY: Mapping[str, tuple[Callable[[Memory], Any], bool]] = {
    "newest": (lambda memory: memory.created_at, True),
    "oldest": (lambda memory: memory.created_at, False),
    "changed": (lambda memory: memory.updated_at, True),
    "important": (lambda memory: memory.importance, True),
}
"""By what the orders of `ProjectMemory.memories` compare memories of several databases, and whether downwards."""


class JointMemory:
    """Several memories, asked as one: the project's and the user's, or one of them, or none. A context manager that closes.

    Args:
        memories: None where there is none.
        notes: what the reader of any answer should know.

    Attributes:
        memories: those that there are, by scope.
    """

    def __init__(self, *memories: ProjectMemory | None, notes: Sequence[str] = ()) -> None:
        there = [memory for memory in memories if memory is not None]
        self.memories = {memory.storage.scope: memory for memory in there}
        self.notes = tuple(notes)

    def close(self) -> None:
        """Close each."""
        for memory in self.memories.values():
            memory.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def recall(
        self,
        query: str,
        *,
        limit: int = 10,
        filter: RecallFilter = EVERYTHING,
        explain: bool = False,
        wait_for_model: bool = False,
    ) -> Recall:
        """Find the memories that answer a question, the best of all.

        As `ProjectMemory.recall`, with its errors.
        """
        answers = [
            memory.recall(
                query, limit=limit, filter=filter, explain=explain, wait_for_model=wait_for_model
            )
            for memory in self.memories.values()
        ]
        if len(answers) == 1 and not self.notes:
            return answers[0]
        return merged(answers, limit, self.notes)

    def memories_of(
        self,
        filter: RecallFilter = EVERYTHING,
        *,
        order: str = "newest",
        limit: int | None = None,
        after: Mapping[Scope, str] | None = None,
        pinned: bool | None = None,
        origin: Origin | None = None,
    ) -> Iterator[Memory]:
        """List memories, as `ProjectMemory.memories` does.

        Args:
            filter, order, limit, pinned, origin: as there.
            after: the ids of the memories after which to begin, for pages.

        Raises:
            MemoryValueError, UnknownMemoryError: as there.
        """
        after = after or {}
        lists = [
            memory.memories(
                filter,
                order=order,
                limit=limit,
                after=after.get(scope),
                pinned=pinned,
                origin=origin,
            )
            for scope, memory in self.memories.items()
        ]
        if len(lists) == 1:
            return lists[0]
        key, downwards = _SORTED_BY.get(order, _SORTED_BY["newest"])  # another one they refuse
        return islice(heapq.merge(*lists, key=key, reverse=downwards), limit)

    def having(self, memory_id: str) -> ProjectMemory:
        """The one that has a memory.

        Raises:
            UnknownMemoryError: none has it.
            MemoryValueError: it is no UUID.
        """
        wanted = as_id(memory_id)
        for memory in self.memories.values():
            with memory.storage.reading() as reader:
                if reader.known_keys([wanted]):
                    return memory
        raise UnknownMemoryError((wanted,))

    def whole_ids(self, given: Iterable[str]) -> list[str]:
        """The ids of memories that are named by them or by their beginnings, with the errors of `short_ids.whole_ids`."""
        return whole_ids([memory.storage for memory in self.memories.values()], given)

    def named(self, given: str) -> tuple[ProjectMemory, str]:
        """The one that has a memory, and the memory's id, of which the beginning is enough; errors as `whole_ids`."""
        (memory_id,) = self.whole_ids([given])
        return self.having(memory_id), memory_id

    def get(self, memory_id: str) -> Memory:
        """The memory of an id.

        Raises:
            As `having` does.
        """
        return self.having(memory_id).get(memory_id)

    def update(self, memory_id: str, **changes: Any) -> Memory:
        """Change fields of a memory, as `ProjectMemory.update` does, with its errors."""
        return self.having(memory_id).update(memory_id, **changes)

    def delete(self, memory_ids: Iterable[str]) -> tuple[Memory, ...]:
        """Delete memories, those of each database all or none, and return what they were.

        Raises:
            UnknownMemoryError: there is no such memory; nothing was deleted.
            MemoryValueError: one is no UUID; nothing was deleted.
        """
        found: dict[ProjectMemory, list[str]] = {}
        for memory_id in memory_ids:
            found.setdefault(self.having(memory_id), []).append(memory_id)
        return tuple(gone for memory, ids in found.items() for gone in memory.delete(ids))


def existing_memories(find: Callable[[], Project], *scopes: Scope) -> JointMemory:
    """Open what there is of the project's memory and the user's: looking makes none.

    Where there is no project, the user's is enough. One of the user's that can't be opened is left out, with a note, so
    that each project's can be used all the same.

    Args:
        find: tells the project.
        scopes: of which; default: both.

    Raises:
        NoProjectError: there is neither a project nor a memory of the user's.
        HeimdallError: as `find` and `open_memory` raise for a project, and for the user's alone.
    """
    if scopes == (Scope.USER,):
        return JointMemory(existing_memory(user_place()))
    try:
        ours = existing_memory(find())
    except NoProjectError:
        if scopes or not has_user_memory():
            raise
        return JointMemory(existing_memory(user_place()))
    if scopes == (Scope.PROJECT,) or not has_user_memory():
        return JointMemory(ours)
    try:
        return JointMemory(ours, existing_memory(user_place()))
    except HeimdallError as error:
        return JointMemory(ours, notes=[left_out(error)])


def has_user_memory() -> bool:
    """Whether anything was ever stored for all projects."""
    return os.path.lexists(user_place().database)


def left_out(error: HeimdallError) -> str:
    """The note that the user's memory could not be asked."""
    return f"What holds in all your projects was left out: {error}"


def merged(answers: Sequence[Recall], limit: int, notes: Sequence[str] = ()) -> Recall:
    """Answers to one question from several memories as one.

    Where one of them has what fits, the hits of one that has nothing are weak.

    Args:
        answers: of each memory.
        limit: how many hits at most.
        notes: of all of them.
    """
    weak = all(answer.weak for answer in answers) and bool(answers)
    hits = [
        replace(hit, weak=hit.weak or (answer.weak and not weak))
        for answer in answers
        for hit in answer.hits
    ]
    hits.sort(key=lambda hit: -hit.score)
    said = list(dict.fromkeys([*notes, *(note for answer in answers for note in answer.notes)]))
    for note in (NOTHING_FITS, MEANING_ALONE):
        if note in said and not all(note in answer.notes for answer in answers if answer.hits):
            said.remove(note)
    pending = sum(answer.pending for answer in answers)
    if pending:
        said = [
            note for note in said if note not in {waiting(answer.pending) for answer in answers}
        ]
        said.append(waiting(pending))
    hybrid = any(answer.mode is RecallMode.HYBRID for answer in answers)
    return Recall(
        hits=tuple(without_duplicates(hits)[:limit]),
        mode=RecallMode.HYBRID if hybrid else RecallMode.KEYWORDS,
        pending=pending,
        notes=tuple(said),
        weak=weak,
    )
