"""An assistant itself reads what an install has written, starts the server and sees it answer."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from heimdall.mcp_clients import setup
from heimdall.mcp_clients.clients import client_named
from heimdall.mcp_clients.places import Place
from tests.support.node_tools import run_tool

pytestmark = pytest.mark.slow


def test_gemini_connects(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/ca.pem")
    monkeypatch.setenv("HEIMDALL_GITHUB_TOKEN", "secret")
    seen = tmp_path / "seen"
    wrapper = tmp_path / "wrapper"
    wrapper.write_text(f"#!/bin/sh\nenv >{seen}\nexec {sys.executable} -m heimdall.mcp_server\n")
    wrapper.chmod(0o755)
    place = Place(client=client_named("gemini"), scope="user", root=tmp_path)
    place.path.parent.mkdir()
    place.path.write_text("{ // mine\n}\n")
    setup.install(place, command=str(wrapper), variables=["HEIMDALL_GITHUB_TOKEN", "A=$ b"])

    trusting = {"GEMINI_CLI_TRUST_WORKSPACE": "true", "HOME": str(home)}
    done = run_tool(
        "gemini", "mcp", "list", cwd=tmp_path, environment=trusting, tools="node_assistants"
    )

    assert "Connected" in done.stdout + done.stderr, done.stdout + done.stderr
    variables = seen.read_text().splitlines()
    assert {"SSL_CERT_FILE=/ca.pem", "HEIMDALL_GITHUB_TOKEN=secret", "A=$ b"} <= {*variables}
