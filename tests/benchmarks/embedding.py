"""Embedding, side by side: `python -m tests.benchmarks embedding [--python PATH …]`.

Each contestant runs in a process of its own, all in one go and in paired rounds of shuffled order, since a machine's speed changes
from minute to minute: a ratio is the median of the rounds' ratios. Before each turn the machine is let come to rest. Absolute times
are this machine's alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import click
import numpy as np

from tests.benchmarks import peers
from tests.benchmarks.contestants import CONTESTANTS, EXACT, FASTEMBED, OURS, Places
from tests.benchmarks.limits import LIMITS
from tests.benchmarks.pairs import paired
from tests.benchmarks.tables import Table, Times, show, side_by_side
from tests.support.real_model import DIRECTORY, ROOT

LIKENESS = 20
"""Texts whose vectors are compared."""
SINGLE = 4
"""Rounds of single texts for each one in bulk."""
PAUSE = 0.2
"""Seconds before a single text, in which cores fall asleep."""
LIMITED = (OURS, EXACT, FASTEMBED)
"""Who is measured with less than the whole machine, too."""
Parts = dict[str, tuple[Times, str]]
"""By what was measured, the times (or bytes) and their unit."""


class Worker:
    """A contestant's process.

    Attributes:
        first_vector: seconds from the start of the process to its first vector.
        memory: bytes that it then had in memory.
    """

    def __init__(self, name: str, python: str, places: Places, prefix: Sequence[str] = ()) -> None:
        # Bytecode is cached: whoever installs a package has it.
        environment = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("HEIMDALL_", "PYTHON"))
        }
        environment |= {
            "HEIMDALL_FETCH": "use",
            "HEIMDALL_PROGRESS": "0",
            "HF_HUB_OFFLINE": "1",
            "PYTHONPATH": str(ROOT),
        }
        command = [*prefix, python, "-m", "tests.benchmarks.worker", name, json.dumps(places)]
        start = time.perf_counter()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            env=environment,
        )
        self.memory = self._answer(name)["memory"]
        self.first_vector = time.perf_counter() - start
        self._name = name

    def seconds(self, texts: str, count: int, **more: str) -> float:
        """How long it takes it to embed so many texts of that kind; see `worker`."""
        return self.in_a_row(texts, count, 1, **more)[0]

    def in_a_row(self, texts: str, count: int, times: int, **more: str) -> list[float]:
        """The same so many times, one directly after the other."""
        assert self._process.stdin is not None
        order = {"texts": texts, "count": count, "times": times, **more}
        print(json.dumps(order), file=self._process.stdin, flush=True)
        seconds: list[float] = self._answer(self._name)["seconds"]
        return seconds

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def _answer(self, name: str) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise click.ClickException(
                f"{name} ended without an answer; run its worker by hand to see why"
            )
        answer: dict[str, Any] = json.loads(line)
        return answer


def likeness(workers: Mapping[str, Worker], directory: Path) -> Table:
    """How like the exact vectors all are: a fast wrong answer is none."""
    vectors = {}
    for name, worker in workers.items():
        worker.seconds("mixed", LIKENESS, save=str(directory / "vectors.npy"))
        vectors[name] = np.load(directory / "vectors.npy")
    rows = []
    for name, theirs in vectors.items():
        cosines = (vectors[EXACT] * theirs).sum(axis=1) / np.linalg.norm(theirs, axis=1)
        note = "" if CONTESTANTS[name].alike else "reads less of long texts"
        rows.append((name, f"{cosines.min():.6f}", note))
    return Table(f"Cosine with the exact vectors, of {LIKENESS} texts", ("", "least", ""), rows)


def bulk(workers: Mapping[str, Worker], kind: str, count: int, rounds: int) -> Parts:
    """Many texts at once."""
    actions = {name: partial(worker.seconds, kind, count) for name, worker in workers.items()}
    return {f"{count} {kind}": (paired(actions, rounds), "s")}


def singles(workers: Mapping[str, Worker], kind: str, what: str, rounds: int) -> Parts:
    """Single texts after a pause, and in a row."""
    later: dict[str, list[float]] = {name: [] for name in workers}

    def burst(name: str) -> float:
        time.sleep(PAUSE)
        first, *others = workers[name].in_a_row(kind, 1, 5)
        later[name].append(median(others))
        return first

    actions = {name: partial(burst, name) for name in workers}
    paired(actions, 1)  # the first runs of a shape allocate
    for values in later.values():
        values.clear()
    first = paired(actions, rounds)
    return {f"{what} in a row": (later, "ms"), f"{what} after a pause": (first, "ms")}


def starts(start: Mapping[str, Callable[[], Worker]], rounds: int) -> Parts:
    """From the start of a process to its first vector, and the memory that it then has."""
    memory: dict[str, list[float]] = {name: [] for name in start}

    def first_vector(name: str) -> float:
        worker = start[name]()
        worker.close()
        memory[name].append(float(worker.memory))
        return worker.first_vector

    times = paired({name: partial(first_vector, name) for name in start}, rounds)
    return {"start to first vector": (times, "ms"), "memory then": (memory, "MB")}


def with_all(
    start: Mapping[str, Callable[[], Worker]], count: int, rounds: int, directory: Path
) -> tuple[Parts, Table]:
    """All measurements on the whole machine, and `likeness`."""
    alone = {name: launch for name, launch in start.items() if CONTESTANTS[name].alone}
    with ExitStack() as stack:
        workers = started(start, stack)
        single = {name: workers[name] for name in alone}
        alike = likeness(workers, directory)
        parts = {
            **singles(single, "query", "a short query", rounds * SINGLE),
            **singles(single, "paragraphs", "a paragraph", rounds * SINGLE),
            **bulk(workers, "mixed", count, rounds),
            **bulk(workers, "paragraphs", count, rounds),
            **bulk(workers, "short", count, rounds),
        }
    return parts | starts(alone, rounds), alike


def with_less(start: Mapping[str, Callable[..., Worker]], count: int, rounds: int) -> Parts:
    """What matters most, where not all cores are there, or others are at work on them."""
    parts: Parts = {}
    for limit, enter in LIMITS.items():
        with ExitStack() as stack:
            try:
                prefix = stack.enter_context(enter())
            except OSError as error:
                print(f"\n{limit}: not measured, {error}")
                continue
            workers = started(
                {name: partial(start[name], prefix=prefix) for name in LIMITED if name in start},
                stack,
            )
            found = singles(workers, "query", f"{limit}: a short query", rounds * SINGLE)
            some = bulk(workers, "short", count, rounds)
            parts |= found | {f"{limit}: {what}": times for what, times in some.items()}
    return parts


def started(start: Mapping[str, Callable[[], Worker]], stack: ExitStack) -> dict[str, Worker]:
    """Their processes, which end with the stack."""
    workers = {name: launch() for name, launch in start.items()}
    for worker in workers.values():
        stack.callback(worker.close)
    return workers


@click.command(context_settings={"show_default": True})
@click.option(
    "--python",
    "pythons",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help=f"Another Python, which has a peer's packages; may be given several times. {peers.PEERS} is one if it is there.",
)
@click.option("--texts", "count", type=click.IntRange(1), default=40, help="Texts in bulk.")
@click.option(
    "--rounds",
    type=click.IntRange(1),
    default=3,
    help=f"Rounds in bulk and of starts; of single texts {SINGLE} times as many.",
)
def main(pythons: Sequence[Path], count: int, rounds: int) -> None:
    """Measure this project's engine beside others on the same weights."""
    found = peers.Pythons(pythons)
    files = peers.upstream_files()
    with tempfile.TemporaryDirectory() as directory:
        places = peers.existing(
            models=DIRECTORY,
            shared=Path(directory) / "models",
            upstream=files,
            exported=peers.exported_files(files, found),
        )
        runs, missing = peers.able(found, places)
        for line in missing:
            print(line)
        # The first start publishes the model in the shared directory, where all later ones find it.
        Worker(OURS, runs[OURS], places).close()
        start = {name: partial(Worker, name, python, places) for name, python in runs.items()}
        parts, alike = with_all(start, count, rounds, Path(directory))
        title = "Embedding: medians of heimdall, and how many times as much the others take"
        show(side_by_side(title, parts))
        show(alike)
        if less := with_less(start, count, rounds):
            show(side_by_side("With less than the machine", less))


if __name__ == "__main__":
    main()
