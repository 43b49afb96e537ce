"""Timing side by side: in turn, in one run, medians and ratios of pairs, since machines are noisy."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from cognitive_memory.encoding.cores import usable_cores
from tests.benchmarks import idle
from tests.benchmarks.tables import Table, Times, compared, show

NOWHERE = os.sep
"""Where commands run: away from the checkout, which Python would import from before anything that is installed."""


@dataclass(frozen=True)
class Contestant:
    """A command to time; `prepare` runs before each round and is not timed.

    Attributes:
        reports: the command prints the seconds of the part that counts, which are taken instead of its own.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] | None = None
    prepare: Callable[[], None] = lambda: None
    reports: bool = False

    def seconds(self) -> float:
        """Seconds of one run."""
        self.prepare()
        began = time.perf_counter()
        done = subprocess.run(
            self.command,
            check=True,
            cwd=NOWHERE,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
        )
        return float(done.stdout) if self.reports else time.perf_counter() - began


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


def compare(title: str, contestants: Sequence[Contestant], rounds: int) -> Table:
    """Run all in turn after one warm-up run, and show each median and how many times as long as the first each takes.

    A peer that can't run here is named and left out.
    """
    able = {}
    for contestant in contestants:
        try:
            contestant.seconds()
            able[contestant.name] = contestant.seconds
        except (OSError, subprocess.CalledProcessError) as error:
            if contestant is contestants[0]:
                raise
            print(f"\n{contestant.name}: not measured, {error}")
    table = compared(f"{title} ({rounds} rounds)", paired(able, rounds), "ms")
    show(table)
    return table
