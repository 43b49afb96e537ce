"""What can go wrong with a model. Each error carries its data as attributes and survives pickling."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from .base_error import HeimdallError
from .text import printable, shortened

_LONGEST = 2000
_BRIEF = 300
_PATH = re.compile(r"(?<=://)([^/\s;,]+)/[^\s;,]*/(?=[^/\s;,]+)")


class ModelError(HeimdallError):
    """Base of all errors about models."""


@dataclass(eq=False, repr=False)
class PathError(ModelError):
    """A file or folder is not what was expected.

    Attributes:
        path: the file or folder.
        reason: what is wrong with it and what to do.
    """

    path: str
    reason: str

    says = "{path}: {reason}"


class ManifestError(PathError):
    """The pinned manifest is missing, unreadable or not one that this release understands."""

    says = "model manifest {path}: {reason}"


@dataclass(eq=False, repr=False)
class IntegrityError(ModelError):
    """Bytes do not have the size and sha256 that the manifest pins; they were thrown away.

    Attributes:
        what: the file or asset.
        expected: the pinned size or sha256.
        found: what came instead.
    """

    what: str
    expected: str
    found: str

    says = "{what}: expected {expected}, found {found}"


@dataclass(eq=False, repr=False)
class StoreError(ModelError):
    """The models directory can't be used.

    Attributes:
        directory: the models directory.
        reason: what the system said.
        advice: what to do next.
    """

    directory: str
    reason: str
    advice: str

    says = "{directory} can't be used: {reason}; {advice}"


@dataclass(eq=False, repr=False)
class SourceError(ModelError):
    """One source could not deliver; the next one is tried.

    Attributes:
        reason: what happened.
        transient: whether the same request may succeed later.
        unreachable: whether there was no connection at all.
        retry_after: seconds that the source asked to wait, or None.
        absent: whether it only said that there is no such thing.
        headers: those of its answer that say what it wants, in lower case: of the URL's own host alone.
    """

    reason: str
    transient: bool = False
    unreachable: bool = False
    retry_after: float | None = None
    absent: bool = False
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        # It may quote a server: nothing of that moves a cursor, and nobody reads more.
        self.reason = shortened(printable(self.reason), _LONGEST)

    says = "{reason}"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one source did: its name, its place (without secrets) and why it did not deliver."""

    source: str
    place: str
    reason: str

    def __str__(self) -> str:
        place = "" if self.place in self.reason else f"{self.place}: "
        return f"{self.source}: {place}{self.reason}"

    @property
    def brief(self) -> str:
        """It in a short line: of URLs the host and the last name, and no more reasons than fit."""
        return shortened(_PATH.sub(r"\1/…/", str(self)), _BRIEF)


@dataclass(eq=False, repr=False)
class ModelUnavailable(ModelError):  # noqa: N818 (the contract's name)
    """The model is not on this machine and no source could provide it.

    Attributes:
        model: name and variant.
        directory: where it was to be put.
        attempts: what each source did, in order.
        advice: what to do next.
    """

    model: str
    directory: str
    attempts: tuple[Attempt, ...] = ()
    advice: str = ""

    def __str__(self) -> str:
        lines = [f"model {self.model} is not in {self.directory} and could not be fetched:"]
        lines += [f"  - {attempt}" for attempt in self.attempts] or ["  - no source is left to ask"]
        if self.advice:
            lines.append(self.advice)
        return "\n".join(lines)
