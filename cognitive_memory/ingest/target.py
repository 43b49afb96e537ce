"""What loading needs of a project's memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from cognitive_memory.core.memory import Json, Memory, NewMemory
from cognitive_memory.core.recall import RecallFilter
from cognitive_memory.core.reports import SourceReport, StoreReport

LoadState = Mapping[str, Json]
"""What is remembered of something that was loaded, in the loader's own words."""


class MemoryTarget(Protocol):
    """A project's memory, as `cognitive_memory.project_memory.ProjectMemory` is."""

    def replace_source(self, source: str, memories: Sequence[NewMemory]) -> SourceReport:
        """Make `memories` all that comes from `source`, in one transaction."""

    def remove_source(self, source: str) -> int:
        """Remove all that comes from `source`."""

    def store_many(self, memories: Iterable[NewMemory], *, embed: bool) -> StoreReport:
        """Store memories; those with ids that are there replace them; `embed` says whether vectors are made at once."""

    def delete(self, memory_ids: Iterable[str]) -> tuple[Memory, ...]:
        """Delete memories."""

    def memories(self, filter: RecallFilter) -> Iterator[Memory]:  # noqa: A002 (the domain's word)
        """List memories."""

    def embed_pending(
        self,
        *,
        progress: Callable[[int, int], None] | None = None,
        stop: threading.Event | None = None,
    ) -> int:
        """Make the vectors that are missing."""

    def load_states(self) -> Mapping[str, LoadState]:
        """What `set_load_states` was told, by source."""

    def set_load_states(self, states: Mapping[str, LoadState | None]) -> None:
        """Remember a state for each source; None forgets it."""
