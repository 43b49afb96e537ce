"""What is done with all of a project's memories, each in a process of its own: its time and the most memory it took.

A part of `python -m tests.benchmarks recall-speed`, which makes the memories.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from cognitive_memory.core.memory import NewMemory
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.storage import backup
from cognitive_memory.storage.store import MemoryStore
from tests.benchmarks.memory import FreeVectors

ROOT = Path(__file__).resolve().parents[2]
SPACE = "benchmark"
MOST = "most"
"""The tag that 995 of 1,000 memories have; all have `ALL`."""
ALL = "all"


class Engine(FreeVectors):
    """Vectors at no cost, in the space of those that are there."""

    def embedding_space(self) -> str:
        return SPACE


def opened(database: Path) -> ProjectMemory:
    return ProjectMemory(MemoryStore(database, embedding_space=lambda: SPACE), Engine())


def exported(database: Path) -> None:
    lines = _made(database) / "lines.jsonl"
    with opened(database) as memory, lines.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in memory.export_lines())


def imported(database: Path) -> None:
    made = _made(database)
    with opened(made / "memory.db") as memory, (made / "lines.jsonl").open() as file:
        memory.import_lines(file, own=True)


def deleted(database: Path) -> None:
    with opened(database) as memory:
        memory.delete_by_tags([MOST])


def listed(database: Path) -> None:
    with opened(database) as memory:
        list(memory.memories(limit=20))


def counted(database: Path) -> None:
    with opened(database) as memory:
        memory.storage.status()


def stored(database: Path, text: str = "one more memory") -> None:
    with opened(database) as memory:
        memory.store(NewMemory(text=text))


def backed_up(database: Path) -> None:
    backup.back_up(database, _made(database) / "backup.db")


def checked(database: Path) -> None:
    assert not backup.problems_in(database)


def _made(database: Path) -> Path:
    """Where what is made may lie until the next that needs none of it."""
    folder = database.with_name("made")
    folder.mkdir(exist_ok=True)
    return folder


OPERATIONS: dict[str, Callable[[Path], None]] = {
    "a page of 20": listed,
    "status": counted,
    "store one": stored,
    "export": exported,
    "import": imported,
    "backup": backed_up,
    "check (doctor)": checked,
    "delete by a tag": deleted,
}
"""Each leaves the database as it was, but the last, which nearly empties it, and one memory more."""


def environment() -> dict[str, str]:
    """Of processes that measure: they fetch nothing."""
    return os.environ | {"HEIMDALL_FETCH": "never", "PYTHONPATH": str(ROOT)}


def measured(name: str, database: Path) -> tuple[float, float, float]:
    """Seconds on the clock, seconds of all cores, and the most megabytes of a process that does nothing else."""
    command = [sys.executable, "-m", "tests.benchmarks.operations", name, str(database)]
    run = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, encoding="utf-8", env=environment()
    )
    wall, processor, memory = json.loads(run.stdout)
    return wall, processor, memory


def all_measured(database: Path) -> None:
    """Print a line for each."""
    print(f"{'':20}{'seconds':>10}{'of processor':>14}{'most MB':>10}{'files, MB':>11}")
    for name in OPERATIONS:
        wall, processor, memory = measured(name, database)
        files = [database, database.with_suffix(".vectors")]
        size = sum(file.stat().st_size for file in files if file.exists()) / 1e6
        print(f"{name:20}{wall:10.2f}{processor:14.2f}{memory:10.0f}{size:11.0f}", flush=True)
        if name != "export":
            shutil.rmtree(database.with_name("made"), ignore_errors=True)


def most_memory() -> float:
    """Megabytes that this process had in memory at most, mapped files included."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return int(fields["VmHWM"].split()[0]) / 1000


if __name__ == "__main__":
    started, spent = time.perf_counter(), time.process_time()
    OPERATIONS[sys.argv[1]](Path(sys.argv[2]))
    print(json.dumps([time.perf_counter() - started, time.process_time() - spent, most_memory()]))
