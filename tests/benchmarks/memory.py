"""The memory's store: `python -m tests.benchmarks memory [--models DIR] [--size 10000 --size 100000]`.

- Ingest: `store_many` with everything that belongs to it, against the engine alone on the same texts, in paired rounds.
- Storing one by one: what a commit costs that is forced to disk, against one that is not.
- Sizes: for so many memories with vectors that cost nothing: how fast they are stored in bulk, bytes on disk, RSS of a process
  that opens them, and what looking at them takes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from uuid import uuid4

import click
import numpy as np
from numpy.typing import NDArray

from cognitive_memory.core.embedder import Tokens
from cognitive_memory.core.memory import MemoryType, NewMemory
from cognitive_memory.core.recall import RecallFilter
from cognitive_memory.embedding.embedder import embedded_text
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.storage import connections
from cognitive_memory.storage.store import MemoryStore
from tests.benchmarks.corpus import mixed_texts, short_texts
from tests.benchmarks.pairs import paired
from tests.support.real_model import DIRECTORY

ENGINE = "the engine alone"
MEMORY = "store_many"


class LoadedEngine:
    """The engine with a model that is loaded already."""

    dimension = 384

    def __init__(self, models: Path) -> None:
        from cognitive_memory.encoding import Encoder

        self._encoder = Encoder.load(models)

    def embedding_space(self) -> str:
        return "measured"

    def ready(self) -> bool:
        return True

    def fetch(self) -> None:
        pass

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._encoder.encode_batch(texts)

    def has_tokens(self) -> bool:
        return True

    def embed_with_tokens(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], list[Tokens]]:
        return self._encoder.encode_with_tokens(texts)


class FreeVectors:
    """Random vectors of unit length, which cost next to nothing: what is left is storage."""

    dimension = 384

    def __init__(self) -> None:
        self._random = np.random.default_rng(1)

    def embedding_space(self) -> str:
        return "free"

    def ready(self) -> bool:
        return True

    def fetch(self) -> None:
        pass

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = self._random.standard_normal((len(texts), self.dimension), dtype=np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def has_tokens(self) -> bool:
        return False

    def embed_with_tokens(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], list[Tokens]]:
        raise NotImplementedError


def opened(database: Path, embedder: LoadedEngine | FreeVectors) -> ProjectMemory:
    return ProjectMemory(MemoryStore(database, embedding_space=embedder.embedding_space), embedder)


def as_memories(texts: Sequence[str]) -> Iterator[NewMemory]:
    """As a loader would give them."""
    for number, text in enumerate(texts):
        yield NewMemory(
            text=text,
            type=list(MemoryType)[number % 3],
            tags=(f"tag{number % 50}", "all"),
            source=f"docs/{number % 1000}.md",
            context=f"Chapter {number % 30} > Part {number % 7}",
        )


def measured(action: Callable[[], object], processor: list[float]) -> Callable[[], float]:
    """The action, as one that returns its seconds, and adds those of the processor to a list."""

    def run() -> float:
        began, spent = time.perf_counter(), time.process_time()
        action()
        processor.append(time.process_time() - spent)
        return time.perf_counter() - began

    return run


def store_all(folder: Path, engine: LoadedEngine, texts: Sequence[str]) -> None:
    """Store texts into a new memory, with everything that belongs to it."""
    with opened(folder / f"{uuid4()}.db", engine) as memory:
        report = memory.store_many(as_memories(texts))
        assert report.added == memory.storage.status().embedded == len(texts)


def ingest(models: Path, rounds: int) -> None:
    engine = LoadedEngine(models)
    print(
        f"{'ingest, texts a second':26}{ENGINE:>18}{MEMORY:>12}{'ratio':>8}{'in processor time':>20}"
    )
    for name, texts in (("1,000 sentences", short_texts(1000)), ("600 mixed", mixed_texts(600))):
        read = [embedded_text(item.text, item.context) for item in as_memories(texts)]
        spent: dict[str, list[float]] = {ENGINE: [], MEMORY: []}
        with tempfile.TemporaryDirectory() as folder:
            actions = {
                ENGINE: measured(partial(engine.embed, read), spent[ENGINE]),
                MEMORY: measured(partial(store_all, Path(folder), engine, texts), spent[MEMORY]),
            }
            times = paired(actions, rounds)
        rates = {action: len(texts) / median(seconds) for action, seconds in times.items()}
        ratio, cpu = (
            median(alone / ours for alone, ours in zip(found[ENGINE], found[MEMORY], strict=True))
            for found in (times, spent)
        )
        print(f"  {name:24}{rates[ENGINE]:18.0f}{rates[MEMORY]:12.0f}{ratio:8.2f}{cpu:20.2f}")


def one_by_one(rounds: int) -> None:
    count = 200
    with (
        tempfile.TemporaryDirectory() as folder,
        opened(Path(folder, "m.db"), FreeVectors()) as memory,
    ):
        texts = iter(short_texts(2 * rounds * count, seed=7))

        def some(durable: bool) -> None:
            for _ in range(count):
                with memory.storage.writing(durable=durable) as writer:
                    writer.put([NewMemory(text=next(texts))])

        actions = {
            "forced": measured(partial(some, True), []),
            "not forced": measured(partial(some, False), []),
        }
        times = paired(actions, rounds)
    forced, not_forced = (median(seconds) / count * 1000 for seconds in times.values())
    print(f"\nstoring one memory, ms: {forced:.2f} forced to disk, {not_forced:.2f} not")


def all_vectors(memory: ProjectMemory) -> None:
    with memory.storage.reading() as reader:
        reader.vectors.since(None)


def listed(memory: ProjectMemory, filter: RecallFilter) -> list[str]:
    """A page of memories."""
    return [item.id for item in memory.memories(filter, limit=20)]


def timed(action: Callable[[], object], repeat: int = 5) -> float:
    """Median milliseconds."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return median(times) * 1000


