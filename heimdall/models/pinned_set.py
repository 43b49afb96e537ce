"""A pinned model's files in one store: put together from verified blobs, and noted.

A set's receipt is written last, so a set with a receipt is complete.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from . import graph_cache, own_receipts, receipts
from .files import size_below, write_atomically
from .locate import SHARED, Location, places
from .locking import advisory_lock
from .manifest import PinnedFile, PinnedModel
from .ownership import is_own
from .patience import Patience
from .store import Store
from .transfer.partials import TEMPORARY, left_behind
from .transfer.progress import Progress


class PinnedSet:
    """The set of a model's files in a store, whether it is there or not.

    Attributes:
        model: the model as it is pinned.
        store: the store.
        tree: the directory of the set's files.
        destination: where its files are for, in messages; default: the models directory.
        alone: whether nobody else makes the same set, as a lock says that is held.
    """

    def __init__(
        self, model: PinnedModel, store: Store, *, destination: Path | None = None
    ) -> None:
        self.model = model
        self.store = store
        self.destination = destination or store.models_dir
        self._stored = receipts.StoredSet(str(store.models_dir), model.entry)
        self.tree = Path(self._stored.tree)
        self.alone = False

    def first_sound(self, *hashed: str) -> Path | None:
        """The first place of the model that is verified, or is in one of the tiers that are `hashed` and matches its pins.

        What lies in the shared tier without a receipt is usually adopted into the store instead, once and for all.
        """
        for place in self._places():
            directory = Path(place.directory)
            if place.verified:
                return directory
            # Another user's set is not put together anew, it is hashed where it is.
            looked_at = place.tier in hashed or (directory == self.tree and self._is_anothers())
            if looked_at and own_receipts.verify_tree(directory, self.model):
                return directory
        return None

    def _places(self) -> Iterator[Location]:
        return places(self.model.package, self.model.entry, str(self.store.models_dir))

    def _is_anothers(self) -> bool:
        try:
            return not is_own(self.tree.parent.stat())
        except OSError:
            return False

    @contextlib.contextmanager
    def making(
        self, seconds: float, progress: Progress, patience: Patience
    ) -> Iterator[list[PinnedFile] | None]:
        """Keep other processes from making the same set while the block runs.

        The block is told which files it has to bring: those without a sound blob, but for what the manifest carries
        itself. It is None if the set is complete.

        Args:
            seconds: how long to wait for another process at most; then the block runs beside it.
            progress: told when there is somebody to wait for.
            patience: how long to wait while that process brings nothing.
        """
        self.store.prepare()
        lock = self.store.locks / f"{self._stored.name}.lock"
        is_complete = self._stored.is_verified
        arrived = partial(size_below, self.store.partial)
        with advisory_lock(
            lock, seconds, is_complete, progress, patience=patience, work=arrived
        ) as self.alone:
            if is_complete():
                yield None
                return
            self._discard_temporaries()
            with patience.working():
                missing = self._to_be_fetched()
            yield missing

    def _discard_temporaries(self) -> None:
        """Remove what killed processes left: as large as the file may be, of no use, and there again at each restart."""
        digests = {file.sha256 for file in self.model.files}
        for path in left_behind(self.store.partial, digests, alone=self.alone):
            if path.suffix == TEMPORARY:
                with contextlib.suppress(OSError):
                    path.unlink()

    def _to_be_fetched(self) -> list[PinnedFile]:
        missing = self.store.missing(self.model.files)
        with self.store.together():
            for file in missing:
                if file.content is not None:
                    self.store.receive(file, [file.content])
        return [file for file in missing if file.content is None]

    def invalidate(self) -> None:
        """Forget that the set was verified, so that it is verified anew."""
        # Another user's receipt can't be removed; it was not believed.
        with contextlib.suppress(FileNotFoundError, PermissionError):
            Path(self._stored.receipt).unlink()
        if own := receipts.own_receipt(self._stored.tree, self.model.entry):
            Path(own).unlink(missing_ok=True)
        # The other tiers' files are hashed at once: with them, it is what is noted that can say that they are bad.
        for place in self._places():
            if place.tier != SHARED:
                own_receipts.verify_tree(Path(place.directory), self.model)

    def publish(self) -> None:
        """Put the set together from its blobs.

        Existing files are replaced one by one with their verified twins, so a reader at the same time sees whole files.
        """
        for file in self.weights_first():
            self.store.place(file, self.tree / file.path)
        # they may come from files that were bad until now
        for cache in graph_cache.places(self.tree):
            graph_cache.discard_all(cache)
        with contextlib.suppress(PermissionError):  # the folder is another user's
            # Whatever the umask: nothing in a folder that others may write to is believed.
            self.tree.parent.chmod(0o755)
            # Written last, with size and time stamp of each file as they are now.
            own_receipts.write(
                Path(self._stored.receipt), receipts.pins(self.model.entry), self._stored.stats()
            )
        if not self._stored.is_verified():  # the folder or some blobs are other users'
            own_receipts.verify_tree(self.tree, self.model)

    def note_user(self) -> None:
        """Note for `prune` that the environment of the model's manifest uses this set."""
        manifest_path = self.model.package.manifest_path
        path = Path(self._stored.user_note(manifest_path))
        if path.exists() or receipts.vanishes(manifest_path):
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        note = {"manifest": manifest_path, "set": self._stored.name}
        write_atomically(path, json.dumps(note, indent=2, sort_keys=True) + "\n")

    def weights_first(self) -> list[PinnedFile]:
        """The files, large ones first, so that whoever sees a graph also finds its weights."""
        return sorted(self.model.files, key=lambda file: -file.size)
