"""How a prompt finds what it is about, with the real model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cognitive_memory.core.config import EmbeddingConfig
from cognitive_memory.core.memory import NewMemory, Origin
from cognitive_memory.joint_memory import JointMemory
from cognitive_memory.project_memory import ProjectMemory
from heimdall.hooks.relevant import MOST_BYTES, MOST_MEMORIES, is_worth_asking, to_a_prompt
from tests.support.real_model import linked_copy

CASES = json.loads(Path(__file__).with_name("prompts.json").read_text("utf-8"))


@pytest.mark.model
@pytest.mark.slow
def test_most_prompts_find_their_memory_and_others_none(tmp_path: Path) -> None:
    config = EmbeddingConfig(model_cache_dir=str(linked_copy(tmp_path / "models")))
    found = wrong = 0
    with ProjectMemory.open(tmp_path / "memory.db", config=config) as memory:
        ids = {text: memory.store(NewMemory(text=text)).id for text in CASES["memories"]}
        for prompt, text in CASES["about"]:
            told = to_a_prompt(JointMemory(memory), prompt, known=())
            found += ids[text] in told.ids
            wrong += len([one for one in told.ids if one != ids[text]])
        told_about_nothing = [
            prompt
            for prompt in CASES["about_none"]
            if to_a_prompt(JointMemory(memory), prompt, known=()).text
        ]
    assert found >= 0.7 * len(CASES["about"])
    assert wrong <= 2
    assert told_about_nothing == []


@pytest.mark.model
@pytest.mark.slow
def test_an_answer_is_bounded_and_of_the_users_own_words(tmp_path: Path) -> None:
    config = EmbeddingConfig(model_cache_dir=str(linked_copy(tmp_path / "models")))
    text = "Releases are cut from main on Tuesdays, never from a feature branch"
    with ProjectMemory.open(tmp_path / "memory.db", config=config) as memory:
        for number in range(6):
            memory.store(NewMemory(text=f"{text} ({number})." + " More." * 200))
        for origin in (Origin.DOCUMENT, Origin.CAPTURED, Origin.ADOPTED):
            memory.store(NewMemory(text=text, origin=origin))
        told = to_a_prompt(
            JointMemory(memory), "how are releases cut from the main branch?", known=()
        )
    assert 0 < len(told.ids) <= MOST_MEMORIES
    assert len(told.text.encode()) <= MOST_BYTES
    assert {line.split(", ")[1] for line in told.text.splitlines() if line[0] == "["} == {"stored"}


@pytest.mark.parametrize("prompt", ["", "  ", "yes", "ok go on", "/compact keep the tests"])
def test_what_is_about_nothing_is_not_even_asked(prompt: str) -> None:
    assert not is_worth_asking(prompt)
