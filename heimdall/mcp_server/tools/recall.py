"""The tool `recall_memories`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heimdall.mcp_server.tools.arguments import RecallMemories
from heimdall.mcp_server.tools.recalling import position, recalled
from heimdall.mcp_server.tools.results import Recalled
from heimdall.mcp_server.tools.tool import Call, tool

if TYPE_CHECKING:
    from cognitive_memory.joint_memory import JointMemory


@tool("Recall memories", reads=True)
async def recall_memories(call: Call, arguments: RecallMemories) -> tuple[Recalled, str]:
    """Search this project's long-term memory by meaning and keywords, best first. Call it before a
    task and whenever earlier decisions, conventions, errors or experiences could matter. Long
    memories come as excerpts.
    """
    skipped = position(arguments)
    memory = await call.service.memories_of(call.ctx)
    if arguments.wait_for_model and memory.memories:
        from heimdall.mcp_server.model_reports import until_ready

        _embed(call, memory)
        await until_ready(call.service.model, call.ctx)
    recall, answer = await call.service.in_thread(recalled, memory, arguments, skipped)
    if recall.pending:
        _embed(call, memory)
    return answer


def _embed(call: Call, memory: JointMemory) -> None:
    for each in memory.memories.values():
        call.service.model.begin(each, asked=True)
