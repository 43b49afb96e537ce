"""`tools/list` and `tools/call`: from the tools to the protocol, and from errors to answers with a way out."""

from __future__ import annotations

import logging
from difflib import get_close_matches
from typing import Final

import mcp_types as types
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from heimdall.errors import HeimdallError
from heimdall.mcp_server.context import Context
from heimdall.mcp_server.service import Service
from heimdall.mcp_server.tools.forget import delete_memories_by_tags, delete_memory
from heimdall.mcp_server.tools.mistakes import explained
from heimdall.mcp_server.tools.reading import get_memory, list_memories
from heimdall.mcp_server.tools.recall import recall_memories
from heimdall.mcp_server.tools.remember import session_lessons, store_memory, update_memory
from heimdall.mcp_server.tools.status import memory_status
from heimdall.mcp_server.tools.tool import Call
from heimdall.quoting import quoted, sentence

TOOLS: Final = {
    tool.name: tool
    for tool in (
        store_memory,
        recall_memories,
        session_lessons,
        memory_status,
        delete_memory,
        delete_memories_by_tags,
        update_memory,
        list_memories,
        get_memory,
    )
}
"""By name, in the order in which clients see them."""

_log = logging.getLogger(__name__)


async def list_tools(
    _ctx: Context, _params: types.PaginatedRequestParams | None
) -> types.ListToolsResult:
    """All tools, on one page."""
    return types.ListToolsResult(tools=[tool.listed for tool in TOOLS.values()])


async def call_tool(
    service: Service, ctx: Context, params: types.CallToolRequestParams
) -> types.CallToolResult | types.InputRequiredResult:
    """Run a tool. Whatever goes wrong is a result that the assistant can read and act upon.

    Raises:
        MCPError: there is no such tool, which the specification calls a protocol error.
    """
    tool = TOOLS.get(params.name)
    if tool is None:
        close = get_close_matches(params.name[:100], TOOLS, 1)
        hint = f"Did you mean {close[0]}?" if close else f"There are {', '.join(TOOLS)}."
        raise MCPError(types.INVALID_PARAMS, f"Unknown tool: {quoted(params.name)}. {hint}")
    if question := service.question(ctx, params):
        return question
    # clients from 2026-07-28 on don't say that they are initialized
    service.model.begin()
    try:
        arguments = tool.arguments.model_validate(params.arguments or {})
        content, text = await tool.run(Call(service, ctx), arguments)
    except ValidationError as error:
        result = _refused(explained(tool.name, tool.arguments, error))
    except (HeimdallError, OSError) as error:
        result = _refused(str(error))
    except Exception as error:  # noqa: BLE001 (whoever's mistake: the assistant learns of it, the server lives on)
        _log.exception("%s failed", tool.name)
        result = _refused(
            f"{tool.name} failed: {type(error).__name__}: {error}. This is a bug of heimdall; please report it."
        )
    else:
        result = types.CallToolResult(
            content=[types.TextContent(text=text)], structured_content=content.document()
        )
    # A client that follows the model hears of a stage before an answer that depends on it.
    await service.log.catch_up(ctx)
    return result


def _refused(reason: str) -> types.CallToolResult:
    text = types.TextContent(text=f"Error: {sentence(reason)}")
    return types.CallToolResult(content=[text], is_error=True)