def sized(sizes: Sequence[int]) -> None:
    titles = (
        "memories",
        "stored/s",
        "bytes each",
        "open MB",
        "open ms",
        "page ms",
        "tag ms",
        "status ms",
        "vectors ms",
    )
    print("\n" + "".join(f"{title:>12}" for title in titles))
    words = short_texts(5000, seed=5)
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            database = Path(folder, "m.db")
            texts = [
                f"{words[number % len(words)]} {words[number * 7 % len(words)]} {number}"
                for number in range(size)
            ]
            with opened(database, FreeVectors()) as memory:
                start = time.perf_counter()
                memory.store_many(as_memories(texts))
                rate = size / (time.perf_counter() - start)
                found = (
                    timed(partial(listed, memory, RecallFilter())),
                    timed(partial(listed, memory, RecallFilter(tags=frozenset({"tag7"})))),
                    timed(memory.storage.status),
                    timed(partial(all_vectors, memory), repeat=3),
                )
                each = memory.storage.status().size / size
            memory_mb, open_ms = in_a_process(database)
            row = (
                f"{size:,}",
                f"{rate:.0f}",
                f"{each:.0f}",
                *(f"{figure:.1f}" for figure in (memory_mb, open_ms, *found)),
            )
            print("".join(f"{cell:>12}" for cell in row))


def in_a_process(database: Path) -> tuple[float, float]:
    """What opening a database and listing a page adds to a process' memory, in MB, and how many milliseconds it takes."""
    command = [sys.executable, "-m", "tests.benchmarks.memory", "--look", str(database)]
    environment = os.environ | {"HEIMDALL_FETCH": "never"}
    done = subprocess.run(
        command, capture_output=True, encoding="utf-8", check=True, env=environment
    )
    size, milliseconds = done.stdout.split()
    return float(size), float(milliseconds)


def resident() -> float:
    """MB of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def look(database: Path) -> None:
    before = resident()
    start = time.perf_counter()
    with ProjectMemory.open(database) as memory:
        opened_ms = (time.perf_counter() - start) * 1000
        list(memory.memories(limit=20))
    print(resident() - before, opened_ms)


@click.command()
@click.option(
    "--models", type=click.Path(path_type=Path), default=DIRECTORY, help="The model's files."
)
@click.option("--rounds", default=5, show_default=True)
@click.option(
    "--size", "sizes", multiple=True, type=int, default=(10_000, 100_000), show_default=True
)
@click.option("--look", "look_at", type=click.Path(path_type=Path), hidden=True)
def main(models: Path, rounds: int, sizes: Sequence[int], look_at: Path | None) -> None:
    """Measure the store."""
    if look_at is not None:
        look(look_at)
        return
    print(f"\nMemory, at most {connections.BUSY_SECONDS:g} s of waiting for others")
    ingest(models, rounds)
    one_by_one(rounds)
    sized(sizes)


if __name__ == "__main__":
    main()
