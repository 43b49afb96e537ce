"""One listening host: HTTP/1.1 with keep-alive over plain TCP or TLS, a thread for each connection."""

from __future__ import annotations

import http.server
import os
import socket
import socketserver
import ssl
import struct
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Self

from release.github_standin.faults import Faults
from release.github_standin.log import Record, RequestLog
from release.github_standin.messages import (
    CHUNK,
    Application,
    Delivery,
    FileBody,
    Request,
    Response,
)

_POLL = 0.05
"""Seconds between two looks at whether to stop accepting; the longest that closing waits for it."""
_STEPS_PER_SECOND = 20
"""How often a response of limited rate is continued."""


class Listener:
    """Serves an application on an address of its own until it is closed.

    It listens once it is made, so that its URL can be given away, and answers from `start` on. `close` ends it quickly:
    connections that are open are cut. Errors in the application are raised by `close`, so that none goes unseen.

    Args:
        name: of the host, for rules and the log.
        application: what to serve.
        host: the address to bind, and to name in the URL unless `advertised` is given.
        port: the port, or 0 for a free one.
        advertised: a name of that address.
        tls: a server's context, for https.
        log: where requests are recorded.
        faults: what goes wrong.

    Raises:
        OSError: the address can't be bound.
    """

    def __init__(
        self,
        name: str,
        application: Application,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        advertised: str | None = None,
        tls: ssl.SSLContext | None = None,
        log: RequestLog | None = None,
        faults: Faults | None = None,
    ) -> None:
        self.name = name
        self.log = log if log is not None else RequestLog()
        self.faults = faults if faults is not None else Faults()
        self._application = application
        self._server = _Server(self, (host, port), tls)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL,), name=f"{name} host", daemon=True
        )
        named = advertised if advertised is not None else f"[{host}]" if ":" in host else host
        self.url = f"{'https' if tls else 'http'}://{named}:{self._server.server_address[1]}"

    def answer(self, request: Request) -> Response:
        """What the application says, and what goes wrong with it."""
        return self.faults.answer(self.name, request, self._application)

    def start(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop listening, cut what is open, wait for the threads; safe to call twice.

        Raises:
            ExceptionGroup: errors in the application.
        """
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.close()
        if errors := self._server.take_errors():
            raise ExceptionGroup(f"the {self.name} host failed", errors)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class _Server(socketserver.TCPServer):
    allow_reuse_address = os.name == "posix"  # on Windows it would let two programs share the port
    request_queue_size = 256

    def __init__(
        self, listener: Listener, address: tuple[str, int], tls: ssl.SSLContext | None
    ) -> None:
        self.listener = listener
        self.stopping = threading.Event()
        self._tls = tls
        self._lock = threading.Lock()
        self._connections: dict[threading.Thread, socket.socket] = {}
        self._errors: list[Exception] = []
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)

    def process_request(self, request: object, client_address: object) -> None:
        assert isinstance(request, socket.socket)  # noqa: S101 - what TCPServer hands over
        thread = threading.Thread(target=self._converse, args=(client_address,), daemon=True)
        with self._lock:
            self._connections[thread] = request
        thread.start()

    def close(self) -> None:
        self.stopping.set()
        self.server_close()
        with self._lock:
            threads = list(self._connections)
            for connection in self._connections.values():
                _cut(connection)
        for thread in threads:
            thread.join()

    def note_error(self, error: Exception) -> None:
        with self._lock:
            self._errors.append(error)

    def take_errors(self) -> list[Exception]:
        with self._lock:
            errors, self._errors = self._errors, []
        return errors

    def _converse(self, client_address: object) -> None:
        thread = threading.current_thread()
        try:
            connection = self._secured(thread)
            if isinstance(connection, ssl.SSLSocket):
                connection.do_handshake()
            _Handler(connection, client_address, self)
        except OSError:
            # the client went away, or would not have our certificate, or `close` has cut the connection
            pass
        finally:
            with self._lock:
                connection = self._connections.pop(thread)
            connection.close()

    def _secured(self, thread: threading.Thread) -> socket.socket:
        """Swap a connection for its TLS form, so that `close` always finds the one that is in use."""
        with self._lock:
            connection = self._connections[thread]
            if self._tls is not None:
                connection = self._tls.wrap_socket(
                    connection, server_side=True, do_handshake_on_connect=False
                )
                self._connections[thread] = connection
            if self.stopping.is_set():
                _cut(connection)
        return connection


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def version_string(self) -> str:
        return "github-standin"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """The request log has it."""

    def _respond(self) -> None:
        listener = self.server.listener
        headers = {name.lower(): ", ".join(self.headers.get_all(name, [])) for name in self.headers}
        request = Request(self.command, self.path, headers, self._read_body(headers))
        with listener.log.recording(listener.name, request) as record:
            try:
                response = listener.answer(request)
            except Exception as error:  # noqa: BLE001 - raised again by Listener.close
                self.server.note_error(error)
                response = Response.text(500, f"{error!r}\n", "text/plain")
            if self.server.stopping.wait(response.delivery.delay):
                raise ConnectionAbortedError
            if response.delivery.drop:
                self._hang_up(response.delivery)
                return
            record.status = response.status
            self._send_head(response)
            if self.command != "HEAD":
                self._send_body(response, record)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _respond  # noqa: N815 - http.server's names

    def _read_body(self, headers: Mapping[str, str]) -> bytes:
        """All of it, wanted or not: closing over unread bytes would reset the connection, and lose the answer with it."""
        if "transfer-encoding" in headers:
            self.close_connection = True  # its end is unknown, so nothing can follow it
        length = headers.get("content-length", "0")
        return self.rfile.read(int(length)) if length.isascii() and length.isdecimal() else b""

    def _send_head(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if "Content-Length" not in response.headers:
            if response.body.length is None:
                self.close_connection = True
            else:
                self.send_header("Content-Length", str(response.body.length))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def _send_body(self, response: Response, record: Record) -> None:
        body, delivery = response.body, response.delivery
        if (
            isinstance(body, FileBody)
            and delivery.rate is None
            and not isinstance(self.connection, ssl.SSLSocket)
        ):
            self._send_file(body, delivery, record)
        else:
            self._send_chunks(response, record)
        if record.sent != body.length:
            self._hang_up(delivery)

    def _send_file(self, body: FileBody, delivery: Delivery, record: Record) -> None:
        """By the kernel, without a copy through Python."""
        count = body.length if delivery.cut_after is None else min(body.length, delivery.cut_after)
        if count == 0:
            return  # sendfile takes 0 for "until the end"
        with body.path.open("rb") as stream:
            stream.seek(body.offset)
            try:
                self.connection.sendfile(stream, body.offset, count)
            finally:
                record.sent = stream.tell() - body.offset

    def _send_chunks(self, response: Response, record: Record) -> None:
        delivery = response.delivery
        step = (
            CHUNK
            if delivery.rate is None
            else max(1, min(CHUNK, int(delivery.rate / _STEPS_PER_SECOND)))
        )
        began = time.monotonic()
        for chunk in response.body.chunks():
            for start in range(0, len(chunk), step):
                piece = chunk[start : start + step]
                if delivery.cut_after is not None:
                    piece = piece[: delivery.cut_after - record.sent]
                    if not piece:
                        return
                self.connection.sendall(piece)
                record.sent += len(piece)
                if delivery.rate is not None:
                    self._pause(began + record.sent / delivery.rate)

    def _pause(self, until: float) -> None:
        if self.server.stopping.wait(max(0.0, until - time.monotonic())):
            raise ConnectionAbortedError

    def _hang_up(self, delivery: Delivery) -> None:
        self.close_connection = True
        if delivery.reset:
            # Closing with a linger time of zero makes TCP send a reset.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _cut(connection: socket.socket) -> None:
    """End both directions at once; the thread that uses the connection notices, and closes it."""
    with suppress(OSError):  # the client may have been faster
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
