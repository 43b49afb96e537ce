"""The memory of the project around the working directory, opened for a command."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cognitive_memory.project_memory import ProjectMemory


def this_memory() -> ProjectMemory:
    """This project's memory, made if there is none."""
    from cognitive_memory.opening import open_memory
    from cognitive_memory.project.find import find_project

    return open_memory(find_project())


def this_memory_if_any() -> AbstractContextManager[ProjectMemory | None]:
    """This project's memory, or None where there is none: looking makes none."""
    from cognitive_memory.opening import existing_memory
    from cognitive_memory.project.find import find_project

    return existing_memory(find_project()) or nullcontext()


def embed_all(memory: ProjectMemory) -> int:
    """Make all vectors that are missing, with a bar; fetches the model if it is not here."""
    from heimdall.cli.progress import progress
    from heimdall.cognitive_system.data_dirs import initialize_shared_environment

    initialize_shared_environment()
    with progress("embedding") as report:
        return memory.embed_pending(progress=report)


def whole_ids(memory: ProjectMemory, given: Iterable[str]) -> list[str]:
    """The ids of memories that were named by ids or their beginnings, as `storage.short_ids.whole_ids`."""
    from cognitive_memory.storage import short_ids

    return short_ids.whole_ids(memory.storage, given)


def model_is_here() -> bool:
    """Whether vectors can be made without a download."""
    from cognitive_memory.embedding.embedder import ModelEmbedder

    return ModelEmbedder().ready()
