"""The memory of the client's project: which one it is, and its database, opened once."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cognitive_memory.joint_memory import JointMemory
    from cognitive_memory.project.errors import NoProjectError
    from cognitive_memory.project.find import Project
    from cognitive_memory.project_memory import ProjectMemory


_WAY_OUT: Final = (
    "Nothing was read or stored. Open a project's folder in the assistant, or have its configuration name one: "
    "heimdall mcp install CLIENT --project DIR. What holds in all projects is stored with scope user"
)


@dataclass(frozen=True, slots=True)
class Choice:
    """A project, and what pointed to it."""

    project: Project
    chosen_by: str


def find(roots: Sequence[Path]) -> Choice:
    """The project of a client.

    `HEIMDALL_PROJECT` decides; else the first of the client's roots that has a memory, or the first root that may be a
    project; without roots the working directory if it is in a repository or has a memory; else the directories that
    clients' variables name; else the working directory.

    Raises:
        HeimdallError: as `find_project` does.
    """
    from cognitive_memory.project.errors import NoProjectError
    from cognitive_memory.project.find import find_project
    from heimdall.mcp_server import places

    if os.environ.get("HEIMDALL_PROJECT"):
        return Choice(find_project(), "HEIMDALL_PROJECT")
    choice, refused = _first("the client's root", roots)
    if choice is not None:
        return choice
    here: Choice | None = None
    if not roots:
        try:
            here = Choice(find_project(), "the working directory")
        except NoProjectError as error:
            refused = error
    # Variables are inherited by what is started from a client's terminal, in whatever directory.
    if here is not None and (
        here.project.initialised or os.path.lexists(here.project.root / ".git")
    ):
        return here
    choice, _ = _first("the client's variable for", places.of_variables(os.environ))
    if found := choice or here:
        return found
    assert refused is not None  # noqa: S101 (there was a root, or the working directory)
    raise NoProjectError(refused.path, f"{refused.reason}. {_WAY_OUT}") from refused


def _first(kind: str, directories: Sequence[Path]) -> tuple[Choice | None, NoProjectError | None]:
    """Of several directories the first that has a memory, else the first that may have one; and why another one may not."""
    from cognitive_memory.project.errors import NoProjectError
    from cognitive_memory.project.find import find_project

    without_memory: Choice | None = None
    refused: NoProjectError | None = None
    for directory in directories:
        # One that is not trusted is an error, unless one before it has a memory: what it has may have been put
        # there to be chosen.
        try:
            choice = Choice(find_project(directory), f"{kind} {directory}")
        except NoProjectError as error:
            refused = refused or error
            continue
        if choice.project.initialised:
            return choice, refused
        without_memory = without_memory or choice
    return without_memory, refused


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

    def has_users(self) -> bool:
        """Whether anything was ever stored for all projects."""
        from cognitive_memory.joint_memory import has_user_memory

        return has_user_memory()

    def users(self) -> ProjectMemory:
        """The user's memory, made if there is none.

        Raises:
            HeimdallError, OSError: it can't be made or opened.
        """
        from cognitive_memory.project.user import user_place

        return self.made(user_place())

    def joint(self, choice: Choice | None) -> JointMemory:
        """The memory of a project that was chosen and the user's, as far as they are there. Not to be closed.

        Raises:
            HeimdallError: the project's can't be opened, or without a project the user's.
        """
        from cognitive_memory.joint_memory import JointMemory, left_out
        from heimdall.errors import HeimdallError

        ours = None if choice is None else self.existing(choice.project)
        if not self.has_users():
            return JointMemory(ours)
        try:
            return JointMemory(ours, self.users())
        except HeimdallError as error:
            if choice is None:
                raise
            return JointMemory(ours, notes=[left_out(error)])

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
