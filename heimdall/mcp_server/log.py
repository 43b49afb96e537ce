"""The server's own log: on stderr, where clients show it, and in the shared directory."""

from __future__ import annotations

import logging
import os
import time
from typing import Final

from heimdall.cognitive_system.logs import DEFAULT_LEVEL, Redacting, keep_logs
from heimdall.errors import HeimdallError

_MOST_A_MINUTE: Final = 10
_MINUTE: Final = 60.0


class Sparing(logging.Filter):
    """Lets through so many records a minute of each place in the code: who makes errors must not fill a disk with them."""

    def __init__(self) -> None:
        super().__init__()
        self._counts: dict[tuple[str, int], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is written; the last one of a minute says so."""
        place, now = (record.pathname, record.lineno), time.monotonic()
        began, count = self._counts.get(place, (now, 0))
        if now - began >= _MINUTE:
            began, count = now, 0
        self._counts[place] = began, count + 1
        if count == _MOST_A_MINUTE - 1:
            record.msg, record.args = (
                f"{record.getMessage()} (for a minute, more of these are left out)",
                (),
            )
        return count < _MOST_A_MINUTE


def begin_log() -> None:
    """Keep a log file as `HEIMDALL_LOG_LEVEL` says, and write warnings to stderr too, or all of that level if it is set."""
    stderr = logging.StreamHandler()
    stderr.setFormatter(Redacting("heimdall-mcp: %(levelname)s: %(message)s"))
    stderr.setLevel(logging.WARNING)
    stderr.addFilter(Sparing())
    logging.getLogger().addHandler(stderr)
    try:
        log = keep_logs("heimdall-mcp")
    except HeimdallError as error:  # a client can't show why a server does not start
        log = keep_logs("heimdall-mcp", level=DEFAULT_LEVEL)
        logging.getLogger(__name__).warning("%s; %s is taken", error, DEFAULT_LEVEL)
    else:
        if log is not None and os.environ.get("HEIMDALL_LOG_LEVEL"):
            stderr.setLevel(log.level)


def tell_beginning() -> None:
    """Note in the log that the server begins. The first record makes the file, which takes as long as an answer."""
    logging.getLogger(__name__).info(
        "the server begins, in %s", os.environ.get("PWD", "an unknown directory")
    )
