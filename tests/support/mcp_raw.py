"""A raw JSON-RPC client for an MCP server on stdio: sends any bytes, and reads every byte of stdout as JSON-RPC."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.waiting import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
VERSION = "2025-11-25"
INITIALIZE: dict[str, Any] = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": VERSION,
        "capabilities": {},
        "clientInfo": {"name": "raw", "version": "1"},
    },
}
"""A client's first message."""
Message = dict[str, Any]


class RawServer(AbstractContextManager["RawServer"]):
    """A server process and its client.

    Attributes:
        process: the server.
        messages: everything that it sent so far, in order.
        first_byte: seconds from the start of the process to the first line of stdout.
    """

    def __init__(
        self,
        *,
        command: Sequence[str] = (sys.executable, "-m", "heimdall.mcp_server"),
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
        read: bool = True,
    ) -> None:
        self.messages: list[Message] = []
        self.garbage: list[bytes] = []
        self.first_byte: float | None = None
        self._arrived: queue.Queue[Message] = queue.Queue()
        self._ids = iter(range(1, 1_000_000))
        self._began = time.perf_counter()
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            env={"PYTHONPATH": str(ROOT), **os.environ, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._stderr: list[bytes] = []
        self._threads = [threading.Thread(target=self._collect_stderr, daemon=True)]
        if read:
            self._threads.append(threading.Thread(target=self._collect, daemon=True))
        for thread in self._threads:
            thread.start()

    # -- sending

    def write(self, content: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(content)
        self.process.stdin.flush()

    def send(self, message: Message) -> None:
        self.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    def notify(self, method: str, **params: Any) -> None:
        self.send({"method": method, **({"params": params} if params else {})})

    def begin(self, method: str, /, **params: Any) -> int:
        """Send a request and return its id."""
        request_id = next(self._ids)
        self.send({"id": request_id, "method": method, **({"params": params} if params else {})})
        return request_id

    def request(self, method: str, /, **params: Any) -> Message:
        """Send a request and wait for its response."""
        return self.response(self.begin(method, **params))

    def initialize(self, capabilities: Message | None = None, *, ready: bool = True) -> Message:
        params = {**INITIALIZE["params"], "capabilities": capabilities or {}}
        response = self.request("initialize", **params)
        if ready:
            self.notify("notifications/initialized")
        return response

    def call(self, tool: str, /, **arguments: Any) -> Message:
        """Call a tool and return the result."""
        result = self.request("tools/call", name=tool, arguments=arguments)["result"]
        assert isinstance(result, dict)
        return result

    def text_of(self, memory_id: str) -> str:
        """The text of a memory."""
        read = self.call("get_memory", memory_id=memory_id)
        return str(read["structuredContent"]["memories"][0]["text"])

    # -- receiving

    def response(self, request_id: int | str | None, *, seconds: float = PATIENCE) -> Message:
        return self.wait(
            lambda message: "method" not in message and message.get("id") == request_id,
            seconds=seconds,
        )

    def wait(self, wanted: Callable[[Message], object], *, seconds: float = PATIENCE) -> Message:
        """The first message, of those that came and those to come, that is wanted."""
        for message in self.messages:
            if wanted(message):
                return message
        deadline = time.monotonic() + seconds
        while True:
            try:
                message = self._arrived.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"did not come; stderr: {self.stderr}") from None
            if wanted(message):
                return message

    def notifications(self, method: str) -> list[Message]:
        return [
            message["params"] for message in list(self.messages) if message.get("method") == method
        ]

    @property
    def stderr(self) -> str:
        return b"".join(self._stderr).decode(errors="replace")

    # -- ending

    def close_stdin(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def end(self, *, seconds: float = PATIENCE) -> int:
        """Close stdin, wait for the server, and check that every byte of stdout was a message."""
        self.close_stdin()
        return self.ended(seconds=seconds)

    def ended(self, *, seconds: float = PATIENCE) -> int:
        code = self.process.wait(timeout=seconds)
        for thread in self._threads:
            thread.join(seconds)
        assert self.garbage == []
        return code

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for thread in self._threads:
            thread.join(PATIENCE)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream is not None
            with suppress(OSError):  # what was not written yet can't be any more
                stream.close()
        if kind is None:
            assert self.garbage == []

    def _collect(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if self.first_byte is None:
                self.first_byte = time.perf_counter() - self._began
            try:
                message = json.loads(line)
                assert line.endswith(b"\n")
                assert message["jsonrpc"] == "2.0"
                assert isinstance(message, dict)
            except (ValueError, AssertionError, KeyError, TypeError):
                self.garbage.append(line)
                continue
            self.messages.append(message)
            self._arrived.put(message)

    def _collect_stderr(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._stderr.append(line)

    def __enter__(self) -> Self:
        return self
