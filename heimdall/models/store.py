"""The shared directory's own part, `.store`: verified blobs by sha256, and what `pinned_set` puts together from them.

A file gets a published name only after its bytes matched their pin, by an atomic rename, and is never changed
afterwards: readers need no lock.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO

from . import locations, receipts
from .errors import IntegrityError
from .files import rename, rename_over, settle, settle_all, sha256_of, write_atomically, written_out
from .manifest import PinnedFile
from .processes import new_owner
from .transfer.digest import Sha256
from .transfer.partials import TEMPORARY, PartialFile

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


_WORTH_ITS_OWN = 1 << 20
"""A verified file of so many bytes gets its name at once: what is killed then need not fetch it again."""


class Store:
    """The `.store` below one models directory.

    Attributes:
        models_dir: the models directory; default: the shared one.
        root: its `.store`.
        arrived: sha256 of the blobs that were verified through this object, and published, or will be at the end of
            the block of `together`.
    """

    def __init__(self, models_dir: Path | None = None) -> None:
        self.models_dir = Path(models_dir or locations.models_dir())
        self.root = self.models_dir / receipts.STORE
        self.blobs = self.root / "blobs"
        self.sets = self.root / "sets"
        self.partial = self.root / "partial"
        self.locks = self.root / "locks"
        self.users = self.root / "users"
        self.failures = self.root / "failures"
        self.arrived: set[str] = set()
        self._waiting: dict[Path, PinnedFile] | None = None

    def prepare(self) -> None:
        """Make the directories.

        Raises:
            OSError: if one can't be made.
        """
        folders = self.blobs, self.sets, self.partial, self.locks, self.users, self.failures
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        readme = self.root / "README.txt"
        if not readme.exists():
            write_atomically(readme, _README)

    def blob(self, file: PinnedFile) -> Path:
        """Where that file's bytes are, or would be."""
        return self.blobs / file.sha256

    def missing(self, files: Iterable[PinnedFile]) -> list[PinnedFile]:
        """Those of `files` without a sound blob. Blobs are hashed: this is asked only when a set is put together."""
        return [file for file in files if not matches(self.blob(file), file)]

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Small files that are received in the block are published at its end, also when it ends in an exception.

        They are forced to the disk together, since one after the other they would take milliseconds each. The promise
        is the same: a file gets its name only when its bytes are on the disk.

        Raises:
            OSError: they can't be published.
        """
        if self._waiting is not None:  # an outer block will do it
            yield
            return
        self._waiting = {}
        try:
            yield
        finally:
            waiting, self._waiting = self._waiting, None
            self._publish_temporaries(waiting)

    def receive(self, file: PinnedFile, chunks: Iterable[bytes]) -> None:
        """Take a file's bytes in: hashed while they are written, published as a blob only if they match the pin.

        A small one is published at the end of the block of `together`, if there is one around.

        Raises:
            IntegrityError: if size or sha256 differ; nothing is kept.
            OSError: if the bytes can't be written.
        """
        path = self._new_name(file.sha256)
        try:
            with path.open("xb") as stream:
                copy_verified(written_out(chunks, stream), stream, file)
        except BaseException:  # also Ctrl-C: no half file stays
            path.unlink(missing_ok=True)
            raise
        if self._waiting is None or file.size >= _WORTH_ITS_OWN:
            self._publish_temporaries({path: file})
        else:
            self._waiting[path] = file
            self.arrived.add(file.sha256)

    def take(self, file: PinnedFile, download: PartialFile) -> None:
        """Publish what was downloaded into this filesystem as a blob, if it matches the pin.

        Raises:
            As `receive` does.
        """
        _compare(file, download.size, download.sha256)
        self._publish({download.path: file})

    def _publish_temporaries(self, files: Mapping[Path, PinnedFile]) -> None:
        try:
            self._publish(files)
        except BaseException:  # also Ctrl-C: what has no name yet does not stay
            for path in files:
                path.unlink(missing_ok=True)
            raise

    def _publish(self, files: Mapping[Path, PinnedFile]) -> None:
        try:
            # Forced to the disk first: a power cut could otherwise leave a file of the right size and time stamp
            # without its bytes, and nothing would ever hash it again. The new names need no such care: one that a
            # power cut takes away is missing, and is fetched again.
            settle_all([*files])
            for path, file in files.items():
                rename_over(path, self.blob(file), self._new_name(file.sha256))
        except BaseException:  # also Ctrl-C: what has no name has not arrived
            self.arrived.difference_update(file.sha256 for file in files.values())
            raise
        self.arrived.update(file.sha256 for file in files.values())

    @contextlib.contextmanager
    def temporary(self, name: str) -> Iterator[Path]:
        """A name of our own in the store's filesystem for a file to be renamed from; what is left of it is removed."""
        path = self._new_name(name)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def _new_name(self, name: str) -> Path:
        return self.partial / f"{name}.{new_owner()}{TEMPORARY}"

    def place(self, file: PinnedFile, target: Path) -> None:
        """Make `target` the file's blob: a hard link, or a copy with the same time stamp where links are refused."""
        blob = self.blob(file)
        with self._aside(file, target) as path:
            if path is not None and not _linked(os.link, blob, path):
                shutil.copyfile(blob, path)
                settle(path)
                status = blob.stat()
                os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    def show(self, file: PinnedFile, target: Path) -> None:
        """As `place`, for a set that has the file: where links are refused, no third copy is made.

        It is a symbolic link then; where those are refused too, it is the blob itself that moves there: the set's own
        copy stands for it.
        """
        if not target.is_symlink() and matches(target, file):
            return
        blob = self.blob(file)
        with self._aside(file, target) as path:
            if path is None or _linked(os.link, blob, path):
                return
            relative = os.path.relpath(blob, target.parent)
            if not _linked(os.symlink, relative, path):
                rename(blob, path)

    @contextlib.contextmanager
    def _aside(self, file: PinnedFile, target: Path) -> Iterator[Path | None]:
        """A free name for what is to become `target` when the block ends well; None if `target` is the blob already."""
        with contextlib.suppress(FileNotFoundError):
            if target.samefile(self.blob(file)):
                yield None
                return
        target.parent.mkdir(parents=True, exist_ok=True)
        with self.temporary(file.sha256) as path:
            yield path
            rename_over(path, target, self._new_name(file.sha256))


def _linked(link: Callable[[str | Path, Path], None], source: str | Path, path: Path) -> bool:
    """Whether links of this kind are made here."""
    try:
        link(source, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return False
    return True


_NO_LINKS = frozenset(
    getattr(errno, name)
    for name in ("EPERM", "EACCES", "EXDEV", "EMLINK", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EINVAL")
    if hasattr(errno, name)
)


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
    _compare(file, size, digest.hexdigest())


def _compare(file: PinnedFile, size: int, sha256: str) -> None:
    if size != file.size:
        raise IntegrityError(file.path, f"{file.size} bytes", f"{size}")
    if sha256 != file.sha256:
        raise IntegrityError(file.path, f"sha256 {file.sha256}", sha256)


def matches(path: Path, file: PinnedFile) -> bool:
    """Whether `path` holds exactly the pinned bytes; hashed only if the size fits."""
    try:
        return path.stat().st_size == file.size and sha256_of(path) == file.sha256
    except OSError:
        return False
