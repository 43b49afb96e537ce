"""Git's submodules: repositories that are a part of the one around them."""

from __future__ import annotations

import os
from pathlib import Path

from heimdall.models.regular_file import read_regular

_MOST_BYTES = 1 << 16
_POINTER = b"gitdir:"


def superproject(directory: Path) -> Path | None:
    """The directory of the repository that has the one in `directory` as a submodule; None if there is none.

    A submodule's `.git` is a file that names a folder among the `modules` of the git directory around it. A worktree's
    is a file, too, but names a folder with a file `commondir`, which no other has.

    Args:
        directory: absolute, without links; it has a `.git`.
    """
    git_directory = _named_in(directory / ".git")
    if git_directory is None or (git_directory / "commondir").exists():
        return None
    for around in directory.parents:
        if os.path.lexists(around / ".git"):
            outer = _named_in(around / ".git") or around / ".git"
            return around if git_directory.is_relative_to(outer / "modules") else None
    return None


def _named_in(file: Path) -> Path | None:
    """The folder that a file `.git` names, without links; None if it is no such file."""
    try:
        content, _ = read_regular(file, _MOST_BYTES)
        if content.startswith(_POINTER):
            named = os.fsdecode(content.removeprefix(_POINTER).strip())
            return (file.parent / named).resolve()
    except (OSError, ValueError, RuntimeError):  # a folder; or whatever else is no pointer of git's
        pass
    return None
