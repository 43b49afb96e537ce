"""The memory of the project around the working directory, and the user's, opened for a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cognitive_memory.joint_memory import JointMemory
    from cognitive_memory.project.find import Project
    from cognitive_memory.project_memory import ProjectMemory

ALL = "all"


def place(scope: str = "project") -> Project:
    """Where this project's memory is, or the user's."""
    from cognitive_memory.core.memory import Scope
    from cognitive_memory.project.find import find_project
    from cognitive_memory.project.user import user_place

    return user_place() if scope == Scope.USER else find_project()


def this_memory(scope: str = "project") -> ProjectMemory:
    """This project's memory, or the user's, made if there is none."""
    from cognitive_memory.opening import open_memory

    return open_memory(place(scope))


def these_memories(scope: str = ALL) -> JointMemory:
    """What there is of this project's memory and the user's; `scope` is one of them, or both."""
    from cognitive_memory.core.memory import Scope
    from cognitive_memory.joint_memory import existing_memories
    from cognitive_memory.project.find import find_project

    return existing_memories(find_project, *([] if scope == ALL else [Scope(scope)]))


def embed_all(memory: ProjectMemory) -> int:
    """Make all vectors that are missing, with a bar; fetches the model if it is not here."""
    from cognitive_memory.encoding.session import require_engine
    from heimdall.cli.progress import progress
    from heimdall.cognitive_system.data_dirs import initialize_shared_environment

    require_engine()
    initialize_shared_environment()
    with progress("embedding") as report:
        return memory.embed_pending(progress=report)


def model_is_here() -> bool:
    """Whether vectors can be made without a download."""
    from cognitive_memory.embedding.embedder import ModelEmbedder

    return ModelEmbedder().ready()
