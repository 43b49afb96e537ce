from __future__ import annotations

import json
import signal
import socket
import stat
import sys
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from heimdall.mcp_server.server import make_server  # noqa: F401  (imported here once, not while a client waits)
from tests.support.mcp_http import TOKEN, HttpServer, http_server
from tests.support.mcp_raw import INITIALIZE
from tests.support.places import DATA

pytestmark = pytest.mark.slow

HEADERS = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/json, text/event-stream"}


def post(server: HttpServer, *, path: str = "/mcp", **headers: str) -> httpx2.Response:
    url = server.url.removesuffix("/mcp") + path
    return httpx2.post(url, json=INITIALIZE, headers={**HEADERS, **headers}, timeout=900)


def test_who_may_ask(project: Path) -> None:
    with http_server(
        project, "--allow-host", "memory.example", "--allow-origin", "https://app.example"
    ) as server:
        assert post(server).status_code == 200
        for authorization in (
            "",
            "Bearer",
            f"Bearer {TOKEN[:-1]}",
            f"Bearer {TOKEN}x",
            f"Basic {TOKEN}",
            TOKEN,
        ):
            refused = post(server, Authorization=authorization)
            assert refused.status_code == 401, authorization
            assert refused.headers["WWW-Authenticate"].startswith("Bearer")
            assert str(project) not in refused.text
        for path in ("/", "/health", "/mcp/", "/sse"):
            assert post(server, path=path, Authorization="").status_code == 401
            assert post(server, path=path).status_code in {307, 404}
        for host, status in (
            (f"localhost:{server.port}", 200),
            ("memory.example", 200),
            (f"evil.example:{server.port}", 421),
            (f"127.0.0.1.evil.example:{server.port}", 421),
        ):
            assert post(server, Host=host).status_code == status, host
        for origin, status in (
            (f"http://localhost:{server.port}", 200),
            ("https://app.example", 200),
            ("https://evil.example", 403),
            ("http://localhost.evil.example", 403),
            ("null", 403),
        ):
            assert post(server, Origin=origin).status_code == status, origin
        huge = httpx2.post(
            server.url,
            content=b"x" * 5_000_000,
            headers={**HEADERS, "Content-Type": "application/json"},
            timeout=900,
        )
        assert huge.status_code == 413
        broken = httpx2.post(
            server.url,
            content=b"{bad",
            headers={**HEADERS, "Content-Type": "application/json"},
            timeout=900,
        )
        assert broken.status_code == 400
        assert server.end() == 128 + signal.SIGTERM
        assert TOKEN not in server.said
        assert "Traceback" not in server.said
        assert "$HEIMDALL_MCP_TOKEN" in server.said


def said_to(server: HttpServer, head: str) -> bytes:
    """The first line of the answer to a head that no client library would send."""
    with socket.create_connection(("127.0.0.1", server.port), 900) as client:
        rest = f"Authorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n"
        client.sendall(f"{head}\r\n{rest}".encode("latin-1"))
        return client.makefile("rb").readline()


def test_under_which_name_it_is_asked(project: Path) -> None:
    with http_server(project) as server:
        for head, status in {
            "GET /mcp HTTP/1.1\r\nHost: localhost": b"406",  # let through to the SDK
            "GET /mcp HTTP/1.1\r\nHost: 127.0.0.1:x.evil.com": b"421",
            "GET /mcp HTTP/1.1\r\nHost: localhost@evil.com": b"421",
            "GET /mcp HTTP/1.1\r\nHost:": b"421",
            "GET /mcp HTTP/1.1": b"400",
            "GET /mcp HTTP/1.1\r\nHost: localhost\r\nHost: evil.com": b"400",
            "GET /mcp HTTP/1.0": b"421",
            "GET http://evil.com/mcp HTTP/1.1\r\nHost: localhost": b"421",
            "GET http://localhost/mcp HTTP/1.1\r\nHost: localhost": b"421",
            "GET localhost:80 HTTP/1.1\r\nHost: localhost": b"421",
            "GET /mcp HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost:x.evil.com": b"403",
            "GET /mcp HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nOrigin: null": b"403",
            "GET /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x": b"401",
        }.items():
            assert said_to(server, head).split(b" ")[1] == status, head


