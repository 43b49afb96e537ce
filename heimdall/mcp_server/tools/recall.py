"""The tool `recall_memories`, page by page."""

from __future__ import annotations

import base64
import binascii
import json
from hashlib import sha256
from typing import Final

from cognitive_memory.core.memory import MemoryType
from cognitive_memory.core.recall import Recall, RecallFilter, RecallMode
from heimdall.mcp_server.model_reports import until_ready
from heimdall.mcp_server.tools import texts
from heimdall.mcp_server.tools.arguments import DateRange, RecallMemories
from heimdall.mcp_server.tools.results import MemoryRecord, Recalled
from heimdall.mcp_server.tools.tool import Call, ToolError, tool
from heimdall.quoting import clean

DEEPEST: Final = 500
"""How many memories of one answer can be paged through."""


@tool("Recall memories", reads=True)
async def recall_memories(call: Call, arguments: RecallMemories) -> tuple[Recalled, str]:
    """Search the long-term memory of this project by meaning and keywords, best first. Call it
    before a task, and whenever earlier decisions, conventions, errors or experiences could
    matter. Answers at once, by keywords alone while the embedding model is still being
    downloaded.
    """
    if not arguments.query.strip():
        raise ToolError("query is blank: say in plain words what to look for, or name exact terms.")
    wanted, skipped = _filter(arguments), _position(arguments)
    memory = await call.service.memory(call.ctx)
    if memory is None:
        notes = ("This project has no memories yet.",)
        nothing = Recall(hits=(), mode=RecallMode.KEYWORDS, pending=0, notes=notes)
        return _answer(arguments, nothing, skipped)
    if arguments.wait_for_model:
        call.service.model.begin(memory, asked=True)
        await until_ready(call.service.model, call.ctx)
    # One more than is shown tells whether there is a next page.
    limit = min(skipped + arguments.max_results + 1, DEEPEST)
    recall = await call.service.in_thread(
        memory.recall, arguments.query, limit=limit, filter=wanted
    )
    if recall.pending:
        call.service.model.begin(memory, asked=True)
    return _answer(arguments, recall, skipped)


def _answer(asked: RecallMemories, recall: Recall, skipped: int) -> tuple[Recalled, str]:
    shown = recall.hits[skipped : skipped + asked.max_results]
    following = skipped + len(shown)
    content = Recalled(
        query=asked.query,
        mode=recall.mode.value,
        memories=[MemoryRecord.of(hit.memory, score=round(hit.score, 4)) for hit in shown],
        pending=recall.pending,
        notes=[clean(note) for note in recall.notes],
        next_cursor=_cursor(asked, following) if following < len(recall.hits) else None,
    )
    return content, texts.recalled(content, skipped)


def _filter(asked: RecallMemories) -> RecallFilter:
    named = (name for name in asked.types if name not in {"core", "peripheral"})
    span = asked.date_range or DateRange()
    return RecallFilter(
        types=frozenset(map(MemoryType, named)),
        tags=frozenset(asked.tags),
        since=span.since,
        until=span.until,
    )


def _cursor(asked: RecallMemories, following: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([_question(asked), following]).encode()).decode()


def _position(asked: RecallMemories) -> int:
    """How many memories earlier pages showed."""
    if asked.cursor is None:
        return 0
    try:
        question, position = json.loads(base64.urlsafe_b64decode(asked.cursor))
        if question == _question(asked) and 0 < int(position) < DEEPEST:
            return int(position)
    except (binascii.Error, ValueError, TypeError):
        pass
    raise ToolError(
        "cursor is not the next_cursor of an earlier answer to this very question: "
        "repeat the call with the same query and filters, or leave cursor out to begin again."
    )


def _question(asked: RecallMemories) -> str:
    parts = asked.model_dump_json(include={"query", "types", "date_range", "tags"})
    return sha256(parts.encode()).hexdigest()[:12]
