"""The log files of heimdall's own programs, in the shared `logs` directory.

Each process writes a file of its own, named after the program, its start, the machine and the
process: no two ever write to one file, so nothing is torn or lost, on any filesystem and without a
lock. A file is made with its first record, is turned over once it is full, and old files are swept
when a new one begins.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

from heimdall.cognitive_system.data_dirs import get_logs_data_dir
from heimdall.models.ownership import is_own
from heimdall.models.processes import host_name, is_running, this_process
from heimdall.models.regular_file import open_regular
from heimdall.models.secrets import redact_message
from heimdall.models.settings import SettingsError
from heimdall.models.text import printable

LEVELS = ("debug", "info", "warning", "error", "off")
"""What `HEIMDALL_LOG_LEVEL` may be."""
DEFAULT_LEVEL = "info"
LOGGERS = ("heimdall", "cognitive_memory")
"""Whose records are kept; other libraries' may hold anything."""
MOST_BYTES = 1_000_000
"""A file that would grow beyond is turned over; the one before stays as `….log.1`."""
MOST_FILES = 20
"""How many are kept, besides those of running processes."""
MOST_SECONDS = 30 * 86_400
"""For how long they are kept."""

_NAME = re.compile(
    r"(?P<program>[a-z-]+)\.\d{8}T\d{6}Z\.(?P<host>[\w-]*)\.(?P<process>\d+)\.log(?:\.1)?"
)


def level_from_environment(environment: Mapping[str, str] = os.environ) -> str:
    """What `HEIMDALL_LOG_LEVEL` says.

    Raises:
        SettingsError: it is none of `LEVELS`.
    """
    text = environment.get("HEIMDALL_LOG_LEVEL", "")
    level = text.strip().lower() or DEFAULT_LEVEL
    if level not in LEVELS:
        raise SettingsError("HEIMDALL_LOG_LEVEL", text, f"one of {', '.join(LEVELS)}")
    return level


def keep_logs(program: str, *, level: str | None = None) -> ProcessLog | None:
    """Write this process' records to the shared directory from now on, as `HEIMDALL_LOG_LEVEL` says (default: info).

    Called once by each of heimdall's programs, never by an import. Nothing is made before the first
    record.

    Args:
        program: `heimdall` or `heimdall-mcp`.
        level: one of `LEVELS`; default: what `HEIMDALL_LOG_LEVEL` says.

    Returns:
        The handler; None if the level is `off`.

    Raises:
        SettingsError: `HEIMDALL_LOG_LEVEL` has a value that can't be used.
    """
    level = level or level_from_environment()
    log = None if level == "off" else ProcessLog(program, level.upper())
    for logger in map(logging.getLogger, LOGGERS):
        for handler in [each for each in logger.handlers if isinstance(each, ProcessLog)]:
            logger.removeHandler(handler)
            handler.close()
        if log:
            logger.addHandler(log)
            logger.setLevel(min(logger.level or logging.WARNING, log.level))
    return log


class ProcessLog(RotatingFileHandler):
    """Writes records to a file of this process, one line each but for tracebacks, without secrets.

    A log never breaks the program: where it can't be written, it is not.

    Args:
        program: the first part of the file's name.
        level: the least that is written, as `logging` names it.
    """

    def __init__(self, program: str, level: str) -> None:
        # The name is made anew whenever the file is opened: the child of a fork has one of its own.
        # Absolute, since the working directory may be gone.
        super().__init__(f"{os.sep}{program}", maxBytes=MOST_BYTES, backupCount=1, delay=True)
        self.setLevel(level)
        self.setFormatter(
            Redacting("%(asctime)s %(levelname)s %(name)s [%(threadName)s] %(message)s")
        )
        self._program = program
        self._started = datetime.now(UTC)
        self._process = os.getpid()

    @property
    def path(self) -> Path:
        """The file, which need not exist."""
        stamp = f"{self._started:%Y%m%dT%H%M%SZ}"
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


class Redacting(logging.Formatter):
    """Formats records so that no secret is in them, and no message can pass for another record.

    Args:
        style: as `logging.Formatter` takes it.
    """

    def __init__(self, style: str) -> None:
        super().__init__(style, "%Y-%m-%dT%H:%M:%SZ")
        self.converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        """The record's text, without control characters; all but its first line is indented."""
        try:
            text = super().format(record)
        except (TypeError, ValueError, KeyError):
            # its arguments don't fit; they may be anything, so they are not shown
            text = (
                f"a record of {record.name} ({record.filename}:{record.lineno}) can't be formatted"
            )
        lines = redact_message(text).replace("\r", "\\r").split("\n")
        return "\n    ".join(map(printable, lines))


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
