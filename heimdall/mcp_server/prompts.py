"""The prompt that tells an assistant how to use its memory."""

from __future__ import annotations

from typing import Any

from mcp.server import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    GetPromptRequestParams,
    GetPromptResult,
    InputRequiredResult,
    ListPromptsResult,
    PaginatedRequestParams,
    Prompt,
    PromptArgument,
    PromptMessage,
    TextContent,
)

from heimdall.errors import HeimdallError
from heimdall.mcp_server import guide
from heimdall.mcp_server.resources import page
from heimdall.mcp_server.service import Service
from heimdall.mcp_server.tools import texts
from heimdall.mcp_server.tools.results import MemoryRecord

_PINNED_SHOWN = 20
_LONGEST_TASK = 10_000


class Prompts:
    """The handlers of prompts."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def list_prompts(
        self, _ctx: ServerRequestContext[Any, Any], _params: PaginatedRequestParams | None
    ) -> ListPromptsResult:
        """The one prompt."""
        task = PromptArgument(
            name="task", title="Task", description="What is about to be worked on", required=False
        )
        prompt = Prompt(
            name=guide.PROMPT_NAME,
            title=guide.PROMPT_TITLE,
            description=guide.PROMPT_DESCRIPTION,
            arguments=[task],
        )
        return ListPromptsResult(prompts=[prompt])

    async def get(
        self, ctx: ServerRequestContext[Any, Any], params: GetPromptRequestParams
    ) -> GetPromptResult | InputRequiredResult:
        """The guide, the pinned memories, and the task if one was given.

        Raises:
            MCPError: there is no such prompt, or the project's memory can't be opened.
        """
        if params.name != guide.PROMPT_NAME:
            raise MCPError(
                INVALID_PARAMS,
                f"Unknown prompt: {params.name[:100]}. There is {guide.PROMPT_NAME}.",
            )
        if question := self._service.question(ctx, params):
            return question
        try:
            pinned = await page(self._service, ctx, pinned=True, limit=_PINNED_SHOWN)
        except (HeimdallError, OSError) as error:
            raise MCPError(INVALID_PARAMS, str(error)) from error
        parts = [guide.PROMPT]
        if pinned:
            parts.append(texts.listing("Pinned memories", map(MemoryRecord.of, pinned)))
        if task := (params.arguments or {}).get("task", "").strip()[:_LONGEST_TASK]:
            parts.append(f"The task: {task}\n\nRecall what the memory knows about it, then begin.")
        message = PromptMessage(
            role="user", content=TextContent(text="\n\n".join(part.strip() for part in parts))
        )
        return GetPromptResult(description=guide.PROMPT_DESCRIPTION, messages=[message])
