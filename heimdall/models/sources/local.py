"""Bytes that are already on this machine: adopted by hash.

They are always copied: the program that they belong to may change them.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from .. import locations, receipts
from ..errors import HeimdallError, IntegrityError, SourceError
from ..files import chunks_of
from ..manifest import PinnedFile
from ..pinned_set import PinnedSet
from ..store import Store, matches
from .base import Context


@dataclass(frozen=True, slots=True)
class LocalFiles:
    """Folders that may hold the files, in the tree of a models directory or in Hugging Face's cache."""

    name: str = "local"
    place: str = "files on this machine"
    remote: bool = False

    def deliver(self, wanted: Sequence[PinnedFile], context: Context) -> None:
        """Adopt each file that one of the folders has; only files whose size fits are hashed."""
        for file in wanted:
            adopt(candidates(file, context.pinned), file, context)


def candidates(file: PinnedFile, pinned: PinnedSet) -> Iterator[Path]:
    """Where that file may already be on this machine, most likely places first."""
    checkout = Path(locations.PACKAGE_DIRECTORY).parent / "cognitive_memory" / "data" / "models"
    model = pinned.model
    for models_dir in models_directories(pinned.store.models_dir):
        store = Store(models_dir)
        yield store.blob(file)
        yield from (directory / receipts.TREE / file.path for directory in _children(store.sets))
        yield models_dir / file.path
    for tree in (checkout, checkout / model.variant, Path("data", "models")):
        yield tree / file.path
    owner, _, name = urlsplit(model.upstream).path.strip("/").partition("/")
    for cache in huggingface_caches():
        repository = cache / f"models--{owner}--{name}"
        yield repository / "blobs" / file.sha256
        yield from _children(repository / "blobs")
        yield from _children(repository / "snapshots", below=True)


def models_directories(own: Path) -> list[Path]:
    """The models directories that may have a store on this machine: this one, and those of other settings."""
    found = [own]
    for directory in (locations.data_dir, locations.user_data_dir):
        with contextlib.suppress(HeimdallError):  # there is no such place
            found.append(Path(directory(), "models"))
    with contextlib.suppress(HeimdallError):
        found.append(Path(locations.system_models_dir()))
    return list(dict.fromkeys(found))


def huggingface_caches() -> list[Path]:
    """Hugging Face's cache directories: those its variables name, and its default one."""
    hub, home = os.environ.get("HF_HUB_CACHE"), os.environ.get("HF_HOME")
    default = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    named = [hub, home and f"{home}/hub", f"{default}/huggingface/hub"]
    expanded = (os.path.expanduser(text) for text in dict.fromkeys(named) if text)  # noqa: PTH111
    # Without a home directory there is no default one.
    return [Path(text) for text in expanded if not text.startswith("~")]


def _children(directory: Path, *, below: bool = False) -> list[Path]:
    try:
        return sorted(directory.rglob("*") if below else directory.iterdir())
    except OSError:
        return []


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
