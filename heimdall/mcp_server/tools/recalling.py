"""What `recall_memories` answers, page by page. Nothing of pydantic or the SDK is loaded for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from cognitive_memory.core.recall import Recall, RecallMode
from heimdall.mcp_server.tools import texts
from heimdall.mcp_server.tools.filtering import Wanted, wanted
from heimdall.mcp_server.tools.fitting import Shown, fitted
from heimdall.mcp_server.tools.results import Recalled
from heimdall.mcp_server.tools.tool import ToolError
from heimdall.quoting import clean

if TYPE_CHECKING:
    from cognitive_memory.joint_memory import JointMemory
    from heimdall.mcp_server.tools.arguments import RecallMemories

DEEPEST: Final = 500
"""How many memories of one answer can be paged through."""
TOKENS: Final = 4000
"""About so many tokens has an answer if its caller does not say otherwise."""
RESULTS: Final = 10
MOST_RESULTS: Final = 50
LONGEST_QUESTION: Final = 10_000


@dataclass(frozen=True, slots=True)
class Question:
    """A question that asks for nothing else: what `RecallMemories` makes of it."""

    query: str
    max_results: int = RESULTS
    max_tokens: int = TOKENS
    types: Sequence[str] = ()
    tags: Sequence[str] = ()
    date_range: None = None
    cursor: None = None


def recalled(
    memory: JointMemory, asked: RecallMemories | Question, skipped: int
) -> tuple[Recall, tuple[Recalled, str]]:
    """What is found behind the first `skipped` memories, and the answer that tells it. Blocks.

    Raises:
        HeimdallError: the memory can't be asked.
    """
    if not memory.memories:
        notes = ("This project has no memories yet.",)
        nothing = Recall(hits=(), mode=RecallMode.KEYWORDS, pending=0, notes=notes)
        return nothing, _answer(asked, nothing, skipped)
    among = wanted(memory, asked)
    # One more than is shown tells whether there is a next page.
    limit = min(skipped + asked.max_results + 1, DEEPEST)
    recall = memory.recall(asked.query, limit=limit, filter=among.filter)
    return recall, _answer(asked, recall, skipped, among)


def _answer(
    asked: RecallMemories | Question, recall: Recall, skipped: int, among: Wanted | None = None
) -> tuple[Recalled, str]:
    hits = recall.hits[skipped : skipped + asked.max_results]
    shown = fitted(
        [Shown(hit.memory, hit.weak, hit.other_places) for hit in hits],
        asked.max_tokens,
        question=asked.query,
    )
    following = skipped + len(shown)
    notes = [clean(note) for note in recall.notes]
    if any(record.truncated for record in shown):
        notes.append(f"{texts.EXCERPTS.capitalize()}.")
    if not recall.hits and among:
        notes += among.why_none
    content = Recalled(
        mode=recall.mode.value,
        memories=shown,
        notes=notes or None,
        next_cursor=_cursor(asked, following) if following < len(recall.hits) else None,
    )
    return content, texts.recalled(content, skipped)


def _cursor(asked: RecallMemories | Question, following: int) -> str:
    return f"{following}.{_question(asked)}"


def position(asked: RecallMemories | Question) -> int:
    """How many memories earlier pages showed.

    Raises:
        ToolError: nothing is asked, or the cursor is another question's.
    """
    if not asked.query.strip():
        raise ToolError("query is blank: say in plain words what to look for, or name exact terms.")
    if asked.cursor is None:
        return 0
    position, _, question = asked.cursor.partition(".")
    number = int(position) if position.isdecimal() and position.isascii() else 0
    if 0 < number < DEEPEST and question == _question(asked):
        return number
    raise ToolError(
        "cursor is not the next_cursor of an earlier answer to this very question: "
        "repeat the call with the same query and filters, or leave cursor out to begin again."
    )


def _question(asked: RecallMemories | Question) -> str:
    parts = (asked.query, [*asked.types], [*asked.tags], asked.date_range)
    return sha256(repr(parts).encode()).hexdigest()[:8]
