"""A question in anyone's words as an expression in FTS5's query language."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pkgutil import get_data
from typing import NamedTuple

from cognitive_memory.core.search_words import character_pairs, identifier_parts, without_runs
from cognitive_memory.storage.bm25 import Term

STOP_WORDS = frozenset((get_data(__package__, "stop_words.txt") or b"").decode().split())
"""English words that say nothing about what is asked.

Left out, since the score of a rare one ("whom" in a technical memory) would be noise. Other
languages do without a list: BM25 gives frequent words little weight by itself. "may" and "will" are
missing on purpose, the one is a month and the other a name.
"""

MAX_TERMS = 24
"""How many terms of a question are looked for. Each costs a walk through its list of memories; a
question has about ten.
"""

MAX_COUNTED = 256
"""Of how many terms it is asked how frequent they are, to choose the most telling ones."""

FIRST_LINE = 3.0
"""How much more a term of the first of several lines counts when terms are chosen: that line is a
title, what follows it has logs and code. From 2 to 5 the results are the same within a question.
"""

_WORD = re.compile(r"[^\W_]+")
_COMPOUND = re.compile(r"[^\W_]+(?:[_./:-]+[^\W_]+)+")


class Sought(NamedTuple):
    """What a question is looked for with.

    Attributes:
        terms: each once, in FTS5's query language: words without stop words (with them, if there is
            nothing else), compounds such as `snake_case` or `docs/guide.md` also as a whole, parts
            of identifiers, and pairs of characters in scripts without blanks.
        title: those of the first line, if there are several lines.
    """

    terms: tuple[str, ...]
    title: frozenset[str] = frozenset()

    def most_telling(self, frequencies: Mapping[str, int], total: int) -> list[Term]:
        """The terms to look for; those of a title count twice.

        All, if there are at most `MAX_TERMS`; otherwise the rarest of those that any memory has,
        those of a title before others.

        Args:
            frequencies: how many memories have each term.
            total: how many memories there are.
        """
        terms = [
            Term(match, often, idf(often, total), 2 if match in self.title else 1)
            for match in self.terms
            for often in [frequencies[match]]
        ]
        if len(terms) <= MAX_TERMS:
            return terms
        known = [term for term in terms if term.frequency]
        known.sort(key=lambda term: -term.idf * (FIRST_LINE if term.match in self.title else 1))
        return known[:MAX_TERMS]


def sought(question: str) -> Sought:
    """What a question is looked for with; nothing if it has no word.

    Args:
        question: any text. Nothing in it is an operator; every term is quoted.

    >>> sought("Where is snake_case used?").terms
    ('"snake"', '"case"', '"used"', '"snake_case"')
    """
    return Sought(tuple(_terms(question))[:MAX_COUNTED], frozenset(_terms(title_of(question))))


def telling_words(text: str) -> list[str]:
    """The words of a text without stop words; with them, if it has nothing else.

    >>> telling_words("How is it made?")
    ['made']
    """
    words = _WORD.findall(text)
    return [word for word in words if word.casefold() not in STOP_WORDS] or words


def title_of(question: str) -> str:
    r"""The first of several lines, if it has a word; otherwise nothing.

    >>> title_of("Login fails\nTraceback (most recent call last): …")
    'Login fails'
    >>> title_of("why does login fail")
    ''
    """
    first, *others = question.strip().split("\n", 1)
    return first if others and _WORD.search(first) else ""


def idf(frequency: int, total: int) -> float:
    """How much a term tells, as FTS5's own BM25 takes it.

    It is about the score that one occurrence brings to a memory of average length.
    """
    return max(1e-6, math.log((total - frequency + 0.5) / (frequency + 0.5)))


def _terms(text: str) -> dict[str, None]:
    plain = without_runs(text)
    terms = [*telling_words(plain), *_COMPOUND.findall(plain), *identifier_parts(plain)]
    quoted = [_quoted(term.lower()) for term in terms]
    return dict.fromkeys([*quoted, *map(_pair, character_pairs(text))])


def _quoted(term: str) -> str:
    return '"' + term.replace('"', '""') + '"'


def _pair(pair: str) -> str:
    """A lone character is the beginning of some pair."""
    return _quoted(pair) if len(pair) > 1 else f"{_quoted(pair)} *"
