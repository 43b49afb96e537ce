"""One download from one place: continued where it broke off, bounded, and believed only when its digest fits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from ..errors import SourceError
from ..manifest import PinnedFile
from ..secrets import redact_url
from .http import Answer
from .partials import PartialFile
from .progress import Progress

_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)", re.IGNORECASE)
_PLAIN = frozenset({"", "identity", "aws-chunked"})
"""Encodings that leave the bytes as they are; the last is what object stores keep of how a file was uploaded."""
_WORTHWHILE = 1 << 20
"""A connection that brought at least this many bytes before it broke is worth another at once."""


class Opener(Protocol):
    """What opens URLs, as `http.Client` does."""

    def open(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        credentials: Mapping[str, str] | None = None,
    ) -> AbstractContextManager[Answer]:
        """GET `url`."""


def ask_byte(
    client: Opener, url: str, size: int, credentials: Mapping[str, str] | None = None
) -> None:
    """Ask for the first byte of `url`.

    Raises:
        SourceError: if it does not answer, or has another size than `size` bytes.
    """
    with client.open(url, {"Range": "bytes=0-0"}, credentials=credentials) as answer:
        if match := _CONTENT_RANGE.fullmatch(answer.header("Content-Range") or ""):
            actual = None if match[3] == "*" else int(match[3])
        else:
            actual = _announced(answer) if answer.status == 200 else None
    if actual not in {None, size}:
        raise SourceError(f"{redact_url(url)}: has {actual} bytes, expected {size}")


class _UnfitRangeError(Exception):
    """The server's part does not continue what is there: it has another file now, or is confused."""


@dataclass(slots=True)
class Download:
    """A download of one file from one place.

    A connection that breaks after it brought something is followed by another one at once, for the
    rest. Bytes that were there before and do not lead to the right digest are thrown away and
    fetched anew, once.

    Attributes:
        target: the file's name, for messages, exact size and sha256.
        partial: where it goes; closed at the end.
        credentials: headers for the URL's own host alone.
        etag: of the file whose first bytes are in `partial`, if the server named a strong one.
    """

    client: Opener
    url: str
    target: PinnedFile
    partial: PartialFile
    progress: Progress
    credentials: Mapping[str, str] | None
    etag: str | None = None
    started: bool = False
    started_over: bool = False

    def run(self) -> None:
        """Bring `partial` to the target's size and check its digest.

        Raises:
            SourceError: when this place can't deliver now; what arrived is kept in `partial` if it
                may still be of use.
        """
        try:
            self._transfer()
        finally:
            self.progress.stop()
        self.partial.close()
        if not self.partial.path.exists():  # we were taken for dead, or the directory was removed
            raise self._error(
                f"what was downloaded was taken away: {self.partial.path}", transient=True
            )

    def _transfer(self) -> None:
        inherited = self.partial.size > 0
        if self.partial.size > self.target.size:
            self.partial.restart()
        self._complete()
        if inherited and self.partial.sha256 != self.target.sha256:
            self._restart()
            self._complete()
        if self.partial.sha256 != self.target.sha256:
            expected = f"{self.target.size} bytes with sha256 {self.target.sha256}"
            actual = f"{self.partial.size} bytes with sha256 {self.partial.sha256}"
            # Wrong bytes are no beginning that the next one could continue.
            self.partial.restart()
            path = self.target.path
            raise self._error(f"wrong bytes for {path}: expected {expected}, found {actual}")

    def _complete(self) -> None:
        """Connect until all bytes are there."""
        while self.partial.size < self.target.size:
            before = self.partial.size
            try:
                self._connect()
            except _UnfitRangeError as unfit:
                self._restart()
                if self.started_over:
                    raise self._error(str(unfit), transient=True) from unfit
                self.started_over = True
            except SourceError as error:
                if not error.transient or self.partial.size - before < _WORTHWHILE:
                    raise

    def _connect(self) -> None:
        headers = {}
        if self.partial.size:
            headers["Range"] = f"bytes={self.partial.size}-"
            if self.etag:
                headers["If-Range"] = self.etag
        size = self.target.size
        with self.client.open(self.url, headers, credentials=self.credentials) as answer:
            self._accept(answer)
            if not self.started:
                self.started = True
                what = f"{self.target.path} from {redact_url(self.url)}"
                self.progress.start(what, size, self.partial.size)
            for chunk in answer.chunks():
                if self.partial.size + len(chunk) > size:
                    raise self._error(f"sends more than the {size} bytes expected")
                self.partial.append(chunk)
                self.progress.advance(len(chunk))
        if self.partial.size < size:
            raise self._error(f"ended after {self.partial.size} of {size} bytes", transient=True)

    def _accept(self, answer: Answer) -> None:
        """Make sure that the body continues `partial` or begins it anew, and has the right size."""
        encoding = answer.header("Content-Encoding") or ""
        if encoding.strip().lower() not in _PLAIN:
            raise self._error(f"sends {encoding}-encoded bytes although identity was asked for")
        if answer.status == 206:
            value = answer.header("Content-Range") or ""
            match = _CONTENT_RANGE.fullmatch(value)
            first, total = (int(match[1]), match[3]) if match else (-1, "")
            if first != self.partial.size or total not in {"*", str(self.target.size)}:
                raise _UnfitRangeError(f"answered the wrong range ({value or 'none named'})")
        elif answer.status != 416:
            # First: a captive portal's page is no reason to lose what is here.
            self._check_announced(answer)
            self._restart()
        elif self.partial.size:
            raise _UnfitRangeError(f"has no byte {self.partial.size} (answered 416)")
        else:
            raise self._error("answered 416 to a request without a range")
        etag = answer.header("ETag") or ""
        # A weak one does not promise the same bytes.
        self.etag = None if etag.startswith("W/") else etag

    def _check_announced(self, answer: Answer) -> None:
        announced = _announced(answer)
        kind = answer.header("Content-Type") or "unknown content"
        is_page = kind.lower().startswith("text/html")
        if announced != self.target.size and (announced is not None or is_page):
            hint = " (a login page or captive portal?)" if is_page else ""
            what = f"sends {'some' if announced is None else announced} bytes of {kind}{hint}"
            raise self._error(f"{what}, expected {self.target.size} bytes")

    def _restart(self) -> None:
        if self.partial.size:
            self.progress.advance(-self.partial.size)
            self.partial.restart()

    def _error(self, reason: str, *, transient: bool = False) -> SourceError:
        return SourceError(f"{redact_url(self.url)}: {reason}", transient=transient)


def _announced(answer: Answer) -> int | None:
    value = answer.header("Content-Length") or ""
    return int(value) if re.fullmatch("[0-9]{1,18}", value) else None
