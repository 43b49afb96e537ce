"""The official conformance suite, for both eras of the protocol."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.mcp_http import http_server
from tests.support.node_tools import run_tool

pytestmark = pytest.mark.slow

LEFT_OUT = Path(__file__).with_name("conformance_left_out.toml")
LEAST_PASSED = {"2025-11-25": 40, "2026-07-28": 90}
"""Checks that pass at least: so that a suite that finds no server, or no scenario, is seen."""


@pytest.mark.parametrize("revision", LEAST_PASSED)
def test_every_scenario_passes_or_is_left_out_for_a_reason(
    project: Path, tmp_path: Path, revision: str
) -> None:
    results = tmp_path / "results"
    with http_server(
        project, command=(sys.executable, "-m", "tests.support.mcp_trusting")
    ) as server:
        arguments = ("server", "--url", server.url, "--requirements", revision, "-o", str(results))
        finished = run_tool("conformance", *arguments, cwd=tmp_path)
        assert "Traceback" not in server.said
    passed, failed = set[str](), set[str]()
    for file in results.glob("*/checks.json"):
        scenario = re.sub(r"^server-|-\d{4}-\d\d-\d\dT.*$", "", file.parent.name)
        for check in json.loads(file.read_text(encoding="utf-8")):
            name = f"{scenario}/{check['id']}"
            if check["status"] == "SUCCESS":
                passed.add(name)
            elif check["status"] in {"FAILURE", "WARNING"}:
                failed.add(name)
    assert len(passed) >= LEAST_PASSED[revision], finished.stdout + finished.stderr
    left_out = {
        name for entry in tomllib.loads(LEFT_OUT.read_text())["left_out"] for name in entry["names"]
    }
    unexpected = {name for name in failed if not {name, name.partition("/")[0]} & left_out}
    assert not unexpected
    ran = {name for check in passed | failed for name in (check, check.partition("/")[0])}
    failing = {name for check in failed for name in (check, check.partition("/")[0])}
    assert not (left_out & ran) - failing, "left out, but passes"
