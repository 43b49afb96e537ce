"""Which project a directory belongs to."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from cognitive_memory.project.errors import ProjectError

if TYPE_CHECKING:
    from cognitive_memory.project.settings import ProjectConfig

FOLDER = ".heimdall"
CONFIG_NAME = "config.yaml"
DATABASE_NAME = "cognitive_memory.db"


@dataclass(frozen=True)
class Project:
    """A directory whose memory is kept together.

    Attributes:
        root: the project's directory, absolute.
    """

    root: Path

    @property
    def folder(self) -> Path:
        """Where heimdall keeps what belongs to the project; it need not exist."""
        return self.root / FOLDER

    @property
    def database(self) -> Path:
        """The memory's database; it need not exist."""
        return self.folder / DATABASE_NAME

    @property
    def config_path(self) -> Path:
        """The settings; the file need not exist."""
        return self.folder / CONFIG_NAME

    @property
    def initialised(self) -> bool:
        """Whether `init_project` was called for it, or something was stored in it."""
        return _is(self.config_path, stat.S_ISREG) or _is(self.database, stat.S_ISREG)

    @cached_property
    def config(self) -> ProjectConfig:
        """The settings, read when first asked for; the defaults if there is no file.

        Raises:
            ProjectConfigError: with every mistake in the file.
        """
        from cognitive_memory.project.config import read_config

        return read_config(self.config_path)


def find_project(start: Path | None = None) -> Project:
    """The project that a directory belongs to.

    It is the directory that `$HEIMDALL_PROJECT` names; else the nearest one, from `start` upwards, with a folder
    `.heimdall`; else the nearest with `.git`; else `start` itself. A folder that somebody else has put into a directory
    where everybody may (as `/tmp`) is passed over.

    Args:
        start: default: the working directory. If given, `$HEIMDALL_PROJECT` is not asked.

    Raises:
        ProjectError: the directory that is named does not exist.
    """
    named = os.environ.get("HEIMDALL_PROJECT")
    if start is None and named:
        root = Path(named).expanduser().absolute()
        if not _is(root, stat.S_ISDIR):
            reason = "HEIMDALL_PROJECT names it as the project's directory, but there is no such directory; correct or unset the variable"
            raise ProjectError(root, reason)
        return Project(root)
    start = _working_directory() if start is None else start.absolute()
    if not _is(start, stat.S_ISDIR):
        raise ProjectError(start, "is no directory; a project's directory was expected")
    directories = (start, *start.parents)
    # All folders are looked through for the first before any for the second: a package's own .git, as of a submodule, does not
    # hide the project around it. .git is a file in worktrees.
    for marker, fits in ((FOLDER, stat.S_ISDIR), (".git", stat.S_IFMT)):
        for directory in directories:
            if _is(directory / marker, fits) and _is_trusted(directory / marker):
                return Project(directory)
    return Project(start)


def _working_directory() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:
        reason = "the working directory does not exist any more; change to one that does, or set HEIMDALL_PROJECT"
        raise ProjectError(Path(os.environ.get("PWD", ".")), reason) from None


def _is(path: Path, fits: Callable[[int], object]) -> bool:
    try:
        return bool(fits(path.stat().st_mode))
    except (OSError, ValueError):  # nothing there, or nothing that we may look at
        return False


def _is_trusted(marker: Path) -> bool:
    """Whether only the user, or whom the user lets write there, can have put it where it is."""
    if os.name == "nt":
        return True
    around = marker.parent.stat()
    return not around.st_mode & stat.S_IWOTH or marker.lstat().st_uid in {os.getuid(), 0}
