"""The schema's history: numbered SQL files, applied in order, never changed once released."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from sqlite3 import complete_statement


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema.

    Attributes:
        version: the schema version that it leads to, from 1.
        statements: its SQL, one statement each.
    """

    version: int
    statements: tuple[str, ...]


def carried() -> Sequence[Migration]:
    """The migrations that this release carries, by version from 1 on without a gap."""
    migrations = [
        Migration(
            int(file.name.partition("_")[0]), tuple(statements(file.read_text(encoding="utf-8")))
        )
        for file in resources.files(__name__).iterdir()
        if file.name.endswith(".sql")
    ]
    return sorted(migrations, key=lambda migration: migration.version)


def statements(script: str) -> Iterator[str]:
    """The statements of a script, each beginning on a line of its own; triggers have semicolons inside."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if complete_statement(statement):
            yield statement
            statement = ""
    if any(line.strip() and not line.lstrip().startswith("--") for line in statement.splitlines()):
        raise ValueError(f"a statement has no end: {statement[:200]!r}")
