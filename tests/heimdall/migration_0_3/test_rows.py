"""Rows that the original's own code wrote, and rows that nobody should have written."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognitive_memory.core.memory import MemoryType, NewMemory
from heimdall.migration_0_3.original import Original, open_to_read
from heimdall.migration_0_3.rows import KEPT_AS, as_memory, as_uuid
from tests.heimdall.conftest import OriginalDatabase

LESSON = "11111111-2222-4333-8444-555555555555"
DECISION = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
SECTION = "0b0b0b0b-1c1c-4d2d-8e3e-4f4f4f4f4f4f"
COMMIT = "8f1d3c5b-7a9e-0246-8135-79bdf02468ac"
STORED = datetime(2025, 6, 24, 10, 30, 0, 250_000, UTC)


@pytest.fixture
def read(original: OriginalDatabase, root: Path) -> dict[str, NewMemory]:
    with open_to_read(original()) as connection:
        return {str(memory.id): memory for memory in Original(connection, root).memories()}


def kept(memory: NewMemory) -> dict[str, Any]:
    found = memory.metadata[KEPT_AS]
    assert isinstance(found, dict)
    return found


def test_a_lesson_of_a_session(read: dict[str, NewMemory]) -> None:
    lesson = read[LESSON]
    assert lesson.text == "Retries must have jitter: without it all clients come back at once."
    assert (lesson.type, lesson.tags, lesson.source) == (
        MemoryType.CONTEXT,
        ("session_lesson", "pattern"),
        None,
    )
    assert lesson.importance == 0.8, "which the original kept in the metadata alone"
    assert lesson.created_at == STORED
    assert lesson.metadata["source_info"] == "Session Lesson (pattern)"
    assert lesson.metadata["metadata"] == {
        "loader_type": "session_lesson",
        "lesson_type": "pattern",
        "importance_level": "high",
    }
    assert kept(lesson)["access_count"] == 4
    assert kept(lesson)["connections"] == [
        {"to": DECISION, "type": "supports", "strength": 0.8},
        {"to": as_uuid("note-1"), "type": "associative", "strength": 0.5},
    ]
    # One was written as a Julian day by SQL, the other as seconds by Python.
    assert kept(lesson)["updated_at"][:4] == kept(lesson)["created_at"][:4]


def test_what_was_set_by_hand(read: dict[str, NewMemory]) -> None:
    decision = read[DECISION]
    assert decision.text == "Wir nehmen SQLite im WAL-Modus. 日本語 ✓"
    assert (decision.type, decision.importance) == (MemoryType.CONCEPT, 0.9)
    assert (kept(decision)["strength"], kept(decision)["decay_rate"]) == (0.75, 0.02)
    assert kept(decision)["dimensions"] == {"emotional": [0.1, 0.0], "temporal": [0.5]}


def test_a_section_of_a_document_is_named_as_our_loader_names_it(
    read: dict[str, NewMemory],
) -> None:
    section = read[SECTION]
    assert (section.source, section.importance) == ("docs/guide.md", 0.5)
    assert section.metadata["hierarchical_path"] == ["Guide", "Deployment"]


def test_a_commit_happened_when_it_was_made(read: dict[str, NewMemory]) -> None:
    commit = read[COMMIT]
    assert commit.created_at == datetime(2024, 2, 29, 21, 59, 58, tzinfo=UTC)
    assert commit.source == "git:history"
    assert (commit.metadata["kind"], commit.metadata["commit"]) == (
        "commit",
        "8f1d3c5b7a9e0246813579bdf02468ace13579bd",
    )


def test_an_id_that_is_no_uuid_gets_one_that_stays(read: dict[str, NewMemory]) -> None:
    note = read[as_uuid("note-1")]
    assert kept(note)["id"] == "note-1"
    assert as_uuid("note-1") == as_uuid("note-1") != as_uuid("note-2")
    assert as_uuid(LESSON.upper()) == LESSON


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
deep = st.integers(40, 60).map(lambda levels: "[" * levels + "]" * levels)
anything = st.none() | st.integers() | st.floats() | st.text() | json_values.map(json.dumps) | deep


texts = st.text(min_size=1, alphabet=st.characters(exclude_categories=["Cs"]))
columns = [
    "memory_type",
    "hierarchy_level",
    "dimensions",
    "timestamp",
    "strength",
    "access_count",
    "last_accessed",
]
columns += [
    "created_at",
    "updated_at",
    "decay_rate",
    "importance_score",
    "consolidation_status",
    "tags",
]


@hypothesis.settings(max_examples=50)
@given(
    row=st.fixed_dictionaries(
        {
            "id": texts,
            "content": texts.filter(str.strip),
            "context_metadata": anything,
            **dict.fromkeys(columns, anything),
        }
    )
)
def test_whatever_a_row_holds_its_text_comes_over(row: dict[str, object]) -> None:
    memory = as_memory(row, [], Path("/project"))
    assert memory.text == row["content"]
    json.dumps(memory.metadata, allow_nan=False).encode()
