"""The words by which a text can be found, beyond those that FTS5 sees in it.

SQLite's tokenizer takes a run of letters and digits for a word. That leaves three kinds of words
that people search for: the parts of `getUserName`, words of scripts that are written without
blanks, and dates.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime

_WITHOUT_BLANKS = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff"  # Burmese, Khmer
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"  # Japanese syllables
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han characters
    "\uac00-\ud7af"  # Korean: it has blanks, but its particles are glued to the words
)
_RUN = f"[{_WITHOUT_BLANKS}]+"
_WORD = re.compile(r"[^\W_]+")
_CASED = re.compile(r"[a-z\d][A-Z]|[A-Z]{2}[a-z]")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

_MONTHS = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)


def search_words(text: str, context: str, created_at: datetime) -> str:
    """What is indexed of a memory besides its text, context and tags: identifier parts, pairs of characters, the date.

    Each is worth finding once: what occurs twice in `text` is given twice, since frequency counts.
    """
    parts = [
        part
        for source in (text, context)
        for part in (*identifier_parts(source), *character_pairs(source))
    ]
    return " ".join([*parts, date_words(created_at)])


def identifier_parts(text: str) -> list[str]:
    """The parts of words whose case changes within.

    >>> identifier_parts("HTTPServer2 runs")
    ['HTTP', 'Server', '2']
    """
    if not _CASED.search(text):
        return []
    return [
        part for word in _WORD.findall(text) if _CASED.search(word) for part in _PART.findall(word)
    ]


def character_pairs(text: str) -> list[str]:
    """Neighbouring characters of scripts without blanks. A lone character stays alone.

    Pairs need no dictionary, and find about as well as words do (Nie, Gao, Zhang, Zhou: "On the use
    of words and n-grams for Chinese information retrieval", IRAL 2000).

    >>> character_pairs("検索する")
    ['検索', '索す', 'する']
    """
    pairs: list[str] = []
    if text.isascii():  # the expression takes 2 ms to compile
        return pairs
    for run in re.findall(_RUN, unicodedata.normalize("NFKC", text)):
        pairs += [run[start : start + 2] for start in range(max(1, len(run) - 1))]
    return pairs


def without_runs(text: str) -> str:
    """The text, with blanks for what `character_pairs` takes care of."""
    return text if text.isascii() else re.sub(_RUN, " ", unicodedata.normalize("NFKC", text))


def date_words(moment: datetime) -> str:
    """A date as people write it, in English whatever the locale.

    >>> date_words(datetime(2023, 5, 8))
    '8 May 2023'
    """
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"
