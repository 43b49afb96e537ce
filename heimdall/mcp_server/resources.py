"""Resources: the newest and the pinned memories, page by page, and each memory by its id."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from mcp.server import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    Annotations,
    InputRequiredResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    TextResourceContents,
)

from cognitive_memory.core.memory import Memory
from heimdall.errors import HeimdallError
from heimdall.mcp_server.service import Service
from heimdall.mcp_server.tools import texts
from heimdall.mcp_server.tools.results import MemoryRecord, memory_uri

if TYPE_CHECKING:
    from cognitive_memory.project_memory import ProjectMemory

RECENT: Final = "heimdall://memories/recent"
PINNED: Final = "heimdall://memories/pinned"
PAGE: Final = 20
"""Memories on a page of a resource, and pinned memories on a page of the list of resources."""

_TITLE_CHARACTERS: Final = 80
_MARKDOWN: Final = "text/markdown"
_TITLES: Final = {RECENT: "Newest memories", PINNED: "Pinned memories"}


class Resources:
    """The handlers of resources."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def list_resources(
        self, ctx: ServerRequestContext[Any, Any], params: PaginatedRequestParams | None
    ) -> ListResourcesResult:
        """The two collections, then each pinned memory: those are few. The others are found by recalling."""
        after = params.cursor if params else None
        pinned = await self._memories(ctx, pinned=True, limit=PAGE + 1, after=after)
        resources = [_resource_of(memory) for memory in pinned[:PAGE]]
        if after is None:
            resources = [*_collections(), *resources]
        following = pinned[PAGE - 1].id if len(pinned) > PAGE else None
        return ListResourcesResult(resources=resources, next_cursor=following)

    async def list_templates(
        self, _ctx: ServerRequestContext[Any, Any], _params: PaginatedRequestParams | None
    ) -> ListResourceTemplatesResult:
        """A memory by its id, and the further pages of the newest ones."""
        one = ResourceTemplate(
            uri_template=memory_uri("{id}"),
            name="memory",
            title="One memory",
            description="All of a memory, by the id that recall_memories shows",
            mime_type=_MARKDOWN,
        )
        older = ResourceTemplate(
            uri_template=f"{RECENT}{{?after}}",
            name="older_memories",
            title="Older memories",
            description="The page of memories that are older than the one with this id",
            mime_type=_MARKDOWN,
        )
        return ListResourceTemplatesResult(resource_templates=[one, older])

    async def read(
        self, ctx: ServerRequestContext[Any, Any], params: ReadResourceRequestParams
    ) -> ReadResourceResult | InputRequiredResult:
        """The text of a resource.

        Raises:
            MCPError: there is no such resource, or the project's memory can't be opened.
        """
        if question := self._service.question(ctx, params):
            return question
        collection, _, query = params.uri.partition("?")
        if collection in _TITLES:
            after = next(iter(parse_qs(query).get("after", [])), None)
            text = await self._page(ctx, collection, after)
        elif match := re.fullmatch(re.escape(memory_uri("")) + "([0-9A-Za-z-]{1,64})", params.uri):
            text = await self._one(ctx, match[1], params.uri)
        else:
            raise _not_found(params.uri, f"There are {RECENT}, {PINNED} and {memory_uri('{id}')}.")
        return ReadResourceResult(
            contents=[TextResourceContents(uri=params.uri, mime_type=_MARKDOWN, text=text)]
        )

    async def _page(
        self, ctx: ServerRequestContext[Any, Any], collection: str, after: str | None
    ) -> str:
        memories = await self._memories(
            ctx, pinned=collection == PINNED or None, limit=PAGE + 1, after=after
        )
        text = texts.listing(_TITLES[collection], map(MemoryRecord.of, memories[:PAGE]))
        return (
            f"{text}\n\nMore: {collection}?after={memories[PAGE - 1].id}"
            if len(memories) > PAGE
            else text
        )

    async def _one(self, ctx: ServerRequestContext[Any, Any], memory_id: str, uri: str) -> str:
        memory = await self._service.memory(ctx)
        if memory is None:
            raise _not_found(uri, "This project has no memories yet.")
        try:
            found = await self._service.in_thread(memory.get, memory_id)
        except HeimdallError as error:
            raise _not_found(uri, str(error)) from error
        return texts.listing(
            f"Memory {found.id}", [MemoryRecord.of(found, characters=len(found.text))]
        )

    async def _memories(
        self,
        ctx: ServerRequestContext[Any, Any],
        *,
        pinned: bool | None,
        limit: int,
        after: str | None,
    ) -> list[Memory]:
        try:
            return await page(self._service, ctx, pinned=pinned, limit=limit, after=after)
        except (HeimdallError, OSError) as error:
            raise MCPError(INVALID_PARAMS, str(error)) from error


async def page(
    service: Service,
    ctx: ServerRequestContext[Any, Any],
    *,
    pinned: bool | None = None,
    limit: int = PAGE,
    after: str | None = None,
) -> list[Memory]:
    """Memories, newest first; none while the project has no memory.

    Args:
        pinned: only these, or only the others; None: all.
        after: the id of the last one of the page before.

    Raises:
        HeimdallError: the memory can't be opened, or `after` is no memory's id.
    """
    memory = await service.memory(ctx)
    if memory is None:
        return []

    def collect(source: ProjectMemory) -> list[Memory]:
        return list(source.memories(limit=limit, after=after, pinned=pinned))

    return await service.in_thread(collect, memory)


def _collections() -> list[Resource]:
    return [
        Resource(
            uri=uri,
            name=uri.rpartition("/")[2],
            title=title,
            description=f"{title} of this project, {PAGE} on a page",
            mime_type=_MARKDOWN,
            annotations=Annotations(audience=["assistant", "user"], priority=priority),
        )
        for (uri, title), priority in zip(_TITLES.items(), (0.5, 0.9), strict=True)
    ]


def _resource_of(memory: Memory) -> Resource:
    first_line = memory.text.strip().splitlines()[0]
    return Resource(
        uri=memory_uri(memory.id),
        name=memory.id,
        title=first_line[:_TITLE_CHARACTERS],
        description=f"{memory.type.value}, {', '.join(memory.tags)}"
        if memory.tags
        else memory.type.value,
        mime_type=_MARKDOWN,
        annotations=Annotations(
            audience=["assistant", "user"],
            priority=memory.importance,
            last_modified=memory.updated_at.isoformat(),
        ),
    )


def _not_found(uri: str, reason: str) -> MCPError:
    # The code that the specification names since 2026-07-28; before, -32002 was a recommendation.
    return MCPError(
        INVALID_PARAMS, f"Resource not found: {uri[:200]}. {reason}", {"uri": uri[:200]}
    )
