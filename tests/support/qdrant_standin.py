"""A Qdrant for tests, and stand-ins for nodes that misbehave in ways that a real one is hard to bring to."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any

from pydantic import TypeAdapter
from qdrant_client import QdrantClient, models

from tests.support.tcp_server import tcp_server

_JSON: TypeAdapter[Any] = TypeAdapter(Any)


class _RefusalError(Exception):
    """An answer that gives no result: its status, and what it says."""


class _Collections:
    """Answers as a server does, by the local mode of Qdrant's own client.

    Its models know every field that Qdrant has, and refuse any other.
    """

    def __init__(self) -> None:
        self._client = QdrantClient(":memory:")
        self._indexed: set[tuple[str, str]] = set()

    def result(self, method: str, path: list[str], body: dict[str, Any]) -> object:
        """The result of a request.

        Raises:
            _RefusalError: there is none.
        """
        client = self._client
        match method, path:
            case "GET", ["collections"]:
                return client.get_collections()
            case "GET", ["collections", name, "exists"]:
                return {"exists": client.collection_exists(name)}
            case "PUT", ["collections", name]:
                if client.collection_exists(name):
                    raise _RefusalError(409, f"Wrong input: Collection `{name}` already exists!")
                made = models.CreateCollection(**body)
                return client.create_collection(name, made.vectors, metadata=made.metadata)
            case "DELETE", ["collections", name]:
                return client.delete_collection(name)
            case method, ["collections", name, *rest] if client.collection_exists(name):
                return self._of_collection(name, method, "/".join(rest), body)
            case _, ["collections", name, *_]:
                raise _RefusalError(404, f"Not found: Collection `{name}` doesn't exist!")
        raise AssertionError(method, path)

    def _of_collection(self, name: str, method: str, what: str, body: dict[str, Any]) -> object:
        client = self._client
        match method, what:
            case "PUT", "index":
                self._indexed.add((name, models.CreateFieldIndex(**body).field_name))
                return True
            case "PUT", "points":
                return client.upsert(name, models.PointsBatch(**body).batch)
            case "POST", "points/count":
                wanted = models.CountRequest(**body)
                return client.count(name, count_filter=wanted.filter, exact=bool(wanted.exact))
            case "POST", "points/delete":
                return client.delete(name, models.FilterSelector(**body))
            case "POST", "points/scroll":
                page = models.ScrollRequest(**body)
                records, offset = client.scroll(
                    name,
                    scroll_filter=page.filter,
                    limit=page.limit or 10,
                    offset=page.offset,
                    with_payload=True if page.with_payload is None else page.with_payload,
                    with_vectors=page.with_vector or False,
                )
                return {"points": records, "next_page_offset": offset}
            case "POST", "points/query/batch":
                queries = models.QueryRequestBatch(**body).searches
                for query in queries:
                    query.params = None  # local mode is exact, and warns of what it does not need
                    if isinstance(query.query, models.OrderByQuery):
                        self._check_order(name, query.query.order_by)
                return client.query_batch_points(name, queries)
        raise AssertionError(method, what)

    def _check_order(self, name: str, order: object) -> None:
        key = order.key if isinstance(order, models.OrderBy) else str(order)
        if (name, key) not in self._indexed:
            raise _RefusalError(400, f"Bad request: No range index for `order_by` key: `{key}`.")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(
        self, collections: _Collections, lock: Lock, requests: list[str], *of_server: Any
    ) -> None:
        self._collections = collections
        self._lock = lock
        self._requests = requests
        super().__init__(*of_server)

    def answer(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = self.path.partition("?")[0].strip("/").split("/")
        with self._lock:
            self._requests.append(f"{self.command} {self.path}")
            try:
                result = self._collections.result(self.command, path, json.loads(content or "{}"))
                status, said = 200, {"result": result, "status": "ok", "time": 0.0}
            except _RefusalError as refusal:
                status, error = refusal.args
                said = {"status": {"error": error}, "time": 0.0}
        body = _JSON.dump_json(said)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 (the names that are looked for)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def good_node(requests: list[str] | None = None) -> Iterator[str]:
    """The URL of a Qdrant that has no collection yet.

    Args:
        requests: gets the method and path of each request.
    """
    kept: list[str] = [] if requests is None else requests
    handler = partial(_Handler, _Collections(), Lock(), kept)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


@contextmanager
def silent_node(
    told: Callable[[], None] = lambda: None, *, drips: bool = False
) -> Iterator[tuple[str, list[socket.socket]]]:
    """The URL of a node that accepts and never answers, and the connections that it has accepted.

    Args:
        told: called when there is another one.
        drips: whether it sends a header now and then, so that no read waits for long.
    """
    asked: list[socket.socket] = []
    over = Event()

    def hold(connection: socket.socket) -> None:
        asked.append(connection)
        told()
        if drips:
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while not over.wait(0.1):
            if drips:
                connection.sendall(b"X-Drip: 1\r\n")

    with tcp_server(hold) as host:
        try:
            yield f"http://{host}", asked
        finally:
            over.set()


@contextmanager
def dead_node() -> Iterator[str]:
    """The URL of a node that is down."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"
