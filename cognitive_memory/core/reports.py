"""What writing many memories did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cognitive_memory.core.memory import Memory

OnProgress = Callable[[int, int], None]
"""Called now and then with how many are done, and how many there are (`store_many`: stored, and
embedded of them).
"""


@dataclass(slots=True, kw_only=True)
class Counts:
    """What became of memories.

    Attributes:
        added: how many memories are new.
        unchanged: how many were there already, just so.
        updated: how many were there and were changed.
    """

    added: int = 0
    unchanged: int = 0
    updated: int = 0


@dataclass(slots=True, kw_only=True)
class StoreReport(Counts):
    """What `store_many` did.

    Attributes:
        ids: the id of each memory, in the order in which they were given.
    """

    ids: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class SourceReport(Counts):
    """What `replace_source` did, or several calls together.

    Attributes:
        removed: how many memories are gone.
    """

    removed: int = 0

    def count(self, report: SourceReport | StoreReport) -> None:
        """Add what one call did."""
        self.added += report.added
        self.unchanged += report.unchanged
        self.updated += report.updated
        self.removed += report.removed if isinstance(report, SourceReport) else 0


@dataclass(frozen=True, slots=True)
class Deletion:
    """What was deleted, or would be.

    Attributes:
        count: how many memories.
        first: what the first of them were, oldest first; all, unless there are very many.
    """

    count: int
    first: tuple[Memory, ...]


@dataclass(slots=True, kw_only=True)
class ImportReport(Counts):
    """What `import_lines` did.

    Attributes:
        older: how many were left as they are, since they were changed here after the lines were
            written.
        vectors: how many vectors were imported.
    """

    older: int = 0
    vectors: int = 0
