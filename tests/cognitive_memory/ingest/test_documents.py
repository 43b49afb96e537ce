from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognitive_memory.core.memory import MemoryType, NewMemory
from cognitive_memory.ingest import plain_text, python_code
from cognitive_memory.ingest.documents import read_document
from cognitive_memory.ingest.errors import UnreadableError
from tests.cognitive_memory.ingest.texts import QUADRATIC, texts
from tests.support.capabilities import needs_timers

LONG = "So many words are enough for a piece of its own. " * 6
GUIDE = f"""\
---
title: The Guide
tags: [manual, " two words "]
---
# Guide

What it is. {LONG}

## Install

How to get it. {LONG}

### On Linux

What else is needed there. {LONG}
"""


def _memories(source: str, text: str | bytes) -> list[NewMemory]:
    document = read_document(source, text if isinstance(text, bytes) else text.encode())
    assert document is not None
    return list(document.memories)


def test_markdown_by_its_headings() -> None:
    memories = _memories("docs/guide.md", GUIDE)
    assert [(memory.context, memory.text.split("\n", 1)[0]) for memory in memories] == [
        ("docs/guide.md > The Guide", "---"),
        ("docs/guide.md > The Guide > Guide", "## Install"),
        ("docs/guide.md > The Guide > Guide > Install", "### On Linux"),
    ]
    assert {memory.tags for memory in memories} == {("manual", "two words")}
    assert {memory.source for memory in memories} == {"docs/guide.md"}
    assert memories[1].metadata == {"kind": "markdown", "lines": [9, 11]}
    assert [memory.type for memory in memories] == [
        MemoryType.CONCEPT,
        MemoryType.CONTEXT,
        MemoryType.CONTEXT,
    ]


def test_a_file_without_headings_goes_by_its_name() -> None:
    (memory,) = _memories("notes/meeting.txt", "We agreed on SQLite.\n")
    assert (memory.context, memory.text, memory.type) == (
        "notes/meeting.txt",
        "We agreed on SQLite.",
        MemoryType.CONCEPT,
    )


def test_underlined_titles_of_plain_text() -> None:
    text = (
        "=====\nGuide\n=====\n\n"
        + "Words. " * 40
        + "\n\nInstall\n-------\n"
        + "More. " * 60
        + "\n\nUse\n---\n"
        + "Less. " * 60
    )
    memories = _memories("guide.txt", text)
    assert [memory.context for memory in memories] == [
        "guide.txt",
        "guide.txt > Guide",
        "guide.txt > Guide",
    ]
    assert memories[2].text.startswith("Use\n---\nLess.")


def test_the_title_that_a_document_begins_with_is_in_the_context_of_its_other_chapters() -> None:
    memories = _memories("README.md", f"# The tool\n\n{LONG}\n# Install\n\n{LONG}\n")
    assert [memory.context for memory in memories] == ["README.md", "README.md > The tool"]


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("a/b/c/d/e.md", "a/b/c/d/e.md"),
        ("/home/somebody/src/other/docs/e.md", "other/docs/e.md"),
        ("x" * 200 + "/e.md", "x" * 155 + "/e.md"),
    ],
)
def test_the_context_begins_with_the_path(source: str, place: str) -> None:
    assert _memories(source, "# Title\n")[0].context == place


def test_what_a_long_docstring_belongs_to_is_in_the_context_of_each_of_its_pieces() -> None:
    memories = _memories("a.py", f'class A:\n    def go(self):\n        """{LONG * 8}"""\n')
    assert [memory.context for memory in memories] == ["a.py > A", *["a.py > A > go"] * 2]


@pytest.mark.parametrize(
    ("source", "heading", "kind"),
    [
        ("docs/guide.md", "# Overview", MemoryType.CONCEPT),
        ("docs/guide.md", "# A\n## Overview", MemoryType.CONCEPT),
        ("docs/architecture.md", "# Overview", MemoryType.CONTEXT),
        ("docs/adr/0001-sqlite.md", "# Overview", MemoryType.CONTEXT),
        ("inspections/guide.md", "# Overview", MemoryType.CONCEPT),
        ("CHANGELOG.md", "# Changelog", MemoryType.CONCEPT),
        ("docs/guide.md", "# Meeting of 2026-03-04", MemoryType.EPISODE),
        ("journal/2026-03-04.md", "# Overview", MemoryType.EPISODE),
    ],
)
def test_types_follow_headings_and_names(source: str, heading: str, kind: MemoryType) -> None:
    (memory,) = _memories(source, f"{heading}\n\nSome text.\n")
    assert memory.type is kind


