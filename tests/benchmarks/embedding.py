"""Embedding, side by side: `python -m tests.benchmarks embedding [--python PATH …]`.

Each contestant runs in a process of its own, all in one go and in paired rounds, since a machine's speed changes from minute to
minute: a ratio is the median of the rounds' ratios. Before each turn the machine is let come to rest. Absolute times are this machine's alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from random import Random
from statistics import median, quantiles
from typing import Any

import click
import numpy as np

from cognitive_memory.encoding.cores import usable_cores
from cognitive_memory.encoding.tokenization import TextTokenizer
from tests.benchmarks import gemm, idle, peers, plot
from tests.benchmarks.contestants import CONTESTANTS, OURS, Places
from tests.benchmarks.corpus import TEXTS
from tests.support.real_model import DIRECTORY, ROOT

Times = Mapping[str, Sequence[float]]
LIKENESS = 20
"""Texts whose vectors are compared."""


class Worker:
    """A contestant's process.

    Attributes:
        first_vector: seconds from the start of the process to its first vector.
        memory: bytes that it then had in memory.
    """

    def __init__(self, name: str, python: str, places: Places, rows: int) -> None:
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
        command = [python, "-m", "tests.benchmarks.worker", name, json.dumps(places), str(rows)]
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


def paired(
    actions: Mapping[str, Callable[[], float]],
    rounds: int,
    settle: Callable[[], object] = lambda: idle.wait(usable_cores()),
) -> Times:
    """What each action returns in each round, in an order that is shuffled for each, always in the same ways.

    `settle` is called before each action.
    """
    shuffled = Random(1)
    times: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(rounds):
        for name in shuffled.sample(list(actions), len(actions)):
            settle()
            times[name].append(actions[name]())
    return times


def ratio(times: Times, name: str) -> float:
    """How many times more than ours, the median of the rounds' ratios."""
    return median(theirs / ours for theirs, ours in zip(times[name], times[OURS], strict=True))


def table(title: str, times: Times, unit: str = "s") -> list[str]:
    """Medians, and how many times more than ours each takes; of many rounds the 95th percentile too."""
    scale = {"s": 1, "ms": 1000, "MB": 1e-6}[unit]
    many = len(times[OURS]) >= 20
    lines = [title, f"  {'':32}{unit:>10}{'p95' if many else '':>10}{'ratio':>9}"]
    for name, values in times.items():
        tail = f"{quantiles(values, n=20)[-1] * scale:10.2f}" if many else " " * 10
        lines.append(f"  {name:32}{median(values) * scale:10.2f}{tail}{ratio(times, name):8.2f}x")
    return lines


def likeness(workers: Mapping[str, Worker], directory: Path) -> list[str]:
    """How like ours the others' vectors are: a fast wrong answer is none."""
    vectors = {}
    for name, worker in workers.items():
        worker.seconds("mixed", LIKENESS, save=str(directory / "vectors.npy"))
        vectors[name] = np.load(directory / "vectors.npy")
    lines = ["Cosine with ours, least of all texts"]
    for name, theirs in vectors.items():
        cosines = (vectors[OURS] * theirs).sum(axis=1) / np.linalg.norm(theirs, axis=1)
        note = "" if CONTESTANTS[name].alike else "  (reads less of long texts)"
        lines.append(f"  {name:32}{cosines.min():10.6f}{note}")
    return lines


def after_a_pause(worker: Worker, kind: str, later: list[float]) -> float:
    """Seconds of the first of some single texts; the median of those that follow is added to `later`."""
    first, *others = worker.in_a_row(kind, 1, 6)
    later.append(median(others))
    return first


