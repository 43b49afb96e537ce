"""What can go wrong with a model. Each error carries its data as attributes and survives pickling."""

from __future__ import annotations

from .text import printable

TYPE_CHECKING = False  # as `typing` would say it; this module is part of every import of heimdall
if TYPE_CHECKING:
    from .attempt import Attempt

_LONGEST = 2000


class HeimdallError(Exception):
    """Base of all of heimdall's errors; its text says what happened and what to do next."""


class ModelError(HeimdallError):
    """Base of all errors about models."""


class ManifestError(ModelError):
    """The pinned manifest is missing, unreadable or not one that this release understands.

    Attributes:
        path: the manifest's path.
        reason: what is wrong with it and what to do.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"model manifest {self.path}: {self.reason}"


class IntegrityError(ModelError):
    """Bytes do not have the size and sha256 that the manifest pins; they were thrown away.

    Attributes:
        what: the file or asset.
        expected: the pinned size or sha256.
        found: what came instead.
    """

    def __init__(self, what: str, expected: str, found: str) -> None:
        super().__init__(what, expected, found)
        self.what = what
        self.expected = expected
        self.found = found

    def __str__(self) -> str:
        return f"{self.what}: expected {self.expected}, found {self.found}"


class StoreError(ModelError):
    """The models directory can't be used.

    Attributes:
        directory: the models directory.
        reason: what the system said.
        advice: what to do next.
    """

    def __init__(self, directory: str, reason: str, advice: str) -> None:
        super().__init__(directory, reason, advice)
        self.directory = directory
        self.reason = reason
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.directory} can't be used: {self.reason}; {self.advice}"


class SourceError(ModelError):
    """One source could not deliver; the next one is tried.

    Attributes:
        reason: what happened.
        transient: whether the same request may succeed later.
        unreachable: whether there was no connection at all.
        retry_after: seconds that the source asked to wait, or None.
    """

    def __init__(
        self,
        reason: str,
        transient: bool = False,
        unreachable: bool = False,
        retry_after: float | None = None,
    ) -> None:
        # It may quote a server: nothing of that moves a cursor, and nobody reads more.
        reason = printable(reason)
        reason = reason if len(reason) <= _LONGEST else f"{reason[:_LONGEST]}…"
        super().__init__(reason, transient, unreachable, retry_after)
        self.reason = reason
        self.transient = transient
        self.unreachable = unreachable
        self.retry_after = retry_after

    def __str__(self) -> str:
        return self.reason


class ModelUnavailable(ModelError):  # noqa: N818 (the contract's name)
    """The model is not on this machine and no source could provide it.

    Attributes:
        model: name and variant.
        directory: where it was to be put.
        attempts: what each source did, in order.
        advice: what to do next.
    """

    def __init__(
        self, model: str, directory: str, attempts: tuple[Attempt, ...] = (), advice: str = ""
    ) -> None:
        super().__init__(model, directory, attempts, advice)
        self.model = model
        self.directory = directory
        self.attempts = attempts
        self.advice = advice

    def __str__(self) -> str:
        lines = [f"model {self.model} is not in {self.directory} and could not be fetched:"]
        lines += [f"  - {attempt}" for attempt in self.attempts] or ["  - no source is left to ask"]
        if self.advice:
            lines.append(self.advice)
        return "\n".join(lines)
