"""Run as a script: processes that work on one memory at the same time.

    python memory_writers.py write DATABASE NAME COUNT    stores so many memories, each acknowledged by a line on stdout
    python memory_writers.py read DATABASE                reads, counts and recalls until its stdin is closed
    python memory_writers.py open DATABASE COUNT          so many times, ten processes make a new memory and open it over and over
    python memory_writers.py kill DATABASE COUNT          kills so many writers at random moments, checking after each

The loop of kills forks from a process that has everything imported, so that a kill costs milliseconds; the children are
real processes with their own connections.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

from cognitive_memory.core.memory import NewMemory
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.storage.backup import problems_in
from tests.support.plain_embedder import PlainEmbedder


def open_memory(database: Path) -> ProjectMemory:
    return PlainEmbedder().open(database)


def write(database: Path, name: str, count: int) -> int:
    with open_memory(database) as memory:
        for number in range(count):
            print(
                memory.store(
                    NewMemory(text=f"{name} {number}", tags=(name,)), embed=number % 2 == 0
                ).id,
                flush=True,
            )
    return 0


def read(database: Path) -> int:
    """Counts never fall, what is listed can be got, and the index always has what the database has."""
    seen = 0
    # Not by select, which on Windows knows sockets alone.
    waiting = threading.Thread(target=sys.stdin.read, args=(1,), daemon=True)
    waiting.start()
    with open_memory(database) as memory:
        while waiting.is_alive():
            waiting.join(0.02)
            status = memory.storage.status()
            assert status.memories >= seen, (status.memories, seen)
            seen = status.memories
            listed = list(memory.memories(limit=20))
            for item in listed:
                assert memory.get(item.id).text == item.text
            if listed:  # by its words, since its vector may come a moment later
                assert memory.recall(listed[0].text).hits
    print(seen)
    return 0


def open_often(database: Path, name: str) -> None:
    for number in range(4):
        time.sleep(random.uniform(0, 0.01))
        with PlainEmbedder(here=False).open(database) as memory:
            memory.store(NewMemory(text=f"{name} {number}"))
            assert 0 < memory.storage.status().memories <= len(list(memory.memories()))


def opened_together(database: Path, count: int) -> int:
    for turn in range(count):
        children = []
        for number in range(10):
            pid = os.fork()
            if pid == 0:
                code = 0
                try:
                    open_often(database.with_name(f"{turn}.db"), str(number))
                except BaseException:  # noqa: BLE001 (a child must not go on in its parent's code)
                    traceback.print_exc()
                    code = 1
                os._exit(code)
            children.append(pid)
        for pid in children:
            if os.waitpid(pid, 0)[1]:
                return 1
    return 0


def churn(database: Path, pipe: int, seed: int) -> None:
    """Everything that writes, at random; tells what is acknowledged as lines `+id` and `-id`."""
    dice = random.Random(seed)
    embedder = PlainEmbedder(here=dice.random() < 0.7)
    mine: list[str] = []
    with embedder.open(database) as memory:
        for number in range(1_000_000):
            tell: list[str] = []
            match dice.randrange(6):
                case 0 | 1:
                    mine.append(
                        memory.store(
                            NewMemory(text=f"{seed} {number}", tags=("x", str(number % 5)))
                        ).id
                    )
                    tell = [f"+{mine[-1]}"]
                case 2:
                    new = [
                        NewMemory(text=f"{seed} {number} {index} " + "word " * 50)
                        for index in range(40)
                    ]
                    ids = memory.store_many(new).ids
                    mine += ids
                    tell = [f"+{memory_id}" for memory_id in ids]
                case 3 if mine:
                    memory.update(dice.choice(mine), text=f"changed {seed} {number}", tags=["y"])
                case 4 if mine:
                    gone = mine.pop(dice.randrange(len(mine)))
                    os.write(pipe, f"?{gone}\n".encode())  # from here on it may be gone
                    memory.delete([gone])
                    tell = [f"-{gone}"]
                case _:
                    embedder.here = True
                    memory.embed_pending()
            os.write(pipe, "".join(f"{line}\n" for line in tell).encode())


def kill(database: Path, count: int) -> int:
    present: set[str] = set()
    for seed in range(count):
        told = list(killed(database, seed))
        doubtful = {line[1:] for line in told if line[0] == "?"} - {
            line[1:] for line in told if line[0] == "-"
        }
        present |= {line[1:] for line in told if line[0] == "+"}
        present -= {line[1:] for line in told if line[0] in "-?"}
        with open_memory(database) as memory:
            if problems := problems_in(memory.database):
                print(f"after kill {seed + 1}: {problems}")
                return 1
            there = {item.id for item in memory.memories()}
            if lost := present - there:
                print(f"after kill {seed + 1}: {len(lost)} acknowledged memories are lost")
                return 1
            present |= doubtful & there
            memory.embed_pending()
            if memory.storage.status().pending:
                print(f"after kill {seed + 1}: memories stay without a vector")
                return 1
            if len(there) > 3000:
                memory.delete(there)
                present = set()
    print(json.dumps({"killed": count, "present": len(present)}))
    return 0


def killed(database: Path, seed: int) -> Iterator[str]:
    """What a writer and a second one acknowledged before both were killed."""
    ours, theirs = os.pipe()
    children = []
    for half in range(2):
        pid = os.fork()
        if pid == 0:
            with contextlib.suppress(BaseException):
                churn(database, theirs, 2 * seed + half)
            os._exit(1)
        children.append(pid)
    os.close(theirs)
    time.sleep(random.uniform(0.001, 0.25))
    for pid in children:
        os.kill(pid, signal.SIGKILL)
    for pid in children:
        _, status = os.waitpid(pid, 0)
        assert os.WIFSIGNALED(status), "a writer ended by itself"
    with os.fdopen(ours) as pipe:
        yield from pipe.read().split()


if __name__ == "__main__":
    place = Path(sys.argv[2])
    if sys.argv[1] == "write":
        sys.exit(write(place, sys.argv[3], int(sys.argv[4])))
    if sys.argv[1] == "read":
        sys.exit(read(place))
    sys.exit((kill if sys.argv[1] == "kill" else opened_together)(place, int(sys.argv[3])))
