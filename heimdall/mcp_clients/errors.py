"""What can be wrong with a client's configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from heimdall.errors import HeimdallError


@dataclass(eq=False, repr=False)
class ClientConfigError(HeimdallError):
    """A client's configuration file can't be read or changed; it was left as it is.

    Attributes:
        path: the file.
        problem: what is wrong and what to do.
        remedy: what a person can paste instead; empty if there is no such thing.
    """

    path: Path
    problem: str
    remedy: str = ""

    def __str__(self) -> str:
        text = f"{self.path}: {self.problem}; the file was left as it is"
        return f"{text}. {self.remedy}" if self.remedy else text


class FileChangedError(ClientConfigError):
    """Another program wrote the file while it was being changed; what that wrote is kept."""


class ScopeError(HeimdallError):
    """A client has no configuration file of the scope that was asked for; the text names those that it has."""


class FormatError(ValueError):
    """A text is not what its format allows; the message says where and what."""
