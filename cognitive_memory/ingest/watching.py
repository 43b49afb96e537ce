"""Waiting for files to change, by watchfiles."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from cognitive_memory.ingest.errors import IngestError
from cognitive_memory.ingest.ignoring import FILES, NEVER
from cognitive_memory.ingest.languages import kind_of

DEBOUNCE_MS = 800
"""Changes closer together than this are one: editors save in several steps, git writes many files."""
_FIRST_WAIT_MS = 100


def changes(
    paths: Sequence[Path], *, stop: threading.Event | None = None
) -> Iterator[frozenset[Path]]:
    """Say when something below paths may have to be loaded again.

    Args:
        paths: files and folders.
        stop: set by somebody else to end.

    Yields:
        An empty set once everything is watched, so that what is loaded then misses nothing; after that the paths that were
        made, changed or removed, at least one.

    Raises:
        IngestError: watchfiles, an extra of this distribution, is not installed.
        OSError: the system watches no more files; it says which limit to raise.
    """
    try:
        from watchfiles import watch
    except ImportError as error:
        problem = (
            "watching needs watchfiles, which is not installed: pip install 'heimdall-mcp[watch]'"
        )
        raise IngestError(problem) from error
    # The first answer, after `_FIRST_WAIT_MS` at most, says that the system watches now.
    began = False
    for batch in watch(
        *paths,
        watch_filter=lambda _change, path: _matters(Path(path)),
        debounce=DEBOUNCE_MS,
        stop_event=stop,
        rust_timeout=_FIRST_WAIT_MS,
        yield_on_timeout=True,
        ignore_permission_denied=True,
    ):
        if batch or not began:
            began = True
            yield frozenset(Path(path) for _, path in batch)


def _matters(path: Path) -> bool:
    """Whether loading could see a difference: not in what heimdall or git write, and what could be a folder or is read."""
    if NEVER.intersection(path.parts):
        return False
    # A name without a suffix may be a folder that is gone, which can't be asked any more.
    return path.name in FILES or not path.suffix or kind_of(path.name) is not None
