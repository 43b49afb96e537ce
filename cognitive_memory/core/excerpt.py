"""The part of a long text that a question is about."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from cognitive_memory.core.search_words import character_pairs, without_runs
from cognitive_memory.core.tokens import tokens

OMISSION = "…"
"""Stands where something was left out."""

_WORD = re.compile(r"[^\W_]+")
_SHORTEST_STEM = 3
_ENDING = 3
"""So many letters of a word's end may differ: the question's "parsers" is found in "parsing"."""
_MOST_WORDS = 40
_LONGEST_WORD = 60
"""A cut looks no further for the end of a word; scripts without blanks have none."""
_WORTH_MORE = 1.05
"""A place later in the text has to be so much better than an earlier one."""
_BEFORE = 0.3
"""So much of what surrounds the found words stands before them: what follows tells more."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A part of a text.

    Attributes:
        text: the part, with `OMISSION` where the text goes on.
        whole: whether that is all of it.
    """

    text: str
    whole: bool


def excerpt(text: str, question: str, characters: int) -> Excerpt:
    """The part of a text that has most of a question's words, rare ones before frequent ones.

    It is cut between words, at the beginning of a line or sentence where one is near. A text
    without any of the words is shown from its beginning.

    Args:
        text: any text.
        question: what was asked; "" for the beginning.
        characters: how long the part may be.

    >>> excerpt("One ship sails. Another one is moored at the quay.", "moored", 30).text
    '… one is moored at the quay.'
    """
    if len(text) <= characters:
        return Excerpt(text, whole=True)
    first, last = _place(text, question, characters)
    spare = max(0, characters - (last - first))
    start = max(0, first - int(spare * _BEFORE)) if first else 0
    end = min(len(text), start + characters)
    start = _at_a_beginning(text, max(0, min(start, end - characters)), first)
    end = _between_words(text, min(len(text), start + characters), start)
    part = text[start:end].strip()
    before = f"{OMISSION} " if text[:start].strip() else ""
    after = f" {OMISSION}" if text[end:].strip() else ""
    return Excerpt(f"{before}{part}{after}", whole=not (before or after))


def excerpt_in_tokens(
    text: str, question: str, most: int, *, cost: Callable[[str, int], int] = tokens
) -> Excerpt:
    """As `excerpt`, of at most so many tokens.

    Args:
        text, question: as there.
        most: how many tokens.
        cost: how many a text has; it may stop counting above its second argument.
    """
    if cost(text, most) <= most:
        return Excerpt(text, whole=True)
    characters = 6 * most
    while True:
        part = excerpt(text, question, characters)
        counted = cost(part.text, 10 * most)
        if counted <= most or characters <= 1:
            return part
        characters = min(characters - 1, int(characters * most / counted))


def beginning_in_tokens(text: str, most: int, *, cost: Callable[[str, int], int] = tokens) -> str:
    """The longest beginning of a text that costs at most so many tokens; at least one character.

    Other than an excerpt it is the text to the letter, so that what follows can be read on from its end.
    """
    if cost(text, most) <= most:
        return text
    characters = 6 * most
    while characters > 1 and (counted := cost(text[:characters], 10 * most)) > most:
        characters = min(characters - 1, int(characters * most / counted))
    return text[: max(1, _between_words(text, characters, 0))]


def _place(text: str, question: str, characters: int) -> tuple[int, int]:
    """Where the words stand that are shown: first and last character; (0, 0) if there are none."""
    pattern = _pattern(question)
    if pattern is None:
        return 0, 0
    found = [(match.start(), match.end(), match.lastindex or 0) for match in pattern.finditer(text)]
    often = Counter(word for _, _, word in found)
    best, place = 0.0, (0, 0)
    left = 0
    inside: Counter[int] = Counter()
    worth = 0.0
    for number, (_, end, word) in enumerate(found):
        if not inside[word]:
            worth += 1 / often[word]
        inside[word] += 1
        # Narrow: a word that comes again need not be seen twice.
        while left < number and (end - found[left][0] > characters or inside[found[left][2]] > 1):
            gone = found[left][2]
            inside[gone] -= 1
            if not inside[gone]:
                worth -= 1 / often[gone]
            left += 1
        if worth > best * _WORTH_MORE:
            best, place = worth, (found[left][0], min(end, found[left][0] + characters))
    return place


def _pattern(question: str) -> re.Pattern[str] | None:
    """Finds the question's words, each with a group of its own."""
    words = dict.fromkeys(word.casefold() for word in _WORD.findall(without_runs(question)))
    stems = [
        rf"(?<![^\W_])({re.escape(word[: max(_SHORTEST_STEM, len(word) - _ENDING)])}[^\W_]*)"
        for word in sorted(words, key=len, reverse=True)
    ]
    pairs = [f"({re.escape(pair)})" for pair in dict.fromkeys(character_pairs(question))]
    parts = [*stems, *pairs][:_MOST_WORDS]
    return re.compile("|".join(parts), re.IGNORECASE) if parts else None


def _at_a_beginning(text: str, start: int, before: int) -> int:
    """A place from `start` on, and not behind `before`, where a line, sentence or at least a word begins."""
    if start == 0:
        return 0
    near = text[start - 1 : before]
    for pattern in (r"\n\s*", r"[.!?:;]\s+", r"\s+"):
        if match := re.search(pattern, near):
            return start - 1 + match.end()
    # No blank from there to the found word: the word has a beginning, or the script has no blanks.
    within = text[max(0, before - _LONGEST_WORD) : before]
    if match := re.search(r"\S+\Z", within):
        return before - len(match[0]) if len(match[0]) < len(within) else _whole(text, start)
    return before


def _between_words(text: str, end: int, start: int) -> int:
    """The last place up to `end` where a word ends."""
    if end >= len(text) or text[end].isspace():
        return end
    near = text[max(start, end - _LONGEST_WORD) : end]
    if match := re.search(r"\s+\S*\Z", near):
        cut = end - len(near) + match.start()
        if cut > start:
            return cut
    return max(start, _whole(text, end))


def _whole(text: str, at: int) -> int:
    """The place before a character that is written with others, such as accents of their own."""
    while 0 < at < len(text) and (
        unicodedata.combining(text[at]) or text[at] in "\u200d\ufe0f" or text[at - 1] == "\u200d"
    ):
        at -= 1
    return at
