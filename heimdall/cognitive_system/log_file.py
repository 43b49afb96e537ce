"""The file that a process writes its log records to, named after the program, its start, the machine and the process.

No two ever write to one file, so nothing is torn or lost, on any filesystem and without a lock. A file is turned over
once it is full, and old files are swept when a new one begins.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path

from heimdall.cognitive_system.data_dirs import get_logs_data_dir
from heimdall.models.ownership import is_own
from heimdall.models.processes import host_name, is_running, this_process
from heimdall.models.regular_file import open_regular

MOST_BYTES = 1_000_000
"""A file that would grow beyond is turned over; the one before stays as `….log.1`."""
MOST_FILES = 20
"""How many are kept, besides those of running processes."""
MOST_SECONDS = 30 * 86_400
"""For how long they are kept."""

_NAME = re.compile(
    r"(?P<program>[a-z-]+)\.\d{8}T\d{6}Z\.(?P<host>[\w-]*)\.(?P<process>\d+)\.log(?:\.1)?"
)


class LogFile(RotatingFileHandler):
    """Writes records to a file of this process.

    Args:
        program: the first part of the file's name.
        started: when it was started, in seconds as `time.time` counts them.
    """

    def __init__(self, program: str, started: float) -> None:
        # The name is made anew whenever the file is opened: the child of a fork has one of its own.
        # Absolute, since the working directory may be gone.
        super().__init__(f"{os.sep}{program}", maxBytes=MOST_BYTES, backupCount=1, delay=True)
        self._program = program
        self._started = started
        self._process = os.getpid()

    @property
    def path(self) -> Path:
        """The file, which need not exist."""
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._started))
        return get_logs_data_dir() / f"{self._program}.{stamp}.{this_process()}.log"

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        if self._process != os.getpid():
            self._process = os.getpid()
            self._shut()
        super().emit(record)

    def _open(self) -> io.TextIOWrapper:
        path = self.path
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path.parent)
        self.baseFilename = str(path)
        # Not buffered: a record is one write, so that neither a kill nor a fork leaves half of one.
        raw = open(path, "ab", buffering=0, opener=_open_own)  # noqa: SIM115 (the handler closes it)
        return io.TextIOWrapper(raw, "utf-8", errors="backslashreplace", write_through=True)

    def handleError(self, _record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """Lose a record that can't be written: a full disk, a directory of somebody else's."""
        self._shut()

    def _shut(self) -> None:
        stream, self.stream = self.stream, None
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()


def _open_own(path: str, flags: int) -> int:
    """Open a log that this user alone can read, and that nobody prepared under its name.

    Raises:
        OSError: what is there is a link, has a second name, or is somebody else's.
    """
    descriptor = open_regular(Path(path), flags, 0o600)
    status = os.fstat(descriptor)
    if status.st_nlink != 1 or not is_own(status):
        os.close(descriptor)
        raise PermissionError(f"{path} is not a log of this user's")
    return descriptor


def sweep(directory: Path) -> None:
    """Remove old logs: those that are beyond `MOST_FILES` or `MOST_SECONDS` and whose process does not run any more.

    Several processes may do this at once. Files with other names are left alone.
    """
    by_time: list[tuple[float, Path]] = []
    for path in directory.glob("*.log*"):
        match = _NAME.fullmatch(path.name)
        if match and not (match["host"] == host_name() and is_running(int(match["process"]))):
            with contextlib.suppress(OSError):  # another process has removed it
                by_time.append((path.stat().st_mtime, path))
    oldest = time.time() - MOST_SECONDS
    for number, (written, path) in enumerate(sorted(by_time, reverse=True)):
        if number >= MOST_FILES or written < oldest:
            # removed meanwhile; another user's; open, on Windows
            with contextlib.suppress(OSError):
                path.unlink()
