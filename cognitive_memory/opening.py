"""From a project to its memory: the one way that commands and servers take."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from cognitive_memory.core.memory import Scope
from cognitive_memory.project.find import DATABASE_NAME, Project
from cognitive_memory.project.init import init_project
from cognitive_memory.project.registry import known_projects, remember
from cognitive_memory.project.special_folders import synced_by
from cognitive_memory.project.user import UserPlace
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.qdrant.settings import qdrant_settings
from cognitive_memory.retrieval.scoring import Weights
from cognitive_memory.storage.schema import disown

_log = logging.getLogger(__name__)


def open_memory(project: Project) -> ProjectMemory:
    """Open a project's memory, made with its folder and settings if it is new, and note that this machine has it.

    The user's own, whose place `user_place` tells, is opened in the same way. It is no project, has no settings, and its
    vectors stay on this machine.

    A new database takes the id that is in the settings, so that clones of a repository which commits them are one project
    to what they share. An existing one keeps its own.

    Raises:
        ProjectConfigError: the settings have mistakes.
        ProjectError, OSError: the folder can't be made.
        ConfigError: Qdrant's address is none.
        StorageError: as `ProjectMemory.open` does.
    """
    if isinstance(project, UserPlace):
        project.check()
        return ProjectMemory.open(project.database, scope=Scope(project.scope))
    if not os.path.lexists(project.database):
        project = init_project(project.root)
        if service := synced_by(project.root):
            _log.warning(
                "%s copies %s to other machines: memories that two of them write at once are damaged; leave the folder "
                "out there, or move the project",
                *(service, project.folder),
            )
    settings = project.config
    memory = ProjectMemory.open(
        project.database,
        project_id=settings.project_id,
        qdrant=qdrant_settings(),
        weights=Weights(**asdict(settings.recall)),
        others=lambda: _others(project),
    )
    with contextlib.suppress(OSError):  # only `heimdall project list` misses it
        remember(project)
    return memory


def _others(project: Project) -> list[Path]:
    """The databases of the other projects that this machine knows, the last used one first."""
    databases = [known.project.database for known in known_projects() if not known.gone]
    return [database for database in databases if database != project.database]


def existing_memory(project: Project) -> ProjectMemory | None:
    """Open a project's memory if it has one: looking makes none.

    Raises:
        As `open_memory` does.
    """
    # A link that leads nowhere is no memory either, but nobody is to be told that there is none.
    return open_memory(project) if os.path.lexists(project.database) else None


@contextlib.contextmanager
def passing_memory() -> Iterator[ProjectMemory]:
    """A memory that is thrown away at the end.

    Raises:
        StorageError: as `ProjectMemory.open` does.
    """
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / DATABASE_NAME
        with ProjectMemory.open(database) as memory:
            yield memory
        disown(database)
