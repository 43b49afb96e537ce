from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognitive_memory.retrieval import live_index
from cognitive_memory.retrieval.live_index import LiveIndex
from cognitive_memory.retrieval.vector_file import VectorFile
from cognitive_memory.storage.vectors import State, Vectors

DIMENSION = 4


def vector(number: int) -> np.ndarray:
    row = np.random.default_rng(number).standard_normal(DIMENSION).astype(np.float32)
    return row / np.linalg.norm(row)


class Source:
    """Vectors with a history, as the database gives them."""

    def __init__(self) -> None:
        self.now: dict[int, np.ndarray] = {}
        self.log: list[tuple[int, bool]] = []
        self.history = 0
        self.reads = 0

    def put(self, key: int, number: int) -> None:
        self.now[key] = vector(number)
        self.log.append((key, True))

    def drop(self, key: int) -> None:
        self.now.pop(key, None)
        self.log.append((key, False))

    def vectors_since(self, known: State | None) -> Vectors:
        state = State(len(self.log), self.history)
        everything = known is None or known.stamp != self.history or known.revision > state.revision
        since = 0 if known is None else known.revision
        touched = set(self.now) if everything else {key for key, _ in self.log[since:]}
        self.reads += everything
        keys = sorted(touched & set(self.now))
        vectors = np.array([self.now[key] for key in keys], dtype=np.float32).reshape(
            len(keys), DIMENSION
        )
        gone = None if everything else np.array(sorted(touched - set(self.now)), dtype=np.int64)
        return Vectors(state, np.array(keys, dtype=np.int64), vectors, gone)


def holds(index: LiveIndex, source: Source, space: str = "model") -> bool:
    found = index.current(space)
    keys = found.living_keys()
    if keys.tolist() != sorted(source.now):
        return False
    return not len(keys) or np.array_equal(
        found.vectors_of(keys), [source.now[key] for key in keys.tolist()]
    )


CHANGES = st.lists(st.tuples(st.integers(1, 30), st.booleans(), st.booleans()), max_size=80)


@pytest.mark.parametrize("in_file", [False, True])
def test_follows_every_change(
    in_file: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_index, "WORTH_A_FILE", 16)  # so that merging happens all the time
    numbers = iter(range(10**6))

    @given(CHANGES)
    def follow(changes: list[tuple[int, bool, bool]]) -> None:
        source = Source()
        file = VectorFile(tmp_path / f"{next(numbers)}.vectors") if in_file else None
        index = LiveIndex(source.vectors_since, file)
        for key, put, look in changes:
            source.put(key, next(numbers)) if put else source.drop(key)
            assert not look or holds(index, source)
        assert holds(index, source)
        assert holds(LiveIndex(source.vectors_since, file), source)

    follow()


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Source:
    monkeypatch.setattr(live_index, "WORTH_A_FILE", 16)
    source = Source()
    for key in range(1, 101):
        source.put(key, key)
    return source


@pytest.fixture
def file(tmp_path: Path) -> VectorFile:
    return VectorFile(tmp_path / "memory.vectors")


def test_the_next_process_reads_the_file_and_what_came_later(
    source: Source, file: VectorFile
) -> None:
    assert holds(LiveIndex(source.vectors_since, file), source)
    source.put(101, 101)
    source.drop(5)
    source.put(7, 1007)
    assert holds(LiveIndex(source.vectors_since, file), source)
    assert source.reads == 1


def test_few_vectors_are_not_worth_a_file(
    source: Source, file: VectorFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_index, "WORTH_A_FILE", 101)
    assert holds(LiveIndex(source.vectors_since, file), source)
    assert not file.path.exists()


def test_another_history_of_the_same_revision_is_read_anew(
    source: Source, file: VectorFile
) -> None:
    index = LiveIndex(source.vectors_since, file)
    assert holds(index, source)
    source.history = 1
    source.now[3] = vector(3003)
    assert holds(index, source)
    assert holds(LiveIndex(source.vectors_since, file), source)


def test_a_restored_older_state_is_read_anew(source: Source, file: VectorFile) -> None:
    index = LiveIndex(source.vectors_since, file)
    assert holds(index, source)
    source.history = 1
    del source.log[50:]
    source.now = {key: row for key, row in source.now.items() if key <= 50}
    assert holds(index, source)
    assert holds(LiveIndex(source.vectors_since, file), source)
    assert source.reads == 2


def test_another_model_begins_anew(source: Source, file: VectorFile) -> None:
    index = LiveIndex(source.vectors_since, file)
    assert holds(index, source, "one")
    source.now = {key: vector(key + 500) for key in source.now}
    assert holds(index, source, "two")
    assert holds(LiveIndex(source.vectors_since, file), source, "two")


def test_what_another_process_merged_is_taken_over(source: Source, file: VectorFile) -> None:
    first, second = LiveIndex(source.vectors_since, file), LiveIndex(source.vectors_since, file)
    assert holds(first, source)
    assert holds(second, source)
    for key in range(200, 260):
        source.put(key, key)
    assert holds(first, source)
    written = file.path.stat().st_mtime_ns
    assert holds(second, source)
    assert file.path.stat().st_mtime_ns == written


def test_a_directory_that_can_not_be_written_to_does_no_harm(
    source: Source, tmp_path: Path
) -> None:
    assert holds(
        LiveIndex(source.vectors_since, VectorFile(tmp_path / "missing" / "memory.vectors")), source
    )


def test_who_searches_is_not_disturbed_by_changes(source: Source) -> None:
    index = LiveIndex(source.vectors_since)
    before = index.current("model")
    keys, rows = before.living_keys(), before.vectors_of(before.living_keys())
    for key in range(50, 150):
        source.put(key, key + 5000)
        index.current("model")
    assert before.living_keys().tolist() == keys.tolist()
    np.testing.assert_array_equal(before.vectors_of(keys), rows)


def test_several_threads_at_once(source: Source, file: VectorFile) -> None:
    failures: list[object] = []
    lock = threading.Lock()  # the source is a plain dict

    class Guarded(Source):
        def vectors_since(self, known: State | None) -> Vectors:
            with lock:
                return source.vectors_since(known)

    index = LiveIndex(Guarded().vectors_since, file)

    def search() -> None:
        for _ in range(100):
            found = index.current("model")
            keys = found.living_keys()
            vectors = found.vectors_of(keys)
            if not np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5):
                failures.append(keys)

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for key in range(1, 400):
        with lock:
            source.put(key, key + 9000)
    for thread in threads:
        thread.join()
    assert not failures
    assert holds(index, source)
