"""How long a question takes: `python -m tests.benchmarks recall-speed [--memories N …]`.

The floor is what no exact search can do without: one embedding of the question and one pass over all vectors. Memories have
words as they are distributed in texts (Zipf) and random vectors, which cost what real ones do.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import click
import numpy as np

from cognitive_memory.core.memory import MemoryType, NewMemory
from cognitive_memory.core.recall import RecallFilter
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.retrieval.vector_file import VectorFile
from cognitive_memory.storage.store import MemoryStore
from cognitive_memory.storage.vectors import Embedded
from tests.benchmarks.recall_engine import Engine
from tests.support.real_model import DIRECTORY

ROOT = Path(__file__).resolve().parents[2]
DIMENSION = 384
VOCABULARY = 50_000
BLOCK = 5_000

_SYLLABLES = [consonant + vowel for consonant in "bcdfghklmnprstvwz" for vowel in "aeiou"]


def word(rank: int) -> str:
    """The word of a rank; the more frequent, the shorter."""
    letters = ""
    while rank >= 0:
        letters += _SYLLABLES[rank % len(_SYLLABLES)]
        rank = rank // len(_SYLLABLES) - 1
    return letters


class Corpus:
    """Any number of memories, the same ones each time."""

    def __init__(self) -> None:
        ranks = np.arange(1, VOCABULARY + 1)
        self.words = np.array([word(rank) for rank in range(VOCABULARY)])
        self._chances = 1 / ranks / (1 / ranks).sum()

    def memories(self, start: int, count: int) -> Iterator[NewMemory]:
        generator = np.random.default_rng(start)
        lengths = generator.integers(10, 60, count)
        drawn = generator.choice(VOCABULARY, lengths.sum() + 8 * count, p=self._chances)
        place = 0
        for index, length in enumerate(lengths):
            text, context = (
                drawn[place : place + length],
                drawn[place + length : place + length + 8],
            )
            place += length + 8
            yield NewMemory(
                text=" ".join(self.words[text]),
                context=" ".join(self.words[context]),
                type=list(MemoryType)[index % 3],
                source=f"folder{index % 100}/file",
                created_at=datetime(2026, 1, 1 + index % 28, tzinfo=UTC),
            )

    def vectors(self, start: int, count: int) -> np.ndarray:
        vectors = np.random.default_rng(start).standard_normal((count, DIMENSION), dtype=np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def question(self, seed: int) -> str:
        """Five words between frequent and rare, as they are left when stop words are gone."""
        generator = np.random.default_rng(seed)
        return " ".join(self.words[(10 ** generator.uniform(1.5, 4.5, 5)).astype(int)])


def build(database: Path, count: int, engine: Engine) -> None:
    """A database of that many memories. Vectors are written as the engine would, only faster."""
    corpus = Corpus()
    store = MemoryStore(database, embedding_space=engine.embedding_space)
    for start in range(0, count, BLOCK):
        size = min(BLOCK, count - start)
        with store.writing() as writer:
            stored = writer.put(corpus.memories(start, size))
            keys = [item.key for item in stored]
            pending = {item.key: item for item in writer.vectors.pending(keys)}
        vectors = corpus.vectors(start, size)
        outcomes = [
            Embedded(item.key, pending[item.key].content_hash, vector.tobytes())
            for item, vector in zip(stored, vectors, strict=True)
            if item.key in pending
        ]
        with store.writing(durable=False) as writer:
            writer.write_vectors(outcomes, DIMENSION)
    store.close()


def timed(action: Callable[[int], object], rounds: int) -> float:
    """Milliseconds, the median of several rounds."""
    times = []
    for number in range(rounds):
        start = time.perf_counter()
        action(number)
        times.append((time.perf_counter() - start) * 1000)
    return median(times)


def memory_used() -> float:
    """Megabytes that are this process' own; mapped files are shared by all that map them."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return int(fields["RssAnon"].split()[0]) / 1000


def in_this_process(database: Path, models: Path, rounds: int) -> dict[str, float]:
    """What is measured in a process of its own."""
    start = time.perf_counter()
    engine = Engine(models, remember=False)
    engine.embed(["warm"])
    loaded = time.perf_counter()
    used = memory_used()
    corpus = Corpus()
    store = MemoryStore(database, embedding_space=engine.embedding_space)
    memory = ProjectMemory(store, engine)
    opened = time.perf_counter()
    memory.recall(corpus.question(1))
    figures = {
        "model ms": (loaded - start) * 1000,
        "first recall ms": (time.perf_counter() - opened) * 1000,
    }
    saved = VectorFile(database.with_suffix(".vectors")).read(engine.embedding_space())
    if saved is None:
        with store.reading() as reader:
            saved = reader.vectors.since(None)
    matrix = saved.matrix
    vector = engine.embed(["question"])[0]
    figures["embedding ms"] = timed(lambda number: engine.embed([corpus.question(number)]), rounds)
    figures["pass ms"] = timed(lambda _: np.einsum("ij,j->i", matrix, vector), rounds)
    few, most = (
        RecallFilter(sources=frozenset({"folder7"})),
        RecallFilter(types=frozenset({MemoryType.EPISODE})),
    )
    figures["recall ms"] = timed(lambda number: memory.recall(corpus.question(number)), rounds)
    figures["of 1 % ms"] = timed(
        lambda number: memory.recall(corpus.question(number), filter=few), rounds
    )
    figures["of 33 % ms"] = timed(
        lambda number: memory.recall(corpus.question(number), filter=most), rounds
    )
    figures["own MB"] = memory_used() - used
    memory.close()
    return figures


@click.command("recall-speed", context_settings={"show_default": True})
@click.option(
    "--memories", "counts", type=click.IntRange(1), multiple=True, default=(10_000, 100_000)
)
@click.option("--rounds", type=click.IntRange(1), default=15)
@click.option(
    "--models", type=click.Path(exists=True, file_okay=False, path_type=Path), default=DIRECTORY
)
@click.option("--database", type=click.Path(path_type=Path), hidden=True)
def main(counts: Sequence[int], rounds: int, models: Path, database: Path | None) -> None:
    """Measure a question's time beside the floor: one embedding and one pass over the vectors."""
    if database is not None:
        click.echo(json.dumps(in_this_process(database, models, rounds)))
        return
    for count in counts:
        with TemporaryDirectory() as directory:
            path = Path(directory) / "memory.db"
            build(path, count, Engine(models))
            figures: dict[str, list[float]] = {}
            for place in ("first process", "next process"):
                for name, value in json.loads(_run(path, models, rounds)).items():
                    figures.setdefault(name, []).append(value)
                click.echo(
                    f"{count:,} memories, {place}: "
                    + _sentence({name: v[-1] for name, v in figures.items()})
                )


def _run(database: Path, models: Path, rounds: int) -> str:
    command = [sys.executable, "-m", "tests.benchmarks.recall_speed", "--database", str(database)]
    command += ["--models", str(models), "--rounds", str(rounds)]
    environment = os.environ | {"HEIMDALL_FETCH": "never", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, check=True, stdout=subprocess.PIPE, encoding="utf-8", env=environment
    ).stdout


def _sentence(figures: dict[str, float]) -> str:
    floor = figures["embedding ms"] + figures["pass ms"]
    parts = [
        f"{name.rsplit(' ', 1)[0]} {value:.1f} {name.rsplit(' ', 1)[1]}"
        for name, value in figures.items()
    ]
    return ", ".join([*parts, f"recall / floor {figures['recall ms'] / floor:.2f}"])


if __name__ == "__main__":
    main()
