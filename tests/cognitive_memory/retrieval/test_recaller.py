from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cognitive_memory.core.memory import MemoryType, NewMemory, Origin
from cognitive_memory.core.recall import QuestionError, RecallFilter, RecallMode
from cognitive_memory.encoding import Encoder, TextError
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.retrieval.recaller import MAX_CHARACTERS, Recaller
from cognitive_memory.retrieval.scoring import Weights
from cognitive_memory.storage.store import MemoryStore
from cognitive_memory.storage.token_codes import TokenReader
from tests.cognitive_memory.retrieval.conftest import NOTES, Letters, texts


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("when is a deploy?", NOTES[0]),
        ("which database", NOTES[1]),
        ("user name", NOTES[3]),
        ("遅い検索", NOTES[4]),
        ('"back-off" AND (', NOTES[2]),
    ],
)
def test_found_first(filled: ProjectMemory, question: str, answer: str) -> None:
    assert texts(filled, question)[0] == answer


def test_every_memory_answers_when_there_is_room(filled: ProjectMemory) -> None:
    answer = filled.recall("database", limit=50)
    assert len(answer.hits) == len(NOTES)
    assert answer.mode is RecallMode.HYBRID
    assert answer.pending == 0
    assert answer.notes == ()
    assert [hit.score for hit in answer.hits] == sorted(
        (hit.score for hit in answer.hits), reverse=True
    )


def test_limit(filled: ProjectMemory) -> None:
    assert texts(filled, "database", limit=2) == texts(filled, "database", limit=50)[:2]


def test_parts_add_up_to_the_score(filled: ProjectMemory) -> None:
    for hit in filled.recall("which database", explain=True).hits:
        assert set(hit.parts) == {
            *("keywords", "meaning", "tokens", "asked", "tests", "time", "recency"),
            *("stored", "pinned", "importance"),
        }
        assert sum(hit.parts.values()) == pytest.approx(hit.score)
    assert all(hit.parts == {} for hit in filled.recall("which database").hits)


def test_a_word_by_chance_brings_less_than_all_words(filled: ProjectMemory) -> None:
    def best(question: str) -> float:
        return max(hit.parts["keywords"] for hit in filled.recall(question, explain=True).hits)

    assert best("database postgresql 16") == pytest.approx(0.35)
    assert best("database flights kubernetes blockchain") < 0.35


def test_what_has_no_vector_shows_no_meaning(filled: ProjectMemory) -> None:
    waiting = filled.store(NewMemory(text="The database is slow"), embed=False)
    parts = {hit.memory.id: hit.parts for hit in filled.recall("database", explain=True).hits}
    assert parts[waiting.id]["meaning"] == 0
    assert parts[waiting.id]["keywords"] > 0


def test_the_first_of_several_lines_counts_as_much_as_all(
    filled: ProjectMemory, engine: Letters
) -> None:
    engine.embedded.clear()
    filled.recall("which database\n\nlog one\nlog two")
    assert engine.embedded == ["which database\n\nlog one\nlog two", "which database"]
    engine.embedded.clear()
    filled.recall("---\nwhich database")
    assert engine.embedded == ["---\nwhich database"]


def test_what_was_stored_by_hand_is_not_lost_among_what_was_loaded(memory: ProjectMemory) -> None:
    decision = memory.store(NewMemory(text="The database is pinned at 16"))
    memory.store_many(
        NewMemory(text=f"Bump the database to {number}", origin=Origin.COMMIT)
        for number in range(200)
    )
    assert memory.recall("bump database", limit=1).hits[0].memory.id == decision.id


