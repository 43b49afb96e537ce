"""Starts a server as a client would, and asks it who it is and what tools it has."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from heimdall.mcp_clients.clients import Client
from heimdall.mcp_clients.entry import Server
from heimdall.models.text import shortened

TIMEOUT = 30.0
"""Seconds that a server gets for its answers, as most clients give it."""
OUR_TOOLS = ("recall_memories", "store_memory")
_INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "heimdall mcp status", "version": "1"},
}
# What clients that pass on nothing else give to a server.
_BASE = (
    *("HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER"),
    *("APPDATA", "COMSPEC", "LOCALAPPDATA", "PATHEXT", "PROGRAMDATA", "SYSTEMDRIVE", "SYSTEMROOT"),
    *("TEMP", "TMP", "USERNAME", "USERPROFILE", "WINDIR"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server said.

    Attributes:
        name: what it calls itself.
        version: its version.
        tools: the names of its tools.
        problem: what is wrong; empty if it is ours and answered everything.
    """

    name: str = ""
    version: str = ""
    tools: Sequence[str] = ()
    problem: str = ""


def environment(
    client: Client, server: Server, own: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """The variables that a client gives to a server, started with these of our own."""
    passed = dict(own)
    if client.names_key:
        passed = {name: value for name, value in own.items() if name in {*_BASE, *server.names}}
    if client.reference:
        reference = re.escape(client.reference).replace("NAME", r"(\w+)")
    else:
        reference = r"(?!)"
    filled = {
        name: re.sub(reference, lambda found: own.get(found[1], found[0]), value)
        for name, value in server.env.items()
    }
    return {**passed, **filled}


def probe(
    server: Server, variables: Mapping[str, str], directory: Path, *, seconds: float = TIMEOUT
) -> Answer:
    """Start a server, let it list its tools, and end it.

    Args:
        server: what to start.
        variables: its environment.
        directory: its working directory.
        seconds: how long to wait for its answers altogether.
    """
    program = shutil.which(server.command, path=variables.get("PATH"))
    if program is None:
        return Answer(problem=f"the program {server.command} does not exist or can't be started")
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                [program, *server.args],
                cwd=directory,
                # To look is no reason to download a model.
                env={**variables, "HEIMDALL_FETCH": "never"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            return Answer(problem=f"{server.command} can't be started ({error})")
        try:
            return _Conversation(process, seconds).ask()
        except _SilenceError as silence:
            return Answer(problem=f"{silence}{_last_words(errors)}")
        finally:
            _end(process)


class _SilenceError(Exception):
    """The server does not answer."""


class _Conversation:
    """Requests and responses, a line each."""

    def __init__(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        self._process = process
        self._stdin, self._stdout = (
            cast("IO[bytes]", process.stdin),
            cast("IO[bytes]", process.stdout),
        )
        self._until = time.monotonic() + seconds
        self._seconds = seconds
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def ask(self) -> Answer:
        """What the server is and has.

        Raises:
            _SilenceError: it does not answer.
        """
        about = self._request("initialize", _INITIALIZE).get("serverInfo", {})
        self._send({"method": "notifications/initialized"})
        listed = self._request("tools/list", {}).get("tools", [])
        tools = [str(tool.get("name")) for tool in listed if isinstance(tool, dict)]
        name, version = str(about.get("name", "")), str(about.get("version", ""))
        missing = [tool for tool in OUR_TOOLS if tool not in tools]
        problem = f"{name or 'the server'} {version} has no tool {missing[0]}" if missing else ""
        return Answer(name=name, version=version, tools=tools, problem=problem)

    def _request(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        self._send({"id": method, "method": method, "params": params})
        while True:
            try:
                line = self._lines.get(timeout=max(0, self._until - time.monotonic()))
            except queue.Empty:
                raise _SilenceError(
                    f"it did not answer {method} within {self._seconds:g} seconds"
                ) from None
            if not line:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(timeout=2)
                code = self._process.poll()
                ended = "closed its output" if code is None else f"ended with exit code {code}"
                raise _SilenceError(f"it {ended} before it answered {method}")
            try:
                message = json.loads(line)
            except ValueError:
                raise _SilenceError(
                    f"it is no MCP server, or not alone on its output: {_short(line)!r}"
                ) from None
            if isinstance(message, dict) and message.get("id") == method:
                if not isinstance(message.get("result"), dict):
                    raise _SilenceError(f"it refused {method}: {_short(line)}")
                return dict(message["result"])

    def _send(self, message: Mapping[str, Any]) -> None:
        # One that is gone is told by the end of its output.
        with contextlib.suppress(OSError):
            self._stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
            self._stdin.flush()

    def _read(self) -> None:
        # Closed here: elsewhere it would wait for a grandchild that holds the other end.
        with contextlib.suppress(OSError, ValueError), self._stdout as output:
            for line in output:
                if line.strip():
                    self._lines.put(line)
        self._lines.put(b"")


def _last_words(errors: IO[bytes]) -> str:
    errors.seek(0)
    lines = [line for line in errors.read()[-4000:].splitlines() if line.strip()]
    return f"; its last words: {_short(lines[-1])}" if lines else ""


def _short(line: bytes) -> str:
    return shortened(line.decode(errors="replace").strip(), 200)


def _end(process: subprocess.Popen[bytes]) -> None:
    """By the end of its input, as clients do; what stays is killed, with what it has started."""
    with contextlib.suppress(OSError):
        process.stdin.close()  # type: ignore[union-attr]
    try:
        process.wait(timeout=3)
    except subprocess.TimeoutExpired:
        if hasattr(os, "killpg"):
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()
