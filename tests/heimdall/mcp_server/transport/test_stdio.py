"""The server as a process, and a client that sends what it wants."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path

import pytest
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCNotification

from heimdall.mcp_server.transport.descriptors import Wire
from heimdall.mcp_server.transport.handshake import Handshake
from heimdall.mcp_server.transport.lines import LONGEST_LINE
from heimdall.mcp_server.transport.stdio import stdio_streams
from heimdall.quoting import clean
from tests.support.mcp_raw import VERSION, RawServer

pytestmark = pytest.mark.slow


def test_a_client_that_sends_rubbish_is_told_and_served(raw: RawServer) -> None:
    raw.write(b"\n  \nhello\n\x00\xff\xfe\n[]\n" + b"{" * 50_000 + b"\n")
    raw.initialize()
    raw.write(
        b'{"jsonrpc":"2.0","id":"x","method":5}\n{"jsonrpc":"2.0","id":3,"result":5}\n{"jsonrpc":"2.0","id":99,"result":{}}\n'
    )
    raw.write(b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":{}}}\n')
    raw.write(b'{"jsonrpc":"2.0","method":"notifications/unheard-of","params":{"a":[]}}\n')
    assert raw.response("x")["error"]["code"] == -32600
    assert raw.request("no/such/method")["error"]["code"] == -32601
    assert raw.request("tools/call", name=5)["error"]["code"] == -32602
    assert raw.request("tools/call", name="store_memories", arguments={})["error"][
        "message"
    ].endswith("Did you mean store_memory?")
    assert raw.request("ping")["result"] == {}
    assert raw.end() == 0
    assert [
        message["error"]["code"] for message in raw.messages if message.get("id", 0) is None
    ] == [-32700, -32700, -32600, -32700]
    assert "Traceback" not in raw.stderr


def test_huge_and_hostile_arguments_are_refused_by_name(raw: RawServer) -> None:
    raw.initialize()
    nested: object = "deep"
    for _ in range(150):
        nested = [nested]
    hostile: list[tuple[dict[str, object], str]] = [
        ({"text": "x" * 3_000_000}, "text: expected text, at most 200,000 characters"),
        ({"text": "  \n "}, "text is blank"),
        ({"text": "a", "context": {"tags": ["t"] * 1000}}, "a list of texts, at most 100"),
        ({"text": "a", "context": {"hierarchy_level": 10**400}}, "context.hierarchy_level"),
        ({"text": "a", "context": nested}, "context"),
        ({"text": {"a": 1}}, "text: got {'a': 1}; expected text"),
        ({"text": "a", "contxt": {}}, "did you mean context?"),
        ({"text": "a", "x" * 5000: 1}, "no such argument"),
        ({}, "text is missing"),
    ]
    for arguments, words in hostile:
        result = raw.call("store_memory", **arguments)
        assert result["isError"], arguments
        assert words in result["content"][0]["text"]
        assert len(result["content"][0]["text"]) < 2000
    raw.write(
        b'{"jsonrpc":"2.0","id":"long","method":"ping","params":{"x":"'
        + b"y" * LONGEST_LINE
        + b'"}}\n'
    )
    assert "longer than" in raw.response("long")["error"]["message"]
    control = "\u0000\u001b[31m\u2028\r\n\N{PILE OF POO}"
    stored = raw.call(
        "store_memory", text=f"hostile {control}", context={"tags": ["';--", "\u202e"]}
    )
    assert raw.text_of(stored["structuredContent"]["memory"]["id"]) == f"hostile {clean(control)}"
    for query in ("'; DROP TABLE memories; --", '"" OR NEAR( * ^ :', "hostile", "\u0000", "%_*?"):
        assert raw.call("recall_memories", query=query).get("isError", False) is False
    assert raw.end() == 0


def test_whatever_carries_an_id_is_answered(raw: RawServer) -> None:
    """As the first line, where the handshake reads it, and later."""
    params = {
        "protocolVersion": VERSION,
        "capabilities": {},
        "clientInfo": {"name": "\ud83d", "version": "1"},
    }
    raw.send({"id": "0\ud83d", "method": "initialize", "params": params})
    raw.response("0\N{REPLACEMENT CHARACTER}")
    raw.initialize()
    call = '{"jsonrpc":"2.0","id":%s,"method":"tools/call","params":{"name":"store_memory","arguments":{"text":"%s"}}}\n'
    raw.write((call % (1001, r"cut \ud83d")).encode())
    stored = raw.response(1001)["result"]["structuredContent"]["memory"]
    assert raw.text_of(stored["id"]) == "cut \N{REPLACEMENT CHARACTER}"
    raw.write(call.encode("latin-1") % (b"1002", b"caf\xe9 \xed\xa0\xbd"))
    stored = raw.response(1002)["result"]["structuredContent"]["memory"]
    assert raw.text_of(stored["id"]).startswith("caf")
    for number, (request_id, text) in enumerate(
        [("1.5", "a"), ("1003", '"'), ('"x"', "\n"), ("1004", "\0")]
    ):
        raw.write((call % (request_id, text)).encode())
        assert raw.response(json.loads(request_id))["error"], number
    raw.write(
        b'[{"jsonrpc":"2.0","id":1005,"method":"ping"},{"jsonrpc":"2.0","id":1006,"method":"ping"}]\n'
    )
    assert raw.response(1005)["error"]["message"] == raw.response(1006)["error"]["message"]
    raw.write((call % (1007, '"},"deep":' + "[" * 9000)).encode())
    assert "recursion" in raw.response(1007)["error"]["message"]
    raw.write((call % (1008, '","importance_score":' + "9" * 5000 + ',"y":"')).encode())
    assert "out of range" in raw.response(1008)["error"]["message"]
    assert raw.request("ping")["result"] == {}
    assert raw.end() == 0
    assert "Traceback" not in raw.stderr


def test_twenty_calls_at_once_are_each_answered(raw: RawServer) -> None:
    raw.initialize()
    ids = [
        raw.begin("tools/call", name="store_memory", arguments={"text": f"memory number {number}"})
        for number in range(20)
    ]
    stored = {
        raw.response(request_id)["result"]["structuredContent"]["memory"]["id"]
        for request_id in ids
    }
    assert len(stored) == 20
    asked = [
        raw.begin(
            "tools/call",
            name="recall_memories",
            arguments={"query": f"number {number}", "max_results": 1},
        )
        for number in range(20)
    ]
    found = {
        raw.response(request_id)["result"]["structuredContent"]["memories"][0]["text"]
        for request_id in asked
    }
    assert found == {f"memory number {number}" for number in range(20)}
    assert raw.end() == 0


def test_a_flood_is_answered_and_what_was_read_before_the_end_too(raw: RawServer) -> None:
    raw.initialize()
    ids = [raw.begin("ping") for _ in range(3000)]
    last = raw.begin("tools/call", name="memory_status", arguments={})
    raw.close_stdin()
    assert raw.response(last)["result"]["structuredContent"]["memory_counts"]["total"] == 0
    assert raw.ended() == 0
    assert {message["id"] for message in raw.messages if message.get("result") == {}} == set(ids)


def test_a_client_that_does_not_read_holds_up_nobody_but_itself(project: Path) -> None:
    with RawServer(read=False) as server:
        for number in range(1, 400):  # far more answers than a pipe holds
            server.send({"id": number, "method": "tools/list", "params": {}})
            if number == 1:
                params = {
                    "protocolVersion": "2025-11-25",
                    "capabilities": {},
                    "clientInfo": {"name": "a", "version": "1"},
                }
                server.send({"id": 0, "method": "initialize", "params": params})
        time.sleep(0.5)
        assert server.process.poll() is None
        assert server.process.stdout is not None
        received: list[dict[str, object]] = []

        def read_slowly() -> None:
            assert server.process.stdout is not None
            for line in server.process.stdout:
                received.append(json.loads(line))
                if len(received) % 100 == 0:
                    time.sleep(0.05)

        reader = threading.Thread(target=read_slowly)
        reader.start()
        server.close_stdin()
        reader.join(900)
        assert server.process.wait(900) == 0
    assert len(received) == 400


def test_a_client_that_stops_reading_and_leaves_takes_the_server_with_it(project: Path) -> None:
    with RawServer(read=False) as server:
        assert server.process.stdout is not None
        server.process.stdout.close()
        server.send({"id": 1, "method": "ping"})
        assert server.process.wait(900) == 0
        assert "Traceback" not in server.stderr


@pytest.mark.anyio
async def test_what_is_said_last_is_written_before_the_end() -> None:
    (ours, theirs), (read_end, write_end) = os.pipe(), os.pipe()
    wire = Wire(ours, write_end)
    last = JSONRPCNotification(jsonrpc="2.0", method="notifications/message", params={"data": 1})

    async def say_it() -> None:
        await outgoing.send(SessionMessage(last))

    async with stdio_streams(wire, Handshake(wire), say_it) as (incoming, outgoing), incoming:
        os.close(theirs)
        assert [message async for message in incoming] == []
    os.close(write_end)
    with os.fdopen(read_end, "rb") as client:
        assert json.loads(client.read()) == last.model_dump(exclude_unset=True)
    os.close(ours)


def test_a_cancelled_call_is_not_answered(raw: RawServer) -> None:
    raw.initialize()
    cancelled = raw.begin(
        "tools/call", name="recall_memories", arguments={"query": "x", "wait_for_model": True}
    )
    raw.notify("notifications/cancelled", requestId=cancelled, reason="no longer wanted")
    assert raw.request("ping")["result"] == {}
    assert raw.end() == 0
    assert sum(message.get("id") == cancelled for message in raw.messages) <= 1


def test_requests_before_initialize_are_refused(raw: RawServer) -> None:
    assert raw.request("tools/list")["error"]["code"] == -32602
    assert raw.request("ping")["result"] == {}
    raw.initialize()
    assert len(raw.request("tools/list")["result"]["tools"]) == 9
    assert raw.end() == 0