def test_entries_of_a_changelog_are_episodes_of_their_day() -> None:
    entry = "- Something was done that takes some words to say, so that it stands alone. " * 4
    memories = _memories(
        "CHANGELOG.md", f"# Changelog\n\n## 1.1.0 - 2026-02-03\n\n{entry}\n\n## 1.0.0\n\n{entry}\n"
    )
    assert [memory.type for memory in memories] == [MemoryType.EPISODE] * 2
    assert [memory.created_at for memory in memories] == [
        datetime(2026, 2, 3, 12, tzinfo=UTC),
        None,
    ]


def test_a_date_that_no_calendar_has_is_none() -> None:
    (memory,) = _memories("a.md", "# Of 2026-13-45\n\nText.\n")
    assert memory.created_at is None


def test_python_gives_docstrings_with_signatures_and_comments_with_their_line() -> None:
    source = f'''\
# Copyright 2026 by somebody, all rights reserved, see the licence.
"""What the module is for. {LONG}"""

import os

LIMIT = 3
"""Why three. {LONG}"""


class Store:
    """Keeps things. {LONG}"""

    def put(
        self, thing: str
    ) -> None:
        """Put a thing in. {LONG}

        And then, only then, return.
        """
        # Why this is last. {LONG}
        os.sync()
        x = 1  # short
'''
    memories = _memories("pkg/store.py", source)
    assert [
        (memory.context, memory.text.split("\n", 1)[0].split(".")[0]) for memory in memories
    ] == [
        ("pkg/store.py", '"""What the module is for'),
        ("pkg/store.py", "LIMIT = 3"),
        ("pkg/store.py", "class Store:"),
        ("pkg/store.py > Store", "def put("),
        ("pkg/store.py > Store > put", "os"),
    ]
    assert memories[3].text.endswith('return.\n    """')
    assert memories[4].text.startswith("os.sync()\nWhy this is last. So many")
    assert {memory.type for memory in memories} == {MemoryType.CONTEXT}


def test_python_that_cannot_be_parsed_still_has_comments() -> None:
    (memory,) = _memories(
        "old.py", "# This explains why the following line is there\nprint 'hello'\n"
    )
    assert memory.text == "print 'hello'\nThis explains why the following line is there"


def test_trivial_comments_and_shebangs_are_left_out() -> None:
    assert (
        _memories(
            "run.sh",
            "#!/bin/sh with many words that nobody should ever read\n# shellcheck\necho hi # say it\n",
        )
        == []
    )


def test_secrets_are_left_out_and_said() -> None:
    document = read_document("a.md", b"# A\n\nUse ghp_" + b"a" * 36 + b" to log in.\n")
    assert document is not None
    assert document.memories[0].text == "# A\n\nUse [redacted GitHub token] to log in."
    assert (document.redacted, document.notes) == (1, ("a.md: 1 secret was left out",))


@pytest.mark.parametrize(
    "front",
    [
        'title: "\\ud800"\ntags: ["\\ud800"]',
        "- a list",
        "a: [",
        "date: 2026-99-99",
        "title: 3\ntags: 4",
    ],
)
def test_any_front_matter_is_survived(front: str) -> None:
    assert _memories("a.md", f"---\n{front}\n---\ntext\n")


@given(text=texts(), name=st.sampled_from(["a.md", "a.rst", "a.txt", "a.py", "a.ts", "a.unknown"]))
def test_any_text_gives_memories_with_ids_that_follow_from_it(text: str, name: str) -> None:
    text = text.replace("\0", "")
    first, second = _memories(name, text), _memories(name, text)
    assert first == second
    ids = [memory.id for memory in first]
    assert len(set(ids)) == len(ids)
    assert all(memory_id is not None and UUID(memory_id).version == 5 for memory_id in ids)


def test_ids_stay_when_something_else_changes() -> None:
    before = {memory.text: memory.id for memory in _memories("docs/guide.md", GUIDE)}
    after = {
        memory.text: memory.id
        for memory in _memories(
            "docs/guide.md", GUIDE.replace("What it is.", "What it was.\n\nAnd is.")
        )
    }
    assert before.keys() & after.keys()
    assert all(before[text] == after[text] for text in before.keys() & after.keys())
    assert {memory.id for memory in _memories("other.md", GUIDE)}.isdisjoint(before.values())


