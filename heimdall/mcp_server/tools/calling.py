"""`tools/list` and `tools/call`: from the table to the protocol, and from errors to answers with a way out."""

from __future__ import annotations

import functools
import logging
from difflib import get_close_matches
from typing import Any, Final

import mcp_types as types
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from heimdall.errors import HeimdallError
from heimdall.mcp_server.context import Context
from heimdall.mcp_server.service import Service
from heimdall.mcp_server.tools.schemas import schema_of
from heimdall.mcp_server.tools.table import TOOLS
from heimdall.mcp_server.tools.tool import Call, Tool, as_utf8

_BY_NAME: Final = {tool.name: tool for tool in TOOLS}
_MOST_PROBLEMS: Final = 10

_log = logging.getLogger(__name__)


@functools.cache
def listed_tools() -> tuple[types.Tool, ...]:
    """The table as the protocol has it."""
    return tuple(
        types.Tool(
            name=tool.name,
            title=tool.title,
            description=tool.description,
            input_schema=schema_of(tool.arguments),
            output_schema=schema_of(tool.result),
            annotations=tool.annotations,
        )
        for tool in TOOLS
    )


class ToolCalls:
    """The two handlers."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def list_tools(
        self, _ctx: Context, _params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        """All tools, on one page."""
        return types.ListToolsResult(tools=list(listed_tools()))

    async def call(
        self, ctx: Context, params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        """Run a tool. Whatever goes wrong is a result that the assistant can read and act upon.

        Raises:
            MCPError: there is no such tool, which the specification calls a protocol error.
        """
        tool = _BY_NAME.get(params.name)
        if tool is None:
            close = get_close_matches(params.name[:100], _BY_NAME, 1)
            hint = f"Did you mean {close[0]}?" if close else f"There are {', '.join(_BY_NAME)}."
            raise MCPError(types.INVALID_PARAMS, f"Unknown tool: {params.name[:100]}. {hint}")
        if question := self._service.question(ctx, params):
            return question
        # clients from 2026-07-28 on don't say that they are initialized
        self._service.model.begin()
        result = await self._result(tool, ctx, params.arguments or {})
        # A client that follows the model hears of a stage before an answer that depends on it.
        await self._service.log.catch_up(ctx)
        return result

    async def _result(
        self, tool: Tool, ctx: Context, arguments: dict[str, Any]
    ) -> types.CallToolResult:
        try:
            call = Call(self._service, ctx, tool.arguments.model_validate(arguments))
            answer = await tool.run(call)
        except ValidationError as error:
            return _refused(_explained(tool, error))
        except (HeimdallError, OSError) as error:
            return _refused(str(error))
        except Exception as error:  # noqa: BLE001 (whoever's mistake: the assistant learns of it, the server lives on)
            _log.exception("%s failed", tool.name)
            return _refused(
                f"{tool.name} failed: {type(error).__name__}: {error}. This is a bug of heimdall; please report it."
            )
        return types.CallToolResult(
            content=[types.TextContent(text=answer.text)],
            structured_content=answer.content.model_dump(mode="json", exclude_none=True),
        )


def _refused(reason: str) -> types.CallToolResult:
    text = f"Error: {as_utf8(reason)}"  # it may quote a path or a text that is no UTF-8
    return types.CallToolResult(content=[types.TextContent(text=text)], is_error=True)


def _explained(tool: Tool, error: ValidationError) -> str:
    problems = []
    for problem in error.errors(include_url=False, include_context=False, include_input=False)[
        :_MOST_PROBLEMS
    ]:
        place = ".".join(map(str, problem["loc"]))
        if problem["type"] == "extra_forbidden":
            close = get_close_matches(str(problem["loc"][-1])[:100], tool.arguments.model_fields, 1)
            problems.append(
                f"{place[:200]}: there is no such argument{f'; did you mean {close[0]}?' if close else ''}"
            )
        else:
            problems.append(f"{place[:200]}: {problem['msg']}")
    known = ", ".join(
        f"{name}{' (required)' if field.is_required() else ''}"
        for name, field in tool.arguments.model_fields.items()
    )
    return "\n".join(
        [f"{tool.name} was not run: its arguments are wrong.", *problems, f"It takes: {known}."]
    )
