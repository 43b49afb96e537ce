"""Stand-ins for nodes of a Qdrant that misbehave in ways that a real one is hard to bring to."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread


@contextmanager
def good_node(requests: list[str] | None = None) -> Iterator[str]:
    """The URL of a node that has no point of anything: every request is answered at once.

    Args:
        requests: gets the method and path of each request.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if requests is not None:
                requests.append(f"{self.command} {self.path}")
            result = _RESULTS.get(self.command)
            if self.path.endswith("/batch"):
                result = [{"points": []}, {"points": []}]
            if self.path.endswith("/count"):
                result = {"count": 0}
            if self.path.split("?")[0].endswith("/delete"):
                result = {"operation_id": 1, "status": "completed"}
            body = json.dumps({"result": result, "status": "ok", "time": 0.0}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 (the names that are looked for)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


_RESULTS: dict[str, object] = {"GET": {"exists": True}, "DELETE": True}


@contextmanager
def silent_node(*, drips: bool = False) -> Iterator[tuple[str, list[float]]]:
    """The URL of a node that accepts and never answers, and when it was asked.

    Args:
        drips: whether it sends a header now and then, so that no read waits for long.
    """
    asked: list[float] = []
    over = Event()

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            asked.append(time.monotonic())
            Thread(target=hold, args=(connection,), daemon=True).start()

    def hold(connection: socket.socket) -> None:
        with connection:
            try:
                if drips:
                    connection.sendall(b"HTTP/1.1 200 OK\r\n")
                while not over.wait(0.1):
                    if drips:
                        connection.sendall(b"X-Drip: 1\r\n")
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=serve, args=(listener,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
        finally:
            over.set()
            listener.shutdown(socket.SHUT_RDWR)


@contextmanager
def dead_node() -> Iterator[str]:
    """The URL of a node that is down."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"
