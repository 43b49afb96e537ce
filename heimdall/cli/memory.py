"""The commands that store, find, change and delete memories of the project around the working directory."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from heimdall.cli import output
from heimdall.cli.command import command, json_option
from heimdall.cli.memory_view import (
    TYPES,
    about,
    as_filter,
    document,
    filter_options,
    show,
    table,
    when,
)

if TYPE_CHECKING:
    from cognitive_memory.core.memory import Memory
    from cognitive_memory.project_memory import ProjectMemory


@command(
    examples=[
        ("heimdall store 'Releases are cut from main' --tag release", "remember a sentence"),
        (
            "git log -1 | heimdall store --type episode --source git",
            "remember what another command says",
        ),
    ]
)
@click.argument("text", required=False)
@click.option(
    "--type",
    "kind",
    type=click.Choice(TYPES),
    default="episode",
    show_default=True,
    help="How general it is.",
)
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="A label; may be repeated.")
@click.option("--source", metavar="PATH", help="What it comes from.")
@click.option(
    "--context",
    default="",
    metavar="TEXT",
    help="Where it stands: helps to find it, is not part of it.",
)
@click.option(
    "--importance",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="How much it matters.",
)
@click.option("--pin", is_flag=True, help="Keep it in sight whatever its age.")
@click.option(
    "--at", callback=when, metavar="WHEN", help="When what it tells happened; default: now."
)
@click.option("--metadata", metavar="JSON", help="Whatever else belongs to it, as a JSON object.")
@click.option(
    "--id", "memory_id", metavar="UUID", help="Its id; the memory that has it is replaced."
)
@json_option
def store(
    *,
    text: str | None,
    kind: str,
    tags: tuple[str, ...],
    source: str | None,
    context: str,
    importance: float,
    pin: bool,
    at: datetime | None,
    metadata: str | None,
    memory_id: str | None,
    machine: bool,
) -> None:
    """Remember a text.

    TEXT is read from the standard input if it is left out or "-". The same text, context and source is stored once. It can
    be found at once: by keywords always, by meaning if the embedding model is on this machine.
    """
    from cognitive_memory.core.memory import MemoryType, NewMemory

    new = NewMemory(
        text=_text(text),
        type=MemoryType(kind),
        tags=tags,
        source=source,
        context=context,
        importance=importance,
        pinned=pin,
        created_at=at,
        metadata=_object(metadata) if metadata else {},
        id=memory_id,
    )
    with _memory() as memory:
        report = memory.store_many([new])
        stored = memory.get(report.ids[0])
    change = "added" if report.added else "updated" if report.updated else "unchanged"
    if machine:
        output.as_json({**document(stored), "change": change})
        return
    said = {"added": "stored  ", "updated": "updated  ", "unchanged": "was there already  "}[change]
    output.line(output.good(said), stored.id)
    if not stored.embedded:
        _note(_pending_advice(1))


@command(
    examples=[
        ("heimdall recall 'how are releases made'", "the ten memories that answer best"),
        ("heimdall recall parser --tag bug --since 2026-01-01", "among some of them"),
        (
            "heimdall recall 'retry policy' --explain --json",
            "with what each score is made of, for a script",
        ),
    ]
)
@click.argument("query", nargs=-1, required=True)
@click.option(
    "--limit",
    "-n",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="How many at most.",
)
@filter_options
@click.option("--explain", is_flag=True, help="Tell what each score is made of.")
@click.option(
    "--wait", is_flag=True, help="Fetch the embedding model first if it is not on this machine."
)
@json_option
def recall(
    *,
    query: tuple[str, ...],
    limit: int,
    types: tuple[str, ...],
    tags: tuple[str, ...],
    sources: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    explain: bool,
    wait: bool,
    machine: bool,
) -> None:
    """Find memories that answer a question.

    By meaning and by keywords; by keywords alone as long as the embedding model is not on this machine, which is said.
    Nothing is downloaded without --wait.
    """
    from cognitive_memory.core.recall import Recall, RecallMode

    with _existing() as memory:
        answer = (
            Recall(hits=(), mode=RecallMode.KEYWORDS, pending=0, notes=(_NOTHING_YET,))
            if memory is None
            else memory.recall(
                " ".join(query),
                limit=limit,
                filter=as_filter(types, tags, sources, since, until),
                explain=explain,
                wait_for_model=wait,
            )
        )
    if machine:
        hits = [
            {
                "score": hit.score,
                **({"parts": dict(hit.parts)} if explain else {}),
                "memory": document(hit.memory),
            }
            for hit in answer.hits
        ]
        output.as_json(
            {
                "mode": str(answer.mode),
                "pending": answer.pending,
                "notes": list(answer.notes),
                "hits": hits,
            }
        )
        return
    for number, hit in enumerate(answer.hits, 1):
        show(hit.memory, before=f"{number}. ")
        if explain:
            parts = "  ".join(f"{name} {value:.3f}" for name, value in hit.parts.items())
            output.line(output.faint(f"    score {hit.score:.3f}  {parts}"))
    if not answer.hits:
        output.line("nothing found")
    for note in answer.notes:
        _note(note)
    if answer.pending or answer.mode is RecallMode.KEYWORDS:
        _note(_pending_advice(answer.pending))


@command(
    examples=[
        ("heimdall status", "what this project remembers"),
        (
            "heimdall status --embed",
            "and make the vectors that are missing, fetching the model if need be",
        ),
    ]
)
@click.option("--embed", is_flag=True, help="Make the vectors that are missing first.")
@json_option
def status(*, embed: bool, machine: bool) -> None:
    """Show what this project remembers."""
    from cognitive_memory.project import find_project
    from heimdall.models.text import megabytes

    with _existing() as memory:
        if memory is None:
            database = str(find_project().database)
            if machine:
                output.as_json({"database": database, "exists": False, "memories": 0})
            else:
                output.line(f"{database} does not exist yet: 'heimdall store' remembers something")
            return
        if embed:
            embed_all(memory)
        found = memory.status()
    if machine:
        output.as_json(
            {
                "database": str(found.database),
                "exists": True,
                "project_id": found.project_id,
                "schema_version": found.schema_version,
                "revision": found.revision,
                "size": found.size,
                "memories": found.memories,
                "pinned": found.pinned,
                "types": {str(kind): count for kind, count in found.types.items()},
                "tags": dict(found.tags),
                "sources": found.sources,
                "embedded": found.embedded,
                "pending": found.pending,
                "not_embeddable": found.not_embeddable,
                "model": found.model,
            }
        )
        return
    tags = [f"{tag} ({count})" for tag, count in found.tags.items()]
    more = f" and {len(tags) - _TAGS_SHOWN} more" if len(tags) > _TAGS_SHOWN else ""
    output.fields(
        (
            ("project", found.project_id),
            ("database", f"{found.database}"),
            (
                "size",
                f"{megabytes(found.size)}, schema {found.schema_version}, revision {found.revision}",
            ),
            (
                "memories",
                f"{found.memories:,} from {found.sources:,} sources, {found.pinned:,} pinned",
            ),
            ("types", ", ".join(f"{count:,} {kind}" for kind, count in found.types.items())),
            *((("tags", ", ".join(tags[:_TAGS_SHOWN]) + more),) if tags else ()),
            (
                "vectors",
                f"{found.embedded:,} made, {found.pending:,} pending, {found.not_embeddable:,} not possible",
            ),
            ("model", found.model or "none is pinned"),
        )
    )
    if found.pending:
        _note(_pending_advice(found.pending))


@command(
    examples=[
        (
            "heimdall update 6f9619ff-8b86-d011-b42d-00c04fc964ff --text 'It is five now'",
            "change the text",
        ),
        (
            "heimdall update 6f9619ff-8b86-d011-b42d-00c04fc964ff --tag release --pin",
            "give it these tags, and pin it",
        ),
    ]
)
@click.argument("memory_id", metavar="ID")
@click.option("--text", help='The new text; "-" reads it from the standard input.')
@click.option("--type", "kind", type=click.Choice(TYPES), help="How general it is.")
@click.option(
    "--tag",
    "tags",
    multiple=True,
    metavar="TAG",
    help="The new tags, in place of all it has; may be repeated.",
)
@click.option("--no-tags", is_flag=True, help="Take all tags away.")
@click.option("--source", metavar="PATH", help="What it comes from.")
@click.option("--context", metavar="TEXT", help="Where it stands.")
@click.option("--importance", type=click.FloatRange(0, 1), help="How much it matters.")
@click.option(
    "--pin/--unpin", "pinned", default=None, help="Keep it in sight whatever its age, or no more."
)
@click.option("--metadata", metavar="JSON", help="Whatever else belongs to it, as a JSON object.")
@json_option
def update(
    *,
    memory_id: str,
    text: str | None,
    kind: str | None,
    tags: tuple[str, ...],
    no_tags: bool,
    source: str | None,
    context: str | None,
    importance: float | None,
    pinned: bool | None,
    metadata: str | None,
    machine: bool,
) -> None:
    """Change a memory; what is not named stays as it is."""
    given: dict[str, Any] = {
        "text": _text(text) if text else None,
        "type": kind,
        "tags": () if no_tags else tags or None,
        "source": source,
        "context": context,
        "importance": importance,
        "pinned": pinned,
        "metadata": _object(metadata) if metadata else None,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    if not changes:
        raise click.UsageError("Name what is to change, for example --text.")
    with _memory() as memory:
        changed = memory.update(memory_id, **changes)
    if machine:
        output.as_json(document(changed))
    else:
        show(changed)


@command(
    "delete-memory",
    examples=[("heimdall delete-memory 6f9619ff-8b86-d011-b42d-00c04fc964ff", "forget it")],
)
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted.")
@json_option
def delete_memory(*, ids: tuple[str, ...], yes: bool, dry_run: bool, machine: bool) -> int:
    """Delete memories for good.

    All of them or, if one is unknown, none. On a terminal you are asked first.
    """
    with _memory() as memory:
        found = list(dict.fromkeys(memory.get(memory_id).id for memory_id in ids))
        return _delete(
            memory,
            [memory.get(memory_id) for memory_id in found],
            yes=yes,
            dry_run=dry_run,
            machine=machine,
        )


@command(
    "delete-memories-by-tags",
    examples=[
        ("heimdall delete-memories-by-tags draft --dry-run", "what has that tag"),
        (
            "heimdall delete-memories-by-tags draft obsolete --yes",
            "forget all that has one of these, unasked",
        ),
    ],
)
@click.argument("tags", nargs=-1, metavar="[TAG]...")
@click.option("--tag", "more", multiple=True, metavar="TAG", help="The same as an argument.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted.")
@json_option
def delete_memories_by_tags(
    *, tags: tuple[str, ...], more: tuple[str, ...], yes: bool, dry_run: bool, machine: bool
) -> int:
    """Delete all memories that have any of the tags, for good.

    On a terminal you are asked first.
    """
    if not tags and not more:
        raise click.UsageError("Name a tag.")
    with _memory() as memory:
        found = memory.delete_by_tags([*tags, *more], dry_run=True)
        return _delete(memory, found, yes=yes, dry_run=dry_run, machine=machine)


def _delete(
    memory: ProjectMemory, found: Sequence[Memory], *, yes: bool, dry_run: bool, machine: bool
) -> int:
    what = f"{len(found)} {'memory' if len(found) == 1 else 'memories'}"
    if found and not dry_run:
        if not yes and not machine and sys.stdin.isatty():
            table(found)
            if not click.confirm(f"Delete {what} for good?", err=True):
                output.line("nothing was deleted")
                return 1
        found = memory.delete([item.id for item in found])
    if machine:
        output.as_json({"dry_run": dry_run, "deleted": [document(item) for item in found]})
        return 0
    for item in found:
        output.line(output.faint("would delete  ") if dry_run else "deleted  ", about(item))
    output.line(f"{what} {'would be' if dry_run else 'were' if len(found) != 1 else 'was'} deleted")
    return 0


def embed_all(memory: ProjectMemory) -> int:
    """Make all vectors that are missing, with a bar; fetches the model if it is not here."""
    from heimdall.cli.progress import progress
    from heimdall.cognitive_system.data_dirs import initialize_shared_environment

    initialize_shared_environment()
    with progress("embedding") as report:
        return memory.embed_pending(progress=report)


_TAGS_SHOWN = 20
_NOTHING_YET = "This project remembers nothing yet: 'heimdall store' or 'heimdall load' puts something into its memory."


def _memory() -> ProjectMemory:
    from cognitive_memory.opening import open_memory
    from cognitive_memory.project import find_project

    return open_memory(find_project())


def _existing() -> AbstractContextManager[ProjectMemory | None]:
    from cognitive_memory.opening import existing_memory
    from cognitive_memory.project import find_project

    return existing_memory(find_project()) or nullcontext()


def _text(given: str | None) -> str:
    if given is not None and given != "-":
        return given
    if given is None and sys.stdin.isatty():
        raise click.UsageError("Say what to remember, or pipe it in.")
    return sys.stdin.read().rstrip("\n")


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"it is no JSON: {error}", param_hint="--metadata") from None
    if not isinstance(value, dict):
        raise click.BadParameter(
            'expected a JSON object, for example {"issue": 12}', param_hint="--metadata"
        )
    return value


def _pending_advice(pending: int) -> str:
    from cognitive_memory.embedding.embedder import ModelEmbedder

    if not ModelEmbedder().ready():
        advice = "'heimdall models pull' fetches the model"
        return (
            f"{advice}, 'heimdall status --embed' then makes the missing vectors"
            if pending
            else advice
        )
    return "'heimdall status --embed' makes the missing vectors"


def _note(text: str) -> None:
    click.echo(f"note: {text}", err=True)
