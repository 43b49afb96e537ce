"""Memories in their orders, page by page."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from cognitive_memory.core.memory import NewMemory, Origin
from cognitive_memory.core.recall import RecallFilter
from cognitive_memory.core.values import MemoryValueError
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.storage.errors import UnknownMemoryError

A_DAY = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=timezone(timedelta(hours=2)))
NOBODY = "00000000-0000-4000-8000-000000000000"


def texts(found: Any) -> list[str]:
    return [item.text for item in found]


@pytest.fixture
def four(memory: ProjectMemory) -> None:
    told = [(0.5, 0, True), (0.9, 2, False), (0.5, 1, False), (0.1, 1, True)]
    for number, (importance, days, pinned) in enumerate(told):
        moment = A_DAY + timedelta(days=days)
        memory.store(
            NewMemory(text=str(number), importance=importance, created_at=moment, pinned=pinned)
        )


@pytest.mark.usefixtures("four")
@pytest.mark.parametrize(
    ("order", "expected"),
    [("newest", "1320"), ("oldest", "0231"), ("changed", "3210"), ("important", "1203")],
)
def test_orders_and_pages(memory: ProjectMemory, order: str, expected: str) -> None:
    assert "".join(texts(memory.memories(order=order))) == expected
    paged = ""
    after = None
    while page := list(memory.memories(order=order, limit=1, after=after)):
        paged += page[0].text
        after = page[0].id
    assert paged == expected


@pytest.mark.usefixtures("four")
def test_pinned(memory: ProjectMemory) -> None:
    assert texts(memory.memories(pinned=True)) == ["3", "0"]
    assert texts(memory.memories(pinned=False)) == ["1", "2"]


def test_origin(memory: ProjectMemory) -> None:
    memory.store_many(NewMemory(text=origin, origin=origin) for origin in Origin)
    for origin in Origin:
        assert texts(memory.memories(origin=origin)) == [origin]


@pytest.mark.parametrize("name", ["since", "until"])
def test_filter_by_a_moment_without_a_time_zone(name: str) -> None:
    with pytest.raises(MemoryValueError, match=f"{name}: 2026-03-01T00:00:00 has no time zone"):
        replace(RecallFilter(), **{name: datetime(2026, 3, 1)})  # type: ignore[arg-type]


def test_unknown_order_and_unknown_page(memory: ProjectMemory) -> None:
    with pytest.raises(
        MemoryValueError,
        match="order: expected one of newest, oldest, changed, important, got 'best'",
    ):
        list(memory.memories(order="best"))
    with pytest.raises(UnknownMemoryError):
        list(memory.memories(after=NOBODY))


def test_reader_in_the_middle_does_not_keep_writers_waiting(memory: ProjectMemory) -> None:
    memory.store_many(NewMemory(text=str(number)) for number in range(1200))
    walk = memory.memories(order="oldest")
    next(walk)
    memory.store(NewMemory(text="written meanwhile"))
    assert len(list(walk)) == 1200
