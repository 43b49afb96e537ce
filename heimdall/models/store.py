"""The shared directory's own part, `.store`: verified blobs by sha256, and one directory per pinned set.

A file gets a published name only after its bytes matched their pin, by an atomic rename, and is never changed
afterwards: readers need no lock. A set's receipt is written last, so a set with a receipt is complete.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO

from . import graph_cache, own_receipts, receipts
from .errors import IntegrityError
from .files import settle, sha256_of, write_atomically
from .locking import advisory_lock
from .manifest import PinnedFile, PinnedModel
from .transfer.digest import Sha256
from .transfer.progress import Progress

_README = """\
This folder belongs to heimdall (https://github.com/lcbcFoo/heimdall-mcp-server), which keeps the models of every
package here that has them fetched by it.

blobs/     model files, named by their sha256; each was verified before it got its name
sets/      one folder per pinned set of files: links to blobs, a receipt of what was verified, and what was computed from them
partial/   downloads under way, or interrupted and to be continued
locks/     advisory locks, one per set
users/     which installed environment uses which set
failures/  recent failures, so that many imports do not wait for the same dead network

No model is ever removed but by `heimdall models prune` or `heimdall-models prune`. Removing all of it is safe while
nothing runs that uses a model: the next use fetches it again.
"""


class Store:
    """The `.store` below one models directory.

    Attributes:
        models_dir: the models directory.
        root: its `.store`.
        arrived: sha256 of the blobs that were verified and published through this object.
    """

    def __init__(self, models_dir: Path) -> None:
        self.models_dir = models_dir
        self.root = models_dir / receipts.STORE
        self.blobs = self.root / "blobs"
        self.partial = self.root / "partial"
        self.locks = self.root / "locks"
        self.failures = self.root / "failures"
        self.arrived: set[str] = set()

    def prepare(self) -> None:
        """Make the directories.

        Raises:
            OSError: if one can't be made.
        """
        for directory in (
            self.blobs,
            self.root / "sets",
            self.partial,
            self.locks,
            self.root / "users",
            self.failures,
        ):
            directory.mkdir(parents=True, exist_ok=True)
        readme = self.root / "README.txt"
        if not readme.exists():
            write_atomically(readme, _README)

    def blob(self, file: PinnedFile) -> Path:
        """Where that file's bytes are, or would be."""
        return self.blobs / file.sha256

    def missing(self, files: Iterable[PinnedFile]) -> list[PinnedFile]:
        """Those of `files` without a sound blob. Blobs are hashed: this is asked only when a set is put together."""
        return [file for file in files if not matches(self.blob(file), file)]

    def receive(self, file: PinnedFile, chunks: Iterable[bytes]) -> None:
        """Take a file's bytes in: hashed while they are written, published as a blob only if they match the pin.

        Raises:
            IntegrityError: if size or sha256 differ; nothing is kept.
            OSError: if the bytes can't be written.
        """
        with self.temporary(file.sha256) as path:
            with path.open("xb") as stream:
                copy_verified(chunks, stream, file)
            self.publish_blob(file, path)

    def publish_blob(self, file: PinnedFile, path: Path) -> None:
        """Give a file in this filesystem, whose bytes were verified, its name as a blob.

        The bytes are forced to the disk first: a power cut could otherwise leave a file of the right size and time
        stamp without them, and nothing would ever hash it again.
        """
        settle(path)
        path.replace(self.blob(file))
        self.arrived.add(file.sha256)

    @contextlib.contextmanager
    def temporary(self, name: str) -> Iterator[Path]:
        """A name of our own in the store's filesystem for a file to be renamed from; what is left of it is removed."""
        path = self.partial / f"{name}.{os.getpid()}-{os.urandom(4).hex()}.tmp"
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def tree(self, model: PinnedModel) -> Path:
        """Where the files of the model's set are, or would be."""
        return Path(receipts.tree(str(self.models_dir), model.entry))

    @contextlib.contextmanager
    def making(
        self, model: PinnedModel, seconds: float, progress: Progress
    ) -> Iterator[list[PinnedFile] | None]:
        """Keep other processes from making the same set while the block runs.

        The block is told which files it has to bring: those without a sound blob, but for what the manifest carries
        itself. It is None if the set is complete.

        Args:
            seconds: how long to wait for another process at most; then the block runs beside it.
            progress: told when there is somebody to wait for.
        """
        self.prepare()
        lock = self.locks / f"{receipts.set_name(model.entry)}.lock"
        with advisory_lock(lock, seconds, lambda: self.complete(model), progress):
            yield None if self.complete(model) else self._to_be_fetched(model)

    def _to_be_fetched(self, model: PinnedModel) -> list[PinnedFile]:
        missing = self.missing(model.files)
        for file in missing:
            if file.content is not None:
                self.receive(file, [file.content])
        return [file for file in missing if file.content is None]

    def complete(self, model: PinnedModel) -> bool:
        """Whether the model's set was verified and not touched since."""
        return receipts.verified_tree(str(self.models_dir), model.entry) is not None

    def invalidate(self, model: PinnedModel) -> None:
        """Forget that the set was verified, so that it is verified anew."""
        tree = self.tree(model)
        # Another user's receipt can't be removed; it was not believed.
        with contextlib.suppress(FileNotFoundError, PermissionError):
            (tree.parent / receipts.RECEIPT).unlink()
        if own := receipts.own_receipt(str(tree), model.entry):
            Path(own).unlink(missing_ok=True)

    def publish(self, model: PinnedModel) -> Path:
        """Put the set together from its blobs, and return its tree.

        Existing files are replaced one by one with their verified twins, so a reader at the same time sees whole files.
        """
        tree = self.tree(model)
        for file in files_weights_first(model):
            self.place(file, tree / file.path)
        # they may come from files that were bad until now
        for cache in graph_cache.places(tree):
            graph_cache.discard(cache)
        # Written last, with size and time stamp of each file as they are now.
        now = receipts.statuses(str(tree), model.entry).items()
        stats = {path: receipts.look(status) for path, status in now}
        with contextlib.suppress(PermissionError):  # the folder is another user's
            # Whatever the umask: nothing in a folder that others may write to is believed.
            tree.parent.chmod(0o755)
            own_receipts.write(tree.parent / receipts.RECEIPT, model, stats)
        if not self.complete(model):  # the folder or some blobs are other users'
            own_receipts.verify_tree(tree, model)
        return tree

    def show(self, model: PinnedModel) -> None:
        """Lay the published set's files where other tools expect them, directly in the models directory.

        What is not ours there is kept, renamed.

        Raises:
            OSError: if that can't be done; the set itself is complete all the same.
        """
        for file in files_weights_first(model):
            target = self.models_dir / file.path
            # another process may do the same at this moment
            with contextlib.suppress(FileNotFoundError):
                ours = not target.is_file() or target.samefile(self.blob(file))
                if not ours and not (self.blobs / sha256_of(target)).exists():
                    target.rename(target.with_name(f"{target.name}.kept-{time.time_ns()}"))
            self.place(file, target)

    def note_user(self, model: PinnedModel) -> None:
        """Note for `prune` that the environment of the model's manifest uses this set."""
        manifest_path = model.package.manifest_path
        path = Path(receipts.user_note(str(self.models_dir), manifest_path, model.entry))
        if path.exists():
            return
        note = {"manifest": manifest_path, "set": receipts.set_name(model.entry)}
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_json(path, note)

    def place(self, file: PinnedFile, target: Path) -> None:
        """Make `target` the file's blob: a hard link, or a copy with the same time stamp where links are refused."""
        blob = self.blob(file)
        with contextlib.suppress(FileNotFoundError):
            if target.samefile(blob):
                return
        target.parent.mkdir(parents=True, exist_ok=True)
        with self.temporary(file.sha256) as path:
            try:
                os.link(blob, path)
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                shutil.copyfile(blob, path)
                status = blob.stat()
                os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
            path.replace(target)


_NO_LINKS = frozenset(
    getattr(errno, name)
    for name in ("EPERM", "EACCES", "EXDEV", "EMLINK", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EINVAL")
    if hasattr(errno, name)
)


def files_weights_first(model: PinnedModel) -> list[PinnedFile]:
    """The files, large ones first, so that whoever sees a graph also finds its weights."""
    return sorted(model.files, key=lambda file: -file.size)


def _write_json(path: Path, document: Mapping[str, object]) -> None:
    write_atomically(path, json.dumps(document, indent=2, sort_keys=True) + "\n")


def copy_verified(chunks: Iterable[bytes], stream: IO[bytes], file: PinnedFile) -> None:
    """Write `chunks` to `stream`, hashing them.

    Raises:
        IntegrityError: as soon as there are too many bytes, or at the end if size or sha256 differ.
    """
    size = 0
    with contextlib.closing(Sha256()) as digest:
        for chunk in chunks:
            size += len(chunk)
            if size > file.size:
                raise IntegrityError(file.path, f"{file.size} bytes", "more")
            digest.update(chunk)
            stream.write(chunk)
    if size != file.size:
        raise IntegrityError(file.path, f"{file.size} bytes", f"{size}")
    if digest.hexdigest() != file.sha256:
        raise IntegrityError(file.path, f"sha256 {file.sha256}", digest.hexdigest())


def matches(path: Path, file: PinnedFile) -> bool:
    """Whether `path` holds exactly the pinned bytes; hashed only if the size fits."""
    try:
        return path.stat().st_size == file.size and sha256_of(path) == file.sha256
    except OSError:
        return False