def in_bulk(name: str, worker: Worker, kind: str, count: int) -> float:
    """Seconds for so many texts."""
    part = max(1, count // CONTESTANTS[name].sample)
    return worker.seconds(kind, part) * count / part


def best_rows(name: str, python: str, places: Places) -> int:
    """The batch size with which a contestant is quickest; 0 where it has its own."""
    seconds = {}
    for rows in CONTESTANTS[name].tries:
        worker = Worker(name, python, places, rows)
        seconds[rows] = min(worker.seconds("mixed", 60) for _ in range(2))
        worker.close()
    return min(seconds, key=seconds.__getitem__, default=0)


def measure(
    start: Mapping[str, Callable[[], Worker]], count: int, rounds: int, directory: Path
) -> tuple[Parts, list[str]]:
    """All measurements.

    Returns:
        By title, the times (or bytes) and their unit; and the lines of `likeness`.
    """
    alone = [name for name in start if CONTESTANTS[name].alone]
    first: dict[str, list[Worker]] = {name: [] for name in alone}

    def first_vector(name: str) -> float:
        worker = start[name]()
        worker.close()
        first[name].append(worker)
        return worker.first_vector

    starts = paired({name: partial(first_vector, name) for name in alone}, rounds * 3)
    memory = {name: [float(worker.memory) for worker in runs] for name, runs in first.items()}
    workers = {name: launch() for name, launch in start.items()}
    try:
        alike = likeness(workers, directory)
        parts: Parts = {}
        for kind in ("mixed", "paragraphs", "short"):
            bulk = {
                name: partial(in_bulk, name, worker, kind, count)
                for name, worker in workers.items()
            }
            times = paired(bulk, rounds)
            parts[f"Bulk, {count} {kind}{' texts' if kind != 'paragraphs' else ''}"] = (times, "s")
        for kind, title in (("query", "One short query"), ("paragraphs", "One paragraph")):
            later: dict[str, list[float]] = {name: [] for name in alone}
            single = {
                name: partial(after_a_pause, workers[name], kind, later[name]) for name in alone
            }
            paired(single, 3)  # the first runs of a shape allocate
            for values in later.values():
                values.clear()
            first_of_row = paired(single, rounds * 7)
            parts[f"{title} of many in a row"] = (later, "ms")
            parts[f"{title} after a pause"] = (first_of_row, "ms")
    finally:
        for worker in workers.values():
            worker.close()
    parts["Process start to first vector"] = (starts, "ms")
    parts["Memory after the first vector"] = (memory, "MB")
    return parts, alike


Parts = dict[str, tuple[Times, str]]


def share_of_peak(models: Path, count: int, seconds: float) -> str:
    """What the matrix products of the mixed texts take of what the processor can do."""
    tokenize = TextTokenizer(models, 512)
    operations = sum(
        gemm.sentence_operations(len(row)) for row in tokenize(TEXTS["mixed"](count)).rows
    )
    most = gemm.peak(usable_cores())
    rate = operations / seconds
    return f"{rate / 1e9:.0f} GFLOP/s in bulk, {rate / most:.0%} of the {most / 1e9:.0f} that matrix products alone reach"


@click.command(context_settings={"show_default": True})
@click.option(
    "--models", type=click.Path(exists=True, file_okay=False, path_type=Path), default=DIRECTORY
)
@click.option(
    "--upstream",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Upstream's files as sentence-transformers reads them; default: of the wheel that `make models` downloaded.",
)
@click.option(
    "--python",
    "pythons",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="Another Python, which has a peer's packages; may be given several times.",
)
@click.option("--texts", "count", type=click.IntRange(1), default=100, help="Texts in bulk.")
@click.option(
    "--rounds",
    type=click.IntRange(1),
    default=3,
    help="Rounds in bulk; starts 3, single texts 7 times as many.",
)
@click.option("--json", "as_json", is_flag=True, help="Print seconds and bytes as JSON.")
@click.option(
    "--plot",
    "picture",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw the ratios into this SVG.",
)
def main(
    models: Path,
    upstream: Path | None,
    pythons: Sequence[Path],
    count: int,
    rounds: int,
    picture: Path | None,
    *,
    as_json: bool,
) -> None:
    """Measure this project's engine beside others on the same weights."""
    found = peers.Pythons(pythons)
    files = peers.upstream_files(upstream)
    with tempfile.TemporaryDirectory() as directory:
        shared = Path(directory) / "models"
        places = peers.existing(
            models=models,
            shared=shared,
            upstream=files,
            exported=peers.exported_files(files, found),
        )
        runs, missing = peers.able(found, places)
        for line in missing:
            click.echo(line, err=True)
        # The first start publishes the model in the shared directory, where all later ones find it.
        Worker(OURS, runs[OURS], places, 0).close()
        start = {
            name: partial(Worker, name, python, places, best_rows(name, python, places))
            for name, python in runs.items()
        }
        parts, alike = measure(start, count, rounds, Path(directory))
    if picture is not None:
        picture.write_text(
            plot.bars({title: times for title, (times, _) in parts.items()}), encoding="utf-8"
        )
    if as_json:
        click.echo(json.dumps({title: times for title, (times, _) in parts.items()}, indent=2))
        return
    click.echo(
        f"{usable_cores()} cores, {rounds} rounds; figures are medians, a ratio is against ours"
    )
    for title, (times, unit) in parts.items():
        click.echo("\n".join(["", *table(title, times, unit)]))
    bulk = min(parts[f"Bulk, {count} mixed texts"][0][OURS])
    click.echo("\n".join(["", *alike, "", share_of_peak(models, count, bulk)]))


if __name__ == "__main__":
    main()
