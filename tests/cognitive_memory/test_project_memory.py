"""What command line, server and loaders rely on."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cognitive_memory.core.memory import MemoryType, NewMemory, Origin
from cognitive_memory.core.recall import RecallFilter
from cognitive_memory.core.values import MemoryValueError
from cognitive_memory.embedding.pipeline import EmbeddingPipeline
from cognitive_memory.encoding import ModelLoadError
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.storage.backup import problems_in
from cognitive_memory.storage.errors import UnknownMemoryError
from cognitive_memory.storage.migrations import carried
from tests.support.plain_embedder import PlainEmbedder
from tests.support.sources import remove_source, replace_source

A_DAY = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=timezone(timedelta(hours=2)))
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def embedder() -> PlainEmbedder:
    return PlainEmbedder()


@pytest.fixture
def memory(tmp_path: Path, embedder: PlainEmbedder) -> Iterator[ProjectMemory]:
    with embedder.open(tmp_path / "memory.db") as memory:
        yield memory
        assert problems_in(memory.database) == []


def texts(found: Any) -> list[str]:
    return [item.text for item in found]


class TestStore:
    def test_everything_comes_back(self, memory: ProjectMemory) -> None:
        new = NewMemory(
            text="The parser retries three times.\n\N{GREEK SMALL LETTER ALPHA}\0\u2028",
            type=MemoryType.CONCEPT,
            tags=("parser", "wörter", 'a "b"'),
            source="docs/guide.md",
            context="Guide > Errors",
            importance=0.75,
            pinned=True,
            created_at=A_DAY,
            metadata={"line": 3, "deep": [None, {"x": 1.5}], "": "é"},
            id="6F9619FF-8B86-D011-B42D-00C04FC964FF",
        )
        stored = memory.store(new)
        for name in (
            "text",
            "type",
            "tags",
            "source",
            "context",
            "importance",
            "pinned",
            "metadata",
            "created_at",
            "id",
            "origin",
        ):
            assert getattr(stored, name) == getattr(new, name), name
        assert stored.created_at.tzinfo == UTC
        assert stored.embedded
        assert memory.get(stored.id) == stored
        assert list(memory.memories()) == [stored]

    def test_defaults_are_filled_in(self, memory: ProjectMemory) -> None:
        before = datetime.now(UTC)
        stored = memory.store(NewMemory(text="a"))
        assert before <= stored.created_at == stored.updated_at <= datetime.now(UTC)
        assert stored.revision == 1

    def test_same_again_is_the_same_memory_with_what_is_new(self, memory: ProjectMemory) -> None:
        first = memory.store(NewMemory(text="a", context="c", tags=("x",), importance=0.9))
        again = memory.store(NewMemory(text="a", context="c"))
        assert again == first
        more = memory.store(NewMemory(text="a", context="c", tags=("y", "x"), pinned=True))
        assert (more.id, more.tags, more.pinned, more.importance) == (
            first.id,
            ("x", "y"),
            True,
            0.9,
        )
        assert memory.storage.status().memories == 1

    @pytest.mark.parametrize(
        "other", [{"text": "b"}, {"context": "d"}, {"source": "s"}, {"origin": "adopted"}]
    )
    def test_of_many_other_text_context_source_or_origin_is_another_memory(
        self, memory: ProjectMemory, other: dict[str, Any]
    ) -> None:
        first = NewMemory(text="a", context="c")
        memory.store_many([first])
        memory.store_many([replace(first, **other)])
        assert memory.storage.status().memories == 2

    def test_same_id_is_replaced(self, memory: ProjectMemory) -> None:
        first = memory.store(NewMemory(text="a", id=NOBODY, tags=("x",), created_at=A_DAY))
        second = memory.store(NewMemory(text="b", id=NOBODY))
        assert (second.text, second.tags, second.created_at) == ("b", (), first.created_at)
        assert second.revision > first.revision
        assert memory.store(NewMemory(text="b", id=NOBODY)) == second

    def test_without_the_model_it_waits(
        self, memory: ProjectMemory, embedder: PlainEmbedder
    ) -> None:
        embedder.here = False
        assert not memory.store(NewMemory(text="a")).embedded
        assert memory.storage.status().pending == 1
        embedder.here = True
        assert memory.embed_pending() == 1
        assert memory.get(next(memory.memories()).id).embedded

    def test_embedding_can_be_left_for_later(
        self, memory: ProjectMemory, embedder: PlainEmbedder
    ) -> None:
        assert not memory.store(NewMemory(text="a"), embed=False).embedded
        assert embedder.texts == []

    def test_same_content_is_not_embedded_twice(
        self, memory: ProjectMemory, embedder: PlainEmbedder
    ) -> None:
        memory.store(NewMemory(text="a", source="old.md"))
        assert memory.store(NewMemory(text="a", source="new.md"), embed=False).embedded
        assert embedder.texts == ["a"]

    def test_other_process_sees_it_at_once(self, memory: ProjectMemory) -> None:
        with PlainEmbedder().open(memory.database) as other:
            stored = memory.store(NewMemory(text="a"))
            assert other.get(stored.id) == stored


class TestStoreMany:
    def test_reports_and_streams(self, memory: ProjectMemory, embedder: PlainEmbedder) -> None:
        memory.store(NewMemory(text="text 3"))
        seen: list[tuple[int, int]] = []
        produced = 0

        def produce() -> Iterator[NewMemory]:
            nonlocal produced
            for produced in range(1000):
                yield NewMemory(text=f"text {produced}", tags=("new",))

        report = memory.store_many(
            produce(), progress=lambda stored, over: seen.append((stored, over))
        )
        assert (report.added, report.updated, report.unchanged) == (999, 1, 0)
        assert [memory.get(item).text for item in report.ids[::100]] == [
            f"text {n}" for n in range(0, 1000, 100)
        ]
        assert memory.storage.status().pending == 0
        assert len(embedder.texts) == len(set(embedder.texts)) == 1000
        assert seen[0][0] < 1000
        assert seen[-1] == (1000, 1000)
        again = memory.store_many([NewMemory(text=f"text {number}") for number in range(1000)])
        assert (again.added, again.updated, again.unchanged) == (0, 0, 1000)
        assert again.ids == report.ids

    def test_doubles_among_them_are_one(self, memory: ProjectMemory) -> None:
        report = memory.store_many([NewMemory(text="a"), NewMemory(text="a")])
        assert (report.added, report.unchanged) == (1, 1)
        assert report.ids[0] == report.ids[1]

    def test_what_was_read_before_an_error_stays(self, memory: ProjectMemory) -> None:
        def produce() -> Iterator[NewMemory]:
            for number in range(600):
                yield NewMemory(text=f"text {number}")
            raise OSError("the disk went away")

        with pytest.raises(OSError, match="went away"):
            memory.store_many(produce())
        status = memory.storage.status()
        assert status.memories == status.embedded == 512

    def test_failing_model_only_delays(
        self,
        memory: ProjectMemory,
        embedder: PlainEmbedder,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def broken(_: Any) -> Any:
            raise ModelLoadError("somewhere", "it is broken")

        monkeypatch.setattr(embedder, "embed", broken)
        assert not memory.store(NewMemory(text="one")).embedded
        memory.store_many(NewMemory(text=f"{number}") for number in range(1000))
        assert memory.storage.status().pending == 1001
        assert [record.message for record in caplog.records] == [
            "stored, but not embedded yet: the embedding model in somewhere can't be loaded: it is broken"
        ] * 2

    def test_unreadable_text_is_stored_with_the_reason(self, memory: ProjectMemory) -> None:
        memory.store_many([NewMemory(text="a"), NewMemory(text="unreadable"), NewMemory(text="b")])
        status = memory.storage.status()
        assert (status.embedded, status.not_embeddable, status.pending) == (2, 1, 0)
        assert texts(hit.memory for hit in memory.recall("unreadable").hits) == ["unreadable"]


class TestSources:
    def test_source_becomes_what_is_given(self, memory: ProjectMemory) -> None:
        other = memory.store(NewMemory(text="one", source="other.md"))
        first = replace_source(
            memory, "a.md", [NewMemory(text="one"), NewMemory(text="two"), NewMemory(text="two")]
        )
        assert (first.added, first.unchanged, first.updated, first.removed) == (3, 0, 0, 0)
        before = {
            item.id: item for item in memory.memories(RecallFilter(sources=frozenset({"a.md"})))
        }
        second = replace_source(
            memory, "a.md", [NewMemory(text="two", importance=0.9), NewMemory(text="three")]
        )
        assert (second.added, second.unchanged, second.updated, second.removed) == (1, 0, 1, 2)
        after = list(memory.memories(RecallFilter(sources=frozenset({"a.md"}))))
        assert sorted(texts(after)) == ["three", "two"]
        kept = next(item for item in after if item.text == "two")
        assert kept.created_at == before[kept.id].created_at
        assert memory.get(other.id) == other
        assert Counter(each.source for each in memory.memories()) == {"a.md": 2, "other.md": 1}

    def test_repeat_changes_nothing(self, memory: ProjectMemory) -> None:
        chunks = [NewMemory(text=f"chunk {number}", context="file") for number in range(20)]
        replace_source(memory, "a.md", chunks)
        revision = memory.storage.status().revision
        report = replace_source(memory, "a.md", chunks)
        assert (report.added, report.unchanged, report.updated, report.removed) == (0, 20, 0, 0)
        assert memory.storage.status().revision == revision

    def test_ids_follow_from_source_and_content(
        self, memory: ProjectMemory, tmp_path: Path
    ) -> None:
        replace_source(memory, "a.md", [NewMemory(text="one"), NewMemory(text="one")])
        with PlainEmbedder().open(tmp_path / "another.db") as other:
            replace_source(
                other,
                "a.md",
                [NewMemory(text="zero"), NewMemory(text="one"), NewMemory(text="one")],
            )
            there = {item.id for item in other.memories() if item.text == "one"}
        assert {item.id for item in memory.memories()} == there

    def test_removed_source_is_gone(self, memory: ProjectMemory) -> None:
        replace_source(memory, "a.md", [NewMemory(text="one")])
        assert remove_source(memory, "a.md") == 1
        assert remove_source(memory, "a.md") == 0
        assert Counter(each.source for each in memory.memories()) == {}

    def test_moved_file_is_not_embedded_again(
        self, memory: ProjectMemory, embedder: PlainEmbedder
    ) -> None:
        replace_source(memory, "old.md", [NewMemory(text="one")])
        memory.embed_pending()
        replace_source(memory, "new.md", [NewMemory(text="one")])
        remove_source(memory, "old.md")
        assert memory.embed_pending() == 0
        assert embedder.texts == ["one"]
        assert memory.storage.status().embedded == 1


class TestUpdate:
    def test_fields_change_and_the_rest_stays(self, memory: ProjectMemory) -> None:
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

    def test_a_change_leaves_the_origin(self, memory: ProjectMemory) -> None:
        old = memory.store(NewMemory(text="a", origin=Origin.ADOPTED))
        assert memory.update(old.id, text="b", pinned=True).origin is Origin.ADOPTED
        with pytest.raises(MemoryValueError, match="origin: can't be changed"):
            memory.update(old.id, origin="stored")

    def test_new_text_has_a_new_vector_and_new_words(
        self, memory: ProjectMemory, embedder: PlainEmbedder
    ) -> None:
        old = memory.store(NewMemory(text="apples"))
        new = memory.update(old.id, text="pears")
        assert new.embedded
        assert new.content_hash != old.content_hash
        assert embedder.texts == ["apples", "pears"]
        assert memory.recall("pears", explain=True).hits[0].parts["keywords"] > 0
        assert memory.recall("apples", explain=True).hits[0].parts["keywords"] == 0

    def test_nothing_new_changes_nothing(self, memory: ProjectMemory) -> None:
        old = memory.store(NewMemory(text="a"))
        assert memory.update(old.id, text="a", importance=0.5) == old

    def test_unknown_memory(self, memory: ProjectMemory) -> None:
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
        self, memory: ProjectMemory, changes: dict[str, Any], named: str
    ) -> None:
        old = memory.store(NewMemory(text="a"))
        with pytest.raises(MemoryValueError, match=named):
            memory.update(old.id, **changes)
        assert memory.get(old.id) == old


class TestDelete:
    def test_what_was_deleted_comes_back(self, memory: ProjectMemory) -> None:
        one, two, three = (memory.store(NewMemory(text=text)) for text in ("one", "two", "three"))
        assert memory.delete([three.id, one.id, one.id.upper()]) == (three, one)
        assert list(memory.memories()) == [two]
        assert texts(hit.memory for hit in memory.recall("three").hits) == ["two"]

    def test_all_or_none(self, memory: ProjectMemory) -> None:
        one = memory.store(NewMemory(text="one"))
        with pytest.raises(
            UnknownMemoryError, match=f"no memory has the id {NOBODY}; nothing was changed"
        ):
            memory.delete([one.id, NOBODY])
        assert list(memory.memories()) == [one]

    def test_by_tags(self, memory: ProjectMemory) -> None:
        memory.store_many([NewMemory(text=tags, tags=tuple(tags)) for tags in ("ab", "bc", "c")])
        assert texts(memory.delete_by_tags([" a", "b"], dry_run=True).first) == ["ab", "bc"]
        assert memory.storage.status().tags == {"b": 2, "c": 2, "a": 1}
        assert texts(memory.delete_by_tags(["a", "b"]).first) == ["ab", "bc"]
        assert memory.delete_by_tags(["a", "b"]).count == 0
        assert memory.storage.status().tags == {"c": 1}

    @pytest.mark.slow
    def test_very_many(self, memory: ProjectMemory, embedder: PlainEmbedder) -> None:
        embedder.here = False
        ids = memory.store_many(NewMemory(text=f"{number}") for number in range(33_000)).ids
        assert len(memory.delete(ids)) == 33_000
        assert memory.storage.status().memories == 0


class TestList:
    @pytest.fixture
    def four(self, memory: ProjectMemory) -> None:
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
    def test_orders_and_pages(self, memory: ProjectMemory, order: str, expected: str) -> None:
        assert "".join(texts(memory.memories(order=order))) == expected
        paged = ""
        after = None
        while page := list(memory.memories(order=order, limit=1, after=after)):
            paged += page[0].text
            after = page[0].id
        assert paged == expected

    @pytest.mark.usefixtures("four")
    def test_pinned(self, memory: ProjectMemory) -> None:
        assert texts(memory.memories(pinned=True)) == ["3", "0"]
        assert texts(memory.memories(pinned=False)) == ["1", "2"]

    def test_origin(self, memory: ProjectMemory) -> None:
        memory.store_many(NewMemory(text=origin, origin=origin) for origin in Origin)
        for origin in Origin:
            assert texts(memory.memories(origin=origin)) == [origin]

    @pytest.mark.parametrize("name", ["since", "until"])
    def test_filter_by_a_moment_without_a_time_zone(self, name: str) -> None:
        with pytest.raises(MemoryValueError, match=f"{name}: 2026-03-01T00:00:00 has no time zone"):
            replace(RecallFilter(), **{name: datetime(2026, 3, 1)})  # type: ignore[arg-type]

    def test_unknown_order_and_unknown_page(self, memory: ProjectMemory) -> None:
        with pytest.raises(
            MemoryValueError,
            match="order: expected one of newest, oldest, changed, important, got 'best'",
        ):
            list(memory.memories(order="best"))
        with pytest.raises(UnknownMemoryError):
            list(memory.memories(after=NOBODY))

    def test_reader_in_the_middle_does_not_keep_writers_waiting(
        self, memory: ProjectMemory
    ) -> None:
        memory.store_many(NewMemory(text=str(number)) for number in range(1200))
        walk = memory.memories(order="oldest")
        next(walk)
        memory.store(NewMemory(text="written meanwhile"))
        assert len(list(walk)) == 1200


class TestEmbedPending:
    def test_newest_first_with_progress(
        self, memory: ProjectMemory, embedder: PlainEmbedder
    ) -> None:
        embedder.here = False
        memory.store_many(NewMemory(text=f"{number}") for number in range(600))
        seen: list[tuple[int, int]] = []
        assert memory.embed_pending(progress=lambda done, total: seen.append((done, total))) == 600
        assert seen == [(256, 600), (512, 600), (600, 600)]
        assert embedder.texts == [f"{number}" for number in reversed(range(600))]
        assert memory.embed_pending() == 0

    def test_most_useful_first(self, memory: ProjectMemory, embedder: PlainEmbedder) -> None:
        def new(text: str, origin: Origin, kind: str | None = None, day: int = 1) -> NewMemory:
            return NewMemory(
                text=text,
                origin=origin,
                metadata={"kind": kind} if kind else {},
                created_at=datetime(2026, 1, day, tzinfo=UTC),
            )

        ordered = [
            new("said today", Origin.STORED, day=2),
            new("said before", Origin.STORED),
            new("conversation", Origin.CAPTURED, day=9),
            new("guide", Origin.DOCUMENT, "markdown", day=8),
            new("old guide", Origin.DOCUMENT, "markdown"),
            new("commit", Origin.COMMIT, "commit", day=9),
            new("docstring", Origin.DOCUMENT, "python", day=9),
            new("comment", Origin.DOCUMENT, "code", day=8),
        ]
        memory.store_many([*ordered[1::2], *ordered[::2]], embed=False)
        memory.embed_pending()
        assert list(dict.fromkeys(embedder.texts)) == [each.text for each in ordered]

    def test_stops_when_told_and_goes_on_later(
        self, memory: ProjectMemory, embedder: PlainEmbedder
    ) -> None:
        embedder.here = False
        memory.store_many(NewMemory(text=f"{number}") for number in range(1200))
        stop = threading.Event()
        done = memory.embed_pending(stop=stop, progress=lambda *_: stop.set())
        assert 256 <= done < 1200
        assert memory.storage.status().embedded == done
        assert memory.embed_pending() == 1200 - done
        assert len(embedder.texts) == len(set(embedder.texts)) == 1200

    def test_several_share_the_work(self, memory: ProjectMemory, embedder: PlainEmbedder) -> None:
        memory.store_many(NewMemory(text=f"{number}") for number in range(3))
        embedder.here = False
        memory.store_many(NewMemory(text=f"pending {number}") for number in range(1000))
        others = [PlainEmbedder() for _ in range(3)]

        def work(other: PlainEmbedder) -> None:
            with other.open(memory.database) as opened:
                opened.embed_pending()

        threads = [threading.Thread(target=work, args=(other,)) for other in others]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert memory.storage.status().pending == 0
        assert sum(len(other.texts) for other in others) == 1000

    def test_other_model_makes_all_anew(
        self, memory: ProjectMemory, embedder: PlainEmbedder
    ) -> None:
        memory.store_many(NewMemory(text=f"{number}") for number in range(5))
        embedder.name = "plain/2"
        status = memory.storage.status()
        assert (status.embedded, status.pending, status.model) == (0, 5, "plain/2")
        assert not next(memory.memories()).embedded
        assert memory.embed_pending() == 5
        assert memory.storage.status().embedded == 5
        embedder.name = "plain/1"
        assert memory.storage.status().embedded == 0

    def test_two_models_on_one_project_do_not_replace_each_other_for_ever(
        self, memory: ProjectMemory, caplog: pytest.LogCaptureFixture
    ) -> None:
        memory.store_many([NewMemory(text="a"), NewMemory(text="b")])
        assert memory.embed_pending() == 0
        other = PlainEmbedder(name="other/1")
        with other.open(memory.database) as theirs:
            assert theirs.embed_pending() == 2
            memory.store(NewMemory(text="c"), embed=False)
            assert memory.embed_pending() == 1
            assert memory.embed_pending() == 0
            assert theirs.storage.status().embedded == 2
            assert (memory.storage.status().embedded, memory.storage.status().pending) == (1, 2)
        (warning,) = caplog.messages
        assert (
            "another installation uses the model other/1 on this project, here it is plain/1"
            in warning
        )
        with PlainEmbedder().open(memory.database) as later:
            assert later.embed_pending() == 2

    def test_text_that_changed_meanwhile_keeps_no_old_vector(
        self, memory: ProjectMemory, embedder: PlainEmbedder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stored = memory.store(NewMemory(text="before"), embed=False)
        embed = embedder.embed

        def slow(texts_: Any) -> Any:
            if "before" in texts_:
                embedder.here = False
                memory.update(stored.id, text="after")
                embedder.here = True
            return embed(texts_)

        monkeypatch.setattr(embedder, "embed", slow)
        memory.embed_pending()
        monkeypatch.undo()
        memory.embed_pending()
        assert embedder.texts == ["before", "after"]
        assert memory.storage.status().embedded == 1

    def test_without_a_pinned_model_nothing_happens(
        self, memory: ProjectMemory, embedder: PlainEmbedder
    ) -> None:
        embedder.name = None
        memory.store(NewMemory(text="a"))
        assert memory.embed_pending() == 0
        assert memory.storage.status().pending == 1


def test_status_counts_everything(memory: ProjectMemory, embedder: PlainEmbedder) -> None:
    memory.store(
        NewMemory(text="a", tags=("x", "y"), source="s", type=MemoryType.CONCEPT, pinned=True)
    )
    memory.store(NewMemory(text="b", tags=("x",), source="s"), embed=False)
    memory.store(NewMemory(text="unreadable"))
    status = memory.storage.status()
    assert status.database == memory.database
    assert status.project_id == memory.project_id
    assert (status.memories, status.pinned, status.sources, status.schema_version) == (
        3,
        1,
        1,
        carried()[-1].version,
    )
    assert (status.embedded, status.pending, status.not_embeddable) == (1, 1, 1)
    assert status.types == {MemoryType.CONCEPT: 1, MemoryType.CONTEXT: 0, MemoryType.EPISODE: 2}
    assert dict(status.tags) == {"x": 2, "y": 1}
    assert status.size >= memory.database.stat().st_size > 0
    assert status.model == embedder.embedding_space()


def test_ctrl_c_does_not_wait_for_what_is_being_embedded(tmp_path: Path) -> None:
    begun, may_end = threading.Event(), threading.Event()

    class Slow(PlainEmbedder):
        def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
            begun.set()
            assert may_end.wait(900)
            return super().embed(texts)

    embedder = Slow()
    with embedder.open(tmp_path / "memory.db") as memory:
        memory.store_many([NewMemory(text="one")], embed=False)

        def interrupted() -> None:
            with EmbeddingPipeline(memory.storage, embedder) as embedding:
                with memory.storage.reading() as reader:
                    embedding.add(reader.vectors.pending(reader.vectors.pending_keys()))
                assert begun.wait(900)
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            interrupted()
        assert not may_end.is_set()
        may_end.set()
        assert memory.embed_pending() == 1
