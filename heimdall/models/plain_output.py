"""What `heimdall-models` prints: plain text, without colours. As a module it is an `Output` of `report`."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from .text import printable, printable_lines

PROGRAM = "heimdall-models"


def line(*parts: str) -> None:
    """Print one line of the parts."""
    print(printable("".join(parts)).rstrip())


def fields(pairs: Iterable[tuple[str, object]]) -> None:
    """Print names and values, one pair a line."""
    rows = list(pairs)
    width = max((len(name) for name, _ in rows), default=0)
    for name, value in rows:
        line(f"{name:<{width}}  ", str(value))


def error(message: str) -> None:
    """Print `heimdall-models: message` on stderr."""
    print(f"{PROGRAM}: {printable_lines(message)}", file=sys.stderr)


def _as_it_is(text: str) -> str:
    return text


good = warning = bad = faint = _as_it_is