def test_whatever_carries_an_id_is_answered(project: Path) -> None:
    call = '{"jsonrpc":"2.0","id":%s,"method":"tools/call","params":{"name":"store_memory","arguments":{"text":"%s"}}}'

    def told(body: str | bytes, **headers: str) -> tuple[int, Any]:
        answer = httpx2.post(
            server.url,
            content=body,
            headers={**HEADERS, "Content-Type": "application/json", **headers},
            timeout=900,
        )
        text = answer.text.rpartition("data: ")[2] if answer.is_success else answer.text
        return answer.status_code, json.loads(text)

    with http_server(project) as server:
        session = {"mcp-session-id": post(server).headers["mcp-session-id"]}
        status, answer = told(call % (1001, r"cut \ud83d"), **session)
        stored = answer["result"]["structuredContent"]["memory"]
        assert (status, answer["id"]) == (200, 1001)
        read = {
            "jsonrpc": "2.0",
            "id": 1010,
            "method": "tools/call",
            "params": {"name": "get_memory", "arguments": {"memory_id": stored["id"]}},
        }
        status, answer = told(json.dumps(read), **session)
        assert answer["result"]["structuredContent"]["memories"][0]["text"] == (
            "cut \N{REPLACEMENT CHARACTER}"
        )
        status, answer = told((call % (1002, "caf\xe9")).encode("latin-1"), **session)
        assert (status, answer["id"]) == (200, 1002)
        for body, code, request_id in (
            (call % ("1.5", "a"), 400, 1.5),
            (call % ("null", "a"), 400, None),
            (call % (1003, '"'), 400, 1003),
            (call % (1004, '"},"deep":' + "[" * 9000), 400, 1004),
            (call % (1005, '","importance_score":' + "9" * 5000 + ',"y":"'), 400, 1005),
            (call % (1006, "y" * 5_000_000), 413, 1006),
        ):
            status, answer = told(body, **session)
            assert (status, answer["id"]) == (code, request_id)
            assert answer["error"]["message"]
        status, answers = told(f"[{call % (7, 'a')},{call % (8, 'b')}]")
        assert (status, [answer["id"] for answer in answers]) == (400, [7, 8])
        assert server.end() == 128 + signal.SIGTERM
        assert "Traceback" not in server.said


@pytest.mark.anyio
async def test_clients_of_both_eras_share_one_memory(project: Path) -> None:
    with http_server(project) as server:

        async def use(era: str, word: str) -> None:
            async with (
                create_mcp_http_client({"Authorization": f"Bearer {TOKEN}"}) as http,
                Client(streamable_http_client(server.url, http_client=http), mode=era) as client,
            ):
                for number in range(5):
                    stored = await client.call_tool("store_memory", {"text": f"{word} {number}"})
                    assert not stored.is_error
                found = await client.call_tool("recall_memories", {"query": word})
                assert {memory["text"] for memory in found.structured_content["memories"]} == {
                    f"{word} {number}" for number in range(5)
                }

        async with anyio.create_task_group() as tasks:
            for era, word in (
                ("legacy", "anchor"),
                ("2026-07-28", "bulwark"),
                ("legacy", "capstan"),
                ("2026-07-28", "dinghy"),
            ):
                tasks.start_soon(use, era, word)
        assert server.end(signal.SIGINT) == 128 + signal.SIGINT
        assert "Traceback" not in server.said
    assert (project / ".heimdall" / "cognitive_memory.db").is_file()


@pytest.mark.skipif(sys.platform == "win32", reason="modes are no protection there")
def test_a_token_is_made_for_the_user_and_never_shown(project: Path, home: Path) -> None:
    with http_server(project, environment={"HEIMDALL_MCP_TOKEN": ""}, address="[::1]:0") as server:
        file = home / DATA / "mcp-token"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        token = file.read_text().strip()
        assert post(server, Authorization=f"Bearer {token}").status_code == 200
        assert post(server).status_code == 401
        server.end()
        assert token not in server.said
        assert str(file) in server.said


def test_a_stream_that_is_open_does_not_hold_up_the_end(project: Path) -> None:
    with http_server(project) as server:
        session = post(server).headers["mcp-session-id"]
        with httpx2.stream(
            "GET", server.url, headers={**HEADERS, "mcp-session-id": session}, timeout=900
        ) as stream:
            assert stream.status_code == 200
            assert server.end() == 128 + signal.SIGTERM


def test_sessions_hold_their_log_level_and_end_when_told(project: Path) -> None:
    def ask(headers: dict[str, str], **message: Any) -> httpx2.Response:
        return httpx2.post(
            server.url, json={"jsonrpc": "2.0", **message}, headers=headers, timeout=900
        )

    with http_server(project) as server:
        headers = {**HEADERS, "mcp-session-id": post(server).headers["mcp-session-id"]}
        assert ask(headers, method="notifications/initialized").status_code == 202
        set_level = ask(headers, id=2, method="logging/setLevel", params={"level": "error"})
        assert json.loads(set_level.text.partition("data: ")[2])["result"] == {}
        assert httpx2.delete(server.url, headers=headers, timeout=900).status_code == 200
        assert ask(headers, id=3, method="ping").status_code == 404
