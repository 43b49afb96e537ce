"""Fetching during an import: whatever goes wrong is logged once, and raised only where a model is needed."""

from __future__ import annotations

import logging
from pathlib import Path

from . import locations, recent_failure
from .errors import HeimdallError, ModelUnavailable
from .resolver import resolve_in_detail
from .settings import Settings
from .store import Store


def fetch_quietly() -> None:
    """Resolve the default model; log a warning instead of raising."""
    log = logging.getLogger("heimdall")
    try:
        settings = Settings.from_environment()
        store = Store(Path(locations.models_dir()))
        ago = recent_failure.seconds_since(store, settings)
        if ago is not None:
            log.warning(
                "heimdall: its model is still missing; fetching it failed %.0f s ago and is not tried again by an "
                "import for %.0f s. Run 'heimdall models pull' to see why.",
                ago,
                recent_failure.REMEMBERED_SECONDS - ago,
            )
            return
        try:
            resolve_in_detail(settings=settings, brief=True)
        except ModelUnavailable:
            recent_failure.remember(store, settings)
            raise
    except (HeimdallError, OSError) as error:
        log.warning("heimdall: %s\nGoing on without; what needs the model will try again.", error)
    except Exception:
        # a host program must not fail by a mistake of ours in a fetch that it did not ask for
        log.warning("heimdall: its model could not be fetched; please report this", exc_info=True)
