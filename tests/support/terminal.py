"""A terminal of a given width, with a real process in it."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import struct
import subprocess
import time
from collections.abc import Mapping, Sequence

import pytest

from tests.support.waiting import PATIENCE


def on_a_terminal(
    command: Sequence[str],
    *,
    columns: int = 80,
    environment: Mapping[str, str] | None = None,
    typed: str = "",
    seconds: float = PATIENCE,
) -> tuple[int, str]:
    """Run a command whose stdin, stdout and stderr are a terminal.

    Args:
        command: the program and its arguments.
        columns: how wide the terminal is.
        environment: default: this process's, with `TERM=xterm-256color`.
        typed: what somebody types.
        seconds: how long the command may take, with all that it leaves behind on the terminal.

    A test that needs one is skipped where there is none.

    Returns:
        The exit code and everything that the terminal was sent.

    Raises:
        TimeoutError: it goes on for longer; it is ended then.
    """
    fcntl, pty, termios = map(pytest.importorskip, ("fcntl", "pty", "termios"))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    variables = {"TERM": "xterm-256color", **(os.environ if environment is None else environment)}
    variables.pop("COLUMNS", None)
    until = time.monotonic() + seconds
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=variables, start_new_session=True
    ) as process:
        os.close(theirs)
        os.write(ours, typed.encode())
        received = b""
        with contextlib.suppress(OSError):  # EIO: the last of them has closed it
            while chunk := _read(ours, until):
                received += chunk
        os.close(ours)
        if late := time.monotonic() >= until:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        code = process.wait(timeout=900)
    seen = received.decode(errors="replace").replace("\r\n", "\n")
    if late:
        raise TimeoutError(f"{command} went on for {seconds} seconds, and said so far:\n{seen}")
    return code, seen


def _read(terminal: int, until: float) -> bytes:
    """What comes next; nothing at the end and when the time is up."""
    ready, _, _ = select.select([terminal], [], [], max(0, until - time.monotonic()))
    return os.read(terminal, 65536) if ready else b""
