"""The server: handlers and what it says of itself. Knows nothing of transports."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any, Final

from mcp.server import Server
from mcp.server.caching import CacheHint
from mcp.shared.exceptions import MCPDeprecationWarning
from mcp_types import NotificationParams

from heimdall.mcp_server import guide
from heimdall.mcp_server.context import Context
from heimdall.mcp_server.prompts import get_prompt, list_prompts
from heimdall.mcp_server.resources import list_resources, list_templates, read_resource
from heimdall.mcp_server.service import Service
from heimdall.mcp_server.tools.calling import call_tool, list_tools
from heimdall.version import own_version

_AN_HOUR: Final = CacheHint(3_600_000, "public")
_NEVER: Final = CacheHint(0, "private")


def make_server(service: Service) -> Server[Any]:
    """The server over a service: everything the protocol asks, for both of its eras."""
    # Roots and logging have successors since 2026-07-28; the clients of today speak the older version.
    warnings.filterwarnings("ignore", category=MCPDeprecationWarning)

    async def initialized(ctx: Context, _params: NotificationParams) -> None:
        """The client is ready: only now anything heavy begins."""
        with service.log.reporter(ctx) as reporter:
            await service.prepare(ctx)
            await reporter.follow()

    async def roots_changed(ctx: Context, _params: NotificationParams | None) -> None:
        if service.roots is not None:
            service.roots.forget()
            await service.prepare(ctx)

    server: Server[Any] = Server(
        guide.SERVER_INFO["name"],
        version=own_version(),
        title=guide.SERVER_INFO["title"],
        instructions=guide.INSTRUCTIONS,
        website_url=guide.SERVER_INFO["websiteUrl"],
        # What never changes while a version runs, and what others may change at any time.
        cache_hints={
            "tools/list": _AN_HOUR,
            "prompts/list": _AN_HOUR,
            "resources/templates/list": _AN_HOUR,
            "server/discover": _AN_HOUR,
            "resources/list": _NEVER,
            "resources/read": _NEVER,
        },
        on_list_tools=list_tools,
        on_call_tool=partial(call_tool, service),
        on_list_resources=partial(list_resources, service),
        on_list_resource_templates=list_templates,
        on_read_resource=partial(read_resource, service),
        on_list_prompts=list_prompts,
        on_get_prompt=partial(get_prompt, service),
        on_set_logging_level=service.log.set_level,
        on_roots_list_changed=roots_changed,
    )
    server.add_notification_handler("notifications/initialized", NotificationParams, initialized)
    return server
