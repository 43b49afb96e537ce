"""Networks that do not work, each in a namespace of its own: needs root and `unshare`. Elsewhere the test is skipped.

As a program, inside the namespace: `python -m tests.support.dead_network KIND COMMAND…`.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

HOSTS = ("github.com", "huggingface.co", "pypi.org", "mirror.example")
_ADDRESS = "10.99.0.{}"
_NAMESERVER = _ADDRESS.format(1)
_OPEN: list[socket.socket] = []
"""They stay open as long as this process runs."""


def in_network(kind: str) -> list[str]:
    """What to put before a command so that it runs in a network of that kind, one of `KINDS`."""
    command = network_of(kind)
    if isinstance(command, str):
        pytest.skip(command)
    return command


def network_of(kind: str) -> list[str] | str:
    """As `in_network`; where that can't be had, why."""
    command = ["unshare", "--net", "--mount"]
    try:
        allowed = subprocess.run([*command, "true"], capture_output=True, check=False)
    except FileNotFoundError:
        return "there is no unshare program"
    if allowed.returncode:
        return f"namespaces are not permitted: {allowed.stderr.decode().strip()}"
    return [*command, sys.executable, "-P", __file__, kind]


def _none() -> None:
    """Not even loopback."""


def _dead_nameserver() -> None:
    """The nameserver takes questions and never answers."""
    _loopback(1)
    _mount("/etc/resolv.conf", f"nameserver {_NAMESERVER}\n")
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((_NAMESERVER, 53))
    _OPEN.append(server)


def _black_hole() -> None:
    """Names are resolved, packets for a new connection are swallowed."""
    _named_hosts()
    for number in range(1, len(HOSTS) + 1):
        for port in (80, 443):
            listener = socket.socket()
            listener.bind((_ADDRESS.format(number), port))
            listener.listen(0)
            _OPEN.append(listener)
            for _ in range(8):  # its queue is full
                filler = socket.socket()
                filler.setblocking(False)
                filler.connect_ex(listener.getsockname())
                _OPEN.append(filler)


def _silence() -> None:
    """Connections are made, and nobody says a word."""
    _named_hosts()
    places = [(_ADDRESS.format(number), port) for number in range(1, 5) for port in (80, 443)]
    _OPEN.extend(socket.create_server(place, backlog=100) for place in places)


def _named_hosts() -> None:
    _loopback(len(HOSTS))
    lines = [f"{_ADDRESS.format(number)} {host}" for number, host in enumerate(HOSTS, 1)]
    _mount("/etc/hosts", "\n".join(["127.0.0.1 localhost", *lines, ""]))


def _loopback(count: int) -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for number in range(1, count + 1):
        command = ["ip", "address", "add", f"{_ADDRESS.format(number)}/32", "dev", "lo"]
        subprocess.run(command, check=True)


def _mount(path: str, content: str) -> None:
    descriptor, name = tempfile.mkstemp()
    with os.fdopen(descriptor, "w") as stream:
        stream.write(content)
    subprocess.run(["mount", "--bind", name, path], check=True)
    Path(name).unlink()


KINDS: dict[str, Callable[[], None]] = {
    "none": _none,
    "dead nameserver": _dead_nameserver,
    "black hole": _black_hole,
    "silence": _silence,
}

if __name__ == "__main__":
    KINDS[sys.argv[1]]()
    code = subprocess.run(sys.argv[2:], check=False).returncode
    for kept in _OPEN:
        kept.close()
    sys.exit(code)
