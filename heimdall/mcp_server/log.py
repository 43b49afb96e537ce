"""The server's own log: on stderr, where clients show it."""

from __future__ import annotations

import logging
import os


def log_to_stderr() -> None:
    """Write warnings, or what `HEIMDALL_LOG_LEVEL` says, to stderr."""
    level = os.environ.get("HEIMDALL_LOG_LEVEL", "").strip().upper()
    known = logging.getLevelNamesMapping()
    logging.basicConfig(level=known.get(level, logging.WARNING), format="heimdall-mcp: %(levelname)s: %(message)s")
    if level and level not in known:
        logging.getLogger(__name__).warning(
            "HEIMDALL_LOG_LEVEL=%r: expected one of %s; WARNING is taken", level, ", ".join(known)
        )
