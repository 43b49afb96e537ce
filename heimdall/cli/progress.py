"""How far a command is, on stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import TypeAlias

from heimdall.cli import output

_LINE_SECONDS = 15.0

Report: TypeAlias = Callable[[int, int], None]
"""Takes how much is done, and of how much; 0 for a whole that is not known yet."""


@contextlib.contextmanager
def progress(what: str) -> Iterator[Report]:
    """Show progress while the block runs: nothing with `HEIMDALL_PROGRESS=0`.

    Args:
        what: what is being done, for example "embedding memories".

    Yields:
        A function to be told of each step, as often as one likes.

    Raises:
        SettingsError: `HEIMDALL_PROGRESS` has a value that can't be used.
    """
    from heimdall.models.settings import Settings

    if not Settings.from_environment().progress:
        yield lambda _done, _total: None
    elif output.on_terminal(sys.stderr):
        with _bar(what) as report:
            yield report
    else:
        yield _lines(what)


def _lines(what: str) -> Report:
    due = time.monotonic() + _LINE_SECONDS

    def report(done: int, total: int) -> None:
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + _LINE_SECONDS
            output.error(f"{what}: {done} of {total}" if total else f"{what}: {done}")

    return report


@contextlib.contextmanager
def _bar(what: str) -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total or None)
