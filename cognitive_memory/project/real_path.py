"""The one path of a file or folder: absolute, without links, each name spelled as the disk has it.

Where case or the Unicode form of an accent makes no difference (macOS, Windows, FAT, folders of ext4 with casefold), a
file has many paths. Memories name it, and notes know a project, by one.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_LONGEST = 1024
"""Bytes that macOS may write for a path."""


def real_path(path: str | os.PathLike[str]) -> Path:
    """That path. Names of what is not there stay as they are, and so do those in folders that can't be listed."""
    real = os.path.realpath(path)
    if sys.platform == "win32":
        return Path(real)  # it has asked GetFinalPathNameByHandle
    # A database must not be opened and closed, which would drop SQLite's locks: files are looked up in their folder.
    folder, name = (real, "") if os.path.isdir(real) else os.path.split(real)  # noqa: PTH112 (every command comes here)
    folder = _told(folder) or _looked_up(folder)
    return Path(folder, _spelled(folder, name) if name else "")


def expanded(path: str | os.PathLike[str]) -> Path:
    """A path with the home directory in place of its `~`; where there is none, it stays as it is."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 (which raises there)


def spelled(path: Path) -> Path:
    """As `real_path`, but a path that leads through a link stays as the user named it."""
    absolute = path.absolute()
    return real_path(absolute) if os.path.realpath(absolute) == str(absolute) else absolute


def _told(folder: str) -> str:
    """What macOS says; empty elsewhere, and where it says nothing."""
    import fcntl

    if (command := getattr(fcntl, "F_GETPATH", None)) is None:
        return ""
    try:
        descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_EVTONLY", 0))
        try:
            answer: bytes = fcntl.fcntl(descriptor, command, bytes(_LONGEST))
        finally:
            os.close(descriptor)
    except OSError:
        return ""
    return os.fsdecode(answer.partition(b"\0")[0])


def _looked_up(folder: str) -> str:
    top, *names = Path(folder).parts
    for name in names:
        top = os.path.join(top, _spelled(top, name))  # noqa: PTH118 (every command comes here)
    return top


def _spelled(folder: str, name: str) -> str:
    others = {name.swapcase()}
    if not name.isascii():
        from unicodedata import normalize

        others |= {normalize("NFC", name), normalize("NFD", name)}
    # Nearly always there is no other. Whether it is the same file is not asked: FUSE gives each name another number.
    if not any(os.path.lexists(f"{folder}/{other}") for other in others - {name}):
        return name
    try:
        os.lstat(f"{folder}/{name}")
        names = os.listdir(folder)  # noqa: PTH208 (names are wanted)
    except OSError:
        return name
    return name if name in names else next((one for one in names if _is_alike(one, name)), name)


def _is_alike(one: str, other: str) -> bool:
    from unicodedata import normalize

    return normalize("NFC", one).casefold() == normalize("NFC", other).casefold()
