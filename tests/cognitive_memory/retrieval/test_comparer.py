from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from cognitive_memory.core.memory import MemoryType, NewMemory
from cognitive_memory.core.recall import EVERYTHING, Recall, RecallFilter, RecallMode
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.retrieval import live_index
from cognitive_memory.retrieval.recaller import Recaller
from cognitive_memory.retrieval.vector_file import VectorFile
from cognitive_memory.storage.store import MemoryStore
from cognitive_memory.storage.vectors import State
from tests.cognitive_memory.retrieval.conftest import NOTES, Letters, texts


def asked(memory: ProjectMemory, filter: RecallFilter = EVERYTHING) -> Recall:
    """An answer that does not depend on the moment."""
    recaller = Recaller(memory.storage, Letters(), file=memory.database.with_suffix(".vectors"))
    return recaller.recall("which database", filter=filter, now=datetime(2030, 1, 1, tzinfo=UTC))


def forged(memory: ProjectMemory, rows: np.ndarray, *, revision: int = 0) -> Path:
    """A file beside the database that says it has these vectors of all its memories at this moment."""
    with memory.storage.reading() as reader:
        now = reader.vectors.since(None)
    file = VectorFile(memory.database.with_suffix(".vectors"))
    state = State(now.state.revision + revision, now.state.stamp)
    file.write(str(memory.storage.embedding_space()), state, [(now.keys, rows)])
    return file.path


WRONG_ROWS = {
    "three numbers": np.ones((len(NOTES), 3), dtype=np.float32),
    "no numbers": np.full((len(NOTES), 32), np.nan, dtype=np.float32),
    "infinite": np.full((len(NOTES), 32), np.inf, dtype=np.float32),
    "minus infinite": np.full((len(NOTES), 32), -np.inf, dtype=np.float32),
    "long": np.full((len(NOTES), 32), 1e30, dtype=np.float32),
    "one of them no number": np.vstack(
        [np.eye(len(NOTES) - 1, 32), np.full((1, 32), np.nan)]
    ).astype(np.float32),
}


@pytest.mark.parametrize("rows", WRONG_ROWS.values(), ids=WRONG_ROWS)
@pytest.mark.parametrize("filter", [RecallFilter(), RecallFilter(types=frozenset(MemoryType))])
def test_a_file_of_wrong_vectors_is_thrown_away_and_the_answer_is_right(
    filled: ProjectMemory,
    another: Callable[[], ProjectMemory],
    rows: np.ndarray,
    filter: RecallFilter,
    caplog: pytest.LogCaptureFixture,
) -> None:
    wanted = asked(filled, filter)
    memory = another()
    path = forged(memory, rows)
    assert asked(memory, filter) == wanted
    assert not path.exists()
    assert len([record for record in caplog.records if "thrown away" in record.message]) == 1


def test_so_is_one_that_says_it_is_of_a_later_state(
    filled: ProjectMemory, another: Callable[[], ProjectMemory]
) -> None:
    wanted = asked(filled)
    memory = another()
    forged(memory, WRONG_ROWS["three numbers"], revision=1000)
    assert asked(memory) == wanted


@pytest.mark.parametrize(
    "wrong", ["short", "long", "no number", "all short", "all short, and so said"]
)
@pytest.mark.parametrize("read_only", [False, True])
def test_wrong_vectors_in_the_database_are_pending(
    filled: ProjectMemory, another: Callable[[], ProjectMemory], wrong: str, read_only: bool
) -> None:
    wanted = asked(filled)
    numbers = {"long": np.ones(64), "no number": np.full(32, np.nan)}.get(wrong, np.ones(3))
    damaged = len(NOTES) if wrong.startswith("all") else 1
    with closing(sqlite3.connect(filled.database)) as connection, connection:
        query = "UPDATE embeddings SET vector = ? WHERE memory IN (SELECT memory FROM embeddings LIMIT ?)"
        connection.execute(query, (numbers.astype("<f4").tobytes(), damaged))
        if wrong.endswith("said"):
            connection.execute("UPDATE models SET size = 12")
    memory = another()
    if read_only:
        memory.storage.prepared = memory.storage.prepared._replace(read_only=True)
    found = memory.recall("which database", limit=50)
    assert NOTES[1] in [hit.memory.text for hit in found.hits]
    if read_only:
        assert found.mode is RecallMode.KEYWORDS
        assert any("Searched by keywords alone: " in note for note in found.notes)
    else:
        assert found.pending == damaged
        memory.embed_pending()
        assert asked(memory) == wanted


def test_what_is_stored_where_the_database_says_a_wrong_size_is_embedded(
    filled: ProjectMemory, another: Callable[[], ProjectMemory]
) -> None:
    with closing(sqlite3.connect(filled.database)) as connection, connection:
        connection.execute("UPDATE models SET size = 12")
    memory = another()
    memory.store(NewMemory(text="One more"))
    assert (memory.storage.status().embedded, memory.storage.status().pending) == (
        len(NOTES) + 1,
        0,
    )
    assert texts(memory, "one more")[0] == "One more"


@pytest.mark.parametrize("way", ["stored", "embedded later", "imported"])
def test_many_new_vectors_are_in_the_file_before_the_first_question(
    way: str,
    memory: ProjectMemory,
    engine: Letters,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_index, "WORTH_A_FILE", 16)
    monkeypatch.setattr("cognitive_memory.retrieval.comparer.MANY", 16)
    engine.here = way != "embedded later"
    made = memory
    memory.store_many(NewMemory(text=f"text {number}") for number in range(20))
    if way == "embedded later":
        engine.here = True
        memory.embed_pending()
    elif way == "imported":
        made = ProjectMemory(
            MemoryStore(tmp_path / "other.db", embedding_space=engine.embedding_space), engine
        )
        made.import_lines(memory.export_lines())
        made.close()
    saved = VectorFile(made.database.with_suffix(".vectors")).read("letters")
    assert saved is not None
    assert len(saved.keys) == 20
