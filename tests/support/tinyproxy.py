"""A real tinyproxy on loopback, for tests of proxies."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_LIMIT_SECONDS = 20.0


@dataclass(frozen=True)
class Proxy:
    """A running proxy.

    Attributes:
        host: its address with the port.
        log: its log file.
    """

    host: str
    log: Path

    def requests(self) -> list[str]:
        """The request lines that it was asked, for example `CONNECT 127.0.0.1:443 HTTP/1.1`."""
        lines = self.log.read_text().splitlines()
        return [line.partition("): ")[2] for line in lines if "Request (file descriptor" in line]


@contextmanager
def tinyproxy(*, user: str = "", password: str = "") -> Iterator[Proxy]:
    """A proxy that wants these credentials, if there are any. The test is skipped where there is no tinyproxy."""
    program = shutil.which("tinyproxy")
    if program is None:
        pytest.skip("tinyproxy is not installed; for example: apt-get install tinyproxy-bin")
    with tempfile.TemporaryDirectory(prefix="tinyproxy-") as work:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        log = Path(work, "log")
        lines = [
            f"Port {port}",
            "Listen 127.0.0.1",
            f'LogFile "{log}"',
            "LogLevel Connect",
            "MaxClients 20",
        ]
        lines += [f"BasicAuth {user} {password}"] if user else []
        Path(work, "conf").write_text("\n".join(lines) + "\n")
        with subprocess.Popen(
            [program, "-d", "-c", str(Path(work, "conf"))], stdout=subprocess.DEVNULL
        ) as process:
            try:
                _wait(process, port)
                yield Proxy(f"127.0.0.1:{port}", log)
            finally:
                process.terminate()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    limit = time.monotonic() + _LIMIT_SECONDS
    while time.monotonic() < limit and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    pytest.fail("tinyproxy did not start")
