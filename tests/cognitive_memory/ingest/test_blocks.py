from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognitive_memory.ingest.blocks import Block, Piece, pack
from cognitive_memory.ingest.front_matter import FrontMatter
from cognitive_memory.ingest.markdown import read_markdown
from cognitive_memory.ingest.plain_text import read_text
from cognitive_memory.ingest.restructuredtext import read_restructuredtext
from cognitive_memory.ingest.splitting import BOUND, HEADING_ROOM, SOLID_BOUND, estimate_tokens
from tests.cognitive_memory.ingest.texts import texts


def _words(text: str) -> str:
    return "".join(text.split())


_Reader = Callable[[str], tuple[Iterable[Block], FrontMatter]]
READERS: list[_Reader] = [
    read_markdown,
    read_restructuredtext,
    lambda text: (read_text(text), FrontMatter()),
]


@given(text=texts(), read=st.sampled_from(READERS))
def test_pieces_have_all_that_is_not_blank_once(text: str, read: _Reader) -> None:
    blocks = list(read(text)[0])
    assert "".join(block.text for block in blocks) == text
    pieces = pack(blocks)
    assert _words("".join(piece.text for piece in pieces)) == _words(text)
    assert all(piece.text.strip() for piece in pieces)
    solid = any(block.solid for block in blocks)
    assert all(estimate_tokens(piece.text) <= (SOLID_BOUND if solid else BOUND) for piece in pieces)


@given(text=texts(), read=st.sampled_from(READERS))
def test_line_numbers_are_those_of_the_text(text: str, read: _Reader) -> None:
    lines = text.split("\n")
    for piece in pack(read(text)[0]):
        there = "\n".join(lines[piece.first_line - 1 : piece.last_line])
        assert _words(piece.text) in _words(there)


def _pieces(*blocks: Block) -> list[Piece]:
    return pack(blocks)


def _prose(tokens: int) -> str:
    return "word " * (tokens - 1) + ".\n\n"


def test_a_section_that_fits_is_one_piece() -> None:
    (piece,) = _pieces(
        Block("# A\n\n", 1, title="A"), Block(_prose(100), 3, ("A",)), Block(_prose(100), 5, ("A",))
    )
    assert (piece.path, piece.titles, piece.first_line, piece.last_line) == ((), ("A",), 1, 5)


def test_a_long_section_is_cut_between_blocks_evenly_and_each_piece_knows_its_heading() -> None:
    blocks = [Block(_prose(100), 3 + 2 * number, ("A",)) for number in range(4)]
    pieces = _pieces(Block("# A\n\n", 1, title="A"), *blocks)
    assert [piece.path for piece in pieces] == [(), ("A",)]
    assert [(piece.first_line, piece.last_line) for piece in pieces] == [(1, 5), (7, 9)]


def test_small_sections_below_one_heading_are_put_together() -> None:
    blocks = [
        Block("# A\n", 1, title="A"),
        Block("## B\n", 2, ("A",), title="B"),
        Block("b\n", 3, ("A", "B")),
    ]
    (piece,) = _pieces(*blocks, Block("## C\n", 4, ("A",), title="C"), Block("c\n", 5, ("A", "C")))
    assert piece.text == "# A\n## B\nb\n## C\nc"


def test_sections_below_different_headings_are_not() -> None:
    blocks = [Block("## B\n", 2, ("A",), title="B"), Block("b\n", 3, ("A", "B"))]
    pieces = _pieces(*blocks, Block("# C\n", 4, title="C"), Block("c\n", 5, ("C",)))
    assert [piece.text for piece in pieces] == ["## B\nb", "# C\nc"]


def test_sections_that_stand_alone_are_not() -> None:
    blocks = [Block("# A\n", 1, title="A"), Block(_prose(100), 2, ("A",))]
    pieces = _pieces(
        *blocks, Block("## B\n", 4, ("A",), title="B"), Block(_prose(100), 5, ("A", "B"))
    )
    assert [piece.titles for piece in pieces] == [("A",), ("B",)]


@pytest.mark.parametrize("tokens", [10, 300, SOLID_BOUND - HEADING_ROOM])
def test_code_stays_whole_with_its_heading_and_what_introduces_it(tokens: int) -> None:
    code = "```\n" + "line\n" * (tokens - 6) + "```\n"
    assert estimate_tokens(code) == tokens
    (piece,) = _pieces(
        Block("# A\n\n", 1, title="A"),
        Block("So:\n\n", 3, ("A",)),
        Block(code, 5, ("A",), solid=True),
    )
    assert piece.text == f"# A\n\nSo:\n\n{code}".rstrip()


def test_code_that_is_too_long_is_cut_between_lines() -> None:
    code = "".join(f"line {number}\n" for number in range(1000))
    pieces = _pieces(Block(code, 1, solid=True))
    assert "\n".join(piece.text for piece in pieces) == code.rstrip()
    assert [piece.first_line for piece in pieces[1:]] == [
        piece.last_line + 1 for piece in pieces[:-1]
    ]


def test_a_short_end_of_a_section_joins_what_is_before_it() -> None:
    code = "line\n" * 300
    (piece,) = _pieces(
        Block("# A\n", 1, title="A"),
        Block(code, 2, ("A",), solid=True),
        Block("That is all.\n", 302, ("A",)),
    )
    assert piece.last_line == 302


def test_no_piece_begins_indented() -> None:
    quoted = [Block("    " + _prose(200), number, ("A",)) for number in (1, 3)]
    code = Block("    first\n      second\n\nplain\n", 5, ("B",), title="B")
    assert [piece.text[:9] for piece in _pieces(*quoted, code)] == [
        "word word",
        "word word",
        "first\n  s",
    ]


def test_parts_of_what_has_a_title_are_below_it() -> None:
    pieces = _pieces(Block(_prose(600), 1, ("A",), title="B"))
    assert [(piece.path, piece.titles) for piece in pieces] == [
        (("A",), ("B",)),
        (("A", "B"), ()),
        (("A", "B"), ()),
    ]


def test_entries_of_a_list_stay_whole_where_its_paragraph_is_cut() -> None:
    entry = (
        "-   Something was done. It took some words to say so, and more.\n    It goes on here.\n"
    )
    pieces = _pieces(Block(entry * 20, 1, ("A",)))
    assert len(pieces) > 1
    assert all(piece.text.startswith("-   Something") for piece in pieces)
    assert all(piece.text.endswith("goes on here.") for piece in pieces)
