"""The tool `memory_status`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from heimdall.mcp_server.model_work import ModelState, Situation
from heimdall.mcp_server.tools import texts
from heimdall.mcp_server.tools.arguments import MemoryStatus
from heimdall.mcp_server.tools.results import Counts, ModelRecord, ProjectRecord, Status
from heimdall.mcp_server.tools.tool import Answer, Call
from heimdall.mcp_server.tools.waiting import until_ready
from heimdall.mcp_server.transport.handshake import own_version

if TYPE_CHECKING:
    from cognitive_memory.core.status import MemoryStatus as Counted
    from heimdall.mcp_server.projects import Found

_MOST_TAGS: Final = 50


async def memory_status(call: Call[MemoryStatus]) -> Answer:
    """Say what is stored, for which project, and how far the model is."""
    service = call.service
    found = await service.project(call.ctx)
    memory = await service.in_thread(service.memories.existing, found.project)
    if call.arguments.wait_for_model:
        service.model.begin(memory, asked=True)
        await until_ready(service.model, call.ctx)
    counted = None if memory is None else await service.in_thread(memory.status)
    content = _status(found, counted, service.model.situation)
    if call.arguments.detailed:
        content.details = _details(counted)
    return Answer(content, texts.status(content))


def _status(found: Found, counted: Counted | None, situation: Situation) -> Status:
    # Not degraded while there is nothing that only a search by meaning could find.
    pending = counted.pending if counted else 0
    healthy = situation.state is ModelState.READY or (
        situation.state is ModelState.WAITING and not pending
    )
    return Status(
        system_status="healthy" if healthy else "degraded",
        version=own_version(),
        project=ProjectRecord(
            root=printable(found.project.root),
            chosen_by=printable(found.chosen_by),
            database=printable(found.project.database),
            exists=counted is not None,
            id=counted.project_id if counted else None,
        ),
        memory_counts=Counts(
            total=counted.memories if counted else 0,
            pinned=counted.pinned if counted else 0,
            by_type={kind.value: count for kind, count in counted.types.items()} if counted else {},
            embedded=counted.embedded if counted else 0,
            pending=pending,
        ),
        model=ModelRecord(
            state=situation.state.value,
            detail=situation.detail,
            done=situation.done,
            total=situation.total,
        ),
    )


def _details(counted: Counted | None) -> dict[str, object]:
    from heimdall.models import locations

    details: dict[str, object] = {
        "process": os.getpid(),
        "models_dir": printable(locations.models_dir()),
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
            "tags": dict(list(counted.tags.items())[:_MOST_TAGS]),
            "embedding_model": counted.model,
        }
    return details


def printable(path: object) -> str:
    """A path as text that JSON can carry: names that are no UTF-8 are escaped."""
    return str(path).encode("utf-8", "backslashreplace").decode()
