"""Vectors for what waits for them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cognitive_memory.core.memory import NewMemory, Origin
from cognitive_memory.embedding.pipeline import EmbeddingPipeline
from cognitive_memory.project_memory import ProjectMemory
from tests.support.plain_embedder import PlainEmbedder


def test_newest_first_with_progress(memory: ProjectMemory, embedder: PlainEmbedder) -> None:
    embedder.here = False
    memory.store_many(NewMemory(text=f"{number}") for number in range(600))
    seen: list[tuple[int, int]] = []
    assert memory.embed_pending(progress=lambda done, total: seen.append((done, total))) == 600
    assert seen == [(256, 600), (512, 600), (600, 600)]
    assert embedder.texts == [f"{number}" for number in reversed(range(600))]
    assert memory.embed_pending() == 0


def test_most_useful_first(memory: ProjectMemory, embedder: PlainEmbedder) -> None:
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


def test_stops_when_told_and_goes_on_later(memory: ProjectMemory, embedder: PlainEmbedder) -> None:
    embedder.here = False
    memory.store_many(NewMemory(text=f"{number}") for number in range(1200))
    stop = threading.Event()
    done = memory.embed_pending(stop=stop, progress=lambda *_: stop.set())
    assert 256 <= done < 1200
    assert memory.storage.status().embedded == done
    assert memory.embed_pending() == 1200 - done
    assert len(embedder.texts) == len(set(embedder.texts)) == 1200


def test_several_share_the_work(memory: ProjectMemory, embedder: PlainEmbedder) -> None:
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


def test_other_model_makes_all_anew(memory: ProjectMemory, embedder: PlainEmbedder) -> None:
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
    memory: ProjectMemory, caplog: pytest.LogCaptureFixture
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
        "another installation uses the model other/1 on this project, here it is plain/1" in warning
    )
    with PlainEmbedder().open(memory.database) as later:
        assert later.embed_pending() == 2


def test_text_that_changed_meanwhile_keeps_no_old_vector(
    memory: ProjectMemory, embedder: PlainEmbedder
) -> None:
    stored = memory.store(NewMemory(text="before"), embed=False)
    embed = embedder.embed

    def slow(texts_: Any) -> Any:
        if "before" in texts_:
            embedder.here = False
            memory.update(stored.id, text="after")
            embedder.here = True
        return embed(texts_)

    # Not the fixture, whose end would take the test's home with it.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedder, "embed", slow)
        memory.embed_pending()
    memory.embed_pending()
    assert embedder.texts == ["before", "after"]
    assert memory.storage.status().embedded == 1


def test_without_a_pinned_model_nothing_happens(
    memory: ProjectMemory, embedder: PlainEmbedder
) -> None:
    embedder.name = None
    memory.store(NewMemory(text="a"))
    assert memory.embed_pending() == 0
    assert memory.storage.status().pending == 1


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
