"""The server's own log: on stderr, where clients show it, and in the shared directory."""

from __future__ import annotations

import logging
import os

from heimdall.cognitive_system.logs import DEFAULT_LEVEL, Redacting, keep_logs
from heimdall.models.settings import SettingsError


def begin_log() -> None:
    """Keep a log file as `HEIMDALL_LOG_LEVEL` says, and write warnings to stderr too, or all of that level if it is set."""
    stderr = logging.StreamHandler()
    stderr.setFormatter(Redacting("heimdall-mcp: %(levelname)s: %(message)s"))
    stderr.setLevel(logging.WARNING)
    logging.getLogger().addHandler(stderr)
    try:
        log = keep_logs("heimdall-mcp")
    except SettingsError as error:  # a client can't show why a server does not start
        log = keep_logs("heimdall-mcp", level=DEFAULT_LEVEL)
        logging.getLogger(__name__).warning("%s; %s is taken", error, DEFAULT_LEVEL)
    else:
        if log is not None and os.environ.get("HEIMDALL_LOG_LEVEL"):
            stderr.setLevel(log.level)
    logging.getLogger(__name__).info(
        "the server begins, in %s", os.environ.get("PWD", "an unknown directory")
    )
