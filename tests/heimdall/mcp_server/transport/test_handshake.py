from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp.shared.message import SessionMessage
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

from heimdall.mcp_server.server import make_server
from heimdall.mcp_server.service import Service
from heimdall.mcp_server.transport.descriptors import Wire
from heimdall.mcp_server.transport.handshake import VERSIONS, Handshake, answer, plain_initialize
from heimdall.mcp_server.transport.messages import decode, encode
from tests.support.mcp_raw import VERSION, RawServer

CLIENT = {"name": "raw", "version": "1"}
CAPABILITIES: dict[str, Any] = {
    "roots": {"listChanged": True},
    "sampling": {},
    "elicitation": {"form": {}, "url": {}},
}


def initialize(**changes: Any) -> dict[str, Any]:
    params = {"protocolVersion": VERSION, "capabilities": {}, "clientInfo": CLIENT} | changes
    return {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}


async def answer_of_the_sdk(request: dict[str, Any]) -> dict[str, Any]:
    to_server, from_client = anyio.create_memory_object_stream[SessionMessage | Exception](1)
    from_server, to_client = anyio.create_memory_object_stream[SessionMessage](1)
    server = make_server(Service(None))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(
            server.run, from_client, from_server, server.create_initialization_options()
        )
        await to_server.send(SessionMessage(decode(json.dumps(request).encode())))
        received = await to_client.receive()
        to_server.close()
    to_client.close()
    response = json.loads(encode(received.message))
    assert isinstance(response, dict)
    return response


def test_the_versions_are_those_of_the_sdk() -> None:
    assert VERSIONS == HANDSHAKE_PROTOCOL_VERSIONS


@pytest.mark.anyio
@pytest.mark.parametrize("version", [*VERSIONS, "2026-07-28", "1999-01-01"])
async def test_the_answer_is_what_the_sdk_says(version: str) -> None:
    request = initialize(protocolVersion=version, capabilities=CAPABILITIES)
    assert plain_initialize(json.dumps(request).encode()) == (1, version)
    assert json.loads(answer(1, version)) == await answer_of_the_sdk(request)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "strange",
    [
        initialize(capabilities={"roots": 5}),
        initialize(capabilities={"roots": {"listChanged": "banana"}}),
        initialize(capabilities=None),
        initialize(clientInfo={"name": "x"}),
        initialize(clientInfo={**CLIENT, "title": 5}),
        initialize(clientInfo={**CLIENT, "icons": 5}),
        initialize(protocolVersion=5),
        initialize(_meta=5),
    ],
)
async def test_what_the_sdk_refuses_is_left_to_it(strange: dict[str, Any]) -> None:
    assert "error" in await answer_of_the_sdk(strange)
    assert plain_initialize(json.dumps(strange).encode()) is None


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"nonsense",
        b"[" * 100_000,
        b'"initialize"',
        json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"}).encode(),
        json.dumps(initialize() | {"id": True}).encode(),
        json.dumps(initialize() | {"extra": 1}).encode(),
        json.dumps(initialize(_meta={})).encode(),
    ],
)
def test_every_other_line_is_left_to_the_sdk(line: bytes) -> None:
    assert plain_initialize(line) is None


@given(st.binary(max_size=200))
def test_no_line_breaks_it(line: bytes) -> None:
    assert plain_initialize(line) is None


@pytest.fixture
def pipes() -> Iterator[list[int]]:
    ends = [*os.pipe(), *os.pipe()]
    yield ends
    for end in ends:
        with suppress(OSError):
            os.close(end)


def test_the_first_line_is_handed_on_and_the_rest_stays_to_be_read(pipes: list[int]) -> None:
    incoming, client_out, client_in, outgoing = pipes
    first = json.dumps(initialize()).encode()
    os.write(client_out, first + b"\nsecond\n")
    handshake = Handshake(Wire(incoming, outgoing))
    assert handshake.next_line() == first
    assert handshake.answered == 1
    assert handshake.next_line() == b"second"
    assert json.loads(os.read(client_in, 10_000))["result"]["protocolVersion"] == VERSION


def test_a_client_that_is_gone_is_found_out_later(pipes: list[int]) -> None:
    incoming, client_out, client_in, outgoing = pipes
    os.close(client_in)
    os.write(client_out, json.dumps(initialize()).encode() + b"\n")
    handshake = Handshake(Wire(incoming, outgoing))
    assert handshake.next_line() is not None
    assert handshake.answered is None


def test_a_client_that_says_nothing(pipes: list[int]) -> None:
    os.close(pipes[1])
    assert Handshake(Wire(pipes[0], pipes[3])).next_line() is None


@pytest.mark.slow
def test_initialize_is_answered_once_and_nothing_heavy_is_loaded_for_it(
    project: Path, home: Path
) -> None:
    """By the order of imports, not by the clock: the answer is on the wire while the SDK is not imported yet."""
    blocked = home / "blocked"
    (blocked / "mcp").mkdir(parents=True)
    (blocked / "mcp" / "__init__.py").write_text(
        "import os, time\nwhile not os.path.exists(os.environ['GO']): time.sleep(0.01)\n"
        "import importlib, sys\nsys.path.remove(os.environ['BLOCKED']); del sys.modules['mcp']\nimport mcp\n"
        "sys.modules[__name__] = mcp\n"
    )
    environment = {
        "PYTHONPATH": f"{blocked}{os.pathsep}{os.environ['PYTHONPATH']}",
        "BLOCKED": str(blocked),
        "GO": str(home / "go"),
    }
    with RawServer(environment=environment) as server:
        assert server.initialize()["result"]["serverInfo"]["name"] == "heimdall"
        (home / "go").touch()
        assert len(server.request("tools/list")["result"]["tools"]) == 9
        assert server.end() == 0
        assert sum("serverInfo" in message.get("result", {}) for message in server.messages) == 1
