"""Texts that may have come with a repository: YAML as it is written, bounded in bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cognitive_memory.project.regular_file import read_regular

MOST_BYTES = 1_000_000
"""What is longer is neither settings, a compose file, nor notes of ours."""


def read_yaml(path: Path) -> Any:
    """What a file says, in dictionaries, lists and texts alone; None if it can't be read, is too long or no YAML."""
    import yaml

    try:
        content, _ = read_regular(path, MOST_BYTES)
        if len(content) > MOST_BYTES:
            return None
        # Texts alone: no value can be wrong, and what is merged does not grow.
        return yaml.load(content, Loader=yaml.BaseLoader)  # noqa: S506 (makes nothing but texts)
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return None
