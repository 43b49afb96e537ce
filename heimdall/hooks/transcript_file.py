"""A transcript on disk, read on from where it was read to."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from heimdall.models.regular_file import open_regular

MOST_BYTES = 8_000_000
"""How much is read at once; what is left comes the next time."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a transcript.

    Attributes:
        lines: whole lines; the last one that an assistant has only begun is left for the next time.
        begin: where they begin in the file.
        end: where the next part begins.
        more: whether there was more than is read at once.
    """

    lines: list[bytes]
    begin: int
    end: int
    more: bool


def read_on(path: Path, offset: int, most: int | None = None) -> Part:
    """Read on from a place in a file; one that has become shorter is another one, and is read from its beginning.

    Args:
        path: the file.
        offset: the place.
        most: how many bytes at most; default: `MOST_BYTES`.

    Raises:
        OSError: it is no regular file, or can't be read.
    """
    with os.fdopen(open_regular(path), "rb", buffering=0) as stream:
        size = os.fstat(stream.fileno()).st_size
        begin = offset if 0 <= offset <= size else 0
        stream.seek(begin)
        pieces, left = [], MOST_BYTES if most is None else most
        while left and (piece := stream.read(left)):
            pieces.append(piece)
            left -= len(piece)
    content = b"".join(pieces)
    whole = content.rfind(b"\n") + 1
    if not whole and not left:
        whole = len(content)  # the beginning of a line that is too long for anything that was said
    return Part(content[:whole].splitlines(), begin, begin + whole, more=not left)
