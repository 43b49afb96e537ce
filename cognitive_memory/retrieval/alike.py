"""Whether two memories say nearly the same, or the one what the other no longer does.

No model tells a repetition from a contradiction: both share most of their words and of their
meaning, and for both the answer is to change the older one. docs/recall.md has the measurements.
"""

from __future__ import annotations

from cognitive_memory.core.memory import Memory
from cognitive_memory.core.search_words import character_pairs, without_runs
from cognitive_memory.retrieval.keywords import telling_words
from cognitive_memory.storage.reading import Reader

ALIKE = 0.5
"""From this likeness on they are told: half of the words shared, or meaning beside fewer."""

LOOKED_AT = 500
"""How many memories are compared, the newest ones."""

MOST = 3
"""How many are told."""

_UNRELATED = 0.2
"""Texts with a lower cosine share few words."""

_CHARACTERS = 1_000
"""How much of a text is compared; what is longer differs in its beginning, too."""

_STEM = 5
"""Letters by which forms of a word are taken for one: "deploy", "deployed", "deployment"."""


def stored_alike(reader: Reader, memory: Memory) -> list[Memory]:
    """What was stored by hand besides a memory and is like it, most alike first; `MOST` of them."""
    (own,) = reader.keys_of([memory.id])
    texts = reader.stored_texts(LOOKED_AT)
    texts.pop(own, None)
    cosines = _cosines(reader, own, list(texts)) if memory.embedded and texts else {}
    words = words_of(memory.text)
    likeness = {
        key: together(overlap(words, words_of(text)), cosines.get(key))
        for key, text in texts.items()
        if cosines.get(key, 1.0) >= _UNRELATED  # so that most texts need not be read
    }
    alike = [key for key in likeness if likeness[key] >= ALIKE]
    alike.sort(key=lambda key: -likeness[key])
    return list(reader.memories(alike[:MOST]).values())


def _cosines(reader: Reader, own: int, others: list[int]) -> dict[int, float]:
    """The cosines of a memory's vector with those of others that have one, by key."""
    keys, vectors = reader.vectors.of_keys([own, *others])
    cosines = vectors @ vectors[keys.searchsorted(own)]
    return dict(zip(keys.tolist(), cosines.tolist(), strict=True))


def words_of(text: str) -> frozenset[str]:
    """The words of a text that tell something, cut to what their forms share.

    >>> sorted(words_of("Deployments are made on Friday"))
    ['deplo', 'frida', 'made']
    """
    part = text[:_CHARACTERS]
    words = telling_words(without_runs(part))
    return frozenset([*(word.casefold()[:_STEM] for word in words), *character_pairs(part)])


def overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """Which part of two texts' words they share, from 0 to 1 (Dice's coefficient)."""
    return 2 * len(one & other) / (len(one) + len(other)) if one and other else 0.0


def together(words: float, cosine: float | None) -> float:
    """The likeness of two texts by the part of their words that they share, and their cosine if it is known."""
    return words if cosine is None else (words + cosine) / 2
