"""What a command returns: a report that knows its text, its JSON and its exit code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

EXIT_OK: Final = 0
"""Done."""
EXIT_FINDINGS: Final = 1
"""Checked, and something needs attention."""
EXIT_ERROR: Final = 2
"""An error, or a mistake in the command line."""
EXIT_INTERRUPTED: Final = 130
"""Ended by Ctrl-C."""


@dataclass(frozen=True)
class Report:
    """What a command did or learnt.

    Attributes:
        document: the JSON object that `--json` prints.
        show: prints the text for people.
        sound: whether nothing that was checked needs attention.
        errors: what failed while the rest was done; printed on stderr after the report, also with
            `--json`.
    """

    document: Mapping[str, object]
    show: Callable[[], None]
    sound: bool = True
    errors: Sequence[str] = ()

    @property
    def exit_code(self) -> int:
        """`EXIT_OK`, `EXIT_FINDINGS` or `EXIT_ERROR`."""
        if self.errors:
            return EXIT_ERROR
        return EXIT_OK if self.sound else EXIT_FINDINGS


def printing(output: Output, lines: Sequence[Sequence[str]]) -> Callable[[], None]:
    """What prints lines, each of some parts."""

    def show() -> None:
        for parts in lines:
            output.line(*parts)

    return show


class Output(Protocol):
    """What a report's text is printed with: `heimdall` has colours, `heimdall-models` has none."""

    def line(self, *parts: str) -> None:
        """Print one line of the parts."""

    def fields(self, pairs: Iterable[tuple[str, object]], /) -> None:
        """Print names and values, one pair a line."""

    def error(self, message: str, /) -> None:
        """Print a message on stderr."""

    def good(self, text: str, /) -> str:
        """Text that tells of something right."""

    def warning(self, text: str, /) -> str:
        """Text that tells of something to look at."""

    def bad(self, text: str, /) -> str:
        """Text that tells of something wrong."""

    def faint(self, text: str, /) -> str:
        """Text that matters less."""
