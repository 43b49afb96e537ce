"""One download from one place: continued where it broke off, bounded, and believed only when its digest fits."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import SourceError
from ..secrets import redact_url
from .http import Answer, Client
from .partials import PartialFile
from .progress import Progress

_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})")
_WORTHWHILE = 1 << 20
"""A connection that brought at least this many bytes before it broke is worth another at once."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be downloaded: its name, for messages, exact size in bytes and sha256."""

    label: str
    size: int
    sha256: str


def download(
    client: Client,
    url: str,
    target: Target,
    partial: PartialFile,
    progress: Progress,
    *,
    authorization: str | None = None,
) -> None:
    """Bring `partial` to the target's size and check its digest.

    A connection that breaks after it brought something is followed by another one at once, for the
    rest. Bytes that were there before and do not lead to the right digest are thrown away and
    fetched anew, once.

    The file is closed at the end.

    Raises:
        SourceError: when this place can't deliver now; what arrived is kept in `partial` if it may
            still be of use.
    """
    inherited = partial.size > 0
    if partial.size > target.size:
        partial.restart()
    try:
        transfer = _Transfer(client, url, target, partial, progress, authorization)
        transfer.run()
        if inherited and partial.sha256 != target.sha256:
            progress.advance(-partial.size)
            partial.restart()
            transfer.run()
    finally:
        progress.stop()
    if partial.sha256 != target.sha256:
        actual = f"{partial.size} bytes with sha256 {partial.sha256}"
        # Wrong bytes are no beginning that the next one could continue.
        partial.restart()
        expected = f"{target.size} bytes with sha256 {target.sha256}"
        raise SourceError(
            f"{redact_url(url)}: wrong bytes for {target.label}: expected {expected}, found {actual}"
        )
    partial.close()
    if not partial.path.exists():  # we were taken for dead, or the directory was removed
        raise SourceError(
            f"{redact_url(url)}: what was downloaded was taken away: {partial.path}", transient=True
        )


def ask_byte(client: Client, url: str, size: int, authorization: str | None = None) -> None:
    """Ask for the first byte of `url`.

    Raises:
        SourceError: if it does not answer, or has another size than `size` bytes.
    """
    with client.open(url, {"Range": "bytes=0-0"}, authorization=authorization) as answer:
        if match := _CONTENT_RANGE.fullmatch(answer.header("Content-Range") or ""):
            actual: int | None = int(match[3])
        else:
            actual = _announced(answer) if answer.status == 200 else None
    if actual not in {None, size}:
        raise SourceError(f"{redact_url(url)}: has {actual} bytes, expected {size}")


class _UnfitRangeError(Exception):
    """The server's part does not continue what is there: it has another file now, or is confused."""


@dataclass(slots=True)
class _Transfer:
    client: Client
    url: str
    target: Target
    partial: PartialFile
    progress: Progress
    authorization: str | None
    etag: str | None = None
    complete: bool = False
    started: bool = False
    started_over: bool = False

    def run(self) -> None:
        self.complete = self.partial.size == self.target.size
        while not self.complete:
            before = self.partial.size
            try:
                self._connect()
            except _UnfitRangeError as unfit:
                self._restart()
                if self.started_over:
                    raise SourceError(f"{redact_url(self.url)}: {unfit}", transient=True) from unfit
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
        with self.client.open(self.url, headers, authorization=self.authorization) as answer:
            self._accept(answer)
            self._tell()
            for chunk in answer.chunks():
                if self.partial.size + len(chunk) > self.target.size:
                    raise SourceError(
                        f"{redact_url(self.url)}: sends more than the "
                        f"{self.target.size} bytes expected"
                    )
                self.partial.append(chunk)
                self.progress.advance(len(chunk))
        if self.partial.size < self.target.size:
            reason = f"ended after {self.partial.size} of {self.target.size} bytes"
            raise SourceError(f"{redact_url(self.url)}: {reason}", transient=True)
        self.complete = True

    def _accept(self, answer: Answer) -> None:
        """Make sure that the body continues `partial` or begins it anew, and has the size it should have."""
        encoding = answer.header("Content-Encoding") or "identity"
        if encoding != "identity":
            raise SourceError(
                f"{redact_url(self.url)}: sends {encoding}-encoded bytes although identity was asked for"
            )
        if answer.status == 416:
            size = self.partial.size
            if not size:
                raise SourceError(
                    f"{redact_url(self.url)}: answered 416 to a request without a range"
                )
            raise _UnfitRangeError(f"has no byte {size} (answered 416)")
        if answer.status == 206:
            self._accept_range(answer)
        else:
            # First: a captive portal's page is no reason to lose what is here.
            self._check_announced(answer)
            self._restart()
        self.etag = _strong_etag(answer)

    def _accept_range(self, answer: Answer) -> None:
        value = answer.header("Content-Range") or ""
        match = _CONTENT_RANGE.fullmatch(value)
        first, _, total = (int(group) for group in match.groups()) if match else (-1, -1, -1)
        if first != self.partial.size or total != self.target.size:
            raise _UnfitRangeError(f"answered the wrong range ({value or 'none named'})")

    def _check_announced(self, answer: Answer) -> None:
        announced = _announced(answer)
        if announced not in {None, self.target.size}:
            kind = answer.header("Content-Type") or "unknown content"
            hint = " (a login page or captive portal?)" if kind.startswith("text/html") else ""
            raise SourceError(
                f"{redact_url(self.url)}: sends {announced} bytes of {kind}{hint}, "
                f"expected {self.target.size} bytes"
            )

    def _tell(self) -> None:
        if not self.started:
            self.started = True
            what = f"{self.target.label} from {redact_url(self.url)}"
            self.progress.start(what, self.target.size, self.partial.size)

    def _restart(self) -> None:
        if self.partial.size:
            self.progress.advance(-self.partial.size)
            self.partial.restart()


def _announced(answer: Answer) -> int | None:
    value = answer.header("Content-Length") or ""
    return int(value) if re.fullmatch("[0-9]{1,18}", value) else None


def _strong_etag(answer: Answer) -> str | None:
    etag = answer.header("ETag")
    return None if etag is None or etag.startswith("W/") else etag
