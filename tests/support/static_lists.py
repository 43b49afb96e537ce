"""What the SDK makes of the lists that never change; as a command it writes them where the handshake reads them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
from mcp.shared.message import SessionMessage

from heimdall.mcp_server.server import make_server
from heimdall.mcp_server.service import Service
from heimdall.mcp_server.transport import opening
from heimdall.mcp_server.transport.messages import decode, encode
from tests.support.mcp_raw import INITIALIZE

_NAMES = "io.modelcontextprotocol/"
ENVELOPE: dict[str, Any] = {
    f"{_NAMES}protocolVersion": opening.MODERN_VERSION,
    f"{_NAMES}clientInfo": {"name": "raw", "version": "1"},
    f"{_NAMES}clientCapabilities": {"roots": {"listChanged": True}, "sampling": {}},
}
"""What a request says since 2026-07-28."""
METHODS = ("tools/list", "prompts/list", "resources/templates/list")
FILE = Path(opening.__file__).with_name(opening.LISTS)


async def answers_of_the_sdk(
    *requests: dict[str, Any], service: Service | None = None
) -> list[bytes]:
    """The lines that the SDK answers requests with, one after the other."""
    to_server, from_client = anyio.create_memory_object_stream[SessionMessage | Exception](1)
    from_server, to_client = anyio.create_memory_object_stream[SessionMessage](1)
    server = make_server(service or Service(None))
    lines = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(
            server.run, from_client, from_server, server.create_initialization_options()
        )
        for request in requests:
            await to_server.send(SessionMessage(decode(json.dumps(request).encode())))
            lines.append(encode((await to_client.receive()).message))
        to_server.close()
    to_client.close()
    return lines


def lists_of_the_sdk() -> str:
    """The file's content."""

    def results(methods: Sequence[str], *begin: dict[str, Any], **params: Any) -> dict[str, Any]:
        asked = [{"jsonrpc": "2.0", "id": 1, "method": name, "params": params} for name in methods]
        lines = anyio.run(answers_of_the_sdk, *(*begin, *asked))[len(begin) :]
        found = {
            name: json.loads(line)["result"] for name, line in zip(methods, lines, strict=True)
        }
        for result in found.values():
            result.pop("_meta", None)  # the version, which the file need not follow
        return found

    eras = {
        opening.VERSIONS[-1]: results(METHODS, INITIALIZE),
        opening.MODERN_VERSION: results(("server/discover", *METHODS), _meta=ENVELOPE),
    }
    return json.dumps(eras, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(lists_of_the_sdk(), encoding="utf-8")
