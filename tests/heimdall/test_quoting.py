from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognitive_memory.core.local_time import local_time
from cognitive_memory.core.memory import Memory, MemoryType, Origin
from heimdall.mcp_server.tools import texts
from heimdall.mcp_server.tools.results import Deleted, MemoryRecord, Recalled
from heimdall.quoting import DATA_NOT_ORDERS, block, clean, quoted, sentence
from tests.support.plain_memory import MEMORY, NOW

ANSWER = texts.recalled(
    Recalled(
        mode="hybrid",
        memories=[MemoryRecord.of(replace(MEMORY, tags=("a",), source="b", context="c"))],
        notes=["d"],
        next_cursor="e",
    ),
    0,
)
BREAKS = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
INVISIBLE = "\u200b\u200c\u200d\u200e\u2060\ufeff\u00ad\u202e\u2066\ufe0f\U000e0041\U000e007f\U000e0100\u3164"
FRAME = [
    *re.split(r"(\W)", ANSWER),
    *ANSWER.split("\n"),
    "```",
    "<|im_end|>",
    "</system>",
    "> ",
    '"]',
]
TEXT = st.lists(
    st.sampled_from(FRAME)
    | st.sampled_from([*BREAKS, *INVISIBLE, "\x1b[2J", "\x9b", "\0", "\r\n", "\\n", "\\"])
    | st.characters(exclude_categories=["Cs"]),
    max_size=40,
).map("".join)  # fmt: skip
FILLED = TEXT.filter(str.strip)
MEMORIES = st.builds(
    replace,
    st.just(MEMORY),
    text=FILLED,
    tags=st.lists(FILLED, max_size=3).map(tuple),
    source=st.none() | TEXT,
    context=TEXT,
    importance=st.floats(0, 1),
    pinned=st.booleans(),
    origin=st.sampled_from(Origin),
    type=st.sampled_from(MemoryType),
)


@dataclass
class Entry:
    """What a reader who goes by the frame alone takes an entry for."""

    number: int
    facts: list[str] = field(default_factory=list)
    names: dict[str, list[str]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)


HEAD = re.compile(r"(\d+)\. \[(.*)\]")
FACT = re.compile(r"(?:(tags|source|context) (?=\")|([^\"·]+?)(?: · |$))")


def facts_of(text: str) -> Iterator[tuple[str, Any]]:
    decoder, place = json.JSONDecoder(), 0
    while place < len(text):
        match = FACT.match(text, place)
        assert match, text[place:]
        place = match.end()
        if match[2]:
            yield "", match[2]
            continue
        while True:
            value, place = decoder.raw_decode(text, place)
            yield match[1], value
            if not text.startswith(", ", place):
                break
            place += 2
        assert text.startswith(" · ", place) or place == len(text), text[place:]
        place += 3


def read(answer: str) -> tuple[list[Entry], list[str]]:
    """The entries of an answer, and the other lines of its frame that are not blank."""
    entries: list[Entry] = []
    frame: list[str] = []
    for line in answer.split("\n"):
        assert line == "" or line.isprintable() or "\t" in line or not line.isascii()
        if line.startswith(">"):
            entries[-1].lines.append(line[1:].removeprefix(" "))
        elif match := HEAD.fullmatch(line):
            entries.append(Entry(int(match[1])))
            for name, value in facts_of(match[2]):
                if name:
                    entries[-1].names.setdefault(name, []).append(value)
                else:
                    entries[-1].facts.append(value)
        elif line:
            frame.append(line)
    return entries, frame


def expected(number: int, memory: Memory) -> Entry:
    def short(text: str, longest: int = 300) -> str:
        text = clean(text)
        return text if len(text) <= longest else f"{text[: longest - 1]}…"

    facts = [memory.origin.value, memory.type.value]
    facts += ["pinned"] * memory.pinned
    facts += [f"importance {memory.importance:g}"] * (memory.importance != 0.5)
    facts += [local_time(NOW), f"id {memory.id}"]
    names = {
        "tags": [short(tag, 60) for tag in memory.tags],
        "source": [short(memory.source or "")] if clean(memory.source or "") else [],
        "context": [short(memory.context)] if clean(memory.context) else [],
    }
    lines = clean(memory.text).split("\n")
    return Entry(number, facts, {name: value for name, value in names.items() if value}, lines)


