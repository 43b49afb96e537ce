"""The command `heimdall recall`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from heimdall.cli import output
from heimdall.cli.command import command, json_wanted
from heimdall.cli.memory_options import as_filter, filter_options, scope_option
from heimdall.cli.memory_view import NOTHING_YET, document, note, note_pending, show_hits
from heimdall.cli.opening import ALL, these_memories
from heimdall.models.report import Report

if TYPE_CHECKING:
    from cognitive_memory.core.memory import Memory

_HITS, _HITS_AS_JSON = 5, 10


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
    from cognitive_memory.core.recall import WITHOUT_MODEL, Recall, RecallMode, waiting

    limit = limit or (_HITS_AS_JSON if json_wanted() else _HITS)
    with these_memories(scope) as memory:
        if not memory.memories:
            answer = Recall(hits=(), mode=RecallMode.KEYWORDS, pending=0, notes=(NOTHING_YET,))
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
        | ({"also": list(map(_place, hit.also))} if hit.also else {})
        | {"memory": document(hit.memory)}
        for hit in answer.hits
    ]

    def show_answer() -> None:
        if not memory.memories:
            output.paragraph(NOTHING_YET)
            return
        show_hits(answer.hits, " ".join(query), whole=full, explain=explain)
        lacks_model = WITHOUT_MODEL in answer.notes
        for text in answer.notes:
            if text not in {WITHOUT_MODEL, waiting(answer.pending)}:
                note(text)
        if lacks_model:
            note("by keywords alone until 'heimdall models pull' has fetched the embedding model")
        elif answer.pending:
            note_pending(answer.pending)

    known = {name: getattr(answer, name) for name in ("mode", "weak", "pending", "notes")}
    return Report({**known, "hits": hits}, show_answer)


def _place(memory: Memory) -> dict[str, object]:
    """Where a text is that was shown already."""
    said = document(memory)
    return {name: said[name] for name in ("id", "source", "origin", "scope")}
