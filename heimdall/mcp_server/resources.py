"""Resources: the newest and the pinned memories, page by page, and each memory by its id."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import parse_qs

import mcp_types as types
from mcp.shared.exceptions import MCPError

from cognitive_memory.core.memory import Memory, Origin
from heimdall.errors import HeimdallError
from heimdall.mcp_server.context import Context
from heimdall.mcp_server.service import Service
from heimdall.mcp_server.tools import texts
from heimdall.mcp_server.tools.fitting import Shown, fitted
from heimdall.mcp_server.tools.recalling import TOKENS
from heimdall.mcp_server.tools.results import MemoryRecord, memory_uri
from heimdall.quoting import clean, quoted, sentence

RECENT: Final = "heimdall://memories/recent"
PINNED: Final = "heimdall://memories/pinned"
PAGE: Final = 20
"""Memories on a page of a resource, and pinned memories on a page of the list of resources or in the prompt."""

_TITLE_CHARACTERS: Final = 80
_TAGS_SHOWN: Final = 20
_MARKDOWN: Final = "text/markdown"
_TITLES: Final = {RECENT: "Newest memories", PINNED: "Pinned memories"}
_ONE: Final = re.compile(re.escape(memory_uri("")) + "([0-9A-Za-z-]{1,64})")


async def list_resources(
    service: Service, ctx: Context, params: types.PaginatedRequestParams | None
) -> types.ListResourcesResult:
    """The two collections, then each pinned memory: those are few. The others are found by recalling."""
    after = params.cursor if params else None
    pinned, following = await page(service, ctx, pinned=True, after=after)
    resources = [_memory(memory) for memory in pinned]
    if after is None:
        resources = [_collection(RECENT, 0.5), _collection(PINNED, 0.9), *resources]
    return types.ListResourcesResult(resources=resources, next_cursor=following)


async def list_templates(
    _ctx: Context, _params: types.PaginatedRequestParams | None
) -> types.ListResourceTemplatesResult:
    """A memory by its id, and the further pages of the newest ones."""
    one = types.ResourceTemplate(
        uri_template=memory_uri("{id}"),
        name="memory",
        title="One memory",
        description="All of a memory, by the id that recall_memories shows",
        mime_type=_MARKDOWN,
    )
    older = types.ResourceTemplate(
        uri_template=f"{RECENT}{{?after}}",
        name="older_memories",
        title="Older memories",
        description="The page of memories that are older than the one with this id",
        mime_type=_MARKDOWN,
    )
    return types.ListResourceTemplatesResult(resource_templates=[one, older])


async def read_resource(
    service: Service, ctx: Context, params: types.ReadResourceRequestParams
) -> types.ReadResourceResult | types.InputRequiredResult:
    """The text of a resource.

    Raises:
        MCPError: there is no such resource, or the project's memory can't be opened.
    """
    if question := service.question(ctx, params):
        return question
    collection, _, query = params.uri.partition("?")
    if collection in _TITLES:
        after = next(iter(parse_qs(query).get("after", [])), None)
        only_pinned = True if collection == PINNED else None
        memories, following = await page(service, ctx, pinned=only_pinned, after=after)
        shown = fitted([Shown(memory) for memory in memories], TOKENS)
        if len(shown) < len(memories):
            following = shown[-1].id
        text = texts.listing(_TITLES[collection], shown)
        if following:
            text += f"\n\nMore: {collection}?after={following}"
    elif match := _ONE.fullmatch(params.uri):
        text = await _memory_text(service, ctx, match[1], params.uri)
    else:
        raise _not_found(params.uri, f"There are {RECENT}, {PINNED} and {memory_uri('{id}')}.")
    return types.ReadResourceResult(
        contents=[types.TextResourceContents(uri=params.uri, mime_type=_MARKDOWN, text=text)]
    )


async def _memory_text(service: Service, ctx: Context, memory_id: str, uri: str) -> str:
    with _refusing():
        source = await service.memories_of(ctx)
    if not source.memories:
        raise _not_found(uri, "This project has no memories yet.")
    try:
        found, whole_id = await service.in_thread(source.named, memory_id)
        memory = await service.in_thread(found.get, whole_id)
    except HeimdallError as error:
        raise _not_found(uri, str(error)) from error
    return texts.listing(f"Memory {memory.id}", [MemoryRecord.of(memory)])


async def page(
    service: Service,
    ctx: Context,
    *,
    pinned: bool | None,
    after: str | None = None,
    origin: Origin | None = None,
) -> tuple[list[Memory], str | None]:
    """A page of memories, newest first; an empty one while the project has no memory.

    Args:
        pinned: only these, or only the others; None: all.
        after: the id of the last one of the page before.
        origin: only those that came here in this way.

    Returns:
        The memories, and what `after` is for the next page; None at the end.

    Raises:
        MCPError: the memory can't be opened, or `after` is no memory's id.
    """
    with _refusing():
        source = await service.memory(ctx)
        if source is None:
            return [], None
        # Collected in the thread, where the database may block; one more tells whether there is a next page.
        memories = await service.in_thread(
            lambda: list(source.memories(limit=PAGE + 1, after=after, pinned=pinned, origin=origin))
        )
    return memories[:PAGE], memories[PAGE - 1].id if len(memories) > PAGE else None


@contextmanager
def _refusing() -> Iterator[None]:
    """Tell the client of errors, which the SDK would call its own otherwise."""
    try:
        yield
    except (HeimdallError, OSError) as error:
        raise MCPError(types.INVALID_PARAMS, sentence(error)) from error


def _collection(uri: str, priority: float) -> types.Resource:
    description = f"{_TITLES[uri]} of this project, {PAGE} on a page"
    return _resource(uri, _TITLES[uri], description, priority)


def _memory(memory: Memory) -> types.Resource:
    # In quotes: a memory could otherwise have the title of a collection.
    title = quoted(clean(memory.text).strip().partition("\n")[0][:_TITLE_CHARACTERS])
    description = ", ".join(
        [memory.origin.value, memory.type.value, *map(quoted, memory.tags[:_TAGS_SHOWN])]
    )
    modified = memory.updated_at.isoformat()
    return _resource(memory_uri(memory.id), title, description, memory.importance, modified)


def _resource(
    uri: str, title: str, description: str, priority: float, modified: str | None = None
) -> types.Resource:
    return types.Resource(
        uri=uri,
        name=uri.rpartition("/")[2],
        title=title,
        description=description,
        mime_type=_MARKDOWN,
        annotations=types.Annotations(
            audience=["assistant", "user"], priority=priority, last_modified=modified
        ),
    )


def _not_found(uri: str, reason: str) -> MCPError:
    # The code that the specification names since 2026-07-28; before, -32002 was a recommendation.
    message = f"Resource not found: {quoted(uri)}. {sentence(reason)}"
    return MCPError(types.INVALID_PARAMS, message, {"uri": clean(uri[:200])})
