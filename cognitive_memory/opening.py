"""From a project to its memory: the one way that commands and servers take."""

from __future__ import annotations

import contextlib
from dataclasses import asdict

from cognitive_memory.project.find import Project
from cognitive_memory.project.init import init_project
from cognitive_memory.project.registry import remember
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.qdrant.settings import qdrant_settings
from cognitive_memory.retrieval.scoring import Weights


def open_memory(project: Project) -> ProjectMemory:
    """Open a project's memory, made with its folder and settings if it is new, and note that this machine has it.

    A new database takes the id that is in the settings, so that clones of a repository which commits them are one project
    to what they share. An existing one keeps its own.

    Raises:
        ProjectConfigError: the settings have mistakes.
        ProjectError, OSError: the folder can't be made.
        ConfigError: Qdrant's address is none.
        StorageError: as `ProjectMemory.open` does.
    """
    if not project.database.exists():
        project = init_project(project.root)
    settings = project.config
    memory = ProjectMemory.open(
        project.database,
        project_id=settings.project_id,
        qdrant=qdrant_settings(),
        weights=Weights(**asdict(settings.recall)),
    )
    with contextlib.suppress(OSError):  # only `heimdall project list` misses it
        remember(project)
    return memory


def existing_memory(project: Project) -> ProjectMemory | None:
    """Open a project's memory if it has one: looking makes none.

    Raises:
        As `open_memory` does.
    """
    return open_memory(project) if project.database.exists() else None
