"""What loading did, or would do."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import PurePath

from cognitive_memory.core.reports import SourceReport
from cognitive_memory.ingest.documents import Document
from cognitive_memory.ingest.walking import Reason, Skipped

_NAMED = (Reason.GENERATED, Reason.VENDORED)
"""Why files are left out that their user may want all the same."""


def silent(_done: int, _total: int) -> None:
    """The progress of whoever wants none."""


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
    memories: SourceReport = field(default_factory=SourceReport)


@dataclass(slots=True)
class LoadReport(Report):
    """What loading files did.

    Attributes:
        loaded, unchanged, removed: sources of files whose memories were made, left as they were, removed.
        skipped: how many files and ignored folders were left out, by reason.
        unsupported: how many were left out because of their kind, by the ending of their name, or by the name.
        examples: how many secrets were replaced in documentation and tests, by file; they are not among `redacted`.
        left_out: the files that were left out because no person wrote them, by reason.
    """

    loaded: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    skipped: Counter[Reason] = field(default_factory=Counter)
    unsupported: Counter[str] = field(default_factory=Counter)
    examples: dict[str, int] = field(default_factory=dict)
    left_out: dict[Reason, list[str]] = field(default_factory=dict)

    def skip(self, skipped: Skipped) -> None:
        """Count what was left out."""
        self.skipped[skipped.reason] += 1
        if skipped.reason in _NAMED:
            self.left_out.setdefault(skipped.reason, []).append(skipped.source)
        if skipped.reason is Reason.UNSUPPORTED:
            name = PurePath(skipped.source)
            self.unsupported[name.suffix[1:].lower() or name.name] += 1
        if skipped.detail:
            self.notes.append(skipped.detail)

    def add(self, source: str, document: Document) -> None:
        """Tell what was loaded of a file, but for its memories."""
        self.loaded.append(source)
        self.notes += document.notes
        if document.is_example and document.redacted:
            self.examples[source] = document.redacted
        else:
            self.redacted += document.redacted


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
