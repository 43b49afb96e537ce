from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognitive_memory.core.memory import Memory, MemoryType, Origin
from heimdall.cli.memory_lines import LINES, Layout, about, memory_lines
from heimdall.cli.output import Styled
from heimdall.cli.wrapping import width

ID = "6f9619ff-8b86-4011-b42d-00c04fc964ff"
TEXTS = st.text(
    alphabet=st.one_of(
        st.sampled_from("ab  \n.日本語検索。👍👩\u200d💻é한"),
        st.characters(exclude_categories=["Cs"]),
    ),
    min_size=1,
    max_size=600,
)
QUESTIONS = st.sampled_from(["", "ab", "検索", "how is a b", "(", "👍"])


def memory(text: str = "text", **fields: object) -> Memory:
    known: dict[str, object] = {
        "id": ID,
        "origin": Origin.DOCUMENT,
        "type": MemoryType.CONTEXT,
        "created_at": datetime(2026, 3, 31, 12, tzinfo=UTC),
        "updated_at": datetime(2026, 3, 31, 12, tzinfo=UTC),
        "content_hash": "",
        "revision": 1,
        "embedded": False,
    }
    return Memory(text=text, **known | fields)  # type: ignore[arg-type]


def lines(one: Memory, layout: Layout, *, before: str = "1. ", weak: bool = False) -> list[str]:
    return ["".join(line) for line in memory_lines(one, layout, before=before, weak=weak)]


@pytest.mark.parametrize("columns", [40, 80, 120])
@given(TEXTS, TEXTS, QUESTIONS)
def test_every_line_fits_the_terminal(columns: int, text: str, source: str, question: str) -> None:
    one = memory(text, source=source, context=source, tags=(source.strip() or "x",), pinned=True)
    layout = Layout(columns=columns, question=question)
    shown = lines(one, layout, weak=True)
    assert 2 <= len(shown) <= 1 + LINES
    assert re.search(r"  2026-03-31  weak  6f9619ff(  |$)", shown[0])
    assert all(width(line) <= columns for line in shown), shown
    assert all(line.startswith("   >") for line in shown[1:])


@pytest.mark.parametrize("columns", [40, 80, 120])
@given(TEXTS)
def test_whole_is_all_of_it(columns: int, text: str) -> None:
    from heimdall.cli.memory_lines import visible
    from heimdall.models.text import printable

    shown = lines(memory(text), Layout(columns=columns, lines=None))[1:]
    told = "".join(line.removeprefix("   >") for line in shown)
    expected = "".join(map(printable, visible(text).split("\n")))
    assert told.replace(" ", "") == expected.replace(" ", "")


def test_a_pipe_gets_a_line_for_each_excerpt() -> None:
    text = "nothing of interest here. " * 40 + "The needle is in the haystack.\n" + "more. " * 100
    shown = lines(memory(text, source="docs/guide.md"), Layout(question="needle"))
    assert shown[0] == "1. docs/guide.md  2026-03-31  6f9619ff  document  context"
    assert len(shown) == 2
    assert "The needle is in the haystack." in shown[1]
    assert lines(memory("one\ntwo"), Layout())[1:] == ["   > one", "   > two"]


def test_an_excerpt_keeps_the_breaks_that_mean_something() -> None:
    text = (
        "# Deployment\nEvery merge is\ndeployed at once.\n\n- one item\n- another\nof two lines\n"
        + "x " * 200
    )
    shown = lines(memory(text), Layout(columns=60, question="deployment"))[1:]
    assert shown == [
        *("   > # Deployment", "   > Every merge is deployed at once.", "   > - one item …")
    ]


def test_a_line_below_a_heading_is_left_out_of_an_excerpt() -> None:
    text = "Blueprints\n----------\nThey record what to do. " + "x " * 200
    shown = lines(memory(text), Layout(columns=60, question="record"))[1:]
    assert shown[0] == "   > Blueprints"
    assert shown[1].startswith("   > They record what to do. x x")


def test_source_and_date_stand_before_the_id_and_what_else_fits_behind() -> None:
    one = memory(
        source="docs/a/long/folder/guide.md",
        context="docs/a/long/folder/guide.md > Pins",
        tags=("release", "a b"),
        pinned=True,
    )
    head = lines(one, Layout(columns=120))[0]
    assert head == (
        '1. docs/a/long/folder/guide.md  2026-03-31  6f9619ff  document  context  pinned  #release #"a b"  "Pins"'
    )
    assert lines(one, Layout(columns=40))[0] == "1. …older/guide.md  2026-03-31  6f9619ff"
    assert (
        lines(memory(), Layout(columns=40), weak=True)[0]
        == "1. 2026-03-31  weak  6f9619ff  document"
    )
    assert about(one).endswith('#release #"a b"  "Pins"')


def test_the_words_of_the_question_stand_out() -> None:
    line = list(
        memory_lines(memory("A modern model is downloaded."), Layout(question="model download"))
    )[1]
    assert [part for part in line if isinstance(part, Styled) and part.style == "bold"] == [
        "model",
        "downloaded",
    ]
