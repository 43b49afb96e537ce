"""Bytes that are already on this machine: adopted by hash.

They are always copied: the program that they belong to may change them.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from .. import locations, receipts
from ..base_error import HeimdallError
from ..errors import IntegrityError, SourceError
from ..files import chunks_of
from ..manifest import PinnedFile
from ..pinned_set import PinnedSet
from ..store import Store, matches
from .base import Context
from .caches import MOST_ENTRIES, files_below, huggingface_caches, other_caches


@dataclass(frozen=True, slots=True)
class LocalFiles:
    """Folders that may hold the files, in the tree of a models directory or in the caches of other libraries."""

    name: str = "local"
    place: str = "files on this machine"
    remote: bool = False

    def deliver(self, wanted: Sequence[PinnedFile], context: Context) -> None:
        """Adopt each file that one of the folders has; only files whose size fits are hashed."""
        places = known_places(context.pinned)
        for file in wanted:
            adopt(places.candidates(file), file, context)
        for folder in other_caches():
            adopt_from(folder, wanted, context)


class KnownPlaces(NamedTuple):
    """The folders of this machine that may have a model's files; looked up once for all of them.

    Attributes:
        blobs: where files are named by their sha256.
        trees: where they have the paths of the manifest.
        others: files of caches, under any name.
    """

    blobs: list[Path]
    trees: list[Path]
    others: list[Path]

    def candidates(self, file: PinnedFile) -> Iterator[Path]:
        """Where that file may be, most likely places first."""
        yield from (folder / file.sha256 for folder in self.blobs)
        yield from (folder / file.path for folder in self.trees)
        yield from self.others


def known_places(pinned: PinnedSet) -> KnownPlaces:
    """The folders that are there at this moment."""
    model = pinned.model
    blobs, trees, others = [], [], []
    for models_dir in models_directories(pinned.store.models_dir):
        store = Store(models_dir)
        blobs.append(store.blobs)
        trees += [directory / receipts.TREE for directory in _children(store.sets)]
        trees.append(models_dir)
    checkout = Path(locations.PACKAGE_DIRECTORY).parent / "cognitive_memory" / "data" / "models"
    trees += [checkout, checkout / model.variant, Path("data", "models")]
    owner, _, name = urlsplit(model.upstream).path.strip("/").partition("/")
    for cache in huggingface_caches():
        repository = cache / f"models--{owner}--{name}"
        blobs.append(repository / "blobs")
        others += _children(repository / "blobs")
        others += _children(repository / "snapshots", below=True)
    there = os.path.isdir
    return KnownPlaces([*filter(there, blobs)], [*filter(there, trees)], others)


def models_directories(own: Path) -> list[Path]:
    """The models directories that may have a store on this machine: this one, and those of other settings."""
    found = [own]
    for directory in (locations.data_dir, locations.user_data_dir):
        with contextlib.suppress(HeimdallError):  # there is no such place
            found.append(Path(directory(), "models"))
    with contextlib.suppress(HeimdallError):
        found.append(Path(locations.system_models_dir()))
    return list(dict.fromkeys(found))


def _children(directory: Path, *, below: bool = False) -> list[Path]:
    try:
        return sorted(directory.rglob("*") if below else directory.iterdir())
    except OSError:
        return []


def adopt_from(
    folder: Path, wanted: Iterable[PinnedFile], context: Context, most: int = MOST_ENTRIES
) -> None:
    """Adopt what is still wanted from a folder of any shape.

    Args:
        most: how many files are looked at.

    Raises:
        As `adopt` does.
    """
    sizes: dict[int, list[PinnedFile]] = {}
    for file in still_wanted(wanted, context):
        sizes.setdefault(file.size, []).append(file)
    for path in files_below(folder, sizes, most) if sizes else ():
        for file in still_wanted(sizes.get(_size(path), ()), context):
            adopt([path], file, context)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # it has gone
        return -1


def still_wanted(wanted: Iterable[PinnedFile], context: Context) -> list[PinnedFile]:
    """Those of the files that did not arrive."""
    return [file for file in wanted if file.sha256 not in context.pinned.store.arrived]


def adopt(paths: Iterable[Path], file: PinnedFile, context: Context) -> None:
    """Copy the first of the files that has exactly the pinned bytes, if any, into the store, and say so.

    Raises:
        SourceError: if it changed while it was copied.
        OSError: if the store can't be written.
    """
    for path in paths:
        if copy_if_pinned(path, file, context.pinned.store):
            context.progress.note(f"took {file.path} from {path.resolve()}")
            return


def copy_if_pinned(candidate: Path, file: PinnedFile, store: Store) -> bool:
    """As `adopt`, for one file and without a word; whether it has the bytes."""
    if not matches(candidate, file):
        return False
    try:
        with candidate.open("rb") as stream:
            store.receive(file, chunks_of(stream))
    except IntegrityError as error:
        raise SourceError(f"{candidate} changed while it was copied: {error}") from error
    return True
