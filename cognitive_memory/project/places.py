"""Directories that are no project unless the user names them: one there would be that of everything below it."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

_OF_HOMES = frozenset({"/home", "/Users", "C:\\Users"})


def why_no_project(directory: Path) -> str | None:
    """What a directory is, if it is no project unless it is named; None if it may be one.

    That are the root of a file system, the user's home, the directory of all homes, and one where everybody may write
    and nobody owns what others made (sticky, as `/tmp`), which `heimdall project trust` can name, too.

    Args:
        directory: absolute, without links.

    Raises:
        OSError: it is there, and can't be looked at.
        SettingsError: as `is_trusted` does.
    """
    if directory.parent == directory:
        return "is the root of a file system"
    if str(directory) in _OF_HOMES:
        return "is the directory of all homes"
    try:
        status = directory.stat()
    except FileNotFoundError:
        return None
    if any(_is_same(status, home) for home in _homes()):
        return "is your home directory"
    everybodys = stat.S_IWOTH | stat.S_ISVTX
    if os.name != "nt" and status.st_mode & everybodys == everybodys:
        from cognitive_memory.project.trust import is_trusted

        return None if is_trusted(directory) else "is a directory where everybody may write"
    return None


def _is_same(status: os.stat_result, home: str) -> bool:
    # Not by name: a home is often reached by a link or another mount.
    try:
        return os.path.samestat(status, os.stat(home))  # noqa: PTH116 (called for every command)
    except (OSError, ValueError):
        return False


def _homes() -> set[str]:
    """The user's home, by the environment and by the system's table of users: scripts set HOME to other places."""
    homes = {os.path.expanduser("~")}  # noqa: PTH111 (without a home it says so by leaving it as it is)
    if os.name != "nt":
        import pwd

        # a number without a name, as in containers
        with contextlib.suppress(KeyError):
            homes.add(pwd.getpwuid(os.geteuid()).pw_dir)
    return homes
