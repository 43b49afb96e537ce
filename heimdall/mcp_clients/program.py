"""Where an installed program of ours is."""

from __future__ import annotations

import os
import shutil
import sysconfig
from pathlib import Path


def find_program(name: str) -> str | None:
    """A program's full path: of the one beside this Python, else on the PATH, else among the user's own.

    Another version may come first on the PATH. Where `pip install --user` puts programs on a Mac (~/Library/Python),
    no PATH leads.
    """
    beside = sysconfig.get_path("scripts")
    own = sysconfig.get_path("scripts", sysconfig.get_preferred_scheme("user"))
    path = os.environ.get("PATH", os.defpath)
    found = shutil.which(name, path=os.pathsep.join([beside, path, own]))
    return found and str(Path(found).absolute())
