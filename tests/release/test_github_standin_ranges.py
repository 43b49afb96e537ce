from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.github_standin.ranges import UnsatisfiableRange, range_still_holds, requested_range

CONTENTS = st.binary(min_size=1, max_size=300)
POSITIONS = st.integers(0, 400)


def selected(content: bytes, header: str) -> bytes:
    part = requested_range(header, len(content))
    assert part is not None
    return content[part.start : part.stop]


@given(CONTENTS, POSITIONS)
def test_an_open_range_is_the_slice_from_there(content: bytes, first: int) -> None:
    header = f"bytes={first}-"
    if first < len(content):
        assert selected(content, header) == content[first:]
    else:
        with pytest.raises(UnsatisfiableRange):
            requested_range(header, len(content))


@given(CONTENTS, POSITIONS, POSITIONS)
def test_a_closed_range_is_the_slice_up_to_its_last_byte(
    content: bytes, first: int, last: int
) -> None:
    header = f"bytes={first}-{last}"
    if last < first:
        assert requested_range(header, len(content)) is None
    elif first < len(content):
        assert selected(content, header) == content[first : last + 1]
    else:
        with pytest.raises(UnsatisfiableRange):
            requested_range(header, len(content))


@given(CONTENTS, st.integers(1, 400))
def test_a_suffix_range_is_the_slice_of_that_many_last_bytes(content: bytes, length: int) -> None:
    assert selected(content, f"bytes=-{length}") == content[-length:]


@given(st.text() | st.from_regex(r"bytes=[-0-9, ]*", fullmatch=True), st.integers(0, 100))
def test_any_header_gives_a_range_inside_the_content_or_none_or_a_refusal(
    header: str, size: int
) -> None:
    try:
        part = requested_range(header, size)
    except UnsatisfiableRange:
        return
    assert part is None or 0 <= part.start < part.stop <= size


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "lines=0-1",
        "bytes=0-1,3-4",
        "bytes=0 -1",
        "bytes=٣-",
    ],
)
def test_what_is_no_single_range_of_bytes_selects_everything(header: str | None) -> None:
    assert requested_range(header, 10) is None


@pytest.mark.parametrize("header", ["bytes=-0", "bytes=10-", "bytes=" + "9" * 3000 + "-"])
def test_a_range_outside_is_unsatisfiable(header: str) -> None:
    with pytest.raises(UnsatisfiableRange):
        requested_range(header, 10)


def test_the_unit_is_read_in_either_case_and_zeros_in_front_do_not_count() -> None:
    assert requested_range(f"BYTES={'0' * 3000}3-0005", 10) == range(3, 6)


@pytest.mark.parametrize(
    ("if_range", "holds"),
    [
        (None, True),
        ('"abc"', True),
        ("Mon, 23 Nov 2026 06:00:00 GMT", True),
        ('W/"abc"', False),
        ('"abd"', False),
        ("abc", False),
        ("Mon, 23 Nov 2026 06:00:01 GMT", False),
        ("", False),
    ],
)
def test_if_range_compares_strongly(if_range: str | None, *, holds: bool) -> None:
    assert (
        range_still_holds(if_range, etag='"abc"', last_modified="Mon, 23 Nov 2026 06:00:00 GMT")
        is holds
    )
