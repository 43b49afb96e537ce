"""Where the user's own memory is, which holds in all projects: in the data directory, found by no search for a project."""

from __future__ import annotations

import os
import stat
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from cognitive_memory.project.errors import UntrustedProjectError
from cognitive_memory.project.find import Project
from cognitive_memory.project.settings import ProjectConfig
from heimdall.models import locations
from heimdall.models.ownership import is_own


class UserPlace(Project):
    """The place of the user's own memory: as a project's, but the folder itself is it, and it has no settings."""

    scope: ClassVar[str] = "user"

    @property
    def folder(self) -> Path:
        """The place itself; it need not exist."""
        return self.root

    @cached_property
    def config(self) -> ProjectConfig:
        """The defaults."""
        return ProjectConfig()

    def check(self) -> None:
        """Raise unless the folder is a real one that this user alone may write to, or may be made.

        Raises:
            UntrustedProjectError: it is not; no variable and no list of trusted folders changes that.
            OSError: it can't be looked at.
        """
        try:
            status = os.lstat(self.folder)
        except FileNotFoundError:
            return
        if not stat.S_ISDIR(status.st_mode) or not is_own(status):
            problem = "is no folder that you own and nobody else may write to"
            advice = "Move it away"
            advice += "." if os.name == "nt" else ", or mend its owner and mode (chmod 700)."
            raise UntrustedProjectError(self.folder, problem, advice)


def user_place() -> UserPlace:
    """This user's.

    Raises:
        SettingsError: there is neither a home directory nor `$HEIMDALL_DATA_DIR`.
    """
    # A data directory may be shared by a group; what one of them prefers is no matter of the others.
    user = "" if os.name == "nt" else f"-{os.geteuid()}"
    return UserPlace(Path(locations.data_dir()) / f"user{user}")
