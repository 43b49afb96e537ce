"""A terminal of a given width, with a real process in it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence


def on_a_terminal(
    command: Sequence[str],
    *,
    columns: int = 80,
    environment: Mapping[str, str] | None = None,
    typed: str = "",
) -> tuple[int, str]:
    """Run a command whose stdin, stdout and stderr are a terminal.

    Args:
        command: the program and its arguments.
        columns: how wide the terminal is.
        environment: default: this process's, with `TERM=xterm-256color`.
        typed: what somebody types.

    Returns:
        The exit code and everything that the terminal was sent.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    variables = {"TERM": "xterm-256color", **(os.environ if environment is None else environment)}
    variables.pop("COLUMNS", None)
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=variables, start_new_session=True
    ) as process:
        os.close(theirs)
        os.write(ours, typed.encode())
        received = b""
        with contextlib.suppress(OSError):  # EIO: the last of them has closed it
            while chunk := os.read(ours, 65536):
                received += chunk
        os.close(ours)
        code = process.wait(timeout=60)
    return code, received.decode().replace("\r\n", "\n")
