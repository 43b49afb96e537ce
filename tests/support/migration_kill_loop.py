"""Run as a script: migrates copies of a project in children that are killed at random moments.

    python migration_kill_loop.py COUNT TEMPLATE PROJECT

After each kill nothing may be lost and nothing half-made may have a name; another migration then has to finish the work.
The shared directory is `$HEIMDALL_DATA_DIR`. The loop forks from a process that has everything imported, so that a kill
costs milliseconds.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import sys
import time
from pathlib import Path

from cognitive_memory.project.find import Project
from cognitive_memory.project_memory import ProjectMemory
from heimdall.migration_0_3.copying import digests
from heimdall.migration_0_3.memories import kept_originals
from heimdall.migration_0_3.migrate import migrate_legacy_data
from heimdall.migration_0_3.original import is_legacy
from heimdall.models.files import sha256_of

COUNT, TEMPLATE, PROJECT = int(sys.argv[1]), Path(sys.argv[2]), Project(Path(sys.argv[3]))
SHARED = Path(os.environ["HEIMDALL_DATA_DIR"])


def rows(database: Path) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return [tuple(row) for row in connection.execute("SELECT * FROM memories ORDER BY id")]


ROWS = rows(TEMPLATE / ".heimdall" / "cognitive_memory.db")
TEXTS = sorted(str(row[1]) for row in ROWS if str(row[1]).strip())
FILES = {
    path.name: sha256_of(path)
    for path in (TEMPLATE / "data" / "models").rglob("*")
    if path.is_file()
}
COLLECTION = TEMPLATE / "tmp_qdrant_storage" / "collections" / "kept"


def wrong(*, finished: bool) -> str | None:
    """What is lost, half-made or left over."""
    if PROJECT.database.exists() and not is_legacy(PROJECT.database):
        with ProjectMemory.open(PROJECT.database) as memory:
            if sorted(found.text for found in memory.memories()) != TEXTS:
                return "our database has not all memories"
    elif finished:
        return "there is no database of ours"
    originals = [
        path
        for path in (PROJECT.database, *kept_originals(PROJECT))
        if path.exists() and is_legacy(path)
    ]
    if not originals or any(rows(path) != ROWS for path in originals):
        return "the original's rows are lost"
    for path in (SHARED / "models").rglob("*"):
        if path.is_file() and path.name in FILES and sha256_of(path) != FILES[path.name]:
            return f"{path} has wrong bytes"
    copy = SHARED / "qdrant" / "collections" / "kept"
    if (finished or copy.exists()) and digests(copy) != digests(COLLECTION):
        return f"{copy} is not whole"
    left = [path for top in (SHARED, PROJECT.folder) for path in top.rglob("migrating.*")]
    return f"left over: {left}" if finished and left else None


def child() -> int:
    """A process that migrates; its pid."""
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            os._exit(0 if migrate_legacy_data(PROJECT.root).sound else 3)
        os._exit(1)
    return pid


def main() -> int:
    killed, longest = 0, 0.1
    while killed < COUNT:
        shutil.rmtree(PROJECT.root, ignore_errors=True)
        shutil.rmtree(SHARED, ignore_errors=True)
        shutil.copytree(TEMPLATE, PROJECT.root)
        for _ in range(random.randrange(1, 4)):
            pid = child()
            time.sleep(random.uniform(0, longest))
            os.kill(pid, signal.SIGKILL)
            killed += os.WIFSIGNALED(os.waitpid(pid, 0)[1])
            if problem := wrong(finished=False):
                print(f"after a kill: {problem}")
                return 1
        began = time.monotonic()
        _, status = os.waitpid(child(), 0)
        longest = min(1.0, 1.2 * (time.monotonic() - began))
        if status or (problem := wrong(finished=True)):
            print(
                f"after {killed} kills the next migration ended with {status}: {problem if not status else ''}"
            )
            return 1
    print(killed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
