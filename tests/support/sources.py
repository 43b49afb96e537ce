"""What loaders do with a source, each in a transaction of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cognitive_memory.core.memory import LoadState, NewMemory
from cognitive_memory.core.reports import SourceReport
from cognitive_memory.project_memory import ProjectMemory


def replace_source(
    memory: ProjectMemory, source: str, memories: Iterable[NewMemory]
) -> SourceReport:
    with memory.storage.writing() as writer:
        return writer.replace_source(source, memories)


def remove_source(memory: ProjectMemory, source: str) -> int:
    """As when a loaded file is gone."""
    with memory.storage.writing() as writer:
        writer.set_load_states({source: None})
        return writer.replace_source(source, ()).removed


def load_states(memory: ProjectMemory) -> Mapping[str, LoadState]:
    with memory.storage.reading() as reader:
        return reader.load_states()


def set_load_states(memory: ProjectMemory, states: Mapping[str, LoadState | None]) -> None:
    with memory.storage.writing() as writer:
        writer.set_load_states(states)
