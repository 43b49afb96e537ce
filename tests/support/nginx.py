"""A real nginx on loopback, unprivileged, for tests that mean a plain mirror."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.programs import needed
from tests.support.waiting import wait_until

_ATTEMPTS = 5
_CONFIGURATION = """
daemon off;
master_process off;
pid {work}/pid;
error_log {work}/error.log warn;
events {{ worker_connections 256; }}
http {{
    log_format json escape=json '{{"method": "$request_method", "path": "$uri", "status": $status, '
                                '"range": "$http_range", "sent": $body_bytes_sent}}';
    access_log {work}/access.log json;
    client_body_temp_path {work}/body;
    proxy_temp_path {work}/proxy;
    fastcgi_temp_path {work}/fastcgi;
    uwsgi_temp_path {work}/uwsgi;
    scgi_temp_path {work}/scgi;
    default_type application/octet-stream;
    sendfile on;
    server {{
        listen 127.0.0.1:{port};
        root "{root}";
        {ranges}
    }}
}}
"""


@dataclass
class Nginx:
    """A running nginx.

    Attributes:
        url: without a slash at the end.
        requests: what was asked (`method`, `path`, `status`, `range`, `sent`); filled when the server has stopped,
            because nginx writes its log only after the client has its answer.
    """

    url: str
    requests: list[dict[str, object]] = field(default_factory=list)


@contextmanager
def nginx_mirror(directory: Path, *, ranges: bool = True) -> Iterator[Nginx]:
    """Serve a directory; without ranges if told so. The test is skipped where there is no nginx."""
    program = needed("nginx")
    with tempfile.TemporaryDirectory(prefix="nginx-") as work:
        process, port = _start(program, Path(work), directory, ranges=ranges)
        server = Nginx(f"http://127.0.0.1:{port}")
        try:
            yield server
        finally:
            process.send_signal(signal.SIGQUIT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:  # a client keeps its connection open
                process.kill()
                process.wait()
            server.requests += [
                json.loads(line) for line in Path(work, "access.log").read_text().splitlines()
            ]


def _start(
    program: str, work: Path, directory: Path, *, ranges: bool
) -> tuple[subprocess.Popen[bytes], int]:
    configuration = work / "nginx.conf"
    errors = work / "stderr"
    for _ in range(_ATTEMPTS):
        port = _free_port()
        limits = "" if ranges else "max_ranges 0;"
        configuration.write_text(
            _CONFIGURATION.format(work=work, port=port, root=directory, ranges=limits)
        )
        with errors.open("wb") as stderr:
            process = subprocess.Popen(
                [program, "-p", str(work), "-c", str(configuration)], stderr=stderr
            )
        if _answers(process, work / "pid", port):
            return process, port
        process.kill()
        process.wait()
        if "Address already in use" not in errors.read_text():
            break
    pytest.fail(f"nginx did not start:\n{errors.read_text()}")


def _answers(process: subprocess.Popen[bytes], pid_file: Path, port: int) -> bool:
    """Whether it is this process, and no other that was faster to take the port, that listens."""

    def listens() -> bool:
        # nginx binds first, and writes the file then.
        if not pid_file.exists() or pid_file.read_text().strip() != str(process.pid):
            return False
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    wait_until(lambda: process.poll() is not None or listens())
    return process.poll() is None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
