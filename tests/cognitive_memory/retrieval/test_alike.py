"""What is like what was stored before is told, by words and by meaning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cognitive_memory.core.memory import Memory, NewMemory, Origin
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.retrieval.alike import MOST, overlap, words_of
from tests.support.plain_embedder import PlainEmbedder

SAID = "Releases are cut from the main branch every second Tuesday."


@dataclass
class Meanings(PlainEmbedder):
    """What speaks of cutting means one thing, all else another."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        axes = np.eye(self.dimension, dtype=np.float32)
        return np.stack([axes[0 if "cut" in text else 1] for text in texts])


@pytest.fixture
def embedder() -> Meanings:
    return Meanings(here=False)


@pytest.fixture
def memory(embedder: Meanings, tmp_path: Path) -> Iterator[ProjectMemory]:
    with embedder.open(tmp_path / "memory.db") as memory:
        yield memory


def told(memory: ProjectMemory, text: str, origin: Origin = Origin.STORED) -> list[str]:
    stored: Memory = memory.store(NewMemory(text=text, origin=origin))
    return [each.text for each in memory.alike(stored)]


@pytest.mark.parametrize(
    "text",
    [
        "Every second Tuesday releases are cut from main.",
        "Releases are cut from the main branch every second Thursday.",
        "A release is cut from the release branch every second Tuesday",
    ],
)
def test_without_a_model_words_tell(memory: ProjectMemory, text: str) -> None:
    assert told(memory, SAID) == []
    assert told(memory, "Dates are UTC") == []
    assert told(memory, text) == [SAID]


def test_meaning_tells_beside_words(memory: ProjectMemory, embedder: Meanings) -> None:
    again = "It is cut weekly"
    memory.store(NewMemory(text=SAID))
    assert told(memory, again) == []
    embedder.here = True
    memory.embed_pending()
    (stored,) = [each for each in memory.memories() if each.text == again]
    assert [each.text for each in memory.alike(stored)] == [SAID]


def test_what_was_loaded_is_not_to_be_updated(memory: ProjectMemory) -> None:
    for origin in set(Origin) - {Origin.STORED}:
        memory.store_many([NewMemory(text=SAID, origin=origin)])
    assert told(memory, f"{SAID} Always.") == []


def test_the_most_alike_come_first_and_not_all(memory: ProjectMemory) -> None:
    for number in range(MOST + 2):
        memory.store(NewMemory(text=f"Releases are cut from branch {number}"))
    found = told(memory, "Releases are cut from branch 2.")
    assert found[0] == "Releases are cut from branch 2"
    assert len(found) == MOST


def test_words_are_those_that_tell_something() -> None:
    assert words_of("The deployments") == words_of("How are these deployed?") == {"deplo"}
    assert overlap(words_of("..."), words_of("...")) == 0
    assert overlap(words_of("検索する"), words_of("検索した")) == pytest.approx(1 / 3)
