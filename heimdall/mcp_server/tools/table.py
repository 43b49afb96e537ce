"""The table of tools: one row each."""

from __future__ import annotations

from typing import Final

from mcp_types import ToolAnnotations

from heimdall.mcp_server.tools import arguments, results
from heimdall.mcp_server.tools.forget import delete_memories_by_tags, delete_memory
from heimdall.mcp_server.tools.recall import recall_memories
from heimdall.mcp_server.tools.remember import session_lessons, store_memory, update_memory
from heimdall.mcp_server.tools.status import memory_status
from heimdall.mcp_server.tools.tool import Tool

_READS: Final = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
# Storing the same again changes nothing.
_ADDS: Final = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
_REPLACES: Final = ToolAnnotations(
    read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False
)

TOOLS: Final = (
    Tool(
        "store_memory",
        "Store a memory",
        "Store a fact, decision, preference or experience of this project in its long-term memory, for later sessions. "
        "One thing per call, with the reason where there is one; never secrets. Storing the same text again changes nothing.",
        arguments.StoreMemory,
        results.Stored,
        _ADDS,
        store_memory,
    ),
    Tool(
        "recall_memories",
        "Recall memories",
        "Search the long-term memory of this project by meaning and keywords, best first. Call it before a task, and "
        "whenever earlier decisions, conventions, errors or experiences could matter. Answers at once, by keywords alone "
        "while the embedding model is still being downloaded.",
        arguments.RecallMemories,
        results.Recalled,
        _READS,
        recall_memories,
    ),
    Tool(
        "session_lessons",
        "Record a lesson of this session",
        "Record a key learning of this session for later ones. Think about what you would want to know if you began "
        "this work again remembering nothing: the insight, when it applies, and what to do.",
        arguments.SessionLessons,
        results.Stored,
        _ADDS,
        session_lessons,
    ),
    Tool(
        "memory_status",
        "State of the memory",
        "Which project's memory this is, how much it holds, whether search by meaning works, and how far the download of "
        "the embedding model is.",
        arguments.MemoryStatus,
        results.Status,
        _READS,
        memory_status,
    ),
    Tool(
        "delete_memory",
        "Delete a memory",
        "Delete one memory by its id, for good. dry_run shows it first.",
        arguments.DeleteMemory,
        results.Deleted,
        _REPLACES,
        delete_memory,
    ),
    Tool(
        "delete_memories_by_tags",
        "Delete memories by tags",
        "Delete all memories that have any of the tags, for good. Use dry_run first and show the result to the user.",
        arguments.DeleteMemoriesByTags,
        results.Deleted,
        _REPLACES,
        delete_memories_by_tags,
    ),
    Tool(
        "update_memory",
        "Update a memory",
        "Correct a memory that is no longer right, or change its type, tags, importance, source, or whether it is pinned. "
        "What is left out stays as it is. Better than storing a second memory that contradicts the first.",
        arguments.UpdateMemory,
        results.Stored,
        _REPLACES,
        update_memory,
    ),
)
"""In the order in which clients see them."""
