"""The commands `heimdall store` and `heimdall update`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from heimdall.cli import output
from heimdall.cli.command import command
from heimdall.cli.memory_options import TYPES, metadata_option, moment, scope_option
from heimdall.cli.memory_view import document, note, note_pending, short, show
from heimdall.cli.opening import these_memories, this_memory
from heimdall.errors import HeimdallError
from heimdall.models.report import Report

if TYPE_CHECKING:
    from cognitive_memory.core.memory import Memory
    from cognitive_memory.project_memory import ProjectMemory


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
        similar = memory.alike(stored) if report.added or named else []
    change = "added" if report.added else "updated" if report.updated else "unchanged"
    done = {"added": "stored", "updated": "updated", "unchanged": "was there already"}
    if not named:
        done["updated"] = "was there already, details added"

    def show_stored() -> None:
        everywhere = "  for all projects" if scope == "user" else ""
        output.line(output.good(f"{done[change]}  "), short_id(stored.id), everywhere)
        _note_similar(similar, stored)
        if not stored.embedded:
            note_pending(1)

    known = {"change": change, "similar": list(map(document, similar))}
    return Report({**document(stored), **known}, show_stored)


@command()
@click.argument("memory_id", metavar="ID")
@click.argument("words", nargs=-1, metavar="[TEXT]...")
@click.option("--text", help='The new text, too; "-" reads it from the standard input.')
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
    *,
    memory_id: str,
    words: tuple[str, ...],
    text: str | None,
    tags: tuple[str, ...],
    no_tags: bool,
    **fields: Any,
) -> Report:
    """Change a memory; what is not named stays as it is.

    Of this project, or of what you stored for all of yours. The ID may be cut to its first 8 characters. TEXT may be
    several words.

    Examples:
        heimdall update 6f9619ff It is five now  # change the text
        heimdall update 6f9619ff --tag release --pin  # give it these tags, and pin it
    """
    if words and text:
        raise click.UsageError("The text is given twice: as words and as --text.")
    text = text or " ".join(words)
    fields["text"] = _text(text) if text else None
    fields["tags"] = () if no_tags else tags or None
    changes = {name: value for name, value in fields.items() if value is not None}
    if not changes:
        raise click.UsageError("Say the new text, or name what is to change, for example --tag.")
    from cognitive_memory.storage.short_ids import short_id

    with these_memories() as memory:
        (named,) = memory.whole_ids([memory_id])
        updated = memory.update(named, **changes)
        similar = memory.having(named).alike(updated) if text else []

    def show_updated() -> None:
        show(updated, whole=True)
        _note_similar(similar, updated)
        if text:
            kept = f"'heimdall history {short_id(updated.id)}'"
            note(f"{kept} shows what it said before, and with --forget drops that")

    return Report({**document(updated), "similar": list(map(document, similar))}, show_updated)


def _note_similar(similar: Sequence[Memory], stored: Memory) -> None:
    """Tell what else says nearly the same, or what that no longer does, and what to do."""
    from cognitive_memory.storage.short_ids import short_id

    for one in similar:
        note(f"{short_id(one.id)} is like it: {short(one.text)}")
    if similar:
        instead = f"'heimdall update {short_id(similar[0].id)} --text …'"
        here = f"'heimdall delete-memory {short_id(stored.id)}'"
        note(f"if one of them is the same, or no longer right: {instead}, then {here}")


def _id(memory: ProjectMemory, named: str) -> str:
    """An id that is new or not, or the one of a memory that is there, whose beginning was given."""
    from cognitive_memory.core.values import MemoryValueError, as_id
    from cognitive_memory.joint_memory import JointMemory

    try:
        return as_id(named)
    except MemoryValueError:
        return JointMemory(memory).whole_ids([named])[0]


def _text(given: str | None) -> str:
    if given is not None and given != "-":
        return given
    if given is None and sys.stdin.isatty():
        raise click.UsageError("Say what to remember, or pipe it in.")
    encoding = (sys.stdin.encoding or "UTF-8").removesuffix("-sig").upper()
    try:
        read = sys.stdin.read().rstrip("\n")
        found = "a NUL character, as UTF-16 has" if "\0" in read else ""
    except UnicodeDecodeError as error:
        found = f"byte {error.object[error.start]:#04x} at position {error.start}"
    if found:
        raise HeimdallError(
            f"standard input is not {encoding} ({found}); nothing was stored. "
            "Send it as UTF-8, or name its encoding in PYTHONIOENCODING"
        )
    return read
