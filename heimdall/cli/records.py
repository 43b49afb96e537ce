"""Where a command's log records go: into the log file, and warnings to the user as well."""

from __future__ import annotations

import contextlib
import logging

from heimdall.cli import output
from heimdall.cognitive_system.logs import DEFAULT_LEVEL, LOGGERS, keep_logs
from heimdall.errors import HeimdallError

_ISSUES = "https://github.com/lcbcFoo/heimdall-mcp-server/issues"


class _ToUser(logging.Handler):
    """Says warnings and errors on stderr, without tracebacks."""

    def emit(self, record: logging.LogRecord) -> None:
        output.error(record.getMessage().removeprefix("heimdall: "))


_to_user = _ToUser(logging.WARNING)


def begin(*, lenient: bool = False) -> None:
    """Send the records of this process to the log file and to the user.

    Args:
        lenient: take the default level where `HEIMDALL_LOG_LEVEL` can't be used.

    Raises:
        SettingsError: `HEIMDALL_LOG_LEVEL` has a value that can't be used.
    """
    try:
        keep_logs("heimdall")
    except HeimdallError:
        if not lenient:
            raise
        keep_logs("heimdall", level=DEFAULT_LEVEL)
    for name in LOGGERS:
        logging.getLogger(name).addHandler(_to_user)  # once, however often it is added


def mistake_of_ours(error: Exception) -> None:
    """Keep the traceback of an error that should not have happened, and tell the user in one sentence."""
    name = f"{type(error).__name__}: {error}"
    where = "set HEIMDALL_DEBUG=1 to see where"
    with contextlib.suppress(HeimdallError):  # what the user is to learn of now is the mistake
        if log := keep_logs("heimdall"):
            trace = (type(error), error, error.__traceback__)
            log.handle(logging.LogRecord("heimdall", logging.ERROR, "", 0, name, None, trace))
            if log.file.path.exists():
                where = f"the details are in {log.file.path}"
    output.error(f"this should not have happened: {name}; {where}. Please report it at {_ISSUES}")
