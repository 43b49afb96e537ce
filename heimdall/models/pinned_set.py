"""A pinned model's files in one store: put together from verified blobs, noted, shown to other tools.

A set's receipt is written last, so a set with a receipt is complete.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from . import graph_cache, receipts
from .files import sha256_of, write_atomically
from .locate import places
from .locking import advisory_lock
from .manifest import PinnedFile, PinnedModel
from .store import Store, matches
from .transfer.progress import Progress


class PinnedSet:
    """The set of a model's files in a store, whether it is there or not.

    Attributes:
        model: the model as it is pinned.
        store: the store.
        tree: the directory of the set's files.
    """

    def __init__(self, model: PinnedModel, store: Store) -> None:
        self.model = model
        self.store = store
        self._stored = receipts.StoredSet(str(store.models_dir), model.entry)
        self.tree = Path(self._stored.tree)

    def first_sound(self, *hashed: str) -> Path | None:
        """The first place of the model that is verified, or is in one of the tiers that are `hashed` and matches its pins.

        What lies in the shared tier without a receipt is usually adopted into the store instead, once and for all.
        """
        for place in places(self.model.package, self.model.entry, str(self.store.models_dir)):
            directory = Path(place.directory)
            if place.verified or (place.tier in hashed and tree_matches(directory, self.model)):
                return directory
        return None

    @contextlib.contextmanager
    def making(self, seconds: float, progress: Progress) -> Iterator[list[PinnedFile] | None]:
        """Keep other processes from making the same set while the block runs.

        The block is told which files it has to bring: those without a sound blob, but for what the manifest carries
        itself. It is None if the set is complete.

        Args:
            seconds: how long to wait for another process at most; then the block runs beside it.
            progress: told when there is somebody to wait for.
        """
        self.store.prepare()
        lock = self.store.locks / f"{self._stored.name}.lock"
        is_complete = self._stored.is_verified
        with advisory_lock(lock, seconds, is_complete, progress):
            yield None if is_complete() else self._to_be_fetched()

    def _to_be_fetched(self) -> list[PinnedFile]:
        missing = self.store.missing(self.model.files)
        for file in missing:
            if file.content is not None:
                self.store.receive(file, [file.content])
        return [file for file in missing if file.content is None]

    def invalidate(self) -> None:
        """Forget that the set was verified, so that it is verified anew."""
        Path(self._stored.receipt).unlink(missing_ok=True)

    def publish(self) -> None:
        """Put the set together from its blobs.

        Existing files are replaced one by one with their verified twins, so a reader at the same time sees whole files.
        """
        for file in self._weights_first():
            self.store.place(file, self.tree / file.path)
        # it may come from files that were bad until now
        graph_cache.discard(self.tree.parent / graph_cache.FOLDER)
        # Written last, with size and time stamp of each file as they are now.
        entry = self.model.entry
        stats = dict(receipts.stats(self._stored.tree, entry))
        receipt = {"schema": 1, "pins": receipts.pins(entry), "stats": stats}
        _write_json(Path(self._stored.receipt), receipt)

    def show(self) -> None:
        """Lay the published set's files where other tools expect them, directly in the models directory.

        What is not ours there is kept, renamed.

        Raises:
            OSError: if that can't be done; the set itself is complete all the same.
        """
        for file in self._weights_first():
            target = self.store.models_dir / file.path
            # another process may do the same at this moment
            with contextlib.suppress(FileNotFoundError):
                ours = not target.is_file() or target.samefile(self.store.blob(file))
                if not ours and not (self.store.blobs / sha256_of(target)).exists():
                    target.rename(target.with_name(f"{target.name}.kept-{time.time_ns()}"))
            self.store.place(file, target)

    def note_user(self) -> None:
        """Note for `prune` that the environment of the model's manifest uses this set."""
        manifest_path = self.model.package.manifest_path
        path = Path(self._stored.user_note(manifest_path))
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_json(path, {"manifest": manifest_path, "set": self._stored.name})

    def _weights_first(self) -> list[PinnedFile]:
        """The files, large ones first, so that whoever sees a graph also finds its weights."""
        return sorted(self.model.files, key=lambda file: -file.size)


def tree_matches(tree: Path, model: PinnedModel) -> bool:
    """Whether all of the model's files are in `tree` with exactly the pinned bytes."""
    return all(matches(tree / file.path, file) for file in model.files)


def _write_json(path: Path, document: Mapping[str, object]) -> None:
    write_atomically(path, json.dumps(document, indent=2, sort_keys=True) + "\n")
