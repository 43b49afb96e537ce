"""What is changed and deleted."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from cognitive_memory.core.memory import MemoryType, NewMemory, Origin
from cognitive_memory.core.values import MemoryValueError
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.storage.errors import UnknownMemoryError
from tests.support.plain_embedder import PlainEmbedder

A_DAY = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=timezone(timedelta(hours=2)))
NOBODY = "00000000-0000-4000-8000-000000000000"


def texts(found: Any) -> list[str]:
    return [item.text for item in found]


def test_fields_change_and_the_rest_stays(memory: ProjectMemory) -> None:
    old = memory.store(NewMemory(text="a", tags=("x",), metadata={"n": 1}, created_at=A_DAY))
    new = memory.update(
        old.id, tags=["y"], importance=1, pinned=True, source="s", type="concept", metadata={}
    )
    assert (
        replace(
            old,
            tags=("y",),
            importance=1.0,
            pinned=True,
            source="s",
            type=MemoryType.CONCEPT,
            metadata={},
            updated_at=new.updated_at,
            revision=new.revision,
        )
        == new
    )
    assert new.updated_at > old.updated_at
    assert new.revision > old.revision


def test_a_change_leaves_the_origin(memory: ProjectMemory) -> None:
    old = memory.store(NewMemory(text="a", origin=Origin.ADOPTED))
    assert memory.update(old.id, text="b", pinned=True).origin is Origin.ADOPTED
    with pytest.raises(MemoryValueError, match="origin: can't be changed"):
        memory.update(old.id, origin="stored")


def test_new_text_has_a_new_vector_and_new_words(
    memory: ProjectMemory, embedder: PlainEmbedder
) -> None:
    old = memory.store(NewMemory(text="apples"))
    new = memory.update(old.id, text="pears")
    assert new.embedded
    assert new.content_hash != old.content_hash
    assert embedder.texts == ["apples", "pears"]
    assert memory.recall("pears", explain=True).hits[0].parts["keywords"] > 0
    assert memory.recall("apples", explain=True).hits[0].parts["keywords"] == 0


def test_nothing_new_changes_nothing(memory: ProjectMemory) -> None:
    old = memory.store(NewMemory(text="a"))
    assert memory.update(old.id, text="a", importance=0.5) == old


def test_unknown_memory(memory: ProjectMemory) -> None:
    with pytest.raises(UnknownMemoryError, match=NOBODY):
        memory.update(NOBODY, text="b")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"text": " "}, "text: is blank"),
        ({"revision": 3}, "revision: can't be changed; what can: text, type"),
        ({"id": NOBODY}, "id: can't be changed"),
        ({"tags": "x"}, "tags: expected several texts"),
        ({"pinned": 1}, "pinned: expected true or false, got 1"),
        ({"metadata": {"x": float("nan")}}, "metadata: holds what JSON can't carry"),
        ({"metadata": {1: 2}}, "metadata: expected names"),
    ],
)
def test_bad_value_changes_nothing(
    memory: ProjectMemory, changes: dict[str, Any], named: str
) -> None:
    old = memory.store(NewMemory(text="a"))
    with pytest.raises(MemoryValueError, match=named):
        memory.update(old.id, **changes)
    assert memory.get(old.id) == old


def test_what_was_deleted_comes_back(memory: ProjectMemory) -> None:
    one, two, three = (memory.store(NewMemory(text=text)) for text in ("one", "two", "three"))
    assert memory.delete([three.id, one.id, one.id.upper()]) == (three, one)
    assert list(memory.memories()) == [two]
    assert texts(hit.memory for hit in memory.recall("three").hits) == ["two"]


def test_all_or_none(memory: ProjectMemory) -> None:
    one = memory.store(NewMemory(text="one"))
    with pytest.raises(
        UnknownMemoryError, match=f"no memory has the id {NOBODY}; nothing was changed"
    ):
        memory.delete([one.id, NOBODY])
    assert list(memory.memories()) == [one]


def test_by_tags(memory: ProjectMemory) -> None:
    memory.store_many([NewMemory(text=tags, tags=tuple(tags)) for tags in ("ab", "bc", "c")])
    assert texts(memory.delete_by_tags([" a", "b"], dry_run=True).first) == ["ab", "bc"]
    assert memory.storage.status().tags == {"b": 2, "c": 2, "a": 1}
    assert texts(memory.delete_by_tags(["a", "b"]).first) == ["ab", "bc"]
    assert memory.delete_by_tags(["a", "b"]).count == 0
    assert memory.storage.status().tags == {"c": 1}


@pytest.mark.slow
def test_very_many(memory: ProjectMemory, embedder: PlainEmbedder) -> None:
    embedder.here = False
    ids = memory.store_many(NewMemory(text=f"{number}") for number in range(33_000)).ids
    assert len(memory.delete(ids)) == 33_000
    assert memory.storage.status().memories == 0
