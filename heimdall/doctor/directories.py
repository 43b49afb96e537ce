"""The shared directories: there, usable, and in the right hands."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path

from heimdall.cognitive_system.data_dirs import shared_directories
from heimdall.doctor.finding import Finding, Request, failed, passed, warned
from heimdall.errors import HeimdallError
from heimdall.models.advice import argument, take_over
from heimdall.models.ownership import owner
from heimdall.models.space import may_change_hands

_MOST_ENTRIES = 20_000
"""A models directory has some dozens; a limit keeps a strange one from taking minutes."""
_ELSEWHERE = "set HEIMDALL_DATA_DIR to another directory"
_HAS_USER_NUMBERS = hasattr(os, "geteuid")


def check(_request: Request) -> Iterator[Finding]:
    """Every shared directory and what is in it; Qdrant's own files are its server's business."""
    for key, path in shared_directories().items():
        yield _examine(key, path)


def _examine(key: str, path: Path) -> Finding:
    fail = partial(failed, key, path, repair=_make)
    if closed := next((parent for parent in reversed(path.parents) if _is_closed(parent)), None):
        problem = f"you can't look at it: {closed} is closed to you; it belongs to {owner(closed)}"
        return fail(problem, f"{_ELSEWHERE}, or have that one opened")
    if not path.is_dir():
        return _missing(key, path)
    if not accessible(path, os.R_OK | os.W_OK | os.X_OK):
        return fail(f"you can't read and write it; it belongs to {owner(path)}", _remedy(path))
    # Qdrant's own files are its server's business.
    if key != "qdrant_dir" and (unusable := _unusable(path)):
        first, others = unusable[0], len(unusable) - 1
        more = f" and {others} more" if others else ""
        problem = f"you can't use {first}{more} in it; that belongs to {owner(first)}"
        return fail(problem, _remedy(path, recursive=True))
    if not _HAS_USER_NUMBERS:
        return passed(key, path, "is there and writable")
    if os.geteuid() == 0 != path.stat().st_uid:
        problem = (
            f"belongs to {owner(path)}, but you are root: what is written now will belong to root"
        )
        return warned(key, path, problem, f"run heimdall as {owner(path)}", _make)
    return passed(key, path, f"is there and writable, belongs to {owner(path)}")


def _is_closed(folder: Path) -> bool:
    """Whether what is in a folder can't even be looked at; nothing below a closed one is known."""
    try:
        return folder.is_dir() and not accessible(folder, os.X_OK)
    except PermissionError:
        return False  # a folder above it is closed, and is reported


def _missing(key: str, path: Path) -> Finding:
    fail = partial(failed, key, path, repair=_make)
    if os.path.lexists(path):
        link = f"a link to {path.readlink()}, which is " if path.is_symlink() else ""
        return fail(f"is {link}no directory", f"move it away, or {_ELSEWHERE}")
    parent = next(parent for parent in path.parents if os.path.lexists(parent))
    if not parent.is_dir():
        return fail(f"can't be made: {parent} is no directory", _ELSEWHERE)
    if not accessible(parent, os.W_OK | os.X_OK):
        problem = f"is not there and can't be made: {parent} belongs to {owner(parent)}"
        return fail(problem, _remedy(parent))
    problem = "is not there yet; the first use makes it"
    return warned(key, path, problem, "'heimdall doctor --fix' makes it now, if you like", _make)


def _make(finding: Finding) -> str:
    path = Path(finding.path)
    if path.is_dir():
        raise HeimdallError(f"only its owner can help: {finding.advice}")
    path.mkdir(parents=True)
    return f"made {path}"


def _unusable(top: Path) -> list[Path]:
    """What below `top` this user can't work with: folders have to be written, files to be read, never written in place."""
    # What has a check of its own is not looked at twice.
    others = {
        path for path in shared_directories().values() if path != top and path.is_relative_to(top)
    }
    unusable = []
    # Not rglob(), which fails when a folder is removed meanwhile.
    below = (Path(at, name) for at, *kinds in os.walk(top) for names in kinds for name in names)
    for path in islice(below, _MOST_ENTRIES):
        if path.is_symlink() or not others.isdisjoint((path, *path.parents)):
            continue
        needed = os.R_OK | os.W_OK | os.X_OK if path.is_dir() else os.R_OK
        if not accessible(path, needed) and path.exists():  # it may have gone meanwhile
            unusable.append(path)
    return unusable


def accessible(path: Path, mode: int) -> bool:
    """Whether this process, with the rights that it acts with, may do that."""
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)


def _remedy(path: Path, *, recursive: bool = False) -> str:
    """What gives this user the right.

    Where the path is the user's own, it is the mode or the mount that forbids.
    """
    option = "-R " if recursive else ""
    if not _HAS_USER_NUMBERS:
        command = take_over(path)
    elif not recursive and path.stat().st_uid == os.geteuid():
        command = f"'chmod u+rwx {argument(path)}' unless it is mounted read-only"
    elif not may_change_hands(path):
        return f"{_ELSEWHERE} that you may write to"
    else:
        command = f"'sudo chown {option}{_me()} {argument(path)}'"
    return f"{command}, or {_ELSEWHERE}"


def _me() -> str:
    import pwd  # where there are user numbers, there is this

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a user without a name, as in containers
        return str(os.geteuid())
