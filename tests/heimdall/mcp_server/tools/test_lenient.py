from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognitive_memory.core.memory import MemoryType
from heimdall.mcp_server.tools.arguments import ListMemories, RecallMemories, StoreMemory
from heimdall.mcp_server.tools.lenient import as_list, as_range, as_words, renamed, split_kinds


@pytest.mark.parametrize(
    ("given", "understood"),
    [
        ({"maxResults": 5}, {"max_results": 5}),
        ({"MAX-RESULTS": 5}, {"max_results": 5}),
        ({"limit": 5}, {"max_results": 5}),
        ({"limit": 5, "max_results": 6}, {"limit": 5, "max_results": 6}),
        ({"limit": None, "max_results": None}, {}),
        ({"unheard": 1}, {"unheard": 1}),
        ({"": 1, "???": 2}, {"": 1, "???": 2}),
    ],
)
def test_names(given: dict[str, object], understood: dict[str, object]) -> None:
    assert renamed(given, ["max_results", "tags"]) == understood


def test_a_misspelt_dry_run_is_never_left_out() -> None:
    for name in ("dryRun", "dry-run", "DRY_RUN", "dryrun"):
        assert renamed({name: True}, ["memory_id", "dry_run"]) == {"dry_run": True}
    assert renamed({"dry_ran": True}, ["dry_run"]) == {"dry_ran": True}


@pytest.mark.parametrize(
    ("words", "types", "tags"),
    [
        ([], set(), ()),
        (["concept", "EPISODE"], {MemoryType.CONCEPT, MemoryType.EPISODE}, ()),
        (["semantic", "0"], {MemoryType.CONTEXT, MemoryType.CONCEPT}, ()),
        (["core", "all", " "], set(), ()),
        ([" gotcha ", "context"], {MemoryType.CONTEXT}, ("gotcha",)),
    ],
)
def test_kinds(words: list[str], types: set[MemoryType], tags: tuple[str, ...]) -> None:
    assert split_kinds(words) == (frozenset(types), tags)


def test_values() -> None:
    assert as_list("one") == as_list('["one"]') == ["one"]
    assert as_words([1, "one"]) == ["1", "one"]
    assert as_list(True) is True
    assert as_range("today") == {"start": "today", "end": "today"}
    assert as_range('{"start": "today"}') == {"start": "today"}
    assert as_range(["today"]) == {"start": "today"}
    assert as_range("[" * 100_000) == {"start": "[" * 100_000, "end": "[" * 100_000}


def test_what_belongs_together_may_stand_apart() -> None:
    apart = StoreMemory.model_validate({"text": "a", "tags": "b", "pinned": True, "context": {}})
    assert (apart.context.tags, apart.context.pinned) == (["b"], True)
    both = StoreMemory.model_validate({"text": "a", "tags": "b", "context": '{"tags": ["c"]}'})
    assert both.context.tags == ["c"]
    ends = RecallMemories.model_validate({"query": "a", "since": "2026-01-01", "until": "today"})
    assert ends.date_range is not None
    assert (ends.date_range.start, ends.date_range.end) == ("2026-01-01", "today")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
names = st.sampled_from(
    ["tags", "tag", "types", "since", "date_range", "limit", "context", "x", ""]
)


@given(st.dictionaries(names, values, max_size=5), st.sampled_from([ListMemories, StoreMemory]))
def test_whatever_is_given_is_understood_or_refused(
    given: dict[str, object], model: type[ListMemories | StoreMemory]
) -> None:
    try:
        understood = model.model_validate(given)
    except ValueError:
        return
    assert isinstance(understood, model)
