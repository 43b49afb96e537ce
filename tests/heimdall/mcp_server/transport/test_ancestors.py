from __future__ import annotations

import pytest

from heimdall.mcp_server.transport.ancestors import client_of
from heimdall.models.windows import Process


def tree(*names: str) -> dict[int, Process]:
    """Each program and who started it: the client's own parent first, this process, 1, last."""
    numbers = range(len(names), 0, -1)
    return {number: Process(name, number + 1) for number, name in zip(numbers, names, strict=True)}


@pytest.mark.parametrize(
    ("names", "client"),
    [
        (("explorer.exe", "Code.exe", "heimdall-mcp.exe", "python.exe", "python.exe"), "Code.exe"),
        (("Code.exe", "Heimdall-MCP.EXE", "Python.exe", "python.exe"), "Code.exe"),
        (
            ("claude.exe", "cmd.exe", "uvx.exe", "heimdall-mcp.exe", "python.exe", "python.exe"),
            "claude.exe",
        ),
        (("node.exe", "python.exe", "python.exe"), "node.exe"),
        (("node.exe", "cmd.exe", "python.exe"), "node.exe"),
        (("agent.exe", "python.exe", "python.exe", "python.exe"), "python.exe"),
        (("heimdall-mcp.exe", "python.exe", "python.exe"), None),
        (("python.exe",), None),
    ],
)
def test_launchers_are_no_clients(names: tuple[str, ...], client: str | None) -> None:
    processes = tree(*names)
    found = client_of(1, processes, redirected="python.exe")
    assert (processes[found].name if found else None) == client


def test_without_a_virtual_environment_python_may_be_the_client() -> None:
    processes = tree("explorer.exe", "python.exe", "heimdall-mcp.exe", "python.exe")
    assert client_of(1, processes) == 3


def test_a_circle_of_numbers_that_were_given_anew_has_no_client() -> None:
    circle = {1: Process("python.exe", 2), 2: Process("cmd.exe", 3), 3: Process("cmd.exe", 2)}
    assert client_of(1, circle) is None
