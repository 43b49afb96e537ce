"""How long a question takes: `python -m tests.benchmarks recall-speed [--memories N …]`.

The floor is what no exact search can do without: one embedding of the question and one pass over all vectors. Memories have
words as they are distributed in texts (Zipf) and random vectors, which cost what real ones do.
"""

from __future__ import annotations

import contextlib
import itertools
import json
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

from cognitive_memory.core.memory import MemoryType, NewMemory, Origin
from cognitive_memory.core.recall import EVERYTHING, RecallFilter
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.retrieval.vector_file import VectorFile
from cognitive_memory.storage.store import MemoryStore
from cognitive_memory.storage.token_codes import write_tokens
from cognitive_memory.storage.vectors import Embedded
from tests.benchmarks.operations import ALL, MOST, SPACE, all_measured, environment, opened
from tests.benchmarks.recall_engine import Engine
from tests.support.real_model import DIRECTORY

DIMENSION = 384
VOCABULARY = 50_000
FIRST = "the first"
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
                tags=(ALL, MOST)[: 1 + (index % 200 > 0)],
                source=f"folder{index % 100}/file",
                origin=Origin.DOCUMENT if index % 1000 else Origin.STORED,
                created_at=datetime(2026, 1, 1 + index % 28, tzinfo=UTC),
            )

    def vectors(self, start: int, count: int) -> np.ndarray:
        vectors = np.random.default_rng(start).standard_normal((count, DIMENSION), dtype=np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def question(self, seed: int) -> str:
        """Five words between frequent and rare, as they are left when stop words are gone."""
        return self._some(seed, 1.5, 4.5, 5)

    def frequent(self, seed: int) -> str:
        """Five words that a tenth to a third of the memories have each."""
        return self._some(seed, 1, 1.6, 5)

    def long(self, seed: int) -> str:
        """40 words of all kinds."""
        return self._some(seed, 0.5, 4.5, 40)

    def _some(self, seed: int, least: float, most: float, count: int) -> str:
        """Words whose ranks have such decimal logarithms."""
        generator = np.random.default_rng(seed + 1_000)
        return " ".join(self.words[(10 ** generator.uniform(least, most, count)).astype(int)])


def build(database: Path, count: int) -> list[float]:
    """A database of that many memories. Vectors are written as the engine would, only faster.

    Returns:
        How many were stored a second in each tenth.
    """
    corpus = Corpus()
    store = MemoryStore(database, embedding_space=lambda: SPACE)
    seconds = [0.0] * 10
    for start in range(0, count, BLOCK):
        size = min(BLOCK, count - start)
        memories, vectors = list(corpus.memories(start, size)), corpus.vectors(start, size)
        began = time.perf_counter()
        with store.writing() as writer:
            keys = [item.key for item in writer.put(memories)]
            pending = {item.key: item for item in writer.vectors.pending(keys)}
        outcomes = [
            Embedded(
                key, pending[key].content_hash, vector.tobytes(), tokens=vector[:240].tobytes()
            )
            for key, vector in zip(keys, vectors, strict=True)
            if key in pending
        ]
        with store.writing(durable=False) as writer:
            writer.write_vectors(outcomes, DIMENSION)
            write_tokens(writer, outcomes)
        seconds[10 * start // count] += time.perf_counter() - began
    store.close()
    return [count / 10 / each for each in seconds if each]


Figures = dict[str, tuple[float, float]]
"""Milliseconds on the clock, and of all cores."""


def timed(action: Callable[[int], object], rounds: int) -> tuple[float, float]:
    """The medians of several rounds."""
    times = []
    for number in range(rounds):
        start, spent = time.perf_counter(), time.process_time()
        action(number)
        times.append((time.perf_counter() - start, time.process_time() - spent))
    wall, processor = (1000 * median(each) for each in zip(*times, strict=True))
    return wall, processor


def memory_used() -> float:
    """Megabytes that are this process' own; mapped files are shared by all that map them."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return int(fields["RssAnon"].split()[0]) / 1000


def in_this_process(database: Path, models: Path, rounds: int) -> tuple[Figures, float]:
    """What is asked in a process of its own, and the megabytes that this takes besides the model."""
    engine = Engine(models, remember=False)
    corpus = Corpus()
    for number in range(50):  # the model takes more with each length, up to a bound
        engine.embed_with_tokens([corpus.question(number)])
    used = memory_used()
    store = MemoryStore(database, embedding_space=engine.embedding_space)
    memory = ProjectMemory(store, engine)

    def asked(
        question: Callable[[int], str], filter: RecallFilter = EVERYTHING
    ) -> tuple[float, float]:
        return timed(lambda number: memory.recall(question(number), filter=filter), rounds)

    def after_a_store(number: int) -> tuple[float, float]:
        memory.store(NewMemory(text=f"one more memory {number} {time.time()}"), embed=True)
        return timed(lambda _: memory.recall(corpus.question(number)), 1)

    figures = {FIRST: timed(lambda _: memory.recall(corpus.question(-1)), 1)}
    own = memory_used() - used
    saved = VectorFile(database.with_suffix(".vectors")).read(SPACE)
    if saved is None:
        with store.reading() as reader:
            saved = reader.vectors.since(None)
    matrix, vector = saved.matrix, engine.embed(["question"])[0]
    figures |= {
        "embedding alone": timed(lambda number: engine.embed([corpus.question(number)]), rounds),
        "one pass over the vectors": timed(lambda _: np.vecdot(matrix, vector), rounds),
        "words frequent and rare": asked(corpus.question),
        "five frequent words": asked(corpus.frequent),
        "40 words": asked(corpus.long),
        "a tag that all have": asked(corpus.question, RecallFilter(tags=frozenset({ALL}))),
        "of 1 %": asked(corpus.question, RecallFilter(sources=frozenset({"folder7"}))),
        "of 33 %": asked(corpus.question, RecallFilter(types=frozenset({MemoryType.EPISODE}))),
    }
    stores = [after_a_store(number) for number in range(rounds)]
    wall, processor = (median(each) for each in zip(*stores, strict=True))
    figures["right after a store"] = wall, processor
    with storing(database):
        figures["while others store"] = asked(corpus.question)
    memory.close()
    return figures, own


@contextlib.contextmanager
def storing(database: Path) -> Iterator[None]:
    """Another process that stores as much as it can."""
    command = [sys.executable, "-m", "tests.benchmarks.recall_speed", "--store-into", str(database)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment()) as process:
        assert process.stdout is not None
        process.stdout.readline()  # it has begun
        try:
            yield
        finally:
            process.kill()


def store_on(database: Path) -> None:
    """Store a block after the other, until somebody ends this."""
    corpus = Corpus()
    with opened(database) as memory:
        for start in itertools.count(int(time.time()), BLOCK):
            memory.store_many(corpus.memories(start, BLOCK))
            print(start, flush=True)


@click.command("recall-speed", context_settings={"show_default": True})
@click.option(
    "--memories", "counts", type=click.IntRange(1), multiple=True, default=(10_000, 100_000)
)
@click.option("--rounds", type=click.IntRange(1), default=15)
@click.option(
    "--models", type=click.Path(exists=True, file_okay=False, path_type=Path), default=DIRECTORY
)
@click.option("--database", type=click.Path(path_type=Path), hidden=True)
@click.option("--store-into", type=click.Path(path_type=Path), hidden=True)
def main(
    counts: Sequence[int], rounds: int, models: Path, database: Path | None, store_into: Path | None
) -> None:
    """Measure questions to memories made for this, beside the floor: one embedding, and one pass over all vectors.

    Then what is done with all memories: time, and the most memory of a process.
    """
    if store_into is not None:
        store_on(store_into)
        return
    if database is not None:
        click.echo(json.dumps(in_this_process(database, models, rounds)))
        return
    for count in counts:
        with TemporaryDirectory() as directory:
            path = Path(directory) / "memory.db"
            rates = build(path, count)
            click.echo(
                f"{count:,} memories; stored {rates[0]:,.0f}/s in the first tenth, {rates[-1]:,.0f}/s in the last"
            )
            page(path, models, rounds)


def page(database: Path, models: Path, rounds: int) -> None:
    """All figures of a database, which is nearly empty then."""
    without, with_file = (_asked(database, models, rounds) for _ in range(2))
    click.echo(f"\n{'recall, ms':28}{'on the clock':>14}{'of processor':>14}")
    for name, (wall, processor) in with_file[0].items():
        if name == FIRST:
            lone_wall, lone_processor = without[0][name]
            click.echo(f"{f'{name} without the file':28}{lone_wall:14.1f}{lone_processor:14.1f}")
        click.echo(f"{name:28}{wall:14.1f}{processor:14.1f}")
    click.echo(f"{'MB of its own':28}{with_file[1]:14.0f}\n")
    all_measured(database)


def _asked(database: Path, models: Path, rounds: int) -> tuple[Figures, float]:
    command = [sys.executable, "-m", "tests.benchmarks.recall_speed", "--database", str(database)]
    command += ["--models", str(models), "--rounds", str(rounds)]
    run = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, encoding="utf-8", env=environment()
    )
    figures, own = json.loads(run.stdout)
    return figures, own


if __name__ == "__main__":
    main()
