"""Makes `memories.sql`: a database written by heimdall-mcp 0.3.7's own code and migrations, as SQL.

Run it in an environment of its own:

    pip install --no-deps heimdall-mcp==0.3.7 numpy loguru pyyaml python-dotenv platformdirs
    python tests/heimdall/migration_0_3/heimdall_0_3/make.py

The original's packages import all of its dependencies, so that its storage modules are loaded without them.
"""

from __future__ import annotations

import importlib.util
import sqlite3
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).parent
ROOT = "/home/someone/project"


def without_their_imports() -> None:
    spec = importlib.util.find_spec("cognitive_memory")
    top = (
        next(
            Path(entry) / "cognitive_memory"
            for entry in sys.path
            if (Path(entry) / "cognitive_memory/storage").is_dir()
        )
        if spec is None
        else Path(spec.origin).parent
    )
    for name in ("cognitive_memory", "cognitive_memory.core", "cognitive_memory.storage"):
        package = ModuleType(name)
        package.__path__ = [str(top.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = package


without_their_imports()

import numpy as np  # noqa: E402
from cognitive_memory.storage.sqlite_persistence import (  # noqa: E402
    ConnectionGraphStore,
    DatabaseManager,
    MemoryMetadataStore,
)

from cognitive_memory.core.memory import CognitiveMemory  # noqa: E402

WHEN = datetime.fromisoformat("2025-06-24T10:30:00.250000+00:00")
COMMIT = "8f1d3c5b7a9e0246813579bdf02468ace13579bd"
LESSON = "11111111-2222-4333-8444-555555555555"
DECISION = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
SECTION = "0b0b0b0b-1c1c-4d2d-8e3e-4f4f4f4f4f4f"
BY_COMMIT = "8f1d3c5b-7a9e-0246-8135-79bdf02468ac"


def memories() -> list[CognitiveMemory]:
    vector = np.linspace(-1, 1, 9, dtype=np.float32)
    lesson = CognitiveMemory(
        id=LESSON,
        content="Retries must have jitter: without it all clients come back at once.",
        hierarchy_level=1,
        memory_type="semantic",
        timestamp=WHEN,
        access_count=3,
        tags=["session_lesson", "pattern"],
        # As the original's session_lessons tool passes it on; the column importance_score stays 0.0 there.
        metadata={
            "source_type": "session_lesson",
            "hierarchy_level": 1,
            "memory_type": "semantic",
            "importance_score": 0.8,
            "tags": ["session_lesson", "pattern"],
            "source_info": "Session Lesson (pattern)",
            "metadata": {
                "loader_type": "session_lesson",
                "lesson_type": "pattern",
                "importance_level": "high",
            },
        },
    )
    decision = CognitiveMemory(
        id=DECISION,
        content="Wir nehmen SQLite im WAL-Modus. 日本語 ✓",
        hierarchy_level=0,
        memory_type="semantic",
        timestamp=WHEN,
        importance_score=0.9,
        decay_rate=0.02,
        strength=0.75,
        dimensions={"emotional": [0.1, 0.0], "temporal": [0.5]},
    )
    section = CognitiveMemory(
        id=SECTION,
        content="guide - Deployment: the blue-green switch is done by the load balancer.",
        hierarchy_level=1,
        timestamp=WHEN,
        metadata={
            "source_type": "documentation",
            "title": "Deployment",
            "source_path": f"{ROOT}/docs/guide.md",
            "hierarchical_path": ["Guide", "Deployment"],
            "loader_type": "markdown",
            "file_modified_date": None,
        },
    )
    commit = CognitiveMemory(
        id=BY_COMMIT,
        content="Git commit by Ann: Fix the off-by-one in the pager",
        hierarchy_level=2,
        timestamp=WHEN,
        strength=0.5,
        metadata={
            "source_type": "git_commit",
            "type": "git_commit",
            "source_path": ROOT,
            "commit_hash": COMMIT,
            "author_name": "Ann",
            "timestamp": "2024-02-29T23:59:58+02:00",
            "affected_files": ["pager.py"],
        },
    )
    others = [
        CognitiveMemory(
            id="note-1", content="An id that is no UUID.", hierarchy_level=2, timestamp=WHEN
        ),
        CognitiveMemory(
            id="22222222-2222-4222-8222-222222222222",
            content="  \n",
            hierarchy_level=2,
            timestamp=WHEN,
        ),
    ]
    for memory in (lesson, decision, section, commit):
        memory.cognitive_embedding = vector
    return [lesson, decision, section, commit, *others]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "cognitive_memory.db"
        manager = DatabaseManager(str(database))
        store, graph = MemoryMetadataStore(manager), ConnectionGraphStore(manager)
        for memory in memories():
            assert store.store_memory(memory)
        changed = store.retrieve_memory(LESSON)
        changed.access_count += 1
        assert store.update_memory(changed)  # this writes a Julian day into updated_at
        assert graph.add_connection(LESSON, DECISION, 0.8, "supports")
        assert graph.add_connection(LESSON, "note-1", 0.5)
        with manager.get_connection() as connection:
            connection.execute(
                "INSERT INTO retrieval_stats (query_type, query_hash, memory_id, retrieval_score, retrieval_rank)"
                " VALUES ('recall', 'cafe', ?, 0.7, 1)",
                (LESSON,),
            )
            connection.commit()
        connection = sqlite3.connect(database)
        text = "\n".join(connection.iterdump()) + "\n"
        connection.close()
    (HERE / "memories.sql").write_text(text, encoding="utf-8", newline="\n")
    print(f"{len(text)} characters")


if __name__ == "__main__":
    main()
