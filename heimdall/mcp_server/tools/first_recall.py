"""`recall_memories` before the SDK is there: importing that takes longer than answering."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cognitive_memory.core.recall import RecallMode
from heimdall.mcp_server import projects
from heimdall.mcp_server.tools.arguments import RecallMemories
from heimdall.mcp_server.tools.recall import position, recall_memories, recalled

if TYPE_CHECKING:
    from heimdall.mcp_server.projects import Memories


def first_recall(memories: Memories, params: Mapping[str, Any]) -> dict[str, Any] | None:
    """The result of a `tools/call`, as the SDK writes it.

    Args:
        memories: where to look.
        params: of a request before 2026-07-28, from a client without roots.

    Returns:
        None where it is not complete without the SDK: another tool, a mistake, no model yet.
    """
    if params.get("name") != recall_memories.name:
        return None
    try:
        asked = RecallMemories.model_validate(params.get("arguments") or {})
        skipped = position(asked)
        found, (content, text) = recalled(memories.joint(projects.find(())), asked, skipped)
    except Exception:  # noqa: BLE001 (whatever it is: asked by the SDK, it comes again, and the client is told)
        return None
    if found.mode is not RecallMode.HYBRID or found.pending:
        return None
    return {
        "content": [{"text": text, "type": "text"}],
        "isError": False,
        "structuredContent": content.model_dump(mode="json", exclude_none=True),
    }
