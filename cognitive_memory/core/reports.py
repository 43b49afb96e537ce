"""What writing many memories did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Progress = Callable[[int, int], None]
"""Called now and then with how many are done, and how many there are (`store_many`: stored, and embedded of them)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreReport:
    """What `store_many` did.

    Attributes:
        added: how many memories are new.
        unchanged: how many were there already.
        updated: how many were there and were changed.
        ids: the id of each memory, in the order in which they were given.
    """

    added: int = 0
    unchanged: int = 0
    updated: int = 0
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReport:
    """What `replace_source` did: how many memories were added, left, changed and removed."""

    added: int = 0
    unchanged: int = 0
    updated: int = 0
    removed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What `import_lines` did.

    Attributes:
        added: how many memories are new.
        unchanged: how many were there already, just so.
        updated: how many were there and were changed to what the lines say.
        older: how many were left as they are, since they were changed here after the lines were written.
        vectors: how many vectors were imported.
    """

    added: int = 0
    unchanged: int = 0
    updated: int = 0
    older: int = 0
    vectors: int = 0
