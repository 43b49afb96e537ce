"""The same text at several places, shown once."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace

from cognitive_memory.core.memory import Origin
from cognitive_memory.core.recall import Hit

_SENTENCE_MARKS = ".,;:!?\u2026\"'`\u2018\u2019\u201c\u201d\u00ab\u00bb()[]\u3001\u3002"
_BEST_FIRST = [Origin.STORED, Origin.DOCUMENT, Origin.COMMIT, Origin.CAPTURED, Origin.ADOPTED]


def dedup_key(text: str) -> tuple[str, ...]:
    """What two texts share that differ in case, blanks, marks around words and ways to write a character alone.

    Signs within and before words stay: "-5" is not "5", nor "1.2" "12".

    >>> dedup_key("Retry at  most 1.2 times!") == dedup_key("retry at most 1.2 times")
    True
    >>> dedup_key("by -5")
    ('by', '-5')
    """
    words = unicodedata.normalize("NFKC", text).casefold().split()
    return tuple(filter(None, (word.strip(_SENTENCE_MARKS) for word in words))) or tuple(words)


def without_duplicates(hits: Iterable[Hit]) -> list[Hit]:
    """One hit for each text, where the first of them stands; it names the others.

    Its memory is the one whose words are best known to be the user's or the project's own.
    """
    alike: dict[tuple[str, ...], list[Hit]] = {}
    for hit in hits:
        alike.setdefault(dedup_key(hit.memory.text), []).append(hit)
    return list(map(_as_one, alike.values()))


def _as_one(hits: Sequence[Hit]) -> Hit:
    memories = [memory for hit in hits for memory in (hit.memory, *hit.also)]
    best = min(memories, key=lambda memory: _BEST_FIRST.index(memory.origin))
    others = tuple(memory for memory in memories if memory is not best)
    return replace(hits[0], memory=best, also=others)
