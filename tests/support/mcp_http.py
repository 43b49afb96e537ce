"""`heimdall-mcp --http` as a process."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.mcp_raw import ROOT
from tests.support.waiting import PATIENCE

COMMAND = (sys.executable, "-m", "heimdall.mcp_server")
TOKEN = "the-token-of-these-tests-0123456789"


@dataclass
class HttpServer:
    """A running server: `url` ends with `/mcp`; `lines` is what it said on stderr so far."""

    process: subprocess.Popen[str]
    url: str
    port: int
    lines: list[str] = field(default_factory=list)

    @property
    def said(self) -> str:
        return "".join(self.lines)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@contextmanager
def http_server(
    cwd: Path,
    *options: str,
    address: str = "127.0.0.1:0",
    environment: Mapping[str, str] | None = None,
    command: Sequence[str] = COMMAND,
) -> Iterator[HttpServer]:
    """A server of the project in `cwd`, with the token `TOKEN`; an empty variable in `environment` is left out."""
    variables = {
        "PYTHONPATH": str(ROOT),
        **os.environ,
        "HEIMDALL_MCP_TOKEN": TOKEN,
        **(environment or {}),
    }
    process = subprocess.Popen(
        [*command, *(("--http", address) if command == COMMAND else ()), *options],
        cwd=cwd,
        env={name: value for name, value in variables.items() if value},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert process.stderr is not None
    lines: list[str] = []
    try:
        while True:
            line = process.stderr.readline()
            lines.append(line)
            assert line, "".join(lines)
            if found := re.search(r"http://(\S+):(\d+)/mcp", line):
                break
        server = HttpServer(process, found[0], int(found[2]), lines)
        collector = threading.Thread(target=lambda: lines.extend(process.stderr or ()), daemon=True)
        collector.start()
        yield server
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        if len(lines) > 1:
            collector.join(PATIENCE)
        process.stderr.close()
