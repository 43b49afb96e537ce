"""Byte ranges of RFC 9110, section 14: what a `Range` header asks for, and whether `If-Range` lets it."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass

_ONE_RANGE = re.compile(r"bytes=(?P<first>[0-9]*)-(?P<last>[0-9]*)", re.IGNORECASE)
_LONGEST_NUMBER = 18
"""Digits; a longer number is past the end of every file, and need not be converted."""


class UnsatisfiableRange(ValueError):  # noqa: N818 - the name that RFC 9110 gives it
    """The range lies wholly outside of the content: the answer is a 416."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes `start` to `stop`, `stop` excluded, as in a slice; never empty."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        """Bytes in the range."""
        return self.stop - self.start

    def content_range(self, size: int) -> str:
        """The `Content-Range` value of a 206 for content of `size` bytes."""
        return f"bytes {self.start}-{self.stop - 1}/{size}"


def requested_range(header: str | None, size: int) -> ByteRange | None:
    """What a `Range` header selects from content of `size` bytes.

    Args:
        header: the header's value, or None where there was none.
        size: bytes of the whole content.

    Returns:
        The range, or None if the whole content is to be sent: without a header, with one that is malformed or in
        another unit, and with several ranges, which RFC 9110 lets a server ignore.

    Raises:
        UnsatisfiableRange: a well-formed range that selects nothing.
    """
    match = _ONE_RANGE.fullmatch(header.strip()) if header is not None else None
    if match is None:
        return None
    first, last = match["first"], match["last"]
    if not first:
        if not last:
            return None
        start, stop = max(0, size - _number(last)), size
    else:
        start, stop = _number(first), size
        if last:
            if _number(last) < start:
                return None
            stop = min(size, _number(last) + 1)
    if start >= stop:
        raise UnsatisfiableRange(header)
    return ByteRange(start, stop)


def range_still_holds(if_range: str | None, *, etag: str, last_modified: str) -> bool:
    """Whether `If-Range` lets a range be sent: the client's earlier part is of this very content.

    The comparison is the strong one (RFC 9110, section 13.1.5): a weak tag never matches, a date only exactly.
    """
    return if_range is None or if_range.strip() in {etag, last_modified}


def _number(digits: str) -> int:
    significant = digits.lstrip("0")
    return int(significant or "0") if len(significant) <= _LONGEST_NUMBER else sys.maxsize
