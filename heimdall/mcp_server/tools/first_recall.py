"""`recall_memories` before the SDK is there: importing that takes longer than answering."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from cognitive_memory.core.recall import RecallMode
from heimdall.mcp_server import projects
from heimdall.mcp_server.tools.recalling import (
    LONGEST_QUESTION,
    MOST_RESULTS,
    RESULTS,
    Question,
    position,
    recalled,
)

if TYPE_CHECKING:
    from heimdall.mcp_server.projects import Memories
    from heimdall.mcp_server.tools.arguments import RecallMemories


_NAME: Final = "recall_memories"


def first_recall(memories: Memories, params: Mapping[str, Any]) -> dict[str, Any] | None:
    """The result of a `tools/call`, as the SDK writes it.

    Args:
        memories: where to look.
        params: of a request before 2026-07-28, from a client without roots.

    Returns:
        None where it is not complete without the SDK: another tool, a mistake, no model yet.
    """
    if params.get("name") != _NAME:
        return None
    try:
        asked = _asked(params.get("arguments") or {})
        skipped = position(asked)
        found, (content, text) = recalled(memories.joint(projects.find(())), asked, skipped)
    except Exception:  # noqa: BLE001 (whatever it is: asked by the SDK, it comes again, and the client is told)
        return None
    if found.mode is not RecallMode.HYBRID or found.pending:
        return None
    return {
        "content": [{"text": text, "type": "text"}],
        "isError": False,
        "structuredContent": content.document(),
    }


def _asked(arguments: Any) -> Question | RecallMemories:
    """The arguments, checked. Most often they are a question alone: to load pydantic takes as long as to load the model.

    Raises:
        ValueError: they are wrong.
    """
    match arguments:
        case {"query": str(query), **rest} if rest.keys() <= {"max_results"}:
            most = rest.get("max_results", RESULTS)
            query.encode()  # what is no text is refused
            if len(query) <= LONGEST_QUESTION and type(most) is int and 0 < most <= MOST_RESULTS:
                return Question(query, most)
    from heimdall.mcp_server.tools.arguments import RecallMemories

    return RecallMemories.model_validate(arguments)
