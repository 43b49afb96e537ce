"""A real OCI registry on loopback: Debian's docker-registry, with a password file where one is asked for."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.programs import needed
from tests.support.waiting import PATIENCE, wait_until

USER, PASSWORD = "me", "hunter2"
_HTPASSWD = f"{USER}:$2y$04$rImyhBsM2Aj9flhl3zFusesOUXCvGY3AAlf1JP4EnLdK2iQVwRIFS\n"
"""The password by bcrypt, the only way that the registry takes."""
_CONFIGURATION = """
version: 0.1
log: {{level: info, accesslog: {{disabled: false}}, formatter: text}}
storage: {{filesystem: {{rootdirectory: "{work}/data"}}, redirect: {{disable: true}}}}
http: {{addr: "127.0.0.1:0"}}
{auth}
"""
_LISTENING = re.compile(r"listening on 127\.0\.0\.1:(\d+)")
_REQUEST = re.compile(r'"([A-Z]+) (\S+) HTTP/1\.1" (\d+) (\d+)')


@dataclass
class Registry:
    """A running registry.

    Attributes:
        host: with its port.
        requests: method, path, status and bytes of what was asked; filled when it has stopped.
    """

    host: str
    requests: list[tuple[str, str, int, int]] = field(default_factory=list)

    @property
    def pulls(self) -> list[tuple[str, int]]:
        """What was asked for, and the answer, of those that were not refused for want of a login."""
        return [
            (path.rpartition("/v2/")[2], status)
            for method, path, status, _ in self.requests
            if method == "GET" and status != 401
        ]


@contextmanager
def docker_registry(*, password: bool = False) -> Iterator[Registry]:
    """An empty registry, which may want a login. The test is skipped where there is none installed."""
    program = needed("docker-registry")
    with tempfile.TemporaryDirectory(prefix="registry-") as folder:
        work = Path(folder)
        (work / "htpasswd").write_text(_HTPASSWD)
        auth = f'auth: {{htpasswd: {{realm: models, path: "{work}/htpasswd"}}}}' if password else ""
        (work / "config.yml").write_text(_CONFIGURATION.format(work=work, auth=auth))
        log = work / "log"
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [program, "serve", str(work / "config.yml")], stdout=stream, stderr=stream
            )
        try:
            registry = Registry(f"127.0.0.1:{_port(process, log)}")
            yield registry
        finally:
            process.terminate()
            process.wait(PATIENCE)
        registry.requests += [
            (method, path, int(status), int(sent))
            for method, path, status, sent in _REQUEST.findall(log.read_text())
        ]


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    wait_until(lambda: process.poll() is not None or _LISTENING.search(log.read_text()))
    match = _LISTENING.search(log.read_text())
    assert match, f"docker-registry did not start:\n{log.read_text()}"
    return int(match[1])
