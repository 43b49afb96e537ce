"""Bytes on their way: from a URL or a zip into a file that gets its name when they are the pinned ones.

It runs on Python 3.8, since `vendor` writes it into other packages.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, Generator, Iterator

if TYPE_CHECKING:
    import zipfile

CHUNK = 1 << 20
"""Bytes that are in memory at once."""
_STALL_SECONDS = 30.0
_LOCK_SECONDS = 600.0
_ABANDONED_SECONDS = 3600.0
Pin = Dict[str, Any]
"""What the manifest says of an asset or a file: its `sha256` and `size` in bytes, among others."""


class SourceError(Exception):
    """What a source did wrong; `again` says whether it may do better in a moment."""

    def __init__(self, reason: str, again: bool = False) -> None:
        super().__init__(reason)
        self.again = again


@contextlib.contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Wait for another process that fetches the same, so that one download serves all.

    Without locks, or when they do not work, all is right too, only fetched more than once.
    """
    with open(f"{directory}.lock", "ab") as lock:
        with contextlib.suppress(ImportError, OSError):
            import fcntl

            deadline = time.monotonic() + _LOCK_SECONDS
            while time.monotonic() < deadline:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    time.sleep(0.1)
        # Of processes that were killed.
        for part in directory.parent.glob(f"{directory.name}.*.part"):
            with contextlib.suppress(OSError):
                if time.time() - part.stat().st_mtime > _ABANDONED_SECONDS:
                    part.unlink()
        yield


@contextlib.contextmanager
def part_beside(directory: Path) -> Iterator[Path]:
    """A name of our own beside `directory` for a file to be renamed from; what is left of it is removed."""
    part = directory.with_name(f"{directory.name}.{os.urandom(8).hex()}.part")
    try:
        yield part
    finally:
        with contextlib.suppress(FileNotFoundError):
            part.unlink()


def receive(chunks: Generator[bytes, None, None], pin: Pin, part: Path) -> None:
    """Write the bytes, hashing them; it is an error if they are not the pinned ones."""
    digest = hashlib.sha256()
    size = 0
    # Closed here, since what an error keeps open could not be removed on Windows.
    with contextlib.closing(chunks), open(str(part), "xb") as stream:
        for chunk in chunks:
            size += len(chunk)
            if size > pin["size"]:
                raise SourceError(f"has more than {pin['size']} bytes; nothing of it was kept")
            digest.update(chunk)
            stream.write(chunk)
    if size < pin["size"]:
        raise SourceError(f"ended after {size} of {pin['size']} bytes", again=True)
    if digest.hexdigest() != pin["sha256"]:
        raise SourceError(
            f"has sha256 {digest.hexdigest()}, pinned is {pin['sha256']}; nothing of it was kept"
        )


def publish(verified: list[tuple[Path, Path]]) -> None:
    """Give files whose bytes were verified their names: pairs of what is renamed, and to what."""
    # First, or a power cut could leave a name of the right size without its bytes. When all are
    # written, so that one flush of the disk takes others along.
    for part, _ in verified:
        with open(str(part), "rb+") as stream:
            os.fsync(stream.fileno())
    for part, target in verified:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.replace(str(part), str(target))
        except PermissionError:
            # On Windows while another process reads it, which published the same bytes.
            if not target.is_file() or target.stat().st_size != part.stat().st_size:
                raise


def take(url: str, pin: Pin, wanted: list[Pin], directory: Path) -> None:
    """Download what `pin` describes, and publish the wanted files: it is one of them, or a zip that has them."""
    import shutil

    itself = [item for item in wanted if item["sha256"] == pin["sha256"]]
    room = pin["size"] + sum(item["size"] for item in (itself[1:] if itself else wanted))
    free = shutil.disk_usage(str(directory)).free
    if free < room:
        raise OSError(f"{room} bytes are needed, {free} are free")
    with contextlib.ExitStack() as stack:
        part = stack.enter_context(part_beside(directory))
        receive(download(url, pin["size"]), pin, part)
        archive = None if itself else stack.enter_context(opened(part))
        verified: list[tuple[Path, Path]] = []
        for item in wanted:
            member = part
            if archive:
                member = stack.enter_context(part_beside(directory))
                receive(unpacked(archive, f"models/{item['path']}"), item, member)
            elif verified:  # the same bytes under another name
                member = stack.enter_context(part_beside(directory))
                receive(copied(part), item, member)
            verified.append((member, directory / item["path"]))
        publish(verified)


def download(url: str, size: int) -> Generator[bytes, None, None]:
    """The bytes at a URL; it is an error if the server announces another size."""
    import http.client
    import urllib.error
    import urllib.request
    from urllib.parse import unquote, urlsplit

    try:
        parts = urlsplit(url)
        if parts.scheme not in {"https", "http", "file"}:
            raise SourceError("only https://, http:// and file:// are understood")
        user, at, host = parts.netloc.rpartition("@")
        request = urllib.request.Request(parts._replace(netloc=host).geturl())
        request.add_header("User-Agent", "heimdall-vendored")
        if at:
            import base64

            secret = base64.b64encode(unquote(user).encode()).decode()
            # Not sent to another host that this one redirects to.
            request.add_unredirected_header("Authorization", f"Basic {secret}")
        seconds = float(os.environ.get("HEIMDALL_HTTP_TIMEOUT") or _STALL_SECONDS)
        with urllib.request.urlopen(request, timeout=seconds) as response:
            length = response.headers.get("Content-Length") or ""
            if length.isdigit() and int(length) != size:
                raise SourceError(f"has {length} bytes, expected {size}")
            yield from iter(lambda: response.read(CHUNK), b"")
    except urllib.error.HTTPError as error:
        with error:
            again = error.code >= 500 or error.code in {408, 429}
            raise SourceError(f"HTTP {error.code} {error.reason}", again) from None
    except urllib.error.URLError as error:
        raise SourceError(str(error.reason), not url.startswith("file:")) from None
    except (OSError, http.client.HTTPException) as error:
        raise SourceError(f"{type(error).__name__}: {error}", again=True) from None
    except ValueError as error:
        raise SourceError(f"can't be asked: {error}") from None


def copied(path: Path) -> Generator[bytes, None, None]:
    """The bytes of a file."""
    with open(str(path), "rb") as stream:
        yield from iter(lambda: stream.read(CHUNK), b"")


@contextlib.contextmanager
def opened(archive: Path) -> Iterator[zipfile.ZipFile]:
    """A zip whose unsoundness, found in the block too, is the source's error."""
    import zipfile
    import zlib

    try:
        with zipfile.ZipFile(str(archive)) as members:
            yield members
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
        if isinstance(error, SourceError):
            raise
        raise SourceError(f"is not a sound zip archive: {error}") from None


def unpacked(archive: zipfile.ZipFile, member: str) -> Generator[bytes, None, None]:
    """A member's bytes. Names of the archive's choice are never used as paths."""
    from zipfile import ZIP_DEFLATED, ZIP_STORED

    try:
        info = archive.getinfo(member)
    except KeyError:
        raise SourceError(f"lacks the member {member}") from None
    # The others are inflated without a bound on memory.
    if info.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
        raise SourceError(f"member {member} is compressed by method {info.compress_type}")
    with archive.open(info) as stream:
        yield from iter(lambda: stream.read(CHUNK), b"")


def shown(url: str) -> str:
    """A URL without what may be secret in it."""
    scheme, separator, rest = url.partition("?")[0].partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}"
