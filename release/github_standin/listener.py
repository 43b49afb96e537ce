"""One listening host: HTTP/1.1 with keep-alive over plain TCP or TLS, a thread for each connection.

An own server and not a framework's: tests make it cut connections in the middle of a body, reset
them, and send lengths and ranges that are lies, which a correct server does not let through.
"""

from __future__ import annotations

import http.server
import os
import socket
import socketserver
import ssl
import struct
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Self

from release.github_standin.log import RequestLog
from release.github_standin.messages import Application, HangUp, Request, Response

_POLL = 0.05
"""Seconds between two looks at whether to stop accepting; the longest that closing waits for it."""
_END = 5.0
"""Seconds in which threads that were cut end, if they do at all."""


class Listener:
    """Serves an application on an address of its own, from when it is made until it is closed.

    A context manager.

    `close` ends it quickly: connections that are open are cut. Errors in the application are raised
    by `close`, so that none goes unseen.

    Args:
        name: of the host, for the log.
        application: what to serve.
        host: the address to bind, and to name in the URL unless `advertised` is given.
        port: the port, or 0 for a free one.
        advertised: a name of that address.
        tls: a server's context, for https.
        log: where requests are recorded.

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
    ) -> None:
        self.name = name
        self.application = application
        self.log = log or RequestLog()
        self._server = _Server(self, (host, port), tls)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL,), name=f"{name} host", daemon=True
        )
        named = advertised or (f"[{host}]" if ":" in host else host)
        self.url = f"{'https' if tls else 'http'}://{named}:{self._server.server_address[1]}"
        self._thread.start()

    def close(self) -> None:
        """Stop listening, cut what is open, wait for the threads; safe to call twice.

        Raises:
            ExceptionGroup: errors in the application.
        """
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.close()
        errors, self._server.errors = self._server.errors, []
        if errors:
            raise ExceptionGroup(f"the {self.name} host failed", errors)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def cut(connection: socket.socket) -> None:
    """End both directions at once; the thread that uses the connection notices, and closes it."""
    with suppress(OSError):  # the client may have been faster
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
    if os.name == "nt":  # who reads there may not notice before the client closes, too
        with suppress(OSError):
            socket.close(connection.detach())


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = os.name == "posix"  # on Windows it would let two programs share the port
    request_queue_size = 256
    # There a thread may write for ever to a client that does not read.
    daemon_threads = os.name != "posix"
    block_on_close = os.name == "posix"

    def __init__(
        self, listener: Listener, address: tuple[str, int], tls: ssl.SSLContext | None
    ) -> None:
        self.listener = listener
        self.stopping = threading.Event()
        self.errors: list[Exception] = []
        self._lock = threading.Condition()
        self._connections: set[socket.socket] = set()
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)
        if tls is not None:
            # Hands shaken when first read from, by the connection's own thread: a client that is
            # silent or does not trust us keeps nobody else waiting.
            self.socket = tls.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        # Before the socket is closed: `close` must not cut another one that got its number.
        with self._lock:
            self._connections.discard(request)
            self._lock.notify_all()
        request.close()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        # An OSError says that the client went away, did not trust our certificate, or was cut by
        # `close`.
        error = sys.exception()
        if isinstance(error, Exception) and not isinstance(error, OSError):
            self.errors.append(error)

    def close(self) -> None:
        self.stopping.set()
        with self._lock:
            for connection in self._connections:
                cut(connection)
            self._lock.wait_for(lambda: not self._connections, _END)
        self.server_close()  # which waits for the threads, too, where they always end


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
        request = Request(
            self.command, self.path, headers, self._read_body(headers), pause=self._pause
        )
        with listener.log.recording(listener.name, request) as record:
            try:
                response = self._answer(request)
                record.status = response.status
                self._send_head(response)
                if self.command == "HEAD":
                    return
                for chunk in response.body.chunks():
                    self.connection.sendall(chunk)
                    record.sent += len(chunk)
                if record.sent != response.body.length:
                    self.close_connection = (
                        True  # the client can't tell where the next answer begins
                    )
            except HangUp as hang_up:
                self.close_connection = True
                if hang_up.reset:
                    # Closing with a linger time of zero makes TCP send a reset.
                    linger = struct.pack("ii", 1, 0)
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _respond  # noqa: N815 - http.server's names

    def _answer(self, request: Request) -> Response:
        try:
            return self.server.listener.application(request)
        except HangUp:
            raise
        except Exception as error:  # noqa: BLE001 - raised again by Listener.close
            self.server.errors.append(error)
            return Response.text(500, f"{error!r}\n", "text/plain")

    def _pause(self, seconds: float) -> None:
        if self.server.stopping.wait(seconds):
            raise HangUp

    def _read_body(self, headers: Mapping[str, str]) -> bytes:
        """All of it, wanted or not: closing over unread bytes would reset the connection, and lose the answer."""
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
