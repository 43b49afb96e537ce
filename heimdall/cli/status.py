"""The command `heimdall status`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from heimdall.cli import output
from heimdall.cli.command import command
from heimdall.cli.memory_options import scope_option
from heimdall.cli.memory_view import NOTHING_YET, note_pending
from heimdall.cli.opening import ALL, embed_all, place, these_memories
from heimdall.models.report import Report
from heimdall.models.text import megabytes

if TYPE_CHECKING:
    from cognitive_memory.core.status import MemoryStatus

_TAGS_SHOWN = 20


@command()
@click.option("--embed", is_flag=True, help="Make the vectors that are missing first.")
@scope_option(ALL, both=True)
def status(*, embed: bool, scope: str) -> Report:
    """Show what this project remembers.

    And how much you stored for all of yours.

    Examples:
        heimdall status  # what this project remembers
        heimdall status --embed  # and make the vectors that are missing, fetching the model if need be
    """
    from cognitive_memory.core.memory import Scope
    from cognitive_memory.project.errors import NoProjectError

    with these_memories(scope) as joint:
        if embed:
            for memory in joint.memories.values():
                embed_all(memory)
        counted = {of: memory.storage.status() for of, memory in joint.memories.items()}
    users = counted.get(Scope.USER)
    chosen = users if scope == Scope.USER else counted.get(Scope.PROJECT)
    if chosen is None:
        try:
            database = place(scope).database
        except NoProjectError:  # then there is the user's, or it would have been said before
            chosen = users
    if chosen is None:
        known: dict[str, Any] = {"database": database, "exists": False, "memories": 0}
    else:
        known = {"database": chosen.database, "exists": True, **output.fields_of(chosen)}
    beside = users if users is not chosen else None
    if beside:
        known["user"] = {"database": beside.database, "memories": beside.memories}

    def show_all() -> None:
        if chosen is None:
            output.paragraph(NOTHING_YET)
        else:
            _show_status(chosen)
        if beside:
            held = "1 memory" if beside.memories == 1 else f"{beside.memories:,} memories"
            output.fields([("for all projects", f"{held} in {beside.database}")])

    return Report(known, show_all)


def _show_status(counted: MemoryStatus) -> None:
    tags = [f"{tag} ({count})" for tag, count in counted.tags.items()]
    more = f" and {len(tags) - _TAGS_SHOWN} more" if len(tags) > _TAGS_SHOWN else ""
    size = (
        f"{megabytes(counted.size)}, schema {counted.schema_version}, revision {counted.revision}"
    )
    memories = f"{counted.memories:,} from {counted.sources:,} sources, {counted.pinned:,} pinned"
    vectors = (
        f"{counted.embedded:,} made, {counted.pending:,} pending, "
        f"{counted.not_embeddable:,} not possible"
    )
    rows = {
        "project": counted.project_id,
        "database": counted.database,
        "size": size,
        "memories": memories,
        "types": ", ".join(f"{count:,} {kind}" for kind, count in counted.types.items()),
        "tags": ", ".join(tags[:_TAGS_SHOWN]) + more or None,
        "vectors": vectors,
        "model": counted.model or "none is pinned",
    }
    output.fields(rows.items())
    if counted.pending:
        note_pending(counted.pending)
