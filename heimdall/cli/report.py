"""What a command returns: a report that knows its text, its JSON and its exit code."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Final

from heimdall.cli import output

EXIT_OK: Final = 0
"""Done."""
EXIT_FINDINGS: Final = 1
"""Checked, and something needs attention."""
EXIT_ERROR: Final = 2
"""An error, or a mistake in the command line."""
EXIT_INTERRUPTED: Final = 130
"""Ended by Ctrl-C."""


class Report(ABC):
    """What a command did or learnt; `Command.invoke` prints it and returns its exit code.

    Reports are dataclasses. Their fields are what `--json` prints, unless `as_json` says otherwise.
    """

    @property
    def sound(self) -> bool:
        """Whether nothing that was checked needs attention."""
        return True

    @property
    def errors(self) -> Sequence[str]:
        """What failed while the rest was done; printed on stderr after the report, also with `--json`."""
        return ()

    @property
    def exit_code(self) -> int:
        """`EXIT_OK`, `EXIT_FINDINGS` or `EXIT_ERROR`."""
        if self.errors:
            return EXIT_ERROR
        return EXIT_OK if self.sound else EXIT_FINDINGS

    def as_json(self) -> Mapping[str, object]:
        """The JSON object: the dataclass's fields under their names."""
        return output.fields_of(self)

    @abstractmethod
    def show(self) -> None:
        """Print the text for people."""
