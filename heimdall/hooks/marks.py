"""What a conversation itself marks as worth keeping: "remember that …", "we decided …", and the like."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

LONGEST = 1_000
"""How many characters of what is marked are kept: a paragraph."""
MOST_TYPED = 2_000
"""A message of a user's that is longer holds what they pasted, whose words nobody here knows."""
MOST_MARKS = 10
"""How many marks of one message count; a text with more is about marks."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What is marked.

    Attributes:
        text: what is to be kept; not blank.
        tags: what kind it is.
    """

    text: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Kind:
    """A way to mark.

    Attributes:
        tags: of what is marked so.
        words: an expression for the words that mark, at the beginning of a sentence.
        kept: whether those words are part of what is kept.
        user: whether they count in a user's words alone.
    """

    tags: tuple[str, ...]
    words: str
    kept: bool = False
    user: bool = False


_KINDS = (
    _Kind(
        ("remember",),
        r"(?:please |always |and |so |also |note: )*(?:do )?remember(?: for (?:later|next time|the future))?(?: this)?"
        r"(?: ?: ?| that | to (?=\w))"
        r"|(?:please )?(?:don't|do not|never) forget(?: that |: ?)"
        r"|(?:please )?keep in mind(?: that |: ?)"
        r"|(?:please )?(?:make a )?note (?:that |for (?:later|the future|next time): ?)"
        r"|for (?:future reference|the record)[,:] "
        r"|(?:bitte )?(?:merke? dir|vergiss nicht)(?:, | bitte[, ]+)*(?:dass )?"
        r"|(?:por favor,? )?(?:recuerda|no olvides) que |(?:s'il te plaît,? )?(?:souviens-toi|retiens|n'oublie pas) que "
        r"|(?:per favore,? )?(?:ricorda|non dimenticare) che |(?:por favor,? )?(?:lembre-se de|não esqueça) que "
        r"|(?:请)?记住[,,:: ]*|(?:請)?記住[,,:: ]*",
        user=True,
    ),
    _Kind(
        ("preference",),
        r"from now on[, ]|in (?:the )?future,? (?:please |always |never )|i (?:always |strongly |really )?prefer "
        r"|(?:please )?(?:always|never) (?:add|ask|break|call|change|commit|delete|do|edit|keep|make|push|put|run|skip|touch|use|write) "
        r"|ab jetzt |ich bevorzuge |a partir de ahora,? |prefiero |désormais,? |je préfère ",
        kept=True,
        user=True,
    ),
    _Kind(
        ("decision",),
        r"(?:so |ok(?:ay)?,? |and |then |thus,? |therefore,? )*(?:we(?:'ve| have)?|i(?:'ve| have)?) (?:now |finally |just )?"
        r"(?:decided|agreed|settled|chosen|chose) (?:to |on |that |against |not to |for )?"
        r"|(?:the |our |final )*decision(?: is| was)?(?: that |: ?| to )"
        r"|wir haben (?:uns )?(?:entschieden|beschlossen)|hemos decidido |nous avons décidé |abbiamo deciso |decidimos |我们决定|我們決定",
        kept=True,
    ),
)

_PRIVATE = re.compile(r"<private>.*?(?:</private>|\Z)", re.DOTALL | re.IGNORECASE)
_CODE = re.compile(r"^(`{3,}|~{3,}).*?(?:^\1|\Z)", re.DOTALL | re.MULTILINE)
_LEAST = 8  # characters; what is shorter is understood by nobody a month later


def without_private(text: str) -> str:
    """A text without what its writer put between `<private>` and `</private>`; what is not ended goes on to its end."""
    return _PRIVATE.sub("", text) if "<" in text else text


def marks(text: str, *, by_user: bool) -> Iterator[Mark]:
    """What a message marks, each with the rest of its paragraph. Questions, quotations and code mark nothing.

    Args:
        text: the message, without what is private.
        by_user: whether it is a user's message.

    >>> list(marks("Thanks. Remember that the CI needs Node 22.", by_user=True))
    [Mark(text='The CI needs Node 22.', tags=('remember',))]
    >>> list(marks("Do you remember that the CI needs Node 22?", by_user=True))
    []
    """
    count = 0
    for paragraph in re.split(r"\n[ \t]*\n", _CODE.sub("\n\n", text).replace("**", "")):
        if found := _mark(paragraph, by_user=by_user):
            yield found
            count += 1
            if count == MOST_MARKS:
                return


def _mark(paragraph: str, *, by_user: bool) -> Mark | None:
    paragraph = "\n".join(" ".join(line.split()) for line in paragraph.splitlines()).strip()
    if paragraph.startswith((">", "<")):
        return None
    best: tuple[int, _Kind, re.Match[str]] | None = None
    for kind in _KINDS:
        if by_user or not kind.user:
            match = _pattern(kind).search(paragraph)
            if match and (best is None or match.start() < best[0]):
                best = match.start(), kind, match
    if best is None:
        return None
    _, kind, match = best
    said = paragraph[match.start("words") if kind.kept else match.end() :].strip(" \t\n*_\"'")
    said = _cut(said)
    first = re.split(r"(?<=[.!?])\s", said, maxsplit=1)[0]
    if len(said) < _LEAST or first.endswith("?"):
        return None
    return Mark(f"{said[0].upper()}{said[1:]}", kind.tags)


@cache
def _pattern(kind: _Kind) -> re.Pattern[str]:
    # Where a sentence begins: a line, perhaps of a list, or behind the end of another.
    begin = r"(?:^(?:(?:[-*+]|\d{1,3}[.)]) )?[_\"']{0,2}|(?<=[.!?;:,\u3002\uff01])[ \n]|(?<=[\u3002\uff01]))"
    return re.compile(f"{begin}(?P<words>{kind.words})", re.IGNORECASE | re.MULTILINE)


def _cut(text: str) -> str:
    """The text, or its beginning up to the end of a sentence or a word."""
    if len(text) <= LONGEST:
        return text
    head = text[:LONGEST]
    for end in (". ", "\n", " "):
        if (position := head.rfind(end)) > LONGEST // 2:
            return f"{head[: position + 1].rstrip()} …"
    return f"{head}…"
