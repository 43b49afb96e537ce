"""Timing whole processes side by side: in turn, in one run, medians and ratios of pairs, since machines are noisy."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


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
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
        )
        return float(done.stdout) if self.reports else time.perf_counter() - began


def compare(title: str, contestants: Sequence[Contestant], rounds: int) -> None:
    """Run all in turn after one warm-up round; print each median, and the median ratio of the first to each other."""
    times: dict[str, list[float]] = {contestant.name: [] for contestant in contestants}
    for number in range(rounds + 1):
        for contestant in contestants:
            seconds = contestant.seconds()
            if number:
                times[contestant.name].append(seconds)
    first = times[contestants[0].name]
    print(f"\n{title} ({rounds} rounds, medians; ratio = first / this, pair by pair)")
    for name, measured in times.items():
        ratio = statistics.median(a / b for a, b in zip(first, measured, strict=True))
        print(f"  {name:<48} {1000 * statistics.median(measured):>8.1f} ms   {ratio:5.2f}")
