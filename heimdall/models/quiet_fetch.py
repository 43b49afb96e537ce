"""Fetching during an import: whatever goes wrong is logged once, and raised only where a model is needed.

A failure is remembered for a short while, so that ten imports do not wait ten times for one dead network.
"""

from __future__ import annotations

import contextlib
import json
import logging
import time
from pathlib import Path

from . import receipts
from .base_error import HeimdallError
from .errors import ModelUnavailable
from .files import write_atomically
from .patience import Patience
from .resolver import resolve_in_detail
from .secrets import redact_url
from .settings import Settings
from .store import Store

REMEMBERED_SECONDS = 120.0
STILL_SECONDS = 2.5
"""With what comes after its end (ending a child, telling what happened), an import stands still for less than 3 s."""
_NEXT = (
    "Going on without it. What first needs it fetches it, and waits for as long as that takes; an import tries again "
    f"after {REMEMBERED_SECONDS:.0f} s."
)


def fetch_quietly() -> None:
    """Resolve the default model; log a warning instead of raising."""
    log = logging.getLogger("heimdall")
    try:
        settings = Settings.from_environment()
        note = Store().failures / "import.json"
        ago = seconds_since_failure(note, settings)
        if ago is not None:
            log.warning(
                "heimdall: its model is still missing; fetching it failed %.0f s ago and is not tried again by an "
                "import for %.0f s. Run 'heimdall models pull' to see why.",
                ago,
                REMEMBERED_SECONDS - ago,
            )
            return
        try:
            resolve_in_detail(settings=settings, patience=Patience(STILL_SECONDS))
        except ModelUnavailable:
            failure = {"time": time.time(), "asked": _asked(settings)}
            with contextlib.suppress(OSError):
                write_atomically(note, json.dumps(failure, indent=2) + "\n")
            raise
    except (HeimdallError, OSError) as error:
        log.warning("heimdall: %s\n%s", error, _NEXT)
    except (
        Exception
    ):  # a host program must not fail by our mistake in a fetch that it did not ask for
        log.warning("heimdall: its model could not be fetched; please report this", exc_info=True)


def seconds_since_failure(note: Path, settings: Settings) -> float | None:
    """How long ago fetching with the same settings failed, if that was recently; None otherwise."""
    try:
        failure = receipts.read_json(str(note))
        ago = time.time() - float(failure["time"])
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return None
    same = failure.get("asked") == _asked(settings)
    return ago if same and 0 <= ago < REMEMBERED_SECONDS else None


def _asked(settings: Settings) -> list[object]:
    """What decides whether another try can end otherwise, without secrets."""
    mirrors = [redact_url(url) for url in settings.mirrors]
    header = settings.mirror_header and settings.mirror_header[0]
    return [
        mirrors,
        header,
        redact_url(settings.github_url),
        list(settings.sources),
        settings.offline,
    ]
