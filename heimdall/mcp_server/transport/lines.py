"""Lines of JSON on raw file descriptors: one message each, of bounded length, whatever the other side sends."""

from __future__ import annotations

import os
from typing import Final

LONGEST_LINE: Final = 16 * 1024 * 1024
"""Bytes of the longest message that is read, its newline not counted."""


_KEPT: Final = 4096


class TooLongError(ValueError):
    """A line is longer than `LONGEST_LINE`; all of it was skipped.

    Attributes:
        head, tail: its first and its last bytes.
    """

    def __init__(self, longest: int, head: bytes, tail: bytes) -> None:
        super().__init__(f"a message is longer than {longest} bytes")
        self.head, self.tail = head[:_KEPT], tail[-_KEPT:]


class LineReader:
    """Reads lines from a descriptor; blocks, and keeps no more than one line and a chunk in memory.

    Args:
        descriptor: what to read from; stays open.
        longest: bytes of the longest line, its newline not counted.
    """

    def __init__(self, descriptor: int, longest: int = LONGEST_LINE) -> None:
        self._stream = open(descriptor, "rb", closefd=False)  # noqa: SIM115 (lives as long as this reader)
        self._longest = longest

    def next_line(self) -> bytes | None:
        """The next line without its newline; None at the end.

        Raises:
            TooLongError: the line was too long. The next call goes on behind it.
            OSError: the descriptor can't be read.
        """
        line = self._stream.readline(self._longest + 1)
        if line.endswith(b"\n"):
            return line[:-1].removesuffix(b"\r")
        if len(line) <= self._longest:
            return line or None  # a client that closes its end need not write the last newline
        head = tail = line
        while line and not line.endswith(b"\n"):
            line = self._stream.readline(self._longest)
            tail = tail[-_KEPT:] + line
        raise TooLongError(self._longest, head, tail)


def write_line(descriptor: int, content: bytes) -> None:
    """Write the content and a newline; blocks until the reader took all of it.

    Raises:
        OSError: the reader is gone.
    """
    rest = memoryview(content + b"\n")
    while rest:
        rest = rest[os.write(descriptor, rest) :]
