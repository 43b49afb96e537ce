"""Where the log records of heimdall's own programs go: to a file of each process in the shared `logs` directory.

It is made with the first record. What writes it is loaded then, too: most commands have no record, and it takes as long
as a search.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from heimdall.cognitive_system.log_file import LogFile

LEVELS = ("debug", "info", "warning", "error", "off")
"""What `HEIMDALL_LOG_LEVEL` may be."""
DEFAULT_LEVEL = "info"
LOGGERS = ("heimdall", "cognitive_memory")
"""Whose records are kept; other libraries' may hold anything."""


def level_from_environment(environment: Mapping[str, str] = os.environ) -> str:
    """What `HEIMDALL_LOG_LEVEL` says.

    Raises:
        SettingsError: it is none of `LEVELS`.
    """
    text = environment.get("HEIMDALL_LOG_LEVEL", "")
    level = text.strip().lower() or DEFAULT_LEVEL
    if level not in LEVELS:
        from heimdall.models.settings import SettingsError

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


class ProcessLog(logging.Handler):
    """Writes records to a `LogFile`, one line each but for tracebacks, without secrets.

    A log never breaks the program: where it can't be written, it is not.

    Args:
        program: the first part of the file's name.
        level: the least that is written, as `logging` names it.
    """

    def __init__(self, program: str, level: str) -> None:
        super().__init__(level)
        self._program = program
        self._started = time.time()

    @cached_property
    def file(self) -> LogFile:
        """What writes them."""
        from heimdall.cognitive_system.log_file import LogFile

        file = LogFile(self._program, self._started)
        file.setFormatter(
            Redacting("%(asctime)s %(levelname)s %(name)s [%(threadName)s] %(message)s")
        )
        return file

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; it is lost where what writes it can't be loaded, as without descriptors."""
        with contextlib.suppress(ImportError, OSError):
            self.file.emit(record)

    def close(self) -> None:
        """Close the file, if it was made."""
        if "file" in vars(self):
            self.file.close()
        super().close()


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
        from heimdall.models.secrets import redact_message
        from heimdall.models.text import printable

        lines = redact_message(text).replace("\r", "\\r").split("\n")
        return "\n    ".join(map(printable, lines))
