"""Where a project ends: what its files name, and where its links lead, may be a stranger's choice."""

from __future__ import annotations

import os
from pathlib import Path

from heimdall.migration_0_3.report import Outcome, Step


def is_within(path: Path, root: Path) -> bool:
    """Whether a path is a directory, or below it, after all links are resolved; False for what can be no path."""
    if "\0" in str(path):  # realpath takes that for a name on Windows
        return False
    try:
        return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))
    except (OSError, ValueError):  # ValueError: with a lone surrogate
        return False


def left_outside(kind: str, path: Path, root: Path) -> Step:
    """What leads out of `root`: neither read, nor copied, nor removed."""
    detail = (
        f"it is outside the project ({os.path.realpath(path)}), and was not looked at; if it is yours, "
        f"name its folder ('heimdall migrate FOLDER'), or move it below {root} and migrate again"
    )
    return Step(kind, str(path), Outcome.LEFT, detail=detail)
