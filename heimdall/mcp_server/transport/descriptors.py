"""The client's end of stdin and stdout, out of reach of everything else in this process and of its children."""

from __future__ import annotations

import os
import sys
from typing import NamedTuple


class Wire(NamedTuple):
    """What the client wrote to us, and where it reads: file descriptors that no child inherits."""

    incoming: int
    outgoing: int


def claim_standard_streams() -> Wire:
    """Take file descriptors 0 and 1 for the protocol.

    Afterwards 0 reads nothing and 1 is standard error, for Python, for C libraries and for child processes alike: a stray
    `print` is seen by people and never by the client. A missing standard stream is the null device.
    """
    for descriptor in range(3):
        _make_sure_it_is_open(descriptor)
    wire = Wire(os.dup(0), os.dup(1))
    _point(0, at=os.open(os.devnull, os.O_RDONLY), close=True)
    _point(1, at=2)
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115 (for as long as we live)
    sys.stdout = sys.stderr
    return wire


def _make_sure_it_is_open(descriptor: int) -> None:
    # Otherwise the next file that is opened, a database perhaps, gets this number and everything that is printed.
    try:
        os.fstat(descriptor)
    except OSError:
        null = os.open(os.devnull, os.O_RDWR)
        if null != descriptor:
            _point(descriptor, at=null, close=True)
        os.set_inheritable(descriptor, True)


def _point(descriptor: int, *, at: int, close: bool = False) -> None:
    os.dup2(at, descriptor)
    if close:
        os.close(at)
