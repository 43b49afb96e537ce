"""Memories as commands print them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from heimdall.cli import output, screen
from heimdall.cli.memory_lines import (
    FEWEST_LINES,
    LINES,
    Layout,
    Line,
    as_name,
    memory_lines,
    visible,
)
from heimdall.cli.opening import model_is_here

if TYPE_CHECKING:
    from cognitive_memory.core.memory import Memory
    from cognitive_memory.core.recall import Hit

_LINE = 100
"""How many characters of a memory a line of a list shows."""
_PLACES = 3
"""How many other places of a text are named."""
NOTHING_YET = "This project remembers nothing yet: 'heimdall init' remembers what is here, 'heimdall store' what you say."
_NOTHING_FOUND = (
    "nothing found. Other words may find it; --tag, --type, --source, --since and --until leave memories out. "
    "'heimdall status' tells what is remembered, 'heimdall load' remembers what files say."
)


def document(memory: Memory) -> dict[str, object]:
    """A memory for `--json`; but for `revision`, `content_hash`, `embedded` and `scope` as a line of an export has it."""
    from cognitive_memory.core.memory import as_document

    known = {
        "content_hash": memory.content_hash,
        "revision": memory.revision,
        "embedded": memory.embedded,
        "scope": memory.scope,
    }
    return {**as_document(memory), **known}


def show(memory: Memory, *, before: str = "", whole: bool = False) -> None:
    """Print a memory: where it comes from, when, and which one it is, then its text or the beginning of it.

    Args:
        memory: which.
        before: what stands before the first line.
        whole: all of its text.
    """
    layout = Layout(columns=screen.columns(), lines=None if whole else LINES)
    screen.show(memory_lines(memory, layout, before=before))


def show_hits(hits: Sequence[Hit], question: str, *, whole: bool, explain: bool) -> None:
    """Print what answers a question, best first.

    Args:
        hits: what answers; if there is none, it is said what may help.
        question: what was asked.
        whole: all of each text, instead of what stands around the question's words.
        explain: tell what each score is made of.
    """
    from cognitive_memory.retrieval.keywords import telling_words

    if not hits:
        output.paragraph(_NOTHING_FOUND)
        return
    # Below them stand a note and the shell's next prompt.
    fits = len(hits) * (LINES + 2) + 1 <= screen.height()
    layout = Layout(
        columns=screen.columns(),
        lines=None if whole else LINES if fits else FEWEST_LINES,
        question=" ".join(telling_words(question)),
    )

    def lines() -> Iterator[Line]:
        for number, hit in enumerate(hits, 1):
            if number > 1:
                yield [""]
            parts = "  ".join(f"{name} {value:.3f}" for name, value in hit.parts.items())
            notes = [f"score {hit.score:.3f}  {parts}"] if explain else []
            notes += _also(hit)
            yield from memory_lines(
                hit.memory, layout, before=f"{number}. ", weak=hit.weak, notes=notes
            )

    screen.show(lines())


def _also(hit: Hit) -> list[str]:
    """A line that names where else the text is, if it is anywhere."""
    places = [as_name(place) for place in hit.other_places]
    more = [f"{len(places) - _PLACES} more"] if len(places) > _PLACES else []
    return [f"also in {', '.join([*places[:_PLACES], *more])}"] if places else []


def table(memories: Sequence[Memory]) -> None:
    """Print one line for each memory."""
    from cognitive_memory.storage.short_ids import short_id
    from heimdall.cli import tables

    whole = [tables.Column("id", whole=True), tables.Column("type", whole=True)]
    rows = (
        (short_id(item.id), item.type, short(item.text), " ".join(item.tags)) for item in memories
    )
    tables.table([*whole, "memory", "tags"], rows)


def short(text: str) -> str:
    """The beginning of a text, on one line."""
    from heimdall.models.text import shortened

    return shortened(" ".join(visible(text).split()), _LINE)


def note(text: str) -> None:
    """Tell on stderr what the reader of the answer should know."""
    output.aside("note:", text)


def note_pending(pending: int) -> None:
    """Tell how to get the vectors that are missing."""
    if model_is_here():
        note("'heimdall status --embed' makes the missing vectors")
    else:
        then = " and makes the missing vectors" if pending else ""
        note(f"'heimdall models pull' fetches the model{then}")
