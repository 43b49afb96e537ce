"""Processes without coverage, for tests of what a process imports or writes: coverage does both on its own account."""

from __future__ import annotations

import os
from collections.abc import Mapping


def uncovered(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment (default: this process's) in which coverage does not begin by itself."""
    given = os.environ if environment is None else environment
    return {name: value for name, value in given.items() if not name.startswith("COVERAGE_")}