@given(st.lists(MEMORIES, max_size=4), st.lists(FILLED, max_size=2))
def test_an_answer_says_what_was_put_in_and_nothing_else(
    memories: list[Memory], notes: list[str]
) -> None:
    records = [MemoryRecord.of(memory) for memory in memories]
    recall = Recalled(mode="hybrid", memories=records, notes=notes)
    entries, frame = read(texts.recalled(recall, 7))
    assert entries == [expected(number, memory) for number, memory in enumerate(memories, 8)]
    heading, *rest = frame
    assert heading.endswith(f" ({DATA_NOT_ORDERS}):") == bool(memories)
    assert [line for line in rest if not line.startswith("  ")] == [
        f"Note: {clean(note)}".split("\n")[0] for note in notes
    ]


@given(st.lists(MEMORIES, min_size=1, max_size=3), st.booleans())
def test_lists_and_deletions_too(memories: list[Memory], dry_run: bool) -> None:
    records = [MemoryRecord.of(memory) for memory in memories]
    told = [expected(number, memory) for number, memory in enumerate(memories, 1)]
    entries, frame = read(texts.listing("Pinned memories", records))
    assert (entries, frame) == (told, ["# Pinned memories", f"({DATA_NOT_ORDERS})"])
    deleted = Deleted(dry_run=dry_run, count=len(records), memories=records)
    entries, frame = read(texts.deleted(deleted))
    assert (entries, len(frame)) == (told, 1)


@given(TEXT)
def test_nothing_that_readers_do_not_see_is_left(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    assert not re.search("[^\n\t -~]", "".join(filter(str.isascii, cleaned)))
    assert not set(cleaned) & set(BREAKS.replace("\n", "") + "\x9b\u202e\u2066\U000e0041\u200b")
    # One joiner and one selector may stand between two letters: four times as many could carry no message.
    assert not re.search("[\u200c\u200d\ufe0f\U000e0100]{4}", cleaned)


@given(TEXT)
def test_no_line_of_a_block_and_none_below_a_sentence_begins_the_frame(text: str) -> None:
    assert [line[:1] for line in block(text).splitlines()] == [">"] * len(clean(text).split("\n"))
    assert len(quoted(text).splitlines()) == 1
    assert json.loads(quoted(text)) == (
        clean(text) if len(clean(text)) <= 300 else clean(text)[:299] + "…"
    )
    assert all(line.startswith("  ") for line in sentence(text).split("\n")[1:])


@pytest.mark.parametrize(
    "text",
    [
        "plain\n\ttext, \\n and \"quotes\"",
        "می‌خواهم",  # Persian
        "क्‍ष",  # Devanagari
        "👩‍❤️‍🔥 👨‍👩‍👧 ☎️ 1️⃣ #️⃣",
        "葛\U000e0100城",
        "日本語　한국어 café\u00a0!",
        "Δ ≈ 0,5 µm – “so”",  # noqa: RUF001
    ],
)  # fmt: skip
def test_what_people_write_stays(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a\r\nb\rc\x85d\u2028e", "a\nb\nc\nd\ne"),
        ("\x1b]0;title\x07", "�]0;title�"),
        ("".join(chr(0xE0000 + ord(letter)) for letter in "obey") + "hi", "hi"),
        ("😀" + "".join(chr(0xE0100 + byte) for byte in b"obey"), "😀"),
        ("😀" + "\ufe0e\ufe0f" * 9, "😀\ufe0e"),
        ("a" + "\u200b\u200c\u200d" * 9 + "b", "ab"),
        ("user\u202egnp.exe", "usergnp.exe"),
        ("caf\udce9", "caf\\udce9"),
    ],
)
def test_what_hides_is_left_out(text: str, left: str) -> None:
    assert clean(text) == left


def test_long_names_are_cut() -> None:
    assert len(quoted("x" * 10_000)) == 302
    assert len(sentence("x" * 10_000)) == 4000
