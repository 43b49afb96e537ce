from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cognitive_memory.core.memory import NewMemory
from cognitive_memory.storage.store import MemoryStore
from cognitive_memory.storage.token_codes import TokenReader, write_tokens
from cognitive_memory.storage.vectors import Embedded, Pending


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MemoryStore]:
    store = MemoryStore(tmp_path / "memory.db", embedding_space=lambda: "space")
    yield store
    store.close()


def _add(store: MemoryStore, *texts: str) -> list[Pending]:
    """Memories with vectors; returned as what was embedded, in the order of texts."""
    with store.writing() as writer:
        keys = [item.key for item in writer.put(NewMemory(text=text) for text in texts)]
        pending = {item.key: item for item in writer.vectors.pending(keys=keys)}
        outcomes = [Embedded(item.key, item.content_hash, bytes(8)) for item in pending.values()]
        writer.write_vectors(outcomes, 2)
    return [pending[key] for key in keys if key in pending]


def _code(store: MemoryStore, items: list[Pending], codes: bytes = b"abcd") -> int:
    with store.writing() as writer:
        outcomes = [Embedded(item.key, item.content_hash, None, tokens=codes) for item in items]
        return write_tokens(writer, outcomes)


def _state(store: MemoryStore) -> tuple[list[int], int, dict[int, bytes]]:
    """Keys of those without tokens, as many as are counted, and the tokens of all."""
    with store.reading() as reader:
        tokens = TokenReader(reader.vectors)
        pending = [item.key for item in tokens.pending(before=None, limit=99)]
        return pending, tokens.pending_count(), tokens.of_keys(list(range(99)))


def test_what_has_a_vector_is_pending_until_it_has_tokens(store: MemoryStore) -> None:
    one, other = _add(store, "one", "other")
    assert _state(store) == ([other.key, one.key], 2, {})
    assert _code(store, [other]) == 1
    assert _state(store) == ([one.key], 1, {other.key: b"abcd"})
    with store.reading() as reader:
        assert not TokenReader(reader.vectors).pending(before=one.key, limit=99)
    assert _code(store, [one, other], b"x") == 2
    assert _state(store) == ([], 0, {one.key: b"x", other.key: b"x"})


def test_tokens_go_with_what_they_were_made_of(store: MemoryStore) -> None:
    one, other = _add(store, "one", "other")
    _code(store, [one, other])
    with store.writing() as writer:
        writer.delete([one.key])
        writer.update(next(iter(writer.memories([other.key]).values())).id, {"text": "changed"})
    assert _state(store) == ([], 0, {})
    assert _code(store, [other]) == 0  # of what it said before


def test_a_text_that_comes_again_has_its_tokens_at_once(store: MemoryStore) -> None:
    (one,) = _add(store, "one")
    _code(store, [one])
    with store.writing() as writer:
        (again,) = writer.put([NewMemory(text="one", source="elsewhere")])
    assert _state(store) == ([], 0, {one.key: b"abcd", again.key: b"abcd"})


def test_tokens_of_another_space_are_not_ours(store: MemoryStore, tmp_path: Path) -> None:
    (one,) = _add(store, "one")
    _code(store, [one])
    other = MemoryStore(tmp_path / "memory.db", embedding_space=lambda: "another")
    assert _state(other) == ([], 0, {})
    with other.writing() as writer:
        writer.write_vectors([Embedded(one.key, one.content_hash, bytes(8))], 2)
    assert _state(other) == ([one.key], 1, {})
    assert _code(other, [one], b"new") == 1
    assert _state(other) == ([], 0, {one.key: b"new"})
    assert _state(store)[2] == {}
    other.close()
