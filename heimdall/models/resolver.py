"""From a manifest to a directory with its files: what is there already, else what the sources deliver, verified."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import locations, receipts
from .fetch import gather
from .locking import advisory_lock
from .manifest import PinnedModel, read_model
from .settings import Settings
from .sources.base import Source
from .space import explained
from .store import Store, tree_matches
from .transfer.progress import Progress, make_progress

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
    models_dir: Path | None = None,
    settings: Settings | None = None,
    progress: Progress | None = None,
    sources: Sequence[Source] | None = None,
    hurried: bool = False,
    manifest_path: str | None = None,
    system_dir: Path | None = None,
) -> Resolution:
    """As `resolve`, and tells which sources delivered.

    Args:
        settings: default: from the environment.
        progress: default: on stderr, as the settings say.
        sources: whom to ask for what is missing; default: as the settings say.
        hurried: wait briefly at most, and don't ask again when no source could be reached at all.
        manifest_path: the manifest; default: heimdall's own.
        system_dir: the read-only tier; default: as `locations.system_models_dir` says.
    """
    manifest_path = manifest_path or locations.manifest_path()
    pinned = read_model(manifest_path, model, variant)
    store = Store(Path(locations.models_dir()) if models_dir is None else models_dir)
    delivered: tuple[str, ...] = ()
    directory = find(pinned, store, system_dir)
    if directory is None:
        settings = settings or Settings.from_environment()
        progress = progress or make_progress(wanted=settings.progress)
        try:
            try:
                directory, delivered = _provide(
                    pinned, store, settings, progress, sources=sources, hurried=hurried
                )
            except FileNotFoundError:  # somebody removed the directory while we worked in it
                directory, delivered = _provide(
                    pinned, store, settings, progress, sources=sources, hurried=hurried
                )
        except OSError as error:
            directory = _sound_tree(pinned, store)
            if directory is None:
                raise explained(error, store.models_dir) from error
    if directory.is_relative_to(store.root):
        with contextlib.suppress(OSError):  # without the note, prune keeps the set anyway
            store.note_user(pinned, manifest_path)
    return Resolution(directory, pinned, delivered)


def _provide(
    pinned: PinnedModel,
    store: Store,
    settings: Settings,
    progress: Progress,
    *,
    sources: Sequence[Source] | None,
    hurried: bool,
) -> tuple[Path, tuple[str, ...]]:
    store.prepare()
    lock = store.locks / f"{receipts.set_name(pinned.entry)}.lock"
    with advisory_lock(
        lock, settings.lock_seconds, lambda: store.complete(pinned) is not None, progress
    ):
        if directory := store.complete(pinned):
            return directory, ()
        delivered = gather(pinned, store, settings, progress, sources=sources, hurried=hurried)
        directory = store.publish(pinned)
        try:
            store.show(pinned)
        except OSError as error:
            progress.note(
                f"{store.models_dir} could not be brought up to date ({error}); {directory} is complete"
            )
        origin = f", from {', '.join(delivered)}" if delivered else ""
        ready = f"{pinned.label} is ready{origin}, verified, in {store.models_dir}"
        progress.note(ready)
        _log.info("%s", ready)
        return directory, delivered


def _sound_tree(pinned: PinnedModel, store: Store) -> Path | None:
    """A tree that we can't write to, or can't note anything about, is as good once it is hashed."""
    own = Path(receipts.set_directory(str(store.models_dir), pinned.entry)) / receipts.TREE
    trees = (
        tree for tree in (own, store.models_dir) if receipts.plausible_tree(str(tree), pinned.entry)
    )
    return next((tree for tree in trees if tree_matches(tree, pinned)), None)


def find(model: PinnedModel, store: Store, system_dir: Path | None = None) -> Path | None:
    """Where the model's verified files are now: in the read-only tier, else in the store.

    A tree without a receipt in the read-only tier, as an administrator copied it there, is hashed.
    """
    system = Store(Path(locations.system_models_dir()) if system_dir is None else system_dir)
    if tree := system.complete(model) or store.complete(model):
        return tree
    if receipts.plausible_tree(str(system.models_dir), model.entry) and tree_matches(
        system.models_dir, model
    ):
        return system.models_dir
    return None


def heal(
    directory: Path,
    model: str | None = None,
    variant: str | None = None,
    *,
    models_dir: Path | None = None,
) -> bool:
    """Verify a tree whose model failed to load, and provide a sound one if it is bad.

    Args:
        directory: what `resolve` returned for the same other arguments.

    Returns:
        Whether something was bad and `resolve` now leads to sound files.

    Raises:
        ModelError: as `resolve` does.
    """
    pinned = read_model(locations.manifest_path(), model, variant)
    if tree_matches(directory, pinned):
        return False
    provide_anew(pinned, models_dir=models_dir)
    return True


def provide_anew(pinned: PinnedModel, *, models_dir: Path | None = None) -> Path:
    """Forget that the model was verified, then resolve it: what is sound stays, what is bad is fetched again.

    Raises:
        ModelError: as `resolve` does.
    """
    Store(Path(locations.models_dir()) if models_dir is None else models_dir).distrust(pinned)
    return resolve(pinned.name, pinned.variant, models_dir=models_dir)
