from __future__ import annotations

import threading
from pathlib import Path

from cognitive_memory.ingest.watching import changes
from tests.support.trees import write_tree


def test_changes_that_matter(project: Path) -> None:
    stop = threading.Event()
    found = changes([project], stop=stop)
    assert next(found) == frozenset()
    write_tree(
        project,
        {".heimdall/memory.db-wal": "x", ".git/index": "x", "image.png": "x", "docs/a.md": "x"},
    )
    first = next(found)
    assert {path.relative_to(project).as_posix() for path in first} <= {"docs", "docs/a.md"}
    (project / "docs").rename(project / "manual")
    assert {path.name for path in next(found)} & {"docs", "manual"}
    stop.set()
    assert list(found) == []
