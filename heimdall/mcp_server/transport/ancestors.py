"""Which process is the client: who started the launchers that started this one, as a snapshot of processes tells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from heimdall.models.windows import Process

_LAUNCHERS: Final = frozenset({"heimdall-mcp", "heimdall", "uvx", "uvw", "uv", "pipx", "py", "cmd"})
"""Programs that do nothing but wait for the server that they started, and outlive their client together with it."""


def client_of(number: int, processes: Mapping[int, Process], *, redirected: str = "") -> int | None:
    """The number of the first process above `number` that is no launcher; None if it is gone or not known.

    Args:
        number: of this process.
        processes: all that run.
        redirected: the name of the program by which a virtual environment starts its Python, if this one was started so.
            The first process of that name is no client; another one is a client that is written in Python.
    """
    seen = {number}
    redirector = redirected.lower().removesuffix(".exe")
    while number in processes:
        number = processes[number].parent
        if number in seen or number not in processes:
            return None  # a circle, of numbers that were given anew
        seen.add(number)
        name = processes[number].name.lower().removesuffix(".exe")
        if name == redirector:
            redirector = ""
        elif name not in _LAUNCHERS:
            return number
    return None
