"""Deleting on a terminal."""

from __future__ import annotations

import os
import sys

import pytest

from tests.heimdall.cli.conftest import Report
from tests.support.real_model import ROOT
from tests.support.terminal import on_a_terminal

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("project_without_model")]


def test_deleting_on_a_terminal_is_asked_for(report: Report) -> None:
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    report("store", "precious", "--tag", "x")
    command = [sys.executable, "-m", "heimdall", "delete-memories-by-tags", "x"]
    code, seen = on_a_terminal(command, environment=variables, typed="n\n")
    assert code == 1
    assert "precious" in seen
    assert report("status")["memories"] == 1
    code, _ = on_a_terminal(command, environment=variables, typed="y\n")
    assert code == 0
    assert report("status")["memories"] == 0
