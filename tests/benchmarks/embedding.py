"""Embedding, side by side: `python -m tests.benchmarks.embedding --models DIR [--upstream DIR]`.

Everything runs in one go and in paired rounds, since a machine's speed changes from minute to minute: a ratio is the median
of the rounds' ratios. Absolute times are this machine's alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median

import click
import numpy as np

from cognitive_memory.encoding.cores import usable_cores
from tests.benchmarks.contestants import Embed, make, names
from tests.benchmarks.corpus import QUERY, mixed_texts, short_texts
from tests.support.real_model import DIRECTORY

ROOT = Path(__file__).resolve().parents[2]
OURS = "heimdall"

Times = Mapping[str, Sequence[float]]


def paired(actions: Mapping[str, Callable[[], object]], rounds: int) -> Times:
    """Seconds of each action in each round; who goes first changes from round to round."""
    order = list(actions)
    times: dict[str, list[float]] = {name: [] for name in order}
    for number in range(rounds):
        turn = number % len(order)
        for name in order[turn:] + order[:turn]:
            start = time.perf_counter()
            actions[name]()
            times[name].append(time.perf_counter() - start)
    return times


def table(title: str, times: Times, unit: str = "s") -> list[str]:
    """Medians, and how many times longer than ours each takes."""
    scale = {"s": 1, "ms": 1000}[unit]
    lines = [title, f"  {'':24}{unit:>10}{'ratio':>9}"]
    for name, seconds in times.items():
        ratio = median(theirs / ours for theirs, ours in zip(seconds, times[OURS], strict=True))
        lines.append(f"  {name:24}{median(seconds) * scale:10.2f}{ratio:8.1f}x")
    return lines


def bulk(contestants: Mapping[str, Embed], texts: Sequence[str], rounds: int) -> Times:
    return paired({name: partial(embed, texts) for name, embed in contestants.items()}, rounds)


def query(contestants: Mapping[str, Embed], rounds: int) -> Times:
    for embed in contestants.values():
        embed([QUERY])  # the first run of a shape allocates
    return paired({name: partial(embed, [QUERY]) for name, embed in contestants.items()}, rounds)


def first_vector(contestants: Sequence[str], models: Path, upstream: Path | None, rounds: int) -> Times:
    """From the start of a process to its first vector."""
    environment = os.environ | {"HEIMDALL_FETCH": "never", "PYTHONPATH": str(ROOT)}
    places = f"Path({str(models)!r}), {f'Path({str(upstream)!r})' if upstream else None}"

    def start(name: str) -> Callable[[], object]:
        code = (
            "from pathlib import Path; from tests.benchmarks.contestants import make\n"
            f"make({name!r}, {places})([{QUERY!r}])"
        )
        command = [sys.executable, "-c", code]
        return lambda: subprocess.run(command, check=True, capture_output=True, env=environment)

    return paired({name: start(name) for name in contestants}, rounds)


def agreement(contestants: Mapping[str, Embed], texts: Sequence[str]) -> list[str]:
    """How like ours the others' vectors are: a fast wrong answer is none."""
    ours = contestants[OURS](texts)
    lines = ["Cosine with ours, least of all texts"]
    for name, embed in contestants.items():
        theirs = embed(texts)
        cosines = (ours * theirs).sum(axis=1) / np.linalg.norm(theirs, axis=1)
        lines.append(f"  {name:24}{cosines.min():10.6f}")
    return lines


@click.command(context_settings={"show_default": True})
@click.option("--models", type=click.Path(exists=True, file_okay=False, path_type=Path), default=DIRECTORY)
@click.option(
    "--upstream",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Upstream's files as sentence-transformers reads them; without it, or its package, it is left out.",
)
@click.option("--texts", "count", type=click.IntRange(1), default=300, help="Texts in bulk.")
@click.option(
    "--rounds", type=click.IntRange(1), default=3, help="Rounds in bulk; single queries run 10 times as many."
)
@click.option("--json", "as_json", is_flag=True, help="Print the times in seconds as JSON.")
def main(models: Path, upstream: Path | None, count: int, rounds: int, *, as_json: bool) -> None:
    """Measure this project's engine beside others on the same weights."""
    chosen = names(upstream)
    contestants = {name: make(name, models, upstream) for name in chosen}
    texts = mixed_texts(count)
    likeness = agreement(contestants, texts[:20])  # also warms up
    parts: dict[str, tuple[Times, str]] = {
        f"Bulk, {count} mixed texts": (bulk(contestants, texts, rounds), "s"),
        f"Bulk, {count} short texts": (bulk(contestants, short_texts(count), rounds), "s"),
        "One short query": (query(contestants, rounds * 10), "ms"),
        "Process start to first vector": (first_vector(chosen, models, upstream, rounds), "ms"),
    }
    if as_json:
        click.echo(json.dumps({title: times for title, (times, _) in parts.items()}, indent=2))
        return
    click.echo(f"{usable_cores()} cores, {rounds} rounds; times are medians, a ratio is against ours")
    for title, (times, unit) in parts.items():
        click.echo("\n".join(["", *table(title, times, unit)]))
    click.echo("\n".join(["", *likeness]))


if __name__ == "__main__":
    main()
