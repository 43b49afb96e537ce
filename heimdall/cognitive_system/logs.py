"""The log files of heimdall's own programs, in the shared `logs` directory.

Each process writes a file of its own, named after the program, its start, the machine and the process: no two ever write
to one file, so nothing is torn or lost, on any filesystem and without a lock. A file is made with its first record, is
turned over once it is full, and old files are swept when a new one begins.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import time
from datetime import UTC, datetime
from pathlib import Path

from heimdall.cognitive_system.data_dirs import get_logs_data_dir
from heimdall.models.processes import host_name, is_running, this_process
from heimdall.models.secrets import redact_message
from heimdall.models.settings import SettingsError

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


def level_from_environment() -> str:
    """What `HEIMDALL_LOG_LEVEL` says.

    Raises:
        SettingsError: it is none of `LEVELS`.
    """
    level = os.environ.get("HEIMDALL_LOG_LEVEL", "").strip().lower() or DEFAULT_LEVEL
    if level not in LEVELS:
        raise SettingsError(
            "HEIMDALL_LOG_LEVEL", os.environ["HEIMDALL_LOG_LEVEL"], f"one of {', '.join(LEVELS)}"
        )
    return level


def keep_logs(program: str, *, level: str | None = None) -> ProcessLog | None:
    """Write this process' records to the shared directory from now on, as `HEIMDALL_LOG_LEVEL` says (default: info).

    Called once by each of heimdall's programs, never by an import. Nothing is made before the first record.

    Args:
        program: `heimdall` or `heimdall-mcp`.
        level: one of `LEVELS`; default: what `HEIMDALL_LOG_LEVEL` says.

    Returns:
        The handler; None if the level is `off`.

    Raises:
        SettingsError: `HEIMDALL_LOG_LEVEL` has a value that can't be used.
    """
    level = level or level_from_environment()
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers = [
            handler for handler in logger.handlers if not isinstance(handler, ProcessLog)
        ]
    if level == "off":
        return None
    log = ProcessLog(program)
    log.setLevel(level.upper())
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.addHandler(log)
        logger.setLevel(min(logger.level or logging.WARNING, log.level))
    return log


class ProcessLog(logging.Handler):
    """Writes records to a file of this process, one line each but for tracebacks, without secrets.

    A log never breaks the program: where it can't be written, it is not.

    Args:
        program: the first part of the file's name.
    """

    def __init__(self, program: str) -> None:
        super().__init__()
        self.setFormatter(
            Redacting("%(asctime)s %(levelname)s %(name)s [%(threadName)s] %(message)s")
        )
        self._program = program
        self._started = datetime.now(UTC)
        self._process = os.getpid()
        self._descriptor: int | None = None
        self._size = 0

    @property
    def path(self) -> Path:
        """The file, which need not exist."""
        stamp = f"{self._started:%Y%m%dT%H%M%SZ}"
        return get_logs_data_dir() / f"{self._program}.{stamp}.{this_process()}.log"

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            line = f"{self.format(record)}\n".encode(errors="backslashreplace")
            descriptor = self._open(len(line))
            self._size += os.write(descriptor, line)
        except OSError:  # a full disk, a directory of somebody else's
            self._shut()

    def close(self) -> None:
        """Close the file."""
        self._shut()
        super().close()

    def _open(self, more: int) -> int:
        """The open file, with room for so many bytes more."""
        if self._process != os.getpid():  # a fork: the child has a file of its own
            self._shut()
            self._process = os.getpid()
        if self._descriptor is not None and self._size + more > MOST_BYTES:
            self._shut()
            self.path.replace(self.path.with_name(f"{self.path.name}.1"))
        if self._descriptor is None:
            path = self.path
            path.parent.mkdir(parents=True, exist_ok=True)
            sweep(path.parent)
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            self._size = os.fstat(self._descriptor).st_size
        return self._descriptor

    def _shut(self) -> None:
        descriptor, self._descriptor, self._size = self._descriptor, None, 0
        if descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(descriptor)


class Redacting(logging.Formatter):
    """Formats records so that no secret is in them, and no message can pass for another record.

    Args:
        style: as `logging.Formatter` takes it.
    """

    def __init__(self, style: str) -> None:
        super().__init__(style, "%Y-%m-%dT%H:%M:%SZ")
        self.converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        """The record's text; all but its first line is indented."""
        try:
            text = super().format(record)
        except (
            TypeError,
            ValueError,
            KeyError,
        ):  # its arguments don't fit; they may be anything, so they are not shown
            text = (
                f"a record of {record.name} ({record.filename}:{record.lineno}) can't be formatted"
            )
        return redact_message(text).replace("\r", "\\r").replace("\n", "\n    ")


def sweep(directory: Path) -> None:
    """Remove old logs: those that are beyond `MOST_FILES` or `MOST_SECONDS` and whose process does not run any more.

    Several processes may do this at once. Files with other names are left alone.
    """
    dated = []
    for path in directory.glob("*.log*"):
        match = _NAME.fullmatch(path.name)
        with contextlib.suppress(OSError):  # another process has removed it
            if match and not (match["host"] == host_name() and is_running(int(match["process"]))):
                dated.append((path.stat().st_mtime, path))
    dated.sort(reverse=True)
    oldest = time.time() - MOST_SECONDS
    for number, (written, path) in enumerate(dated):
        if number >= MOST_FILES or written < oldest:
            # removed meanwhile; another user's; open, on Windows
            with contextlib.suppress(OSError):
                path.unlink()
