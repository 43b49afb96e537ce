"""Copies that are read back before they get their name, and that never take the place of anything.

What a killed process leaves has a name that tells its process; the next migration removes it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from heimdall.errors import HeimdallError
from heimdall.migration_0_3.report import MigrationError, Options, Outcome, Step, failure
from heimdall.models.files import forced, sha256_of
from heimdall.models.ownership import is_finders
from heimdall.models.processes import new_owner
from heimdall.models.transfer.partials import is_abandoned

_PREFIX = "migrating"
Digests = dict[str, str]
"""What is in a tree: for each file, by its relative path, the sha256; for a link where it leads."""


def migrate(kind: str, source: Path, target: Path, options: Options) -> Step:
    """Copy a file, or a folder as a whole, unless its name is taken.

    With `remove`, the source is deleted if it and what is there now are read back alike.
    """
    step = Step(kind, str(source), Outcome.PRESENT, str(target))
    try:
        if target.exists():
            if digests(source) != digests(target):
                what = "something else" if source.is_dir() else "other bytes"
                detail = f"{target} has {what}, and is not replaced"
                return replace(step, outcome=Outcome.LEFT, detail=detail)
        elif options.dry_run:
            return replace(step, outcome=Outcome.PLANNED, detail="as a verified copy")
        else:
            copy(source, target)
            step = replace(step, outcome=Outcome.MIGRATED, detail="copied, and read back")
        # Compared again, for the source may have changed since.
        if options.remove and digests(source) == digests(target):
            _remove(source)
            step = replace(step, removed=True)
    except (HeimdallError, OSError) as error:
        return failure(kind, source, error, target)
    return step


def copy(source: Path, target: Path) -> None:
    """Copy a file or folder to a name that is free: nobody ever sees a part of it under its name.

    Time stamps of files come along; modes follow the umask.

    Raises:
        MigrationError: it changed meanwhile, somebody else took the name, or there is something
            else in it than files, folders and links that stay in it.
        OSError: it can't be read or written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with temporary(target.parent) as path:
        before = digests(source)
        _copy(source, path)
        if not before == digests(path) == digests(source):
            raise MigrationError(
                str(source),
                "it changed while it was copied; stop what writes to it, and migrate again",
            )
        take_name(path, target)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        target.mkdir()
        for entry in sorted(source.iterdir()):
            if entry.is_symlink():
                (target / entry.name).symlink_to(entry.readlink())
            else:
                _copy(entry, target / entry.name)
        return
    shutil.copyfile(source, target)
    with target.open("rb+") as copied:
        # A name must never outlive its bytes, and the source may be deleted soon.
        forced(copied.fileno())
    status = source.stat()
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


def digests(top: Path) -> Digests:
    """What a file or folder is and has; a link in the place of `top` counts as what it leads to.

    Raises:
        MigrationError: there is something that is no file, folder or link that stays in it.
        OSError: something can't be read.
    """
    contents: Digests = {}
    for path in (top, *sorted(top.rglob("*"))):
        name = path.relative_to(top).as_posix()
        if path.is_symlink() and path != top:
            if not path.resolve().is_relative_to(top.resolve()) or path.readlink().is_absolute():
                raise MigrationError(
                    str(path),
                    f"is a link that leads out of {top}; put a copy in its place, or remove it",
                )
            contents[name] = f"-> {path.readlink()}"
        elif is_finders(path.name):
            continue
        elif path.is_dir():
            contents[name] = "folder"
        elif path.is_file():
            contents[name] = sha256_of(path)
        else:
            raise MigrationError(str(path), "is no file, folder or link")
    return contents


def take_name(path: Path, target: Path) -> None:
    """Give a file or folder another name, unless somebody has it.

    Raises:
        MigrationError: somebody has it.
    """
    try:
        if path.is_dir():
            path.rename(target)
        else:
            os.link(path, target)  # unlike a rename, it never replaces a file
    except OSError as error:
        if os.path.lexists(target):
            problem = f"{target} is there already, and is not replaced"
            raise MigrationError(str(path), problem) from error
        path.rename(target)  # a filesystem without links
    path.unlink(missing_ok=True)


@contextlib.contextmanager
def temporary(directory: Path) -> Iterator[Path]:
    """A free name of our own in a directory, for a file or folder.

    What is left of it is removed.
    """
    path = directory / f"{_PREFIX}.{new_owner()}.tmp"
    try:
        yield path
    finally:
        with contextlib.suppress(OSError):
            _remove(path)


def unfinished(directory: Path) -> list[Path]:
    """What migrations that were killed left in a directory."""
    return [path for path in sorted(directory.glob(f"{_PREFIX}.*.tmp")) if is_abandoned(path)]


def sweep(directory: Path) -> None:
    """Remove what is unfinished."""
    for path in unfinished(directory):
        with contextlib.suppress(OSError):
            _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_empty(folder: Path) -> None:
    """Remove a folder and the folders in it, as far as they are empty."""
    for path in (*sorted(folder.rglob("*"), reverse=True), folder):
        if path.is_dir():
            with contextlib.suppress(OSError):
                path.rmdir()
