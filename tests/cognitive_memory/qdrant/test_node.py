from __future__ import annotations

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from cognitive_memory.qdrant.errors import QdrantError, QdrantRefusedError, QdrantUnreachableError
from cognitive_memory.qdrant.index import QdrantIndex
from cognitive_memory.qdrant.settings import QdrantSettings

pytestmark = pytest.mark.slow


@pytest.fixture
def answering(tmp_path: Path) -> object:
    """Starts a server that gives one answer to everything, and tells with which key it was asked."""
    servers: list[ThreadingHTTPServer] = []

    def start(status: int, body: bytes = b"{}") -> tuple[QdrantSettings, list[str | None]]:
        keys: list[str | None] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                keys.append(self.headers.get("api-key"))
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
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        return QdrantSettings(
            urls=(url,), directory=tmp_path, api_key="the key", request_seconds=300
        ), keys

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


Answering = Callable[..., tuple[QdrantSettings, list[str | None]]]


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
        (400, b'{"status": {"error": "Wrong input: x"}}', QdrantError, "HTTP 400: Wrong input: x"),
        (200, b'{"result": null}', QdrantUnreachableError, "correct HEIMDALL_QDRANT_URL"),
        (500, b"boom", QdrantError, "HTTP 500: boom"),
        (200, b"<html>", QdrantUnreachableError, "correct HEIMDALL_QDRANT_URL"),
    ],
)
def test_each_answer_has_its_error(
    answering: Answering, status: int, body: bytes, error: type[QdrantError], message: str
) -> None:
    settings, keys = answering(status, body)
    with (
        QdrantIndex(settings, project_id="p", space="m/1") as index,
        pytest.raises(error, match=message) as raised,
    ):
        index.count()
    assert keys == ["the key"]
    assert "the key" not in str(raised.value).replace("the key was", "").replace("the key may", "")


def test_a_key_that_may_only_read_is_told_apart(answering: Answering) -> None:
    settings, _ = answering(403)
    with (
        QdrantIndex(settings, project_id="p", space="m/1") as index,
        pytest.raises(QdrantRefusedError, match=r"the key may read and not write \(HTTP 403\)"),
    ):
        index.delete(["5f0c1c5e-3b0d-4a9e-8a0e-6f1b1f6f0a11"])
