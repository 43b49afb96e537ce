from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from cognitive_memory.ingest.documents import read_document
from cognitive_memory.ingest.restructuredtext import read_restructuredtext

LONG = "So many words are enough for a piece of its own. " * 6


def _pieces(text: str, source: str = "docs/a.rst") -> list[tuple[str, str]]:
    document = read_document(source, text.encode())
    assert document is not None
    assert document.notes == ()
    return [(memory.context.removeprefix(source), memory.text) for memory in document.memories]


def test_what_a_directive_describes_stays_with_its_description() -> None:
    text = f"""\
Settings
========

.. py:data:: SECRET_KEY

    Signs the session. {LONG}

    Default: ``None``

.. py:data:: TESTING

    Turns on testing. {LONG}
"""
    assert [(context, said.split("\n")[0]) for context, said in _pieces(text)] == [
        ("", "Settings"),
        (" > Settings", ".. py:data:: TESTING"),
    ]


@pytest.mark.parametrize(
    ("directive", "name"),
    [
        (".. py:data:: SECRET_KEY", "SECRET_KEY"),
        (".. function:: open(path, \\\n              mode)", "open(path, \\ mode)"),
        (".. unknown-to-all:: name", "name"),
        (".. deprecated:: 2.0", "deprecated 2.0"),
        (".. note::", "note"),
        ("term", "term"),
        (":param name:", "param name"),
    ],
)
def test_each_piece_of_a_long_description_names_what_it_is_about(directive: str, name: str) -> None:
    paragraphs = "".join(f"    {LONG}\n\n" for _ in range(12))
    blank = "" if directive == "term" else "\n"
    pieces = _pieces(f"Title\n=====\n\n{directive}\n{blank}{paragraphs}")
    assert len(pieces) > 2
    assert directive in pieces[0][1]
    assert {context for context, _ in pieces[1:]} == {f" > Title > {name}"}
    assert all(text.startswith("So many") for _, text in pieces[1:])


def test_what_is_no_restructuredtext_stays_as_it_is() -> None:
    text = "Title\n=====\n\n.. code-block:: python\n\n    def f():\n\n        Section\n        =======\n"
    assert _pieces(text) == [("", text.rstrip())]


@pytest.mark.parametrize("over", ["", "=========\n"])
def test_titles_with_a_line_above_and_without(over: str) -> None:
    text = f"{over}The Title\n=========\n\n{LONG}\n\nPart\n----\n\n{LONG}\n"
    assert [context for context, _ in _pieces(text)] == ["", " > The Title"]


def test_the_fields_at_the_head_of_a_pep_give_its_title() -> None:
    text = f"PEP: 8\nTitle: Style Guide\n for Python\nAuthor: A <a@example.org>,\n        B\n\n\nOne\n===\n\n{LONG}\n\nTwo\n===\n\n{LONG}\n"
    assert [context for context, _ in _pieces(text)] == [" > Style Guide for Python"] * 2


def test_no_directive_does_anything(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("the secret")
    directives = "".join(
        f".. {name}:: {tmp_path}/secret.txt\n\n"
        for name in ("include", "literalinclude", "csv-table", "raw", "figure", "code")
    )
    options = f".. raw:: html\n   :file: {tmp_path}/secret.txt\n\n.. csv-table::\n   :file: {tmp_path}/secret.txt\n"
    blocks, _ = read_restructuredtext(directives + options)
    assert "".join(block.text for block in blocks) == directives + options


def test_lines_end_where_an_editor_ends_them() -> None:
    text = "a\u2028b\x0cc\x85\n" * 5 + "\n" + "Title\n=====\n\ntext\n"
    blocks, _ = read_restructuredtext(text)
    assert [(block.line, block.title) for block in blocks if block.title] == [(7, "Title")]


@pytest.fixture
def nothing_is_collected() -> Iterator[None]:
    """What other tests left would be finalised in the depth of calls, where it has no room for calls of its own."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("nothing_is_collected")
@pytest.mark.parametrize(
    "text",
    [
        "".join(f"{' ' * depth}a\n\n" for depth in range(900)),
        "".join(f"{'  ' * depth}.. a:: b\n\n" for depth in range(600)),
        "- " * 50_000,
    ],
    ids=["quotations", "directives", "lists"],
)
def test_what_is_nested_too_deep_is_plain_text(text: str) -> None:
    document = read_document("a.rst", text.encode())
    assert document is not None
    assert document.notes == (
        "a.rst could not be read as restructuredtext (RecursionError): it was loaded as plain text",
    )
