"""The memory of the client's project: which one it is, and its database, opened once."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cognitive_memory.project.find import Project
    from cognitive_memory.project_memory import ProjectMemory


@dataclass(frozen=True, slots=True)
class Choice:
    """A project, and what pointed to it."""

    project: Project
    chosen_by: str


def find(roots: Sequence[Path]) -> Choice:
    """The project of a client.

    `HEIMDALL_PROJECT` decides; else the first of the client's roots that has a memory, or the first root; else the
    working directory.

    Raises:
        HeimdallError: as `find_project` does.
    """
    from cognitive_memory.project.errors import NoProjectError
    from cognitive_memory.project.find import find_project

    if os.environ.get("HEIMDALL_PROJECT"):
        return Choice(find_project(), "HEIMDALL_PROJECT")
    if not roots:
        return Choice(find_project(), "the working directory")
    without_memory: Choice | None = None
    refused: NoProjectError | None = None
    for root in roots:
        # A root that is not trusted is an error, unless one before it has a memory: what it has may have been put
        # there to be chosen.
        try:
            choice = Choice(find_project(root), f"the client's root {root}")
        except NoProjectError as error:
            refused = refused or error
            continue
        if choice.project.initialised:
            return choice
        without_memory = without_memory or choice
    if without_memory is None:
        assert refused is not None  # noqa: S101 (there was a root)
        raise refused
    return without_memory


class Memories:
    """The databases that are open. All methods may block, and are safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[Path, tuple[tuple[int, int] | None, ProjectMemory]] = {}

    def existing(self, project: Project) -> ProjectMemory | None:
        """The project's memory, if it has one: looking never makes one.

        Raises:
            HeimdallError: it can't be opened.
        """
        return self.made(project) if os.path.lexists(project.database) else None

    def made(self, project: Project) -> ProjectMemory:
        """The project's memory, made if it has none.

        Raises:
            HeimdallError, OSError: it can't be made or opened.
        """
        from cognitive_memory.opening import open_memory

        with self._lock:
            identity, memory = self._open.get(project.database, (None, None))
            # Somebody may have removed or restored the file: what is written to the old one would be lost.
            if memory is None or identity != _identity(project.database):
                memory = open_memory(project)
                self._open[project.database] = _identity(project.database), memory
            return memory

    def close(self) -> None:
        """Close all of them."""
        with self._lock:
            while self._open:
                self._open.popitem()[1][1].close()


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino
