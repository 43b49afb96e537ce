"""A text that is stored by hand is one memory, and what is loaded is one for each place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cognitive_memory.core.memory import MemoryType, NewMemory, Origin
from cognitive_memory.project_memory import ProjectMemory


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[ProjectMemory]:
    with ProjectMemory.open(tmp_path / "memory.db") as memory:
        yield memory


@pytest.mark.parametrize("again", ["dates are utc", "Dates  are\n\tUTC ", "DATES ARE UTC"])
def test_case_and_blanks_make_no_other_memory(memory: ProjectMemory, again: str) -> None:
    first = memory.store(NewMemory(text="Dates are UTC", context="API"), embed=False)
    second = memory.store(NewMemory(text=again, source="docs/api.md"), embed=False)
    assert (second.id, second.text, second.context) == (first.id, "Dates are UTC", "API")
    assert second.source == "docs/api.md"
    assert len(list(memory.memories())) == 1


def test_details_are_put_together_and_none_is_lost(memory: ProjectMemory) -> None:
    first = memory.store(
        NewMemory(
            text="Straße",
            type=MemoryType.CONCEPT,
            tags=("a", "b"),
            importance=0.9,
            pinned=True,
            metadata={"issue": 1},
        ),
        embed=False,
    )
    again = NewMemory(text="STRASSE", tags=("b", "c"), metadata={"issue": 2, "by": "me"})
    second = memory.store(again, embed=False)
    assert (second.id, second.created_at) == (first.id, first.created_at)
    assert second.type is MemoryType.CONCEPT
    assert (second.tags, second.importance, second.pinned) == (("a", "b", "c"), 0.9, True)
    assert second.metadata == {"issue": 1, "by": "me"}
    revision = second.revision
    assert memory.store(again, embed=False).revision == revision, "again, nothing changes"
    assert memory.store(NewMemory(text="strasse", importance=1.0), embed=False).importance == 1.0


def test_a_changed_memory_is_found_by_what_it_says_now(memory: ProjectMemory) -> None:
    first = memory.store(NewMemory(text="The limit is five"), embed=False)
    memory.update(first.id, text="The limit is six")
    assert memory.store(NewMemory(text="the limit is six"), embed=False).id == first.id
    assert memory.store(NewMemory(text="The limit is five"), embed=False).id != first.id


def test_what_is_loaded_or_captured_stays_apart(memory: ProjectMemory) -> None:
    for source in ("a.md", "b.md"):
        loaded = NewMemory(text="Dates are UTC", source=source, origin=Origin.DOCUMENT)
        memory.store_many([loaded], embed=False)
    captured = memory.store(NewMemory(text="Dates are UTC", origin=Origin.CAPTURED), embed=False)
    stored = memory.store(NewMemory(text="Dates are UTC"), embed=False)
    assert stored.id != captured.id
    assert stored.origin is Origin.STORED
    assert len(list(memory.memories())) == 4
