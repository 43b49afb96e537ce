"""Texts that may have come with a repository: no end of a file is believed in, and no value is made but plain ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from heimdall.models.regular_file import read_regular

MOST_BYTES = 100_000
"""What is longer is neither settings nor a compose file; YAML of this size takes a second or two."""
_MOST_BYTES_OF_NOTES = 1_000_000


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


def read_json_object(path: Path) -> dict[str, object]:
    """What a file says; empty if it can't be read, is too long or no JSON object."""
    try:
        content, _ = read_regular(path, _MOST_BYTES_OF_NOTES)
        value = json.loads(content) if len(content) <= _MOST_BYTES_OF_NOTES else None
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
