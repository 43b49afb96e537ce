"""What a check says, and what it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias


class Status(StrEnum):
    """How a check ended."""

    PASS = "✅ PASS"  # noqa: S105 (no password)
    WARN = "⚠️ WARN"
    FAIL = "❌ FAIL"
    NOT_CHECKED = "➖ NOT CHECKED"  # noqa: RUF001 (a sign like the others)


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer of one check.

    Attributes:
        key: what was checked; unique in a report.
        status: how it ended.
        path: the file, directory, variable or URL that it is about, without secrets; empty if there
            is none.
        problem: what is wrong, or that all is well.
        advice: what to do about it; empty where nothing has to be done.
        repair: repairs it without losing anything and says what it did; raises HeimdallError or
            OSError when it can't. None where nothing can be done safely.
    """

    key: str
    status: Status
    path: str
    problem: str
    advice: str = ""
    repair: Action | None = None

    @property
    def message(self) -> str:
        """The problem and the advice, in one line."""
        return f"{self.problem}; {self.advice}" if self.advice else self.problem

    def as_json(self) -> dict[str, str]:
        """Status, path and message, as `--json` prints them below the key."""
        return {"status": str(self.status), "path": self.path, "message": self.message}


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be looked at.

    Attributes:
        deep: hash every file of the model again.
        online: ask the model's sources whether they answer.
        project: a folder in the project to look at; None: the one around the working directory.
    """

    deep: bool = False
    online: bool = False
    project: Path | None = None


Action: TypeAlias = Callable[[Finding], str]
Check: TypeAlias = Callable[[Request], Iterator[Finding]]
"""Looks at one subject and changes nothing."""


def passed(key: str, path: object, what: str) -> Finding:
    """All is well."""
    return Finding(key, Status.PASS, str(path), what)


def warned(
    key: str, path: object, problem: str, advice: str = "", repair: Action | None = None
) -> Finding:
    """Something that works, but perhaps not as it is meant."""
    return Finding(key, Status.WARN, str(path), problem, advice, repair)


def failed(
    key: str, path: object, problem: str, advice: str, repair: Action | None = None
) -> Finding:
    """Something that does not work."""
    return Finding(key, Status.FAIL, str(path), problem, advice, repair)


def not_checked(key: str, path: object, why: str, advice: str = "") -> Finding:
    """A check that was not made: nothing is known."""
    return Finding(key, Status.NOT_CHECKED, str(path), f"not checked: {why}", advice)
