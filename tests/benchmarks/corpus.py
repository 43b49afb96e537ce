"""Texts to measure with: always the same ones, from one word to several hundred."""

from __future__ import annotations

import random
from collections.abc import Callable

QUERY = "how do I reset the password of my account"

_WORDS = """
account after again against answer archive array assistant because before branch buffer build button cache change check class client
clock cloud cluster code column commit compile connection context copy crash database deadlock decision decorator delete dependency
deploy design directory disk document download driver embedding empty encode endpoint engine error event example exception export
failure feature file filter folder format function garbage graph handler hash header history image import index input install
interface iterator journal kernel keyboard language latency layer library limit linear list local lock logging lookup machine
measure memory merge message method migration model module monitor mutex network notebook object offset opened operator option order
output package parser password patch pattern pointer pool port process profile project protocol proxy python query queue random reader
record recover refactor register release remember remote render repository request resolve response restart result retrieve review
rollback router runtime schema schedule script search security semantic sentence server session shared signal snapshot socket source
stack storage stream string structure system table tensor terminal thread timeout token tool trace transaction tree tunnel update
upload user value variable vector version virtual warning window worker wrapper
""".split()  # noqa: SIM905 (a list literal would hide the words among quotes)
_LITTLE = (
    "the",
    "a",
    "of",
    "to",
    "in",
    "and",
    "is",
    "for",
    "that",
    "with",
    "on",
    "as",
    "it",
    "by",
    "from",
    "not",
    "or",
    "when",
)


def mixed_texts(count: int, seed: int = 20) -> list[str]:
    """Texts as a memory holds them: half of them a sentence, a third a paragraph, the rest up to some 500 tokens."""
    generator = random.Random(seed)
    spans = generator.choices(((5, 25), (40, 160), (200, 420)), weights=(3, 2, 1), k=count)
    return [_text(generator, generator.randint(*span)) for span in spans]


def short_texts(count: int, seed: int = 21) -> list[str]:
    """Sentences of 5 to 15 words."""
    generator = random.Random(seed)
    return [_text(generator, generator.randint(5, 15)) for _ in range(count)]


def paragraphs(count: int, seed: int = 22) -> list[str]:
    """Paragraphs of 60 to 120 words, about 130 tokens."""
    generator = random.Random(seed)
    return [_text(generator, generator.randint(60, 120)) for _ in range(count)]


def queries(count: int) -> list[str]:
    """The same short question."""
    return [QUERY] * count


TEXTS: dict[str, Callable[[int], list[str]]] = {
    "mixed": mixed_texts,
    "short": short_texts,
    "paragraphs": paragraphs,
    "query": queries,
}


def _text(generator: random.Random, words: int) -> str:
    chosen = [
        generator.choice(_WORDS if generator.random() < 0.6 else _LITTLE) for _ in range(words)
    ]
    for start in range(0, words, 14):
        chosen[start] = chosen[start].capitalize()
        chosen[min(start + 13, words - 1)] += "."
    return " ".join(chosen)
