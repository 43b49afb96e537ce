"""What is computed from a set's files, once per machine, and kept beside them, in the set's own folder.

It is made aside, by one process at a time, under a name that nobody looks for, and appears whole, by a rename; its receipt tells
whether anything was touched since. It is never precious: whatever is wrong with it, it is made again, and when its set goes it
goes too.

    <set>/derived/<name>/receipt.json, and whatever files its maker wrote

Nothing but its maker's word tells what it was computed from, so it is believed only where this user or root made it and
nobody else may write. A user who may not write to the set's folder, or shares it, keeps what is computed in one of their own.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from . import locations, receipts
from .ownership import is_finders, is_own

FOLDER = "derived"
"""The folder's name, beside `receipts.TREE`."""
UNUSED_SECONDS = 30 * 24 * 3600.0
"""What nobody used for as long is removed when something else is made in the same folder: it was for another version."""
_NOTED_SECONDS = 24 * 3600.0
"""How exactly it is noted when something was used last."""
_UNFINISHED = ".tmp"
"""Ends the names of what is being made, or was left behind by a process that was killed."""


def places(tree: Path) -> tuple[Path, ...]:
    """Where things made from the tree's files are looked for; they are made in the last of these folders.

    There are none for what is not the tree of a set in a store.
    """
    directory = tree.parent
    in_store = (tree.name, *directory.parts[-3:-1]) == (receipts.TREE, receipts.STORE, "sets")
    if not in_store or not (directory / receipts.RECEIPT).is_file():
        return ()
    private = private_place(directory.name)
    beside = directory / FOLDER
    if not is_own(directory.stat()):
        return (private,) if private else ()
    as_we_are = os.access in os.supports_effective_ids
    if os.access(directory, os.W_OK, effective_ids=as_we_are) or not private:
        return (beside,)
    return beside, private


def private_place(set_name: str) -> Path | None:
    """This user's own folder for what is made from a set's files, if there is a place for it."""
    private = locations.private_dir()
    return Path(private, FOLDER, set_name) if private else None


def find(cache: Path, name: str) -> Path | None:
    """The folder of that name if it is complete and was not touched since it was made, else None."""
    directory = cache / name
    receipt = directory / receipts.RECEIPT
    try:
        if not all(is_own(path.lstat()) for path in (cache, directory)):
            return None
        if receipts.read_own_json(str(receipt))["stats"] != _stats(directory):
            return None
        if time.time() - receipt.stat().st_mtime > _NOTED_SECONDS:
            with contextlib.suppress(OSError):
                os.utime(receipt)
    except (OSError, ValueError, KeyError):
        return None
    return directory


def check(cache: Path) -> Iterator[tuple[str, str]]:
    """Hash all that is kept: each file's path from the set's folder, and what is wrong with it, if anything."""
    from .files import sha256_of

    for directory in sorted(
        path
        for path in cache.glob("[!.]*")
        if path.is_dir() and not path.name.endswith(_UNFINISHED)
    ):
        label = f"{FOLDER}/{directory.name}"
        try:
            digests = dict(receipts.read_json(str(directory / receipts.RECEIPT))["sha256"])
            if digests.keys() != _stats(directory).keys():
                raise ValueError(  # noqa: TRY301
                    f"it tells of {sorted(digests)}, and there are {sorted(_stats(directory))}"
                )
            for name, expected in digests.items():
                actual = sha256_of(directory / name)
                yield (
                    f"{label}/{name}",
                    "" if actual == expected else f"expected sha256 {expected}, found {actual}",
                )
        except (OSError, ValueError, KeyError, TypeError) as error:
            yield f"{label}/{receipts.RECEIPT}", f"can't be used ({error})"


def make(cache: Path, name: str, write: Callable[[Path], None]) -> Path:
    """Make the folder of that name, in place of one that `find` does not accept.

    Args:
        cache: the last of `places`; its set must be there.
        name: says all that the content depends on, besides the set.
        write: writes files into an empty folder, and checks them.

    Raises:
        OSError: it can't be written, or another process is making something there; nothing of it is left.
        Exception: whatever `write` raises; nothing of it is left.
    """
    import shutil

    from .files import rename
    from .locking import lock_if_free

    if cache.parent.name == FOLDER:  # a private one; beside a set, the set's folder is there
        cache.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _make_folder(cache)
    with lock_if_free(cache / ".lock") as free:
        if made := find(cache, name):
            return made
        if not free:
            raise BlockingIOError(f"another process is making something in {cache}")
        for other in cache.iterdir():
            if other.name.endswith(_UNFINISHED) or (other.name != name and _is_unused(other)):
                shutil.rmtree(other, ignore_errors=True)
        discard(cache / name)
        aside = _new_name(cache / name)
        _make_folder(aside)
        try:
            write(aside)
            _seal(aside)
            rename(aside, cache / name)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return cache / name


def _make_folder(path: Path) -> None:
    """Make a folder that all may read and nobody else may write to, whatever the umask."""
    path.mkdir(exist_ok=True)
    if not is_own(path.stat()):
        path.chmod(0o755)


def discard_all(cache: Path) -> None:
    """Remove what is kept in a cache.

    Raises:
        OSError: something can't be removed.
    """
    if cache.is_dir() and not cache.is_symlink():
        for made in cache.glob("[!.]*"):
            discard(made)
    else:
        discard(cache)


def discard(path: Path) -> None:
    """Remove what is kept in a cache; where a running program has it mapped, it loses its name, and goes later.

    Raises:
        OSError: it can't be removed.
    """
    import shutil

    try:
        if path.is_symlink() or path.is_file():
            path.unlink()
        elif path.exists():
            shutil.rmtree(path)
    except FileNotFoundError:
        pass  # by another process, at the same moment
    except OSError:  # Windows removes nothing that is mapped, and renames it all the same
        if path.name.endswith(_UNFINISHED) or not path.is_dir():
            raise
        path.rename(_new_name(path))


def _new_name(path: Path) -> Path:
    """A name beside `path` for what is not finished, or not wanted any more: it is removed when the next one is made."""
    return path.with_name(f"{path.name}.{os.getpid()}-{os.urandom(4).hex()}{_UNFINISHED}")


def _seal(directory: Path) -> None:
    """Force the files to the disk, then say how they are: a power cut leaves no receipt of bytes that are not there."""
    from .files import settle, sha256_of

    digests = {}
    for path in _made(directory):
        settle(path)
        digests[path.name] = sha256_of(path)
    receipt = {"schema": 1, "stats": _stats(directory), "sha256": digests}
    path = directory / receipts.RECEIPT
    path.write_text(json.dumps(receipt, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    path.chmod(0o644)


def _made(directory: Path) -> Iterator[Path]:
    for path in directory.iterdir():
        if path.name != receipts.RECEIPT and not is_finders(path.name):
            yield path


def _stats(directory: Path) -> dict[str, list[int]]:
    """Size in bytes and time stamp in nanoseconds of each file but the receipt.

    Raises:
        PermissionError: others may write to one of them.
        OSError: the folder can't be read.
    """
    stats = {path.name: path.lstat() for path in _made(directory)}
    if not all(map(is_own, stats.values())):
        raise PermissionError(f"others may write to what is in {directory}")
    return {name: receipts.look(status) for name, status in stats.items()}


def _is_unused(directory: Path) -> bool:
    try:
        return time.time() - (directory / receipts.RECEIPT).stat().st_mtime > UNUSED_SECONDS
    except OSError:
        return False
