"""Folders of small files."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path


def write_tree(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below a folder, by their paths."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def largest(folder: Path, pattern: str) -> int:
    """Bytes of the largest file that matches, 0 where there is none.

    Another process may rename or remove any of them while this looks.
    """
    size = 0
    for path in folder.glob(pattern):
        with suppress(FileNotFoundError):
            size = max(size, path.stat().st_size)
    return size
