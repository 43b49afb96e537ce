"""One server a window, all on one project."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.capabilities import needs_removal
from tests.support.mcp_raw import RawServer

pytestmark = pytest.mark.slow

SERVERS = 8
EACH = 5


def test_eight_servers_on_one_project_lose_nothing(project: Path) -> None:
    with ExitStack() as stack:
        servers = [stack.enter_context(RawServer()) for _ in range(SERVERS)]
        for server in servers:
            server.initialize()
        calls = [
            (
                server,
                server.begin(
                    "tools/call",
                    name="store_memory",
                    arguments={"text": f"note {mine} of server {place}"},
                ),
            )
            for mine in range(EACH)
            for place, server in enumerate(servers)
        ]
        results = [server.response(request_id)["result"] for server, request_id in calls]
        assert not [result for result in results if result.get("isError")]
        assert (
            len({result["structuredContent"]["memory"]["id"] for result in results})
            == SERVERS * EACH
        )
        for place, server in enumerate(servers):
            counts = server.call("memory_status")["structuredContent"]["memory_counts"]
            assert counts["total"] == SERVERS * EACH
            found = server.call(
                "recall_memories", query=f"server {(place + 1) % SERVERS}", max_results=50
            )
            assert found["structuredContent"]["memories"]
        assert [server.end() for server in servers] == [0] * SERVERS


@needs_removal
def test_a_database_that_was_replaced_is_opened_anew(project: Path) -> None:
    with RawServer() as server:
        server.initialize()
        server.call("store_memory", text="of the first database")
        for file in (project / ".heimdall").iterdir():
            file.unlink()
        assert server.call("recall_memories", query="first")["structuredContent"]["memories"] == []
        server.call("store_memory", text="of the second database")
        with RawServer() as other:
            other.initialize()
            found = other.call("recall_memories", query="database")["structuredContent"]["memories"]
            assert [memory["text"] for memory in found] == ["of the second database"]
            assert other.end() == 0
        assert server.end() == 0
