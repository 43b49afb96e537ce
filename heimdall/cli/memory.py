"""The commands that store, find and change memories of the project around the working directory."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from heimdall.cli import output
from heimdall.cli.command import command, json_wanted
from heimdall.cli.memory_options import (
    TYPES,
    as_filter,
    filter_options,
    metadata_option,
    moment,
    scope_option,
)
from heimdall.cli.memory_view import document, note, note_pending, short, show, show_hits
from heimdall.cli.opening import ALL, embed_all, place, these_memories, this_memory, whole_ids
from heimdall.models.report import Report
from heimdall.models.text import megabytes

if TYPE_CHECKING:
    from cognitive_memory.core.status import MemoryStatus
    from cognitive_memory.project_memory import ProjectMemory

_TAGS_SHOWN = 20
_HITS, _HITS_AS_JSON = 5, 10
_NOTHING_YET = "This project remembers nothing yet: 'heimdall init' remembers what is here, 'heimdall store' what you say."


@command()
@click.argument("words", nargs=-1, metavar="[TEXT]...")
@click.option(
    "--type",
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
@click.option("--pin", "pinned", is_flag=True, help="Keep it in sight whatever its age.")
@click.option(
    "--at",
    "created_at",
    callback=moment,
    metavar="WHEN",
    help="When what it tells happened; default: now.",
)
@metadata_option
@click.option(
    "--id", "named", metavar="ID", help="Its id, a UUID; the memory that has it is replaced."
)
@scope_option("project")
def store(
    *,
    words: tuple[str, ...],
    metadata: Mapping[str, Any] | None,
    named: str | None,
    scope: str,
    **fields: Any,
) -> Report:
    """Remember a text.

    TEXT may be several words; it is read from the standard input if it is left out or "-". A text is stored once,
    whatever its case and blanks: again, it adds details. It can be found at once: by keywords always, by meaning if the embedding model is on this
    machine.

    Examples:
        heimdall store Releases are cut from main --tag release  # remember a sentence
        heimdall store --user I prefer short commit messages  # in all of my projects
        git log -1 | heimdall store --type episode --source git  # remember what another command says
    """
    from cognitive_memory.core.memory import NewMemory
    from cognitive_memory.storage.short_ids import short_id

    new = NewMemory(text=_text(" ".join(words) or None), metadata=metadata or {}, **fields)
    with this_memory(scope) as memory:
        if named:
            new = replace(new, id=_id(memory, named))
        report = memory.store_many([new], by_hand=True)
        stored = memory.get(report.ids[0])
        similar = memory.alike(stored) if report.added else []
    change = "added" if report.added else "updated" if report.updated else "unchanged"
    done = {"added": "stored", "updated": "updated", "unchanged": "was there already"}
    if not named:
        done["updated"] = "was there already, details added"

    def show_stored() -> None:
        everywhere = "  for all projects" if scope == "user" else ""
        output.line(output.good(f"{done[change]}  "), short_id(stored.id), everywhere)
        for one in similar:
            note(f"{short_id(one.id)}, stored before, is like it: {short(one.text)}")
        if similar:
            instead = f"'heimdall update {short_id(similar[0].id)} --text …'"
            here = f"'heimdall delete-memory {short_id(stored.id)}'"
            note(f"if one of them is the same, or no longer right: {instead}, then {here}")
        if not stored.embedded:
            note_pending(1)

    known = {"change": change, "similar": [document(one) for one in similar]}
    return Report({**document(stored), **known}, show_stored)


@command()
@click.argument("query", nargs=-1, required=True)
@click.option(
    "--limit",
    "-n",
    type=click.IntRange(min=1),
    help=f"How many at most; default: {_HITS}, with --json {_HITS_AS_JSON}.",
)
@filter_options
@scope_option(ALL, both=True)
@click.option("--full", is_flag=True, help="Show all of each text.")
@click.option("--explain", is_flag=True, help="Tell what each score is made of.")
@click.option(
    "--wait", is_flag=True, help="Fetch the embedding model first if it is not on this machine."
)
def recall(
    *,
    query: tuple[str, ...],
    limit: int | None,
    scope: str,
    full: bool,
    explain: bool,
    wait: bool,
    **chosen: Any,
) -> Report:
    """Find memories that answer a question.

    Of this project, and what you stored for all of yours. By meaning and by keywords; by keywords alone as long as the
    embedding model is not on this machine, which is said. Nothing is downloaded without --wait. Of each memory the part
    around what was asked is shown, best first; what is unlikely to answer is called weak. What is longer than the
    terminal goes to your pager.

    Examples:
        heimdall recall how are releases made  # the five memories that answer best
        heimdall recall parser --tag bug --since 2026-01-01 -n 20  # among some of them, and more
        heimdall recall retry policy --full  # all of each text
        heimdall recall 'retry policy' --explain --json  # with what each score is made of, for a script
    """
    from cognitive_memory.core.recall import Recall, RecallMode

    limit = limit or (_HITS_AS_JSON if json_wanted() else _HITS)
    with these_memories(scope) as memory:
        if not memory.memories:
            answer = Recall(hits=(), mode=RecallMode.KEYWORDS, pending=0, notes=(_NOTHING_YET,))
        else:
            answer = memory.recall(
                " ".join(query),
                limit=limit,
                filter=as_filter(**chosen),
                explain=explain,
                wait_for_model=wait,
            )
    hits = [
        {"score": hit.score}
        | ({"parts": hit.parts} if explain else {})
        | ({"also": [document(other) for other in hit.also]} if hit.also else {})
        | {"memory": document(hit.memory)}
        for hit in answer.hits
    ]

    def show_answer() -> None:
        if not memory.memories:
            output.paragraph(_NOTHING_YET)
            return
        show_hits(answer.hits, " ".join(query), whole=full, explain=explain)
        for text in answer.notes:
            note(text)
        if answer.pending or answer.mode is RecallMode.KEYWORDS:
            note_pending(answer.pending)

    known = {name: getattr(answer, name) for name in ("mode", "weak", "pending", "notes")}
    return Report({**known, "hits": hits}, show_answer)


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
        told = f"{database} does not exist yet: 'heimdall store' remembers something"
        known: dict[str, Any] = {"database": database, "exists": False, "memories": 0}
    else:
        known = {"database": chosen.database, "exists": True, **output.fields_of(chosen)}
    beside = users if users is not chosen else None
    if beside:
        known["user"] = {"database": beside.database, "memories": beside.memories}

    def show_all() -> None:
        if chosen is None:
            output.line(told)
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


@command()
@click.argument("memory_id", metavar="ID")
@click.option("--text", help='The new text; "-" reads it from the standard input.')
@click.option("--type", type=click.Choice(TYPES), help="How general it is.")
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
@metadata_option
def update(
    *, memory_id: str, text: str | None, tags: tuple[str, ...], no_tags: bool, **fields: Any
) -> Report:
    """Change a memory; what is not named stays as it is.

    Of this project, or of what you stored for all of yours. The ID may be cut to its first 8 characters.

    Examples:
        heimdall update 6f9619ff --text 'It is five now'  # change the text
        heimdall update 6f9619ff --tag release --pin  # give it these tags, and pin it
    """
    fields["text"] = _text(text) if text else None
    fields["tags"] = () if no_tags else tags or None
    changes = {name: value for name, value in fields.items() if value is not None}
    if not changes:
        raise click.UsageError("Name what is to change, for example --text.")
    from cognitive_memory.storage.short_ids import short_id

    with these_memories() as memory:
        (named,) = whole_ids(memory, [memory_id])
        updated = memory.update(named, **changes)

    def show_updated() -> None:
        show(updated, whole=True)
        if text:
            kept = f"'heimdall history {short_id(updated.id)}'"
            note(f"{kept} shows what it said before, and with --forget drops that")

    return Report(document(updated), show_updated)


def _id(memory: ProjectMemory, named: str) -> str:
    """An id that is new or not, or the one of a memory that is there, whose beginning was given."""
    from cognitive_memory.core.values import MemoryValueError, as_id
    from cognitive_memory.joint_memory import JointMemory

    try:
        return as_id(named)
    except MemoryValueError:
        return whole_ids(JointMemory(memory), [named])[0]


def _text(given: str | None) -> str:
    if given is not None and given != "-":
        return given
    if given is None and sys.stdin.isatty():
        raise click.UsageError("Say what to remember, or pipe it in.")
    return sys.stdin.read().rstrip("\n")