def test_words_of_what_was_stored_by_hand_count_however_many_others_match_better(
    memory: ProjectMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cognitive_memory.retrieval.recaller.KEYWORD_HITS", 3)
    decision = memory.store(NewMemory(text="Tests need a database that sorts as ours does"))
    memory.store_many(
        NewMemory(text=f"database {number}", origin=Origin.COMMIT) for number in range(9)
    )
    hits = memory.recall("database", explain=True).hits
    by_words = {hit.memory.id for hit in hits if hit.parts["keywords"]}
    assert decision.id in by_words
    assert 3 < len(by_words) < len(hits)
    others = RecallFilter(origins=frozenset({Origin.COMMIT}))
    assert decision.id not in {
        hit.memory.id for hit in memory.recall("database", filter=others).hits
    }


def test_when_nothing_fits_the_answer_says_so(memory: ProjectMemory, engine: Letters) -> None:
    words = [f"{first}{second}" for first in "abcdefgh" for second in "klmnpqrs"]
    memory.store_many(NewMemory(text=f"note about {word}") for word in words)
    engine.here = False
    weak = memory.recall("zzzz qqqq kubernetes blockchain note")
    assert weak.weak
    assert any("Nothing fits the question well" in note for note in weak.notes)
    strong = memory.recall("note ak")
    assert not strong.weak
    assert not any("fits" in note for note in strong.notes)


@pytest.mark.parametrize("question", ["", " \n\t"])
def test_a_blank_question_is_an_error(filled: ProjectMemory, question: str) -> None:
    with pytest.raises(QuestionError, match="blank"):
        filled.recall(question)


def test_less_than_one_hit_is_an_error(filled: ProjectMemory) -> None:
    with pytest.raises(QuestionError, match="not 0"):
        filled.recall("database", limit=0)


def test_an_empty_memory_has_no_answer(memory: ProjectMemory) -> None:
    answer = memory.recall("anything")
    assert answer.hits == ()
    assert answer.pending == 0


def test_without_the_model_words_answer(filled: ProjectMemory, engine: Letters) -> None:
    engine.here = False
    answer = filled.recall("database deploy")
    assert {hit.memory.text for hit in answer.hits} == {NOTES[0], NOTES[1]}
    assert answer.mode is RecallMode.KEYWORDS
    assert "not on this machine" in answer.notes[0]


def test_without_vectors_words_answer(memory: ProjectMemory, engine: Letters) -> None:
    memory.store(NewMemory(text=NOTES[1]), embed=False)
    answer = memory.recall("database")
    assert [hit.memory.text for hit in answer.hits] == [NOTES[1]]
    assert answer.mode is RecallMode.KEYWORDS
    assert answer.pending == 1
    assert engine.embedded == []  # a model that can't help is not loaded


def test_a_question_that_the_model_can_not_read(
    filled: ProjectMemory, engine: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(texts: object) -> np.ndarray:
        raise TextError(0, "holds nothing to embed")

    monkeypatch.setattr(engine, "embed", refuse)
    answer = filled.recall("database")
    assert [hit.memory.text for hit in answer.hits] == [NOTES[1]]
    assert answer.mode is RecallMode.KEYWORDS
    assert "nothing to embed" in answer.notes[0]


def test_without_a_shared_word_meaning_answers(filled: ProjectMemory) -> None:
    answer = filled.recall("zzz")
    assert len(answer.hits) == len(NOTES)
    assert answer.mode is RecallMode.HYBRID
    assert any("meaning alone" in note for note in answer.notes)


def test_a_filter_that_nothing_passes(filled: ProjectMemory) -> None:
    answer = filled.recall("zzz", filter=RecallFilter(tags=frozenset({"missing"})))
    assert answer.hits == ()
    assert answer.notes == ()


def test_a_memory_that_waits_for_its_vector_is_found(filled: ProjectMemory) -> None:
    filled.store(NewMemory(text="The queue is RabbitMQ"), embed=False)
    answer = filled.recall("queue")
    assert answer.hits[0].memory.text == "The queue is RabbitMQ"
    assert answer.pending == 1
    assert "1 memory has no vector yet" in answer.notes[0]


def test_a_very_long_question(filled: ProjectMemory, engine: Letters) -> None:
    answer = filled.recall("database " + "lorem ipsum " * 100_000)
    assert answer.hits[0].memory.text == NOTES[1]
    assert str(MAX_CHARACTERS) in answer.notes[0]
    assert len(engine.embedded[-1]) == MAX_CHARACTERS


def test_a_lone_surrogate_does_no_harm(filled: ProjectMemory) -> None:
    assert texts(filled, "database \udcff")[0] == NOTES[1]


def test_what_others_change_is_seen_at_once(
    filled: ProjectMemory, another: Callable[[], ProjectMemory]
) -> None:
    texts(filled, "database")
    other = another()
    added = other.store(NewMemory(text="The mail server is Postfix"))
    assert texts(filled, "mail server", limit=1) == ["The mail server is Postfix"]
    other.update(added.id, text="The mail server is Exim")
    assert texts(filled, "Exim", limit=1) == ["The mail server is Exim"]
    assert "The mail server is Postfix" not in texts(filled, "mail", limit=50)
    other.delete([added.id])
    assert len(texts(filled, "mail", limit=50)) == len(NOTES)


def test_vectors_of_another_model_are_not_compared(filled: ProjectMemory, engine: Letters) -> None:
    assert filled.recall("database").mode is RecallMode.HYBRID
    engine.name = "other letters"
    answer = filled.recall("database")
    assert answer.mode is RecallMode.KEYWORDS
    assert answer.pending == len(NOTES)
    filled.embed_pending()
    assert filled.recall("database").mode is RecallMode.HYBRID


def test_the_same_text_comes_once_and_the_limit_is_filled(memory: ProjectMemory) -> None:
    for source in range(60):
        memory.store(
            NewMemory(
                text="We deploy on Fridays." if source % 2 else "we deploy on fridays",
                source=str(source),
            )
        )
    memory.store(NewMemory(text="Deploy keys live in the vault"))
    assert min(texts(memory, "deploy", limit=2)) == "Deploy keys live in the vault"
    assert len(texts(memory, "deploy", limit=10)) == 2


def test_important_and_recent_ones_come_first_among_equals(
    memory: ProjectMemory, recaller: Recaller
) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    for name, days, importance in (("a", 900, 0.5), ("b", 900, 1.0), ("c", 1, 0.5), ("d", 1, 0.0)):
        memory.store(
            NewMemory(
                text=f"the port is {name}",
                created_at=now - timedelta(days=days),
                importance=importance,
                source=name,
            )
        )
    order = [hit.memory.source for hit in recaller.recall("port", now=now).hits]
    assert order.index("b") < order.index("a")
    assert order.index("c") < order.index("d")


def test_weights_can_be_set(filled: ProjectMemory, store: MemoryStore, engine: Letters) -> None:
    hits = (
        Recaller(store, engine, weights=Weights(meaning=0.0, recency=0.0, stored=0.0))
        .recall("database", explain=True)
        .hits
    )
    assert [hit.score for hit in hits if hit.memory.text != NOTES[1]] == [0.0] * (len(NOTES) - 1)


NOW = datetime(2026, 1, 1, tzinfo=UTC)
FILTERS = st.builds(
    RecallFilter,
    types=st.frozensets(st.sampled_from(MemoryType)),
    tags=st.frozensets(st.sampled_from(["a", "b", "missing"])),
    sources=st.frozensets(st.sampled_from(["docs", "docs/guide.md", "src", "do"])),
    since=st.none() | st.integers(0, 40).map(lambda days: NOW + timedelta(days=days)),
    until=st.none() | st.integers(0, 40).map(lambda days: NOW + timedelta(days=days)),
)


@pytest.fixture
def varied(tmp_path: Path) -> ProjectMemory:
    engine = Letters()
    store = MemoryStore(tmp_path / "varied.db", embedding_space=engine.embedding_space)
    memory = ProjectMemory(store, engine)
    memory.store_many(
        NewMemory(
            text=f"note {number} about {('deploy', 'database', 'retries')[number % 3]}",
            type=list(MemoryType)[number % 3],
            tags=(("a",), ("b",), ("a", "b"), ())[number % 4],
            source=("docs/guide.md", "docs", "src/main.py", None, "docs-old/x")[number % 5],
            created_at=NOW + timedelta(days=number % 37),
        )
        for number in range(120)
    )
    memory.embed_pending()
    return memory


@settings(max_examples=40)
@given(
    wanted=FILTERS,
    question=st.sampled_from(["deploy note", "zzz", "database 7"]),
    limit=st.integers(1, 130),
)
def test_a_filter_gives_the_first_that_pass_of_all(
    varied: ProjectMemory, wanted: RecallFilter, question: str, limit: int
) -> None:
    passing = {memory.id for memory in varied.memories(wanted)}
    hits = varied.recall(question, filter=wanted, limit=limit).hits
    assert len(hits) == min(limit, len(passing))
    assert {hit.memory.id for hit in hits} <= passing
    every = varied.recall(question, limit=1000, explain=True).hits
    meaning = {hit.memory.id: hit.parts["meaning"] for hit in every}
    for hit in varied.recall(question, filter=wanted, limit=limit, explain=True).hits:
        assert hit.parts["meaning"] == pytest.approx(meaning[hit.memory.id], abs=1e-6)


@pytest.mark.model
def test_meaning_is_found_where_no_word_is_shared(tmp_path: Path, encoder: Encoder) -> None:
    class Real(Letters):
        dimension = encoder.settings.embedding_dimension

        def embed(self, texts: object) -> np.ndarray:
            return encoder.encode_batch(texts)  # type: ignore[arg-type]

    engine = Real()
    with ProjectMemory(
        MemoryStore(tmp_path / "memory.db", embedding_space=engine.embedding_space), engine
    ) as memory:
        memory.store_many(
            NewMemory(text=text)
            for text in (
                "Deployments go out every Friday at noon",
                "The kitten naps on the sofa",
                "Passwords are hashed with argon2",
                "CI runs on three operating systems",
            )
        )
        memory.embed_pending()
        assert (
            texts(memory, "how are credentials protected?")[0] == "Passwords are hashed with argon2"
        )
        assert texts(memory, "where does our young cat rest")[0] == "The kitten naps on the sofa"
        assert (
            texts(memory, "when do we release to production")[0]
            == "Deployments go out every Friday at noon"
        )


def test_tokens_tell_what_words_and_meaning_leave_equal(
    memory: ProjectMemory, engine: Letters
) -> None:
    engine.tells_tokens = True
    memory.store_many([NewMemory(text=text) for text in ("listen to the radio", "silent radio")])
    hit, *_ = memory.recall("silent", explain=True).hits
    assert hit.memory.text == "silent radio"
    assert hit.parts["tokens"] == pytest.approx(memory.weights.tokens, abs=0.02)
    assert sum(hit.parts.values()) == pytest.approx(hit.score)


def test_tokens_tell_less_of_a_commit(memory: ProjectMemory, engine: Letters) -> None:
    engine.tells_tokens = True
    memory.store_many(NewMemory(text=text) for text in ("silent radio", "a loud one"))
    memory.store(NewMemory(text="radio, silent", origin=Origin.COMMIT))
    hits = memory.recall("silent", explain=True).hits
    by_text = {hit.memory.text: hit.parts["tokens"] for hit in hits}
    as_near, far = by_text["silent radio"], by_text["a loud one"]
    usual = (2 * as_near + far) / 3
    expected = usual + memory.weights.commits * (as_near - usual)
    assert by_text["radio, silent"] == pytest.approx(expected)
    assert usual < expected < as_near


def test_memories_without_tokens_are_ranked_as_ever_and_get_them_beside_their_vectors(
    memory: ProjectMemory, engine: Letters
) -> None:
    memory.store_many(NewMemory(text=text) for text in ("the first", "the second", "third"))
    before = memory.recall("the second", explain=True)
    with memory.storage.reading() as reader:
        vectors = reader.vectors.since(None)
    engine.tells_tokens = True
    without = memory.recall("the second", explain=True)
    assert [hit.memory for hit in without.hits] == [hit.memory for hit in before.hits]
    assert {hit.parts["tokens"] for hit in without.hits} == {0}
    assert memory.embed_pending() == 0  # no vector was missing
    with memory.storage.reading() as reader:
        assert TokenReader(reader.vectors).pending_count() == 0
        assert reader.vectors.since(vectors.state).keys.tolist() == []
    assert memory.recall("the second", explain=True).hits[0].parts["tokens"] > 0.25
    engine.embedded.clear()
    memory.embed_pending()
    assert engine.embedded == []
