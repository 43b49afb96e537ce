"""From a manifest to a directory with its files: what is there already, else what the sources deliver, verified."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from .locate import CHECKOUT, SHARED, SYSTEM
from .manifest import PinnedModel, read_model
from .package import Package
from .patience import Patience
from .pinned_set import PinnedSet
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
    patience: Patience | None = None,
) -> Resolution:
    """As `resolve`, and tells which sources delivered.

    Args:
        package: whose manifest pins the model; default: heimdall.
        settings: default: from the environment.
        progress: default: on stderr, as the settings say.
        sources: whom to ask for what is missing; default: as the settings say.
        patience: how long to stand still in all; default: as long as each step may take.
    """
    pinned = PinnedSet(read_model(package, model, variant), Store(models_dir))
    patience = patience or Patience()
    with patience.working():
        directory = pinned.first_sound(CHECKOUT, SYSTEM)
    delivered: tuple[str, ...] = ()
    if directory is None:
        from .fetch import provide  # loads urllib3

        settings = settings or Settings.from_environment()
        progress = progress or make_progress(wanted=settings.progress)
        fetch = partial(provide, pinned, settings, progress, sources=sources, patience=patience)
        try:
            try:
                delivered = fetch()
            except FileNotFoundError:  # somebody removed the directory while we worked in it
                delivered = fetch()
            directory = pinned.tree
        except OSError as error:
            # A tree that we can't write to, or can't note anything about, is as good once it is hashed.
            directory = pinned.first_sound(SYSTEM, SHARED)
            if directory is None:
                raise explained(error, pinned.store.models_dir) from error
    if directory == pinned.tree:
        with contextlib.suppress(OSError):  # without the note, prune keeps the set anyway
            pinned.note_user()
    return Resolution(directory, pinned.model, delivered)


def repair(
    model: PinnedModel, *, models_dir: Path | None = None, settings: Settings | None = None
) -> Resolution:
    """Verify every file anew, whatever its receipt says: what is sound stays, what is bad is fetched again.

    Raises:
        ModelError: as `resolve` does.
    """
    PinnedSet(model, Store(models_dir)).invalidate()
    return resolve_in_detail(
        model.name, model.variant, package=model.package, models_dir=models_dir, settings=settings
    )
