"""From a manifest to a directory with its files: what is there already, else what the sources deliver, verified."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from . import locations
from .locate import SHARED, SYSTEM, places
from .manifest import PinnedModel, read_model
from .own_receipts import verify_tree
from .ownership import is_own
from .package import Package
from .settings import Settings
from .space import explained
from .store import Store
from .transfer.progress import Progress, make_progress

if TYPE_CHECKING:
    from .sources.base import Source


@dataclass(frozen=True, slots=True)
class Resolution:
    """Where a model is, and how it got there.

    Attributes:
        directory: a directory with the model's files.
        model: the model as it is pinned.
        sources: the sources that delivered, in order; empty when everything was there.
    """

    directory: Path
    model: PinnedModel
    sources: tuple[str, ...] = ()


def resolve(
    model: str | None = None, variant: str | None = None, *, models_dir: Path | None = None
) -> Path:
    """A directory with the pinned files of a model, fetched and verified if they are not there.

    Args:
        model: its name; default: the manifest's default.
        variant: its variant; default: `$HEIMDALL_MODEL_VARIANT`, else `standard`.
        models_dir: the models directory; default: `$MODEL_CACHE_DIR`, else the shared one.

    Raises:
        ManifestError: if the manifest can't be used or pins no such model.
        ModelUnavailable: if no source could provide it.
        NoSpaceError: if it does not fit.
        SettingsError: if a variable has a value that can't be used.
        StoreError: if the models directory can't be used.
    """
    return resolve_in_detail(model, variant, models_dir=models_dir).directory


def resolve_in_detail(
    model: str | None = None,
    variant: str | None = None,
    *,
    package: Package | None = None,
    models_dir: Path | None = None,
    settings: Settings | None = None,
    progress: Progress | None = None,
    sources: Sequence[Source] | None = None,
    brief: bool = False,
) -> Resolution:
    """As `resolve`, and tells which sources delivered.

    Args:
        package: whose manifest pins the model; default: heimdall.
        settings: default: from the environment.
        progress: default: on stderr, as the settings say.
        sources: whom to ask for what is missing; default: as the settings say.
        brief: wait briefly at most, and don't ask again when no source could be reached at all.
    """
    pinned = read_model(package, model, variant)
    store = Store(Path(models_dir or locations.models_dir()))
    directory = _first_sound(pinned, store, SYSTEM)
    delivered: tuple[str, ...] = ()
    if directory is None:
        from .fetch import provide  # loads urllib3

        settings = settings or Settings.from_environment()
        progress = progress or make_progress(wanted=settings.progress)
        work = pinned, store, settings, progress
        try:
            try:
                delivered = provide(*work, sources=sources, brief=brief)
            except FileNotFoundError:  # somebody removed the directory while we worked in it
                delivered = provide(*work, sources=sources, brief=brief)
            directory = store.tree(pinned)
        except OSError as error:
            # A tree that we can't write to, or can't note anything about, is as good once it is hashed.
            directory = _first_sound(pinned, store, SYSTEM, SHARED)
            if directory is None:
                raise explained(error, store.models_dir) from error
    if directory == store.tree(pinned):
        with contextlib.suppress(OSError):  # without the note, prune keeps the set anyway
            store.note_user(pinned)
    return Resolution(directory, pinned, delivered)


def repair(
    pinned: PinnedModel, *, models_dir: Path | None = None, settings: Settings | None = None
) -> Resolution:
    """Verify every file anew, whatever its receipt says: what is sound stays, what is bad is fetched again.

    Raises:
        ModelError: as `resolve` does.
    """
    Store(Path(models_dir or locations.models_dir())).invalidate(pinned)
    return resolve_in_detail(
        pinned.name,
        pinned.variant,
        package=pinned.package,
        models_dir=models_dir,
        settings=settings,
    )


def _first_sound(pinned: PinnedModel, store: Store, *hashed: str) -> Path | None:
    """The first place that is verified, or is in one of the tiers that are `hashed` and matches its pins.

    What lies in the shared tier without a receipt is usually adopted into the store instead, once and for all.
    """
    own = store.tree(pinned)
    for place in places(pinned.package, pinned.entry, str(store.models_dir)):
        directory = Path(place.directory)
        if place.verified:
            return directory
        # Another user's set is not put together anew, it is hashed where it is.
        looked_at = place.tier in hashed or (directory == own and not _is_ours(own.parent))
        if looked_at and verify_tree(directory, pinned):
            return directory
    return None


def _is_ours(directory: Path) -> bool:
    try:
        return is_own(directory.stat())
    except OSError:
        return True
