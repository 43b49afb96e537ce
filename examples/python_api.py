"""A project's memory from Python: store, recall, and what a recall is limited by.

    HEIMDALL_FETCH=never python examples/python_api.py FOLDER

The memory lies in FOLDER/.heimdall. `find_project()` in place of `Project(folder)` gives the one of the working directory.
Without the model, as here, memories are found by their words; `memory.recall(..., wait_for_model=True)` fetches it, and they
are found by what they mean, too.
"""

from __future__ import annotations

import sys
from pathlib import Path

from cognitive_memory.core.memory import MemoryType, NewMemory
from cognitive_memory.core.recall import RecallFilter
from cognitive_memory.opening import open_memory
from cognitive_memory.project import Project

LESSONS = [
    NewMemory(
        text="Retries stop after five attempts: the broker bans clients that go on.",
        type=MemoryType.CONCEPT,
        tags=("queue", "decision"),
        importance=0.9,
    ),
    NewMemory(
        text="The nightly import failed because its certificate had expired.",
        tags=("incident",),
        source="docs/incidents.md",
    ),
    NewMemory(text="Times are kept in UTC and shown in the user's zone.", tags=("decision",)),
]


def main(folder: Path) -> None:
    """Remember three things in the project in `folder`, and ask for them."""
    with open_memory(Project(folder.absolute())) as memory:
        memory.store_many(LESSONS)
        for question in ("When do retries stop?", "Why did the import fail?"):
            best = memory.recall(question).hits[0]
            print(f"{question} {best.memory.text}")
        decisions = RecallFilter(tags=frozenset({"decision"}))
        answer = memory.recall("retries, times, import", filter=decisions)
        print(f"{len(answer.hits)} decisions, found by {answer.mode}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
