"""Where other libraries keep model files, and how files are found in a folder of any shape: by size, then by hash."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

MOST_ENTRIES = 20_000
"""So many files are looked at in one cache: an import must not stand still for a strange one."""


def huggingface_caches() -> list[Path]:
    """Hugging Face's cache directories: those its variables name, and its default one."""
    home = os.environ.get("HF_HOME")
    named = [os.environ.get(name) for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE")]
    return _expanded([*named, home and f"{home}/hub", f"{_cache_home()}/huggingface/hub"])


def other_caches() -> list[Path]:
    """The cache directories of sentence-transformers, old and new, and of fastembed."""
    torch = os.environ.get("TORCH_HOME") or f"{_cache_home()}/torch"
    return _expanded(
        [
            os.environ.get("SENTENCE_TRANSFORMERS_HOME"),
            f"{torch}/sentence_transformers",
            f"{torch}/hub",
            os.environ.get("TRANSFORMERS_CACHE"),
            os.environ.get("FASTEMBED_CACHE_PATH"),
            f"{tempfile.gettempdir()}/fastembed_cache",
        ]
    )


def files_below(folder: Path, sizes: Iterable[int], most: int = MOST_ENTRIES) -> Iterator[Path]:
    """The files in a folder and below it that have one of the sizes, in bytes; links to files count.

    Args:
        most: how many files are looked at.
    """
    wanted = set(sizes)
    for directory, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names)[:most]:
            path = Path(directory, name)
            try:
                status = path.stat()
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode) and status.st_size in wanted:
                yield path
        most -= len(names)
        if most <= 0:
            return


def _cache_home() -> str:
    return os.environ.get("XDG_CACHE_HOME") or "~/.cache"


def _expanded(named: Iterable[str | None]) -> list[Path]:
    expanded = (os.path.expanduser(text) for text in dict.fromkeys(named) if text)  # noqa: PTH111
    # Without a home directory there is no default one.
    return [Path(text) for text in expanded if not text.startswith("~")]
