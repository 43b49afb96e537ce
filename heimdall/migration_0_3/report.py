"""What a migration did, thing by thing."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

from heimdall.errors import HeimdallError


@dataclass(eq=False, repr=False)
class MigrationError(HeimdallError):
    """Something could not be migrated, and was left as it is.

    Attributes:
        source: what.
        problem: why, and what to do.
    """

    source: str
    problem: str

    says = "{source}: {problem}"


class Outcome(StrEnum):
    """What became of one thing."""

    MIGRATED = "brought over"
    PRESENT = "was here already"
    PLANNED = "would be brought over"
    LEFT = "left where it is"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that an earlier release left.

    Attributes:
        kind: `model`, `file`, `memories`, `settings`, `qdrant` or `volume`.
        source: where it is, or was.
        outcome: what became of it.
        target: where it is now, or would be; None if it is to stay.
        detail: what exactly, why not, and what to do.
        removed: whether the source was deleted, after its copy had been read back.
    """

    kind: str
    source: str
    outcome: Outcome
    target: str | None = None
    detail: str = ""
    removed: bool = False


@dataclass(slots=True)
class MigrationReport:
    """What `migrate_legacy_data` did.

    Attributes:
        dry_run: whether it only looked.
        steps: thing by thing, in order.
        notes: what could not be looked at, and what does not come over, in sentences.
    """

    dry_run: bool
    steps: list[Step] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether nothing failed."""
        return all(step.outcome is not Outcome.FAILED for step in self.steps)

    def as_json(self) -> dict[str, object]:
        """The object that `heimdall migrate --json` prints."""
        return {"sound": self.sound, **asdict(self)}


@dataclass(frozen=True, slots=True)
class Options:
    """How to migrate.

    Attributes:
        dry_run: look only; nothing else is asked for then.
        remove: delete what came over, once its copy was read back.
    """

    dry_run: bool = False
    remove: bool = False


def failure(
    kind: str, source: Path | str, problem: object, target: Path | str | None = None
) -> Step:
    """A thing that could not be migrated; it is where it was."""
    return Step(
        kind, str(source), Outcome.FAILED, None if target is None else str(target), str(problem)
    )
