"""A question in anyone's words as an expression in FTS5's query language."""

from __future__ import annotations

import re
from importlib import resources

from cognitive_memory.core.search_words import character_pairs, identifier_parts, without_runs

STOP_WORDS = frozenset(
    resources.files(__package__).joinpath("stop_words.txt").read_text(encoding="utf-8").split()
)
"""English words that say nothing about what is asked.

Left out, since the score of a rare one ("whom" in a technical memory) would be noise. Other
languages do without a list: BM25 gives frequent words little weight by itself. "may" and "will" are
missing on purpose, the one is a month and the other a name.
"""

MAX_TERMS = 32
"""How many terms of a question are looked for. Each costs a walk through its list of memories; a
question has about ten.
"""

_WORD = re.compile(r"[^\W_]+")
_COMPOUND = re.compile(r"[^\W_]+(?:[_./:-]+[^\W_]+)+")


def match_expression(question: str) -> str | None:
    """An expression that any memory matches which shares a word with the question.

    BM25 then weighs which and how many.

    Looked for are the question's words without stop words (with them, if there is nothing else),
    parts of identifiers, compounds such as `snake_case` or `docs/guide.md` also as a whole, and
    pairs of characters in scripts without blanks.

    Args:
        question: any text. Nothing in it is an operator; every term is quoted.

    Returns:
        The expression, valid for FTS5 whatever was asked; None when there is no word in the
        question.

    >>> match_expression("Where is snake_case used?")
    '"snake_case" OR "snake" OR "case" OR "used"'
    >>> match_expression("?!") is None
    True
    """
    text = without_runs(question)
    words = _WORD.findall(text)
    telling = [word for word in words if word.casefold() not in STOP_WORDS] or words
    terms = [*_COMPOUND.findall(text), *telling, *identifier_parts(text)]
    quoted = [_quoted(term) for term in terms] + [_pair(pair) for pair in character_pairs(question)]
    distinct = {term.lower(): term for term in reversed(quoted)}
    return " OR ".join(list(reversed(distinct.values()))[:MAX_TERMS]) or None


def _quoted(term: str) -> str:
    return '"' + term.replace('"', '""') + '"'


def _pair(pair: str) -> str:
    """A lone character is the beginning of some pair."""
    return _quoted(pair) if len(pair) > 1 else f"{_quoted(pair)} *"
