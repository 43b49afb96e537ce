"""What can be wrong with a client's configuration."""

from __future__ import annotations

from pathlib import Path

from heimdall.errors import HeimdallError


class ClientConfigError(HeimdallError):
    """A client's configuration file can't be read or changed; it was left as it is.

    Attributes:
        path: the file.
        problem: what is wrong and what to do.
    """

    def __init__(self, path: Path | str, problem: str) -> None:
        super().__init__(path, problem)
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}; the file was left as it is"


class ScopeError(HeimdallError):
    """A client has no configuration file of the scope that was asked for.

    Attributes:
        client: the client's name.
        scope: what was asked for.
        known: the scopes that it has.
    """

    def __init__(self, client: str, scope: str, known: tuple[str, ...]) -> None:
        super().__init__(client, scope, known)
        self.client = client
        self.scope = scope
        self.known = known

    def __str__(self) -> str:
        return f"{self.client} has no configuration of scope {self.scope!r}: use --scope {' or '.join(self.known)}"


class FormatError(ValueError):
    """A text is not what its format allows; the message says where and what."""
