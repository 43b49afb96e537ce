"""A real HTTP proxy on loopback: proxy.py, with a user and password where they are asked for."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.checkout import ROOT
from tests.support.waiting import wait_until

_OPTIONS = ("--hostname=127.0.0.1", "--port=0", "--num-workers=1", "--num-acceptors=1")


@dataclass(frozen=True)
class Proxy:
    """A running proxy.

    Attributes:
        host: its address with the port.
        log: the file of requests.
    """

    host: str
    log: Path

    def requests(self) -> list[str]:
        """What it was asked and let through, for example `CONNECT 127.0.0.1:443`."""
        return self.log.read_text().splitlines()


@contextmanager
def http_proxy(*, user: str = "", password: str = "") -> Iterator[Proxy]:
    """A proxy that wants these credentials, if there are any."""
    # Its own processes may have the output open a moment longer, which Windows does not remove then.
    with tempfile.TemporaryDirectory(prefix="proxy-", ignore_cleanup_errors=True) as work:
        port, log, output = Path(work, "port"), Path(work, "log"), Path(work, "output")
        log.touch()
        options = [*_OPTIONS, f"--port-file={port}", f"--data-dir={work}"]
        options += [f"--basic-auth={user}:{password}"] if user else []
        options += ["--plugins=tests.support.http_proxy_log.RequestLog"]
        with (
            output.open("wb") as stream,
            subprocess.Popen(
                [sys.executable, "-m", "proxy", *options],
                cwd=ROOT,
                env={**os.environ, "PROXY_REQUEST_LOG": str(log)},
                stdout=stream,
                stderr=stream,
            ) as process,
        ):
            try:
                yield Proxy(f"127.0.0.1:{_port(process, port, output)}", log)
            finally:
                process.terminate()


def _port(process: subprocess.Popen[bytes], file: Path, output: Path) -> int:
    def is_written() -> bool:
        # After the proxy listens, its line feed last.
        return file.exists() and file.read_text().endswith("\n")

    wait_until(lambda: process.poll() is not None or is_written())
    assert is_written(), f"proxy.py did not start:\n{output.read_text()}"
    return int(file.read_text())