def test_ids_are_the_same_everywhere() -> None:
    (memory,) = _memories("notes/meeting.txt", "We agreed on SQLite.\n")
    assert memory.id == "f6742ed2-5d5d-574e-97c9-17f9f8174142"


def test_what_is_no_text_is_none() -> None:
    assert read_document("a.md", b"\x89PNG\r\n\x1a\n\x00\x00") is None


def test_what_cannot_be_seen_is_no_memory() -> None:
    assert _memories("a.md", "\u0301\n\n\x01\n") == []


@needs_timers
@pytest.mark.slow
def test_what_takes_its_reader_too_long_is_loaded_as_plain_text() -> None:
    document = read_document("a.md", QUADRATIC.encode())
    assert document is not None
    (note,) = document.notes
    assert note.startswith("a.md could not be read as markdown (it takes more than 1.8 s of")
    assert note.endswith("processor time): it was loaded as plain text")
    words = "".join("".join(memory.text.split()) for memory in document.memories)
    assert words == "".join(QUADRATIC.split())
    assert document.memories[0].metadata["kind"] == "text"


@pytest.mark.parametrize("failure", [ZeroDivisionError, MemoryError, RecursionError])
def test_what_its_reader_fails_at_is_loaded_as_plain_text(
    monkeypatch: pytest.MonkeyPatch, failure: type[Exception]
) -> None:
    def fail(_text: str) -> None:
        raise failure

    monkeypatch.setattr(python_code, "read_python", fail)
    document = read_document("a.py", b"some words\n")
    assert document is not None
    assert [memory.text for memory in document.memories] == ["some words"]
    assert document.notes == (
        f"a.py could not be read as python ({failure.__name__}): it was loaded as plain text",
    )
    monkeypatch.setattr(plain_text, "read_text", fail)
    with pytest.raises(UnreadableError, match=f"a.py could not be read: {failure.__name__}"):
        read_document("a.py", b"some words\n")
    with pytest.raises(UnreadableError, match=f"a.txt could not be read: {failure.__name__}"):
        read_document("a.txt", b"some words\n")


LARGE = {
    "a.md": "# " + "[" * 80_000 + "\n\ntext\n",
    "b.md": "# " + "x" * 400_000 + "\n\n" + "text with some words. " * 20_000,
    "c.py": "def f(): pass  # a comment with more words than six\n" * 5_000,
    "d.py": "if x:\n    pass\n" + "elif x:\n    pass\n" * 10_000,
    "e.py": "x = " + "[" * 100_000,
    "f.py": "x = " + "not " * 50_000 + "y",
    "g.py": "x = 0x" + "f" * 5_000 + "\n'a string that says something about x, in some words'\n",
    "h.c": "\n" * 400_000 + "/* a comment with more words than six */\n",
    "i.js": "/* one */" * 40_000 + "\n",
    "j.txt": "a\n" + "=" * 400_000 + "\n",
    "k.txt": "\n" * 400_000 + "text\n",
    "l.md": "> " * 100_000,
    "m.md": "- " * 100_000,
    "n.md": "---\n" + "a: [" * 3_000 + "\n---\ntext\n",
    "o.tf": '"' * 400_000,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_large_texts_of_a_kind_that_was_slow(name: str) -> None:
    document = read_document(name, LARGE[name].encode())
    assert document is not None
    assert document.notes == ()


def test_a_utf_16_text_of_lone_surrogates() -> None:
    document = read_document("a.md", b"\xff\xfe" + b"a\x00\x00\xd8" * 1000)
    assert document is not None
    assert document.memories[0].text.startswith("a\ufffd")


@pytest.mark.parametrize(
    ("source", "is_example"),
    [
        ("docs/a.md", True),
        ("pkg/tests/a.py", True),
        ("pkg/store_test.go", True),
        ("src/a.spec.ts", True),
        ("test_a.py", True),
        ("config.example.txt", True),
        ("src/latest/a.py", False),
        ("README.md", False),
    ],
)
def test_secrets_in_documentation_and_tests_are_told_apart(source: str, is_example: bool) -> None:
    document = read_document(source, b"# Used as ghp_" + b"a" * 36 + b" to log in to that.\n")
    assert document is not None
    assert (document.redacted, document.is_example) == (1, is_example)
    assert len(document.notes) == (not is_example)
    assert all("ghp_" not in memory.text for memory in document.memories)
