"""Which project a directory belongs to."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from cognitive_memory.project import owners
from cognitive_memory.project.errors import NoProjectError, ProjectError
from cognitive_memory.project.places import why_no_project
from cognitive_memory.project.real_path import expanded, real_path

if TYPE_CHECKING:
    from cognitive_memory.project.settings import ProjectConfig

FOLDER = ".heimdall"
VARIABLE = "HEIMDALL_PROJECT"
CONFIG_NAME = "config.yaml"
DATABASE_NAME = "cognitive_memory.db"


@dataclass(frozen=True)
class Project:
    """A directory whose memory is kept together.

    Attributes:
        root: the project's directory, absolute.
        scope: where what is stored there holds.
    """

    root: Path
    scope: ClassVar[str] = "project"

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
        return _is_file(self.config_path) or _is_file(self.database)

    @cached_property
    def config(self) -> ProjectConfig:
        """The settings, read when first asked for; the defaults if there is no file.

        Raises:
            ProjectConfigError: with every mistake in the file.
            ProjectError: as `check` does.
        """
        from cognitive_memory.project.config import read_config

        self.check()
        return read_config(self.config_path)

    def check(self) -> None:
        """Raise unless the folder is a real one of the user's, or may be made.

        Raises:
            UntrustedProjectError, SettingsError, OSError: as `owners.check` does.
        """
        owners.check(self.root, self.folder)


def find_project(start: Path | None = None, *, named: bool = False) -> Project:
    """The project that a directory belongs to.

    It is the directory that `$HEIMDALL_PROJECT` names; else the nearest one, from `start` upwards, with `.heimdall`; else
    the nearest with `.git`; else `start` itself. The nearest `.git` ends the search: what is remembered in one repository
    is not told in another one inside of it or beside it. A submodule is a part of the repository around it, so the search
    goes on there; a worktree is a repository of its own. Directories that `places.why_no_project` tells of are passed over.

    Args:
        start: default: the working directory. If given, `$HEIMDALL_PROJECT` is not asked.
        named: whether the user named `start` as a project, which any directory may be then.

    Raises:
        NoProjectError: `start` is a directory that has to be named to be a project, and there is none around it.
        UntrustedProjectError: the project's folder is a link or of another user: no other one is taken instead.
        ProjectError: the directory that is named does not exist.
        SettingsError, OSError: as `Project.check` does.
    """
    variable = os.environ.get(VARIABLE) if start is None else None
    project = Project(_in_variable(variable) if variable else _around(start, named=named))
    project.check()
    return project


def check_place(root: Path) -> None:
    """Raise if a directory is no project unless it is named, and it is not.

    Raises:
        NoProjectError: it would never be found.
    """
    variable = os.environ.get(VARIABLE)
    if not (variable and _in_variable(variable) == root) and (reason := why_no_project(root)):
        advice = f"change to a project's directory, or name one with {VARIABLE} or heimdall-mcp --project"
        raise NoProjectError(root, f"{reason}, and no project unless it is named; {advice}")


def _in_variable(name: str) -> Path:
    root = real_path(expanded(name))
    if not root.is_dir():
        reason = f"{VARIABLE} names it as the project's directory, but there is no such directory; correct or unset the variable"
        raise ProjectError(root, reason)
    return root


def _around(start: Path | None, *, named: bool) -> Path:
    start = real_path(_working_directory() if start is None else start)
    if not start.is_dir():
        raise ProjectError(start, "is no directory; a project's directory was expected")
    for directory in (start, *start.parents):
        has_memory = os.path.lexists(directory / FOLDER)
        if has_memory or os.path.lexists(directory / ".git"):
            if why_no_project(directory) and not (named and directory == start):
                continue
            if has_memory or not _is_inside_another(directory):
                return directory
    if not named:
        check_place(start)
    return start


def _is_inside_another(repository: Path) -> bool:
    """Whether a repository is a submodule of one that is a project."""
    from cognitive_memory.project.superproject import superproject

    outer = superproject(repository)
    return outer is not None and why_no_project(outer) is None


def _working_directory() -> Path:
    try:
        here = Path.cwd()
    except FileNotFoundError:
        reason = f"the working directory does not exist any more; change to one that does, or set {VARIABLE}"
    except PermissionError as error:
        from cognitive_memory.project.special_folders import privacy_advice

        reason = (
            f"can't be looked at: {error.strerror}; change to another directory{privacy_advice()}"
        )
    else:
        return here
    raise ProjectError(Path(os.environ.get("PWD", ".")), reason)


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except (OSError, ValueError):  # nothing there, or nothing that we may look at
        return False
