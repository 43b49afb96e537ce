"""The tree that other tools expect: the files of the set that was resolved last, directly in the models directory.

A user may have named a directory that other programs keep files in, too: what is not ours there is never touched, and
then nothing of ours is laid beside it, since a graph would be taken for one of other weights.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from . import receipts
from .files import sha256_of
from .pinned_set import PinnedSet


def foreign(pinned: PinnedSet) -> list[Path]:
    """What is not ours under the names of the set's files.

    Asked before the set is published anew: a damaged file is known for ours by being the one that the set has.

    Raises:
        OSError: if it can't be read.
    """
    ours = _digests(pinned)
    found = []
    for file in pinned.model.files:
        target = pinned.store.models_dir / file.path
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            if target.is_symlink() and _is_in_store(target.readlink()):
                continue
            status = target.stat()
            twins = pinned.tree / file.path, pinned.store.blob(file)
            if any(_is_same(target, twin) for twin in twins):
                continue
            if status.st_size and target.is_file() and sha256_of(target) in ours:
                continue
            found.append(target)
    return found


def lay_out(pinned: PinnedSet) -> None:
    """Lay the published set's files there, in place of those of a set before it.

    Raises:
        OSError: if that can't be done; the set itself is complete all the same.
    """
    for file in pinned.weights_first():
        pinned.store.show(file, pinned.store.models_dir / file.path)


def _digests(pinned: PinnedSet) -> set[str]:
    """The sha256 of every file that this store's sets have or had."""
    digests = {file.sha256 for file in pinned.model.files}
    with contextlib.suppress(OSError):
        digests.update(blob.name for blob in pinned.store.blobs.iterdir())
    for receipt in pinned.store.sets.glob(f"*/{receipts.RECEIPT}"):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            noted = receipts.read_own_json(str(receipt))["pins"]
            digests.update(sha256 for sha256, _ in noted.values())
    return digests


def _is_in_store(link: Path) -> bool:
    return receipts.STORE in link.parts and not link.is_absolute()


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False
