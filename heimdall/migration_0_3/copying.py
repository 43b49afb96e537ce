"""Copies that are read back before they get their name, and that never take the place of anything.

What a killed process leaves has a name that tells its process; the next migration removes it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from heimdall.errors import HeimdallError
from heimdall.models.files import chunks_of, sha256_of
from heimdall.models.processes import this_process
from heimdall.models.transfer.partials import is_abandoned

_PREFIX = "migrating"
Digests = dict[str, str]
"""What is in a tree: for each file, by its relative path, the sha256; for a link where it leads."""


class CopyError(HeimdallError):
    """Something could not be copied, and was left as it is.

    Attributes:
        source: what.
        problem: why, and what to do.
    """

    def __init__(self, source: str, problem: str) -> None:
        super().__init__(source, problem)
        self.source = source
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.source}: {self.problem}"


def copy_file(source: Path, target: Path) -> str:
    """Copy a file to a name that is free; its time stamp comes along, its mode follows the umask.

    Returns:
        The sha256 of what is there now, read back from the disk.

    Raises:
        CopyError: it changed meanwhile, or somebody else took the name.
        OSError: it can't be read or written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with temporary(target.parent) as path:
        sha256 = _copy_bytes(source, path)
        take_name(path, target)
    return sha256


def copy_tree(source: Path, target: Path) -> Digests:
    """Copy a folder to a name that is free, as a whole: nobody ever sees a part of it under its name.

    Returns:
        What is there now, read back from the disk.

    Raises:
        CopyError: it changed meanwhile, or has something else than files, folders and links that stay in it.
        OSError: it can't be read or written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with temporary(target.parent) as path:
        before = digests(source)
        _copy_folder(source, path)
        copied = digests(path)
        if not before == copied == digests(source):
            raise CopyError(
                str(source),
                "it changed while it was copied; stop what writes to it, and migrate again",
            )
        try:
            path.rename(target)
        except OSError as error:
            if target.exists():
                raise CopyError(
                    str(source), f"{target} is there already, and is not replaced"
                ) from error
            raise
    return copied


def _copy_bytes(source: Path, path: Path) -> str:
    before = source.stat()
    digest = hashlib.sha256()
    with source.open("rb") as reading, path.open("xb") as writing:
        for chunk in chunks_of(reading):
            digest.update(chunk)
            writing.write(chunk)
        writing.flush()
        os.fsync(writing.fileno())
    after = source.stat()
    same = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    if not same or sha256_of(path) != digest.hexdigest():
        raise CopyError(
            str(source), "it changed while it was copied; stop what writes to it, and migrate again"
        )
    os.utime(path, ns=(after.st_atime_ns, after.st_mtime_ns))
    return digest.hexdigest()


def _copy_folder(source: Path, target: Path) -> None:
    target.mkdir()
    for entry in sorted(source.iterdir()):
        copy = target / entry.name
        if entry.is_symlink():
            copy.symlink_to(entry.readlink())
        elif entry.is_dir():
            _copy_folder(entry, copy)
        else:
            _copy_bytes(entry, copy)


def digests(folder: Path) -> Digests:
    """What is in a folder.

    Raises:
        CopyError: there is something that is no file, folder or link that stays in it.
        OSError: something can't be read.
    """
    found: Digests = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            if not path.resolve().is_relative_to(folder.resolve()) or path.readlink().is_absolute():
                raise CopyError(
                    str(path),
                    f"is a link that leads out of {folder}; put a copy in its place, or remove it",
                )
            found[name] = f"-> {path.readlink()}"
        elif path.is_dir():
            found[name] = "folder"
        elif path.is_file():
            found[name] = sha256_of(path)
        else:
            raise CopyError(str(path), "is no file, folder or link")
    return found


def take_name(path: Path, target: Path) -> None:
    """Give a file its name, unless somebody has it.

    Raises:
        CopyError: somebody has it.
    """
    try:
        os.link(path, target)
    except FileExistsError:
        raise CopyError(str(path), f"{target} is there already, and is not replaced") from None
    except OSError:  # a filesystem without links
        if target.exists():
            raise CopyError(str(path), f"{target} is there already, and is not replaced") from None
        path.rename(target)
    else:
        path.unlink()


@contextlib.contextmanager
def temporary(directory: Path) -> Iterator[Path]:
    """A free name of our own in a directory, for a file or folder; what is left of it is removed."""
    path = directory / f"{_PREFIX}.{this_process()}-{os.urandom(4).hex()}.tmp"
    try:
        yield path
    finally:
        _remove(path)


def unfinished(directory: Path) -> list[Path]:
    """What migrations that were killed left in a directory."""
    return [path for path in sorted(directory.glob(f"{_PREFIX}.*.tmp")) if is_abandoned(path)]


def sweep(directory: Path) -> int:
    """Remove what is unfinished; tells how much that was."""
    left = unfinished(directory)
    for path in left:
        _remove(path)
    return len(left)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def remove_empty(folder: Path) -> None:
    """Remove a folder and the folders in it, as far as they are empty."""
    for path in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
        with contextlib.suppress(OSError):
            path.rmdir()
    with contextlib.suppress(OSError):
        folder.rmdir()
