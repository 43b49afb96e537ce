from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from cognitive_memory.qdrant.client import open_client
from cognitive_memory.qdrant.errors import (
    QdrantError,
    QdrantNotInstalledError,
    QdrantRefusedError,
    QdrantUnreachableError,
)
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
        (503, b"{}", QdrantUnreachableError, "HTTP 503: try again later"),
        (429, b"{}", QdrantUnreachableError, "too much to do"),
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


def test_local_mode_is_for_one_process(tmp_path: Path) -> None:
    settings = QdrantSettings(urls=(), directory=tmp_path / "qdrant")
    code = (
        "import sys; from qdrant_client import QdrantClient; client = QdrantClient(path=sys.argv[1]);"
        "print('open', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(settings.directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    with other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(QdrantError, match="another process has it open"):
            open_client(settings)
        other.kill()
    open_client(settings).close()


def test_a_directory_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(QdrantError, match="its directory can't be used"):
        open_client(QdrantSettings(urls=(), directory=tmp_path / "file" / "qdrant"))


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "qdrant_client", None)
    monkeypatch.delitem(sys.modules, "cognitive_memory.qdrant.client")
    with pytest.raises(QdrantNotInstalledError, match=r"heimdall-mcp\[qdrant\]"):
        importlib.import_module("cognitive_memory.qdrant.client")
