"""Is there room? Asked before the first byte, so that nobody waits for a download that can't end well."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import locations
from .advice import take_over
from .errors import ModelError, StoreError
from .ownership import owner
from .settings import SettingsError
from .text import megabytes

_MARGIN = 1 << 20
_FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})
_DENIED = frozenset({errno.EACCES, errno.EPERM})
_IN_USE = frozenset({5, 32, 33, 1224})
"""Windows' numbers for what a program keeps: access denied, a sharing violation, a locked part, a mapped section."""


@dataclass(eq=False, repr=False)
class NoSpaceError(ModelError):
    """The filesystem has too little free space.

    Attributes:
        directory: where the bytes were to go.
        needed: bytes needed.
        free: bytes free.
    """

    directory: str
    needed: int
    free: int

    def __str__(self) -> str:
        missing = megabytes(self.needed - self.free)
        return (
            f"too little space in {self.directory}: {megabytes(self.needed)} needed, {megabytes(self.free)} free; "
            f"make room for {missing} more, or set HEIMDALL_DATA_DIR to a larger disk"
        )


def is_full(error: BaseException) -> bool:
    """Whether it says that the filesystem, or one's share of it, is full."""
    return isinstance(error, NoSpaceError) or getattr(error, "errno", None) in _FULL


def explained(error: OSError, models_dir: Path) -> StoreError:
    """What the system said about the models directory, with what to do about it."""
    for path in (models_dir, *models_dir.parents):
        with contextlib.suppress(OSError):
            if path.is_symlink() and not path.exists():
                reason = f"{path} leads to {path.readlink()}, which is not there"
                remedy = (
                    f"is a disk not mounted? Make it, or set {_variable()} to another directory"
                )
                return StoreError(str(models_dir), reason, remedy)
    reason = f"{error.strerror or error}" + (f" ({error.filename})" if error.filename else "")
    return StoreError(str(models_dir), reason, _remedy(error))


@contextlib.contextmanager
def explaining(models_dir: Path) -> Iterator[None]:
    """What the system refuses in the block is said as `explained` says it.

    Raises:
        StoreError: in place of an `OSError`.
    """
    try:
        yield
    except OSError as error:
        raise explained(error, models_dir) from error


def _remedy(error: OSError) -> str:
    if used := _in_use(error):
        return f"a program has {used} open{_servers()}: stop the assistants that use it, and say it once more"
    variable = _variable()
    if error.errno in _DENIED and error.filename:
        existing = Path(os.fsdecode(error.filename))
        while not os.path.lexists(existing) and existing != existing.parent:
            existing = existing.parent
        owned = f"{existing} belongs to {owner(existing)}"
        if not may_change_hands(existing):
            return f"{owned}: set {variable} to a directory that you may write to"
        remedy = f"{owned}: {take_over(existing)}"
    else:
        remedy = _room(error) if is_full(error) else "see what is wrong there"
    return f"{remedy}, or set {variable} to another directory"


def _variable() -> str:
    return "MODEL_CACHE_DIR" if os.environ.get("MODEL_CACHE_DIR") else "HEIMDALL_DATA_DIR"


def _room(error: OSError) -> str:
    with contextlib.suppress(OSError):
        if error.filename and inodes_are_gone(Path(error.filename).parent):
            return "no inodes are left there ('df -i'), remove some files"
    return "make room there"


def inodes_are_gone(path: Path) -> bool:
    """Whether no more files can be made in a filesystem, however many bytes are free.

    Raises:
        OSError: if it does not say.
    """
    if not hasattr(os, "statvfs"):
        return False
    status = os.statvfs(path)
    return status.f_files > 0 and status.f_favail == 0


def _in_use(error: OSError) -> Path | None:
    """The file that can't be changed because a program has it open, which is so on Windows alone."""
    if getattr(error, "winerror", None) not in _IN_USE:
        return None
    for name in (error.filename2, error.filename):  # of a rename, what is to be replaced
        if isinstance(name, str) and Path(name).is_file() and os.access(name, os.W_OK):
            return Path(name)
    return None


def _servers() -> str:
    """Which of our servers run, on Windows, where it is they who have the models open."""
    from . import windows

    numbers: list[int] = []
    with contextlib.suppress(OSError):
        found = windows.processes().items()
        numbers = sorted(number for number, one in found if one.name.lower() == "heimdall-mcp.exe")
    return f" (heimdall-mcp runs as process {', '.join(map(str, numbers))})" if numbers else ""


def may_change_hands(path: Path) -> bool:
    """Whether a user may well be told to make `path` his own: what is heimdall's, or in his home.

    Never what is above the home, and nothing that belongs to the whole machine or to another user.
    """
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 (without a home it stays as it is)
    if path in (*home.parents, Path(path.anchor)):
        return False
    if home in (path, *path.parents) and not _is_anothers_home(home):
        return True
    own = []
    with contextlib.suppress(SettingsError):
        own = [Path(locations.data_dir()), Path(locations.models_dir())]
    return any(directory in (path, *path.parents) for directory in own)


def _is_anothers_home(home: Path) -> bool:
    """Whether another user lives there, as when sudo keeps HOME."""
    if os.name == "nt":
        return False
    import pwd

    try:
        number = home.stat().st_uid
        return number != os.geteuid() and pwd.getpwuid(number).pw_dir == str(home)
    except (OSError, KeyError):
        return False


def require_space(directory: Path, needed: int) -> None:
    """Make sure that `needed` more bytes fit.

    Raises:
        NoSpaceError: if they don't.
    """
    try:
        free = shutil.disk_usage(directory).free
    except OSError:
        return  # a filesystem that can't say; the write itself will
    if free < needed + _MARGIN:
        raise NoSpaceError(str(directory), needed + _MARGIN, free)
