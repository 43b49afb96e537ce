"""What of the memory a prompt is about: only what is strongly so, and nothing for most prompts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from cognitive_memory.core.memory import Origin
from cognitive_memory.core.recall import Hit, RecallFilter
from heimdall.hooks.telling import Section, Told, compose, may_come_by_itself

if TYPE_CHECKING:
    from cognitive_memory.joint_memory import JointMemory

MOST_BYTES = 1_800
"""Some 600 tokens."""
MOST_MEMORIES = 3

NEAR = 0.45
"""The cosine from which a memory is told of. Of thirty prompts that a memory was about, two thirds were above it; of
thirty that none was about, and of the nearest memory but the right one, the highest was 0.36 and one of 31."""
FAIRLY_NEAR, SHARED = 0.40, 0.4
"""Less is enough for one that has so much of the prompt's words."""
WORDS_ALONE, LEAST_WORDS = 0.5, 3
"""Where there is no vector: how much of the prompt's words a memory has, and how many."""

_LOOKED_AT = 12
_LEAST_CHARACTERS = 12
_WORD = re.compile(r"[^\W_]+")
_STEM = 5  # characters; "retries" and "retry" are told alike, as roughly as is needed here
_HEADING = "From this project's long-term memory (heimdall)"


def is_worth_asking(prompt: str) -> bool:
    """Whether a prompt can be about anything: "yes, go on" and a command of the assistant's own are not."""
    question = prompt.strip()
    return len(question) >= _LEAST_CHARACTERS and not question.startswith("/")


def to_a_prompt(memory: JointMemory, prompt: str, *, known: Iterable[str]) -> Told:
    """The memories that a prompt is about.

    Args:
        memory: the project's, and the user's.
        prompt: what the user sent.
        known: ids of what the conversation was shown.
    """
    question = prompt.strip()
    wanted = RecallFilter(origins=frozenset({Origin.STORED, Origin.CAPTURED}))
    answer = memory.recall(question, limit=_LOOKED_AT, filter=wanted, explain=True)
    strong = [
        hit.memory
        for hit in answer.hits
        if may_come_by_itself(hit.memory)
        and is_strong(hit, question, memory.memories[hit.memory.scope].weights.meaning)
    ]
    section = Section("", strong[:MOST_MEMORIES])
    return compose(_HEADING, [section], most=MOST_BYTES, known=known)


def is_strong(hit: Hit, question: str, meaning_weight: float) -> bool:
    """Whether a memory is surely about what was asked.

    Args:
        hit: with the parts of its score.
        question: what was asked.
        meaning_weight: the share of the cosine in the score.
    """
    asked = _words(question)
    both = asked & _words(f"{hit.memory.text} {hit.memory.context} {' '.join(hit.memory.tags)}")
    shared = len(both) / max(1, len(asked))
    if not hit.memory.embedded or not meaning_weight:
        return shared >= WORDS_ALONE and len(both) >= LEAST_WORDS
    cosine = hit.parts["meaning"] / meaning_weight
    return cosine >= NEAR or (cosine >= FAIRLY_NEAR and shared >= SHARED)


def _words(text: str) -> set[str]:
    """The words that tell something, without their ends."""
    from cognitive_memory.retrieval.keywords import STOP_WORDS

    words = (word.casefold() for word in _WORD.findall(text))
    return {word[:_STEM] for word in words if len(word) > 2 and word not in STOP_WORDS}
