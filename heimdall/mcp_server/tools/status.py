"""The tool `memory_status`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from cognitive_memory.core.memory import Scope
from heimdall.mcp_server.model_loader import ModelState, ModelStatus
from heimdall.mcp_server.model_reports import until_ready
from heimdall.mcp_server.tools import texts
from heimdall.mcp_server.tools.arguments import MemoryStatus
from heimdall.mcp_server.tools.results import Counts, ModelRecord, ProjectRecord, Status
from heimdall.mcp_server.tools.tool import Call, tool
from heimdall.quoting import clean
from heimdall.version import own_version

if TYPE_CHECKING:
    from cognitive_memory.core.status import MemoryStatus as Counted
    from heimdall.mcp_server.projects import Choice

_MOST_TAGS: Final = 50


@tool("State of the memory", reads=True)
async def memory_status(call: Call, arguments: MemoryStatus) -> tuple[Status, str]:
    """Which project this is, how much its memory holds, whether the search by meaning works."""
    service = call.service
    choice = await service.project_if_any(call.ctx)
    memories = await service.in_thread(service.memories.joint, choice)
    users = memories.memories.get(Scope.USER)
    memory = memories.memories.get(Scope.PROJECT) if choice else users
    if arguments.wait_for_model:
        service.model.begin(memory, asked=True)
        await until_ready(service.model, call.ctx)
    counted = None if memory is None else await service.in_thread(memory.storage.status)
    content = _status(choice, counted, service.model.status)
    if users is not None:
        content.user_memories = (await service.in_thread(users.storage.status)).memories
    content.notes = [*memories.notes] or None
    if arguments.detailed:
        content.details = _details(counted)
    return content, texts.status(content)


def _status(choice: Choice | None, counted: Counted | None, model: ModelStatus) -> Status:
    # Not degraded while there is nothing that only a search by meaning could find.
    nothing_pending = counted is None or not counted.pending
    healthy = model.state is ModelState.READY or (
        model.state is ModelState.WAITING and nothing_pending
    )
    return Status(
        system_status="healthy" if healthy else "degraded",
        version=own_version(),
        project=None if choice is None else _project(choice, counted),
        memory_counts=_counts(counted),
        model=ModelRecord(
            state=model.state.value, detail=clean(model.detail), done=model.done, total=model.total
        ),
    )


def _project(choice: Choice, counted: Counted | None) -> ProjectRecord:
    return ProjectRecord(
        root=clean(choice.project.root),
        chosen_by=clean(choice.chosen_by),
        database=clean(choice.project.database),
        exists=counted is not None,
        id=counted.project_id if counted else None,
    )


def _counts(counted: Counted | None) -> Counts:
    if counted is None:
        return Counts(total=0, by_type={}, pinned=0, embedded=0, pending=0)
    return Counts(
        total=counted.memories,
        by_type={kind.value: count for kind, count in counted.types.items()},
        pinned=counted.pinned,
        embedded=counted.embedded,
        pending=counted.pending,
    )


def _details(counted: Counted | None) -> dict[str, object]:
    from heimdall.models import locations

    details: dict[str, object] = {
        "process": os.getpid(),
        "models_dir": clean(locations.models_dir()),
        # Never the values: some of them are secrets.
        "variables_set": sorted(
            name for name in os.environ if name.startswith("HEIMDALL_") or name == "MODEL_CACHE_DIR"
        ),
    }
    if counted is not None:
        details |= {
            "schema_version": counted.schema_version,
            "revision": counted.revision,
            "database_bytes": counted.size,
            "sources": counted.sources,
            "not_embeddable": counted.not_embeddable,
            "tags": {clean(tag): count for tag, count in [*counted.tags.items()][:_MOST_TAGS]},
            "embedding_model": counted.model,
        }
    return details
