"""The command `heimdall project list`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from heimdall.cli import output
from heimdall.cli.command import command
from heimdall.cli.tables import Column, table
from heimdall.models.report import Report
from heimdall.models.text import megabytes

if TYPE_CHECKING:
    from cognitive_memory.project.registry import KnownProject


@command("list")
def list_() -> Report:
    """List the projects that this machine knows.

    A project is known once its memory was used here. Nothing in the projects is changed.

    Examples:
        heimdall project list  # which projects this machine knows, and how much each remembers
        heimdall project list --json  # the same for a script
    """
    from cognitive_memory.project.errors import ProjectError
    from cognitive_memory.project.find import find_project
    from cognitive_memory.project.registry import known_projects

    try:
        here = find_project().root
    except ProjectError:
        here = None
    projects = [_described(known, here) for known in known_projects()]
    return Report({"projects": projects}, partial(_show, projects))


@dataclass(frozen=True, kw_only=True)
class _ProjectRow:
    root: Path
    project_id: str | None = None
    memories: int | None = None
    size: int | None = None
    used: str
    state: str = "ok"
    problem: str | None = None
    current: bool


def _described(known: KnownProject, here: Path | None) -> _ProjectRow:
    from cognitive_memory.project.errors import ProjectError
    from cognitive_memory.storage.errors import StorageError, UnknownDatabaseError
    from cognitive_memory.storage.schema import peek

    used = known.used.isoformat(timespec="seconds")
    root = known.project.root

    row = partial(_ProjectRow, root=root, used=used, current=root == here)
    if known.gone:
        return row(state="gone")
    try:
        known.project.check()
        stored = peek(known.project.database)
    except ProjectError as error:
        return row(state="untrusted", problem=error.reason)
    except StorageError as error:
        state = "unknown" if isinstance(error, UnknownDatabaseError) else "unreadable"
        return row(state=state, problem=error.problem)
    if stored is None:
        return row(state="empty")
    return row(project_id=stored.project_id, memories=stored.memories, size=stored.size)


def _show(projects: Sequence[_ProjectRow]) -> None:
    if not projects:
        output.line("no projects yet; 'heimdall project init' makes one")
        return
    columns = [
        Column(""),
        Column("project"),
        Column("memories", right=True, whole=True),
        Column("size", right=True, whole=True),
        Column("used", whole=True),
        Column("state"),
    ]
    rows = (
        (
            output.strong("*") if row.current else "",
            row.root,
            None if row.memories is None else f"{row.memories:,}",
            None if row.size is None else megabytes(row.size),
            row.used[:10],
            (output.good if row.state == "ok" else output.warning)(row.problem or row.state),
        )
        for row in projects
    )
    table(columns, rows)
    if any(row.state == "gone" for row in projects):
        advice = "'heimdall project clean --gone' forgets those whose directory is gone"
        output.line(output.faint(advice))
