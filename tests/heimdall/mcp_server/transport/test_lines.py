from __future__ import annotations

import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heimdall.mcp_server.transport.lines import LineReader, TooLongError, write_line

LONGEST = 20
PIECES = st.lists(
    st.one_of(
        st.just(b"\n"),
        st.just(b"\r\n"),
        st.binary(max_size=50).map(lambda piece: piece.replace(b"\n", b" ")),
    ),
    max_size=30,
)


def read_all(content: bytes, longest: int = LONGEST) -> list[bytes | None]:
    """Every line; None for each that was too long."""
    read_end, write_end = os.pipe()
    os.write(write_end, content)
    os.close(write_end)
    try:
        reader, lines = LineReader(read_end, longest), list[bytes | None]()
        while True:
            try:
                line = reader.next_line()
            except TooLongError:
                lines.append(None)
            else:
                if line is None:
                    return lines
                lines.append(line)
    finally:
        os.close(read_end)


@given(PIECES)
def test_lines_are_those_of_the_content_and_long_ones_cost_only_themselves(
    pieces: list[bytes],
) -> None:
    content = b"".join(pieces)
    *whole, last = content.split(b"\n")
    expected = [None if len(line) > LONGEST else line.removesuffix(b"\r") for line in whole]
    if last:
        expected.append(None if len(last) > LONGEST else last)
    assert read_all(content) == expected


def test_a_write_is_finished_although_the_reader_is_slow() -> None:
    read_end, write_end = os.pipe()
    content = os.urandom(500_000).replace(b"\n", b" ")
    writer = threading.Thread(target=write_line, args=(write_end, content))
    writer.start()
    received = b""
    while len(received) < len(content) + 1:
        received += os.read(read_end, 7_000)
    writer.join()
    assert received == content + b"\n"
    os.close(read_end)
    with pytest.raises(OSError, match=r"Broken pipe|Invalid argument"):
        write_line(write_end, b"x")
    os.close(write_end)
