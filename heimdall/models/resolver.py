"""From a manifest to a directory with its files: what is there already, else what the sources deliver, verified."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from . import locations
from .locate import SYSTEM, Location, places
from .locking import advisory_lock
from .manifest import PinnedModel, read_model
from .package import Package
from .settings import Settings
from .space import explained
from .store import Store, tree_matches
from .transfer.progress import Progress, make_progress

if TYPE_CHECKING:
    from .sources.base import Source

_log = logging.getLogger(__name__)


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
    here = list(places(pinned.package, pinned.entry, str(store.models_dir)))
    directory = _usable(here, pinned)
    delivered: tuple[str, ...] = ()
    if directory is None:
        settings = settings or Settings.from_environment()
        progress = progress or make_progress(wanted=settings.progress)
        provide = partial(_provide, pinned, store, settings, progress, sources, brief=brief)
        try:
            try:
                delivered = provide()
            except FileNotFoundError:  # somebody removed the directory while we worked in it
                delivered = provide()
            directory = store.tree(pinned)
        except OSError as error:
            # A tree that we can't write to, or can't note anything about, is as good once it is hashed.
            trees = (Path(place.directory) for place in here)
            directory = next((tree for tree in trees if tree_matches(tree, pinned)), None)
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


def _usable(here: Sequence[Location], pinned: PinnedModel) -> Path | None:
    """The first place that is verified, or that an administrator filled and whose files match their pins."""
    for place in here:
        directory = Path(place.directory)
        # What was put into the shared tier without a receipt is adopted into the store instead, once and for all.
        if place.verified or (place.tier == SYSTEM and tree_matches(directory, pinned)):
            return directory
    return None


def _provide(
    pinned: PinnedModel,
    store: Store,
    settings: Settings,
    progress: Progress,
    sources: Sequence[Source] | None,
    *,
    brief: bool,
) -> tuple[str, ...]:
    """Fetch what is missing and publish the set, unless another process just did it.

    Returns:
        The sources that delivered.
    """
    from .fetch import fetch  # loads urllib3

    store.prepare()
    done = partial(store.complete, pinned)
    with advisory_lock(store.lock(pinned), settings.lock_seconds, done, progress):
        if done():
            return ()
        delivered = fetch(pinned, store, settings, progress, sources=sources, brief=brief)
        store.publish(pinned)
        if pinned.package.is_heimdall:
            try:
                store.show(pinned)
            except OSError as error:
                tree = store.tree(pinned)
                progress.note(
                    f"{store.models_dir} could not be brought up to date ({error}); {tree} is complete"
                )
        origin = f", from {', '.join(delivered)}" if delivered else ""
        ready = f"{pinned.label} is ready{origin}, verified, in {store.models_dir}"
        progress.note(ready)
        _log.info("%s", ready)
        return delivered
