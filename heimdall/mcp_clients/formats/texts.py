"""What all formats do to a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def newline_of(text: str) -> str:
    """How lines end in a text."""
    return "\r\n" if "\r\n" in text else "\n"


def with_lines(text: str, at: int, lines: str) -> str:
    """The text with whole lines put in at a position, which is made the beginning of a line."""
    lead = "" if at == 0 or text[:at].endswith("\n") else newline_of(text)
    return text[:at] + lead + lines + text[at:]


def nested(keys: Sequence[str], content: Any) -> Any:
    """The content as the one member of mappings in one another.

    >>> nested(["a", "b"], 1)
    {'a': {'b': 1}}
    """
    for key in reversed(keys):
        content = {key: content}
    return content
