"""Single members of a zip on a server that knows ranges, without the rest of the zip."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import SourceError
from ..manifest import PinnedFile
from ..secrets import redact_url as redact
from ..store import Store
from .http import Answer, Client
from .progress import Progress
from .zip_members import opened_zip, receive_members

_TAIL = 64 << 10
"""Bytes at the end that are fetched first: they hold the directory of all but the largest zips."""
_BUFFER = 256 << 10
SMALL = 16 << 20
"""Up to so many bytes of a zip are fetched member by member; beyond, the whole zip, whose download can be continued."""
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class NoRangesError(Exception):
    """The server does not answer requests for a part of a file with that part."""


def take_members(
    client: Client,
    url: str,
    members: Mapping[str, PinnedFile],
    store: Store,
    progress: Progress,
    *,
    zip_size: int | None = None,
    authorization: str | None = None,
) -> bool:
    """Take members into the store, if they are less than half of the zip and the server knows ranges.

    Args:
        members: pinned files by the member's name.
        zip_size: of the whole zip in bytes, where it is known: it may save a request.

    Returns:
        False, with nothing done, when the whole zip has to be fetched instead.

    Raises:
        SourceError: if the zip has other bytes than those pinned, or is none.
    """
    wanted = sum(file.size for file in members.values())
    if wanted > SMALL or (zip_size is not None and 2 * wanted > zip_size):
        return False
    label = redact(url)

    def watch(file: PinnedFile, chunks: Iterator[bytes]) -> Iterator[bytes]:
        progress.start(f"{file.path} from {label}", file.size)
        for chunk in chunks:
            progress.advance(len(chunk))
            yield chunk

    try:
        with RemoteFile(client, url, authorization) as remote:
            if 2 * wanted > remote.size:
                return False
            with opened_zip(io.BufferedReader(remote, _BUFFER), label) as archive:
                receive_members(archive, members, store, label, watch)
    except NoRangesError:
        return False
    finally:
        progress.stop()
    return True


class RemoteFile(io.RawIOBase):
    """A file on a server, readable and seekable through ranges; sequential reads share one request.

    Attributes:
        size: of the whole file, in bytes.

    Raises:
        NoRangesError: at the start or while reading, if the server sends something else than the part asked for.
        SourceError: if it can't be reached or refuses.
    """

    def __init__(self, client: Client, url: str, authorization: str | None = None) -> None:
        super().__init__()
        self._client = client
        self._url = url
        self._authorization = authorization
        self._open = contextlib.ExitStack()
        self._position = 0
        self.size = 0
        self._etag: str | None = None
        self._chunks: Iterator[bytes] = iter(())
        self._pending = b""
        self._pending_at = -1
        self._tail_at = self._request(f"bytes=-{_TAIL}")
        if self.size - self._tail_at > _TAIL:
            raise NoRangesError
        self._tail = b"".join(self._chunks)
        if self._tail_at + len(self._tail) != self.size:
            raise NoRangesError

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position; nothing is requested until the next read."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        """The position in bytes."""
        return self._position

    def readinto(self, buffer: Any, /) -> int:
        """Read some bytes at the position; 0 at the end."""
        if self._position >= self.size:
            return 0
        if self._position >= self._tail_at:
            data = self._tail[self._position - self._tail_at :][: len(buffer)]
        else:
            data = self._streamed(len(buffer))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def close(self) -> None:
        """Drop the connection."""
        self._open.close()
        super().close()

    def _streamed(self, count: int) -> bytes:
        if self._pending_at != self._position:
            self._pending, self._pending_at = (
                b"",
                self._request(f"bytes={self._position}-{self._tail_at - 1}"),
            )
        if not self._pending:
            self._pending = next(self._chunks, b"")
            if not self._pending:
                raise SourceError(
                    f"{redact(self._url)}: ended at byte {self._position}", transient=True
                )
        data, self._pending = self._pending[:count], self._pending[count:]
        self._pending_at += len(data)
        return data

    def _request(self, wanted: str) -> int:
        """Ask for a range; returns where the answer begins."""
        self._open.close()
        headers = {"Range": wanted} | ({"If-Range": self._etag} if self._etag else {})
        answer = self._open.enter_context(
            self._client.open(self._url, headers, authorization=self._authorization)
        )
        first, total = _begin(answer)
        if self.size not in {0, total}:
            raise SourceError(f"{redact(self._url)}: changed while it was read", transient=True)
        self.size, self._chunks = total, answer.chunks()
        etag = answer.header("ETag")
        self._etag = etag if etag and not etag.startswith("W/") else None
        return first


def _begin(answer: Answer) -> tuple[int, int]:
    match = _CONTENT_RANGE.fullmatch(answer.header("Content-Range") or "")
    if (
        answer.status != 206
        or match is None
        or (answer.header("Content-Encoding") or "identity") != "identity"
    ):
        raise NoRangesError
    return int(match[1]), int(match[3])
