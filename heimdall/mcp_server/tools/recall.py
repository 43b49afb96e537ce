"""The tool `recall_memories`, page by page."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

from cognitive_memory.core.recall import Recall, RecallMode
from heimdall.mcp_server.tools import texts
from heimdall.mcp_server.tools.arguments import RecallMemories
from heimdall.mcp_server.tools.filtering import Wanted, wanted
from heimdall.mcp_server.tools.fitting import Shown, fitted
from heimdall.mcp_server.tools.results import Recalled
from heimdall.mcp_server.tools.tool import Call, ToolError, tool
from heimdall.quoting import clean

if TYPE_CHECKING:
    from cognitive_memory.joint_memory import JointMemory

DEEPEST: Final = 500
"""How many memories of one answer can be paged through."""


@tool("Recall memories", reads=True)
async def recall_memories(call: Call, arguments: RecallMemories) -> tuple[Recalled, str]:
    """Search this project's long-term memory by meaning and keywords, best first. Call it before a
    task and whenever earlier decisions, conventions, errors or experiences could matter. Long
    memories come as excerpts.
    """
    skipped = position(arguments)
    memory = await call.service.memories_of(call.ctx)
    if arguments.wait_for_model and memory.memories:
        from heimdall.mcp_server.model_reports import until_ready

        _embed(call, memory)
        await until_ready(call.service.model, call.ctx)
    recall, answer = await call.service.in_thread(recalled, memory, arguments, skipped)
    if recall.pending:
        _embed(call, memory)
    return answer


def _embed(call: Call, memory: JointMemory) -> None:
    for each in memory.memories.values():
        call.service.model.begin(each, asked=True)


def recalled(
    memory: JointMemory, asked: RecallMemories, skipped: int
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
    asked: RecallMemories, recall: Recall, skipped: int, among: Wanted | None = None
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


def _cursor(asked: RecallMemories, following: int) -> str:
    return f"{following}.{_question(asked)}"


def position(asked: RecallMemories) -> int:
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


def _question(asked: RecallMemories) -> str:
    parts = asked.model_dump_json(include={"query", "types", "date_range", "tags"})
    return sha256(parts.encode()).hexdigest()[:8]
