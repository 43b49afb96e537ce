"""The prompt that tells an assistant how to use its memory."""

from __future__ import annotations

from importlib import resources
from typing import Final

import mcp_types as types
from mcp.shared.exceptions import MCPError

from cognitive_memory.core.memory import Origin
from heimdall.mcp_server.context import Context
from heimdall.mcp_server.resources import page
from heimdall.mcp_server.service import Service
from heimdall.mcp_server.tools import texts
from heimdall.mcp_server.tools.fitting import Shown, fitted
from heimdall.mcp_server.tools.recalling import TOKENS
from heimdall.quoting import clean, quoted

_NAME: Final = "use_memory"
_DESCRIPTION: Final = "How to work with the long-term memory, and the memories that are pinned"
_LONGEST_TASK: Final = 10_000


async def list_prompts(
    _ctx: Context, _params: types.PaginatedRequestParams | None
) -> types.ListPromptsResult:
    """The one prompt."""
    task = types.PromptArgument(
        name="task", title="Task", description="What is about to be worked on", required=False
    )
    prompt = types.Prompt(
        name=_NAME, title="Use this project's memory", description=_DESCRIPTION, arguments=[task]
    )
    return types.ListPromptsResult(prompts=[prompt])


async def get_prompt(
    service: Service, ctx: Context, params: types.GetPromptRequestParams
) -> types.GetPromptResult | types.InputRequiredResult:
    """The guide, the memories that the user pinned here, and the task if one was given.

    It has the user's own voice, so nothing in it may come from a file, a commit or somebody else's memory.

    Raises:
        MCPError: there is no such prompt, or the project's memory can't be opened.
    """
    if params.name != _NAME:
        raise MCPError(
            types.INVALID_PARAMS, f"Unknown prompt: {quoted(params.name)}. There is {_NAME}."
        )
    # Before anything else: a client of 2026-07-28 repeats the whole request with its answer.
    if question := service.question(ctx, params):
        return question
    pinned, _ = await page(service, ctx, pinned=True, origin=Origin.STORED)
    parts = [resources.files(__package__).joinpath("use_memory.md").read_text("utf-8")]
    if pinned:
        parts.append(
            texts.listing("Pinned memories", fitted([Shown(each) for each in pinned], TOKENS))
        )
    if task := (params.arguments or {}).get("task", "").strip()[:_LONGEST_TASK]:
        parts.append(
            f"The task: {clean(task)}\n\nRecall what the memory knows about it, then begin."
        )
    message = types.PromptMessage(
        role="user", content=types.TextContent(text="\n\n".join(part.strip() for part in parts))
    )
    return types.GetPromptResult(description=_DESCRIPTION, messages=[message])
