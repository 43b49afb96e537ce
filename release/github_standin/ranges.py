"""Byte ranges of RFC 9110, section 14: what a `Range` header asks for, and whether `If-Range` lets it."""

from __future__ import annotations

import re

_ONE_RANGE = re.compile(r"bytes=(?P<first>[0-9]{0,4000})-(?P<last>[0-9]{0,4000})", re.IGNORECASE)
"""Python converts no more digits than 4300."""


class UnsatisfiableRange(ValueError):  # noqa: N818 - the name that RFC 9110 gives it
    """The range lies wholly outside of the content: the answer is a 416."""


def requested_range(header: str | None, size: int) -> range | None:
    """What a `Range` header selects from content of `size` bytes.

    Args:
        header: the header's value, or None where there was none.
        size: bytes of the whole content.

    Returns:
        The positions, at least one, or None if the whole content is to be sent: without a header,
        with one that is malformed or in another unit, and with several ranges, which RFC 9110 lets
        a server ignore.

    Raises:
        UnsatisfiableRange: a well-formed range that selects nothing.
    """
    match = _ONE_RANGE.fullmatch(header.strip()) if header is not None else None
    if match is None or match[0].endswith("=-"):
        return None
    first, last = match["first"], match["last"]
    if not first:
        selected = range(max(0, size - int(last)), size)
    elif last and int(last) < int(first):
        return None
    else:
        selected = range(int(first), min(size, int(last) + 1) if last else size)
    if not selected:
        raise UnsatisfiableRange(header)
    return selected


def range_still_holds(if_range: str | None, *, etag: str, last_modified: str) -> bool:
    """Whether `If-Range` lets a range be sent: the client's earlier part is of this very content.

    The comparison is the strong one (RFC 9110, section 13.1.5): a weak tag never matches, a date
    only exactly.
    """
    return if_range is None or if_range.strip() in {etag, last_modified}
