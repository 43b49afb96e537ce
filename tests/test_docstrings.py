"""The examples in docstrings, run: they are read as promises."""

from __future__ import annotations

import doctest
import importlib

import pytest

from tests.support.checkout import ROOT

PACKAGES = ("hatch_heimdall_models", "release", "heimdall", "cognitive_memory")
# Only what has examples is imported; other modules may need what is installed nowhere but in a build.
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)


def test_there_are_examples() -> None:
    assert {module.partition(".")[0] for module in MODULES} >= {"heimdall", "cognitive_memory"}


@pytest.mark.parametrize("module", MODULES)
def test_examples_do_what_they_say(module: str) -> None:
    results = doctest.testmod(importlib.import_module(module))
    assert results.attempted > 0
    assert results.failed == 0
