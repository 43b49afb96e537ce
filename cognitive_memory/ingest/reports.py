"""What loading did, or would do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from cognitive_memory.core.reports import SourceReport, StoreReport
from cognitive_memory.ingest.walking import Reason

Progress = Callable[[int, int], None]
"""Told how many of how many are done."""


def silent(_done: int, _total: int) -> None:
    """The progress of whoever wants none."""


@dataclass(slots=True)
class MemoryCounts:
    """How many memories were added, left as they were, changed, removed."""

    added: int = 0
    unchanged: int = 0
    updated: int = 0
    removed: int = 0

    def count(self, report: SourceReport | StoreReport) -> None:
        """Add what one call did."""
        self.added += report.added
        self.unchanged += report.unchanged
        self.updated += report.updated
        self.removed += report.removed if isinstance(report, SourceReport) else 0


@dataclass(slots=True)
class Report:
    """What loading did.

    Attributes:
        dry_run: whether nothing was changed: then it says what would be.
        notes: what the user should know, in sentences.
        redacted: how many secrets were replaced.
        memories: what became of the memories of what was loaded, and of what is gone.
    """

    dry_run: bool = False
    notes: list[str] = field(default_factory=list)
    redacted: int = 0
    memories: MemoryCounts = field(default_factory=MemoryCounts)


@dataclass(slots=True)
class LoadReport(Report):
    """What loading files did.

    Attributes:
        loaded, unchanged, removed: sources of files whose memories were made, left as they were, removed.
        skipped: how many files and ignored folders were left out, by reason.
    """

    loaded: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    skipped: Counter[Reason] = field(default_factory=Counter)


@dataclass(slots=True)
class GitReport(Report):
    """What loading a repository's history did.

    Attributes:
        repository: its source, as its memories name it.
        branch: what was asked for, or "HEAD".
        tip: the commit that it means; None: the repository has none yet.
        commits: how many commits were read anew.
        known: how many were loaded before.
        merges: how many merges were left out because they say nothing of their own.
        forgotten: how many loaded commits were removed, because no branch or tag reaches them any more.
    """

    repository: str = ""
    branch: str = "HEAD"
    tip: str | None = None
    commits: int = 0
    known: int = 0
    merges: int = 0
    forgotten: int = 0
