"""The official inspector's command line, on stdio and over HTTP."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.mcp_http import TOKEN, http_server
from tests.support.node_tools import run_tool

pytestmark = pytest.mark.slow

STDIO = (sys.executable, "-m", "heimdall.mcp_server")


def inspect(project: Path, target: tuple[str, ...], *arguments: str) -> Any:
    names = ("PYTHONPATH", "HEIMDALL_FETCH", "HOME")  # a client hands on only what it is told to
    handed_on = (
        [part for name in names for part in ("-e", f"{name}={os.environ[name]}")]
        if target == STDIO
        else []
    )
    finished = run_tool("inspector", "--cli", *target, *handed_on, *arguments, cwd=project)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return json.loads(finished.stdout)


def store_and_read(project: Path, target: tuple[str, ...]) -> None:
    call = (
        "--method",
        "tools/call",
        "--tool-name",
        "store_memory",
        "--tool-arg",
        "text=The hull is red",
    )
    stored = inspect(project, target, *call)
    assert stored["structuredContent"]["memory"]["id"] in stored["content"][0]["text"]
    read = inspect(
        project, target, "--method", "resources/read", "--uri", "heimdall://memories/recent"
    )
    assert "The hull is red" in read["contents"][0]["text"]


def test_on_stdio(project: Path) -> None:
    store_and_read(project, STDIO)


def test_over_http(project: Path) -> None:
    with http_server(project) as server:
        header = f"Authorization: Bearer {TOKEN}"
        store_and_read(project, (server.url, "--transport", "http", "--header", header))


def test_every_client_can_read_the_schemas(project: Path) -> None:
    assert len(inspect(project, STDIO, "--method", "tools/list", "--strict")["tools"]) == 9
