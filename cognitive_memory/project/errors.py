"""What can go wrong with a project before its memory is opened."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from heimdall.errors import HeimdallError


@dataclass(eq=False, repr=False)
class ProjectError(HeimdallError):
    """A project can't be found or set up; the text says why and what to do.

    Attributes:
        path: the directory or file that it is about.
        reason: what is wrong and what to do.
    """

    path: Path
    reason: str

    says = "{path}: {reason}"


class NoProjectError(ProjectError):
    """The directory is no project unless it is named, as the user's home; and none is around it."""


@dataclass(eq=False, repr=False)
class UntrustedProjectError(ProjectError):
    """A project's folder is a link, or belongs to somebody whom the user does not trust. Nothing was read or stored.

    Attributes:
        advice: what to do.
    """

    advice: str

    says = "{path}: {reason}; nothing was read or stored. {advice}"


@dataclass(eq=False, repr=False)
class ProjectConfigError(HeimdallError):
    """A project's settings can't be used. All mistakes are told at once.

    Attributes:
        path: the file.
        mistakes: each with its line, from 1, and what is wrong there; line 0 stands for the whole file.
    """

    path: Path
    mistakes: tuple[tuple[int, str], ...]

    def __str__(self) -> str:
        return "\n".join(
            f"{self.path}:{f'{line}:' if line else ''} {problem}" for line, problem in self.mistakes
        )
