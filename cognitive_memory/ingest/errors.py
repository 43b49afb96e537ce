"""What can go wrong while loading."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from heimdall.errors import HeimdallError


class IngestError(HeimdallError):
    """Something could not be loaded."""


@dataclass(eq=False, repr=False)
class PathNotFoundError(IngestError):
    """A path that was to be loaded is not there.

    Attributes:
        path: as it was given.
        problem: what the system says.
    """

    path: Path
    problem: str

    says = (
        "{path} can't be loaded: {problem}. Expected a file or a folder; nothing was changed. "
        "To forget files that are gone, load the folder that they were in."
    )


@dataclass(eq=False, repr=False)
class UnreadableError(IngestError):
    """No memories could be made of a file's text.

    Attributes:
        source: the file.
        problem: why.
    """

    source: str
    problem: str

    says = "{source} could not be read: {problem}"


@dataclass(eq=False, repr=False)
class TooSlowError(IngestError):
    """A piece of work was ended because it took too long.

    Attributes:
        seconds: of processor time that it was allowed.
    """

    seconds: float

    says = "it takes more than {seconds:.1f} s of processor time"


class GitError(IngestError):
    """git is missing, failed, or there is no such repository or branch; the message says which, and what to do."""


@dataclass(eq=False, repr=False)
class GitStalledError(IngestError):
    """git was ended since it said nothing for too long.

    It is no `GitError`: what makes git wait is not a part of the history that could be left out.

    Attributes:
        command: git's.
        folder: where.
        seconds: for how long.
    """

    command: str
    folder: Path
    seconds: int

    says = (
        "git {command} said nothing for {seconds} s in {folder}, and was ended. Something that it reads "
        "there may be a pipe or on a disk that does not answer: 'find -type p' lists pipes. What was loaded "
        "before stays; mend it and load again"
    )
