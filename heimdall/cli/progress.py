"""How far a command is, on stderr."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TypeAlias

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
    from heimdall.models.transfer.progress import make_progress

    shown = make_progress(what, "{:.0f}".format, wanted=Settings.from_environment().progress)
    try:
        yield shown.reach
    finally:
        shown.stop()
