from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TypeAlias

import pytest

from cognitive_memory.qdrant.errors import QdrantError, QdrantRefusedError, QdrantUnreachableError
from cognitive_memory.qdrant.index import QdrantIndex
from cognitive_memory.qdrant.node import Node, Request
from cognitive_memory.qdrant.settings import QdrantSettings
from tests.cognitive_memory.qdrant.conftest import FOREVER
from tests.support.qdrant_standin import silent_node

pytestmark = pytest.mark.slow
Asked: TypeAlias = "list[tuple[str, Message]]"


@pytest.fixture
def answering(tmp_path: Path) -> object:
    """Starts a server that gives one answer to everything, and tells which paths it was asked for, with which headers."""
    servers: list[ThreadingHTTPServer] = []

    def start(status: int, body: bytes = b"{}") -> tuple[QdrantSettings, Asked]:
        asked: Asked = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append((self.path, self.headers))
                # What is left unread when a connection is closed resets it.
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                if status == 429:
                    self.send_header("Retry-After", "7")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815 (the name that is looked for)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        return QdrantSettings(
            urls=(url,), directory=tmp_path, api_key="the key", request_seconds=FOREVER
        ), asked

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


Answering = Callable[..., tuple[QdrantSettings, Asked]]


@pytest.mark.parametrize(
    ("status", "body", "error", "message"),
    [
        (
            401,
            b"{}",
            QdrantRefusedError,
            "the key was refused .HTTP 401.: set HEIMDALL_QDRANT_API_KEY",
        ),
        (403, b"{}", QdrantRefusedError, "the key may not read this .HTTP 403."),
        (503, b"{}", QdrantUnreachableError, "too much to do .HTTP 503.: try again later"),
        (429, b"{}", QdrantUnreachableError, "too much to do"),
        (302, b"", QdrantUnreachableError, "correct HEIMDALL_QDRANT_URL .HTTP 302."),
        (404, b"<html>", QdrantUnreachableError, "correct HEIMDALL_QDRANT_URL .HTTP 404."),
        (400, b'{"status": {"error": "an order_by with x"}}', QdrantError, "HTTP 400: an order_by"),
        (400, b'{"status": {"error": 5}}', QdrantError, "HTTP 400: 5"),
        (500, b"[" * 200_000, QdrantError, "HTTP 500: "),
        (200, b"[" * 200_000, QdrantUnreachableError, "correct HEIMDALL_QDRANT_URL"),
        (200, b'{"result": {"count": Infinity}}', QdrantUnreachableError, "correct HEIMDALL_Q"),
        (200, b'{"result": null}', QdrantUnreachableError, "correct HEIMDALL_QDRANT_URL"),
        (500, b"boom", QdrantError, "HTTP 500: boom"),
        (200, b"<html>", QdrantUnreachableError, "correct HEIMDALL_QDRANT_URL"),
    ],
)
def test_each_answer_has_its_error(
    answering: Answering, status: int, body: bytes, error: type[QdrantError], message: str
) -> None:
    settings, asked = answering(status, body)
    with (
        QdrantIndex(settings, project_id="p", space="m/1") as index,
        pytest.raises(error, match=message) as raised,
    ):
        index.count()
    assert [headers["api-key"] for _, headers in asked] == ["the key"]
    assert "the key" not in str(raised.value).replace("the key was", "").replace("the key may", "")


def test_a_point_that_is_not_ours_is_no_answer(answering: Answering) -> None:
    page = b'{"result": {"points": [{"id": "x", "payload": {}}], "next_page_offset": null}}'
    settings, _ = answering(200, page)
    with QdrantIndex(settings, project_id="p", space="m/1") as index:
        for read in (index.stamps, lambda: list(index.lines())):
            with pytest.raises(QdrantUnreachableError, match="correct HEIMDALL_QDRANT_URL"):
                read()


def test_an_address_may_have_a_user_and_a_path(answering: Answering) -> None:
    settings, asked = answering(500, b"no")
    address = settings.urls[0].replace("//", "//me:hidden@") + "/behind/"
    with (
        closing(Node(replace(settings, urls=(address,)))) as node,
        pytest.raises(QdrantError) as raised,
    ):
        node.answer(Request("GET", "/collections", list))
    ((path, headers),) = asked
    assert path == "/behind/collections"
    assert headers["Authorization"] == "Basic bWU6aGlkZGVu"
    assert "hidden" not in str(raised.value)


def test_a_key_that_may_only_read_is_told_apart(answering: Answering) -> None:
    settings, _ = answering(403)
    with (
        QdrantIndex(settings, project_id="p", space="m/1") as index,
        pytest.raises(QdrantRefusedError, match=r"the key may read and not write \(HTTP 403\)"),
    ):
        index.delete(["5f0c1c5e-3b0d-4a9e-8a0e-6f1b1f6f0a11"])


@pytest.mark.parametrize("drips", [False, True])
def test_a_request_ends_with_its_time(tmp_path: Path, *, drips: bool) -> None:
    with silent_node(drips=drips) as (url, _):
        settings = QdrantSettings(urls=(url,), directory=tmp_path, request_seconds=0.2)
        with (
            QdrantIndex(settings, project_id="p", space="m/1") as index,
            pytest.raises(QdrantUnreachableError, match=r"no answer .*timed out"),
        ):
            index.count()
