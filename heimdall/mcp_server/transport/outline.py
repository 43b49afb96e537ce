"""What can be told of JSON that can't be understood: which requests are in it, so that each of them gets an answer."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from typing import Final

_TOKEN: Final = re.compile(r'"(?>(?:[^"\\]+|\\.)*)"?|[{}\[\],:]|[^\s{}\[\],:"]++', re.DOTALL)
_LAST_MEMBER: Final = re.compile(
    r',\s*+"id"\s*+:\s*+(-?\d++|"(?>(?:[^"\\]|\\.){0,200})")\s*+(?:,\s*+"jsonrpc"\s*+:\s*+"2.0"\s*+)?}\s*+$'
)
_LONE_SURROGATE: Final = re.compile(
    r"\\(?:u[Dd][89ABab][\dA-Fa-f]{2}\\u[Dd][C-Fc-f][\dA-Fa-f]{2}|(u[Dd][89A-Fa-f][\dA-Fa-f]{2})|.)",
    re.DOTALL,
)
_MOST_DIGITS: Final = 300
_MOST_MESSAGES: Final = 1000


@dataclass(slots=True)
class Outline:
    """A message that may be broken or cut off.

    Attributes:
        names: of its members, as far as it goes.
        id: its id, a finite number or a text; None where it has none that an answer can repeat.
    """

    names: set[str] = field(default_factory=set)
    id: str | int | float | None = None

    @property
    def wants_answer(self) -> bool:
        """Whether it is none of the client's own answers."""
        return "method" in self.names or not self.names & {"result", "error"}


def outlines(text: str) -> list[Outline]:
    """The message that a text is, or begins to be; those of a batch. None of a text that is something else."""
    found: list[Outline] = []
    open_brackets: list[str] = []
    name: str | None = None
    is_name = False
    for match in _TOKEN.finditer(text):
        piece = match[0]
        if piece in "{[":
            open_brackets.append(piece)
            if open_brackets in (["{"], ["[", "{"]):
                if len(found) == _MOST_MESSAGES:
                    break
                found.append(Outline())
            is_name = piece == "{"
        elif piece in "}]":
            if open_brackets:
                open_brackets.pop()
            is_name = False
        elif piece == ",":
            is_name, name = open_brackets[-1:] == ["{"], None
        elif piece == ":":
            is_name = False
        elif open_brackets in (["{"], ["[", "{"]):
            if is_name:
                name = str(_value(piece))
                found[-1].names.add(name)
            elif name == "id":
                found[-1].id = _value(piece)
    return found


def id_at_end(text: str) -> str | int | float | None:
    """The id that a long message ends with, as many clients write it, or None."""
    match = _LAST_MEMBER.search(text)
    return None if match is None else _value(match[1])


def without_lone_surrogates(text: str) -> str:
    r"""JSON whose strings have U+FFFD where half of a character was escaped, as JavaScript does with what `slice` cut.

    >>> without_lone_surrogates(r'["\ud83d", "\ud83d\ude00", "\\ud83d"]')
    '["\\ufffd", "\\ud83d\\ude00", "\\\\ud83d"]'
    """
    return _LONE_SURROGATE.sub(lambda match: r"\ufffd" if match[1] else match[0], text)


def _value(token: str) -> str | int | float | None:
    """A scalar that an answer can repeat; None for others."""
    if token[0] != '"' and len(token) > _MOST_DIGITS:
        return None
    try:
        value = json.loads(without_lone_surrogates(token), strict=False)
    except ValueError:
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    return value if isinstance(value, str) or math.isfinite(value) else None
