"""The shared directory's own part, `.store`: verified blobs by sha256, and what `pinned_set` puts together from them.

A file gets a published name only after its bytes matched their pin, by an atomic rename, and is never changed
afterwards: readers need no lock.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from . import locations, receipts
from .errors import IntegrityError
from .files import settle, sha256_of, write_atomically
from .manifest import PinnedFile
from .transfer.digest import Sha256
from .transfer.partials import PartialFile

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
        models_dir: the models directory; default: the shared one.
        root: its `.store`.
        arrived: sha256 of the blobs that were verified and published through this object.
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

    def receive(self, file: PinnedFile, chunks: Iterable[bytes]) -> None:
        """Take a file's bytes in: hashed while they are written, published as a blob only if they match the pin.

        Raises:
            IntegrityError: if size or sha256 differ; nothing is kept.
            OSError: if the bytes can't be written.
        """
        with self.temporary(file.sha256) as path:
            with path.open("xb") as stream:
                copy_verified(chunks, stream, file)
            self._publish(file, path)

    def take(self, file: PinnedFile, download: PartialFile) -> None:
        """Publish what was downloaded into this filesystem as a blob, if it matches the pin.

        Raises:
            As `receive` does.
        """
        _compare(file, download.size, download.sha256)
        self._publish(file, download.path)

    def _publish(self, file: PinnedFile, path: Path) -> None:
        # Forced to the disk first: a power cut could otherwise leave a file of the right size and time stamp without
        # its bytes, and nothing would ever hash it again.
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
                path.chmod(0o644)
                status = blob.stat()
                os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
            path.replace(target)


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
