"""One download from one place: continued where it broke off, bounded, and believed only when its digest fits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import SourceError
from ..secrets import redact_url as redact
from .http import Answer, Client
from .partials import PartialFile
from .progress import Progress

_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})")
_WORTHWHILE = 1 << 20
"""A connection that brought at least this many bytes before it broke is worth another at once."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be downloaded.

    Attributes:
        label: its name, for messages.
        limit: no more bytes than these are taken.
        size: the exact size in bytes, where it is known.
        sha256: the digest, where it is known.
    """

    label: str
    limit: int
    size: int | None = None
    sha256: str | None = None


def download(
    client: Client,
    url: str,
    target: Target,
    partial: PartialFile,
    progress: Progress,
    *,
    headers: Mapping[str, str] | None = None,
    authorization: str | None = None,
) -> None:
    """Bring `partial` to the target's size and check its digest.

    A connection that breaks after it brought something is followed by another one at once, for the rest. Bytes that
    were there before and do not lead to the right digest are thrown away and fetched anew, once.

    The file is closed at the end.

    Raises:
        SourceError: when this place can't deliver now; what arrived is kept in `partial` if it may still be of use.
    """
    inherited = partial.size > 0
    if target.size is not None and partial.size > target.size:
        partial.restart()
    try:
        transfer = _Transfer(
            client, url, target, partial, progress, dict(headers or {}), authorization
        )
        transfer.run()
        if inherited and not _is_right(target, partial):
            progress.advance(-partial.size)
            partial.restart()
            transfer.run()
    finally:
        progress.stop()
    if not _is_right(target, partial):
        found = f"{partial.size} bytes with sha256 {partial.sha256}"
        partial.restart()
        expected = f"{target.size} bytes with sha256 {target.sha256}"
        raise SourceError(
            f"{redact(url)}: wrong bytes for {target.label}: expected {expected}, found {found}"
        )
    partial.close()
    if not partial.path.exists():  # we were taken for dead, or the directory was removed
        raise SourceError(
            f"{redact(url)}: what was downloaded was taken away: {partial.path}", transient=True
        )


def _is_right(target: Target, partial: PartialFile) -> bool:
    return target.size in {None, partial.size} and target.sha256 in {None, partial.sha256}


class _UnfitRangeError(Exception):
    """The server's part does not continue what is there: it has another file now, or is confused."""


@dataclass(slots=True)
class _Transfer:
    client: Client
    url: str
    target: Target
    partial: PartialFile
    progress: Progress
    headers: dict[str, str]
    authorization: str | None
    etag: str | None = None
    complete: bool = False
    started: bool = False
    started_over: bool = False

    def run(self) -> None:
        self.complete = self.target.size is not None and self.partial.size == self.target.size
        while not self.complete:
            before = self.partial.size
            try:
                self._connect()
            except _UnfitRangeError as unfit:
                self._restart()
                if self.started_over:
                    raise SourceError(f"{redact(self.url)}: {unfit}", transient=True) from unfit
                self.started_over = True
            except SourceError as error:
                if not error.transient or self.partial.size - before < _WORTHWHILE:
                    raise

    def _connect(self) -> None:
        headers = dict(self.headers)
        if self.partial.size:
            headers["Range"] = f"bytes={self.partial.size}-"
            if self.etag:
                headers["If-Range"] = self.etag
        with self.client.open(self.url, headers, authorization=self.authorization) as answer:
            self._accept(answer)
            self._tell(answer)
            for chunk in answer.chunks():
                if self.partial.size + len(chunk) > self.target.limit:
                    raise SourceError(
                        f"{redact(self.url)}: sends more than the {self.target.limit} bytes expected"
                    )
                self.partial.append(chunk)
                self.progress.advance(len(chunk))
        if self.target.size is not None and self.partial.size < self.target.size:
            reason = f"ended after {self.partial.size} of {self.target.size} bytes"
            raise SourceError(f"{redact(self.url)}: {reason}", transient=True)
        self.complete = True

    def _accept(self, answer: Answer) -> None:
        """Make sure that the body continues `partial` or begins it anew, and has the size it should have."""
        encoding = answer.header("Content-Encoding") or "identity"
        if encoding != "identity":
            raise SourceError(
                f"{redact(self.url)}: sends {encoding}-encoded bytes although identity was asked for"
            )
        if answer.status == 416:
            size = self.partial.size
            if not size:
                raise SourceError(f"{redact(self.url)}: answered 416 to a request without a range")
            raise _UnfitRangeError(f"has no byte {size} (answered 416)")
        if answer.status == 206:
            self._accept_range(answer)
        else:
            # first: a captive portal's page is no reason to lose what is here
            self._check_announced(answer)
            self._restart()
        self.etag = _strong_etag(answer)

    def _accept_range(self, answer: Answer) -> None:
        value = answer.header("Content-Range") or ""
        match = _CONTENT_RANGE.fullmatch(value)
        first, _, total = (int(group) for group in match.groups()) if match else (-1, -1, -1)
        if first != self.partial.size or self.target.size not in {None, total}:
            raise _UnfitRangeError(f"answered the wrong range ({value or 'none named'})")

    def _check_announced(self, answer: Answer) -> None:
        announced = _announced(answer)
        if announced is None:
            return
        expected = (
            f"{self.target.size} bytes"
            if self.target.size is not None
            else f"at most {self.target.limit} bytes"
        )
        if announced > self.target.limit or self.target.size not in {None, announced}:
            kind = answer.header("Content-Type") or "unknown content"
            hint = " (a login page or captive portal?)" if kind.startswith("text/html") else ""
            raise SourceError(
                f"{redact(self.url)}: sends {announced} bytes of {kind}{hint}, expected {expected}"
            )

    def _tell(self, answer: Answer) -> None:
        if self.started:
            return
        self.started = True
        announced = _announced(answer)
        total = self.target.size if announced is None else announced + self.partial.size
        self.progress.start(
            f"{self.target.label} from {redact(self.url)}", total, self.partial.size
        )

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
