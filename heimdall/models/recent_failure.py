"""A failed fetch is remembered for a short while, so that ten imports do not wait ten times for one dead network."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path

from . import receipts
from .files import write_atomically
from .secrets import redact_url
from .settings import Settings
from .store import Store

REMEMBERED_SECONDS = 120.0


def remember(store: Store, settings: Settings) -> None:
    """Note that fetching with these settings failed just now."""
    with contextlib.suppress(OSError):
        write_atomically(
            _path(store),
            json.dumps({"time": time.time(), "asked": _asked(settings)}, indent=2) + "\n",
        )


def seconds_since(store: Store, settings: Settings) -> float | None:
    """How long ago fetching with the same settings failed, if that was recently; None otherwise."""
    try:
        note = receipts.read_json(str(_path(store)))
        ago = time.time() - float(note["time"])
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return None
    return ago if 0 <= ago < REMEMBERED_SECONDS and note.get("asked") == _asked(settings) else None


def _path(store: Store) -> Path:
    return store.failures / "import.json"


def _asked(settings: Settings) -> list[object]:
    """What decides whether another try can end otherwise, without secrets."""
    mirrors = [redact_url(url) for url in settings.mirrors]
    return [mirrors, redact_url(settings.github_url), list(settings.sources), settings.offline]
