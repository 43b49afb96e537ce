"""The model: pinned, here, whole, and where other tools look for it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from heimdall.doctor.finding import Finding, Request, failed, passed, warned
from heimdall.models import locations, prune, view
from heimdall.models.errors import ManifestError
from heimdall.models.files import sha256_of
from heimdall.models.locate import SHARED, SYSTEM, Location
from heimdall.models.manifest import read_model
from heimdall.models.pinned_set import PinnedSet
from heimdall.models.settings import Settings, SettingsError
from heimdall.models.store import Store
from heimdall.models.text import files, megabytes
from heimdall.models.verify import verify

REPAIR = "'heimdall models verify --repair' mends it"


def check(request: Request) -> Iterator[Finding]:
    """The manifest, the model, what other tools see of it, and what old downloads left."""
    path = locations.manifest_path()
    try:
        model = read_model()
    except ManifestError as error:
        yield failed(
            "manifest", path, error.reason, "see HEIMDALL_MODEL_VARIANT, or reinstall heimdall-mcp"
        )
        return
    size = megabytes(model.size)
    yield passed("manifest", path, f"pins {model.label}, {files(len(model.files))}, {size}")
    pinned, location = PinnedSet(model, Store()), model.locate()
    yield _model(pinned, location, deep=request.deep)
    if location.tier == SHARED:
        yield from _view(pinned)
    yield from _leftovers(pinned.store)


def _model(pinned: PinnedSet, location: Location, *, deep: bool) -> Finding:
    label, directory = pinned.model.label, location.directory
    if not location.here:
        return _absent(pinned)
    if location.verified and not deep:
        what = (
            "is complete in the read-only tier ('--deep' hashes it)"
            if location.tier == SYSTEM
            else "is complete; verified when it came, and not touched since ('--deep' hashes it again)"
        )
        return passed("models", directory, f"{label} {what}")
    bad = [finding for finding in verify(pinned) if finding.state != "ok"]
    if bad:
        named = ", ".join(f"{finding.path} is {finding.state}" for finding in bad)
        return failed("models", directory, f"{label} is not sound: {named}", REPAIR, _provide)
    what = "is complete; every file was hashed now and matches its pin"
    return passed("models", directory, f"{label} {what}")


def _absent(pinned: PinnedSet) -> Finding:
    model, own = pinned.model, pinned.tree
    if os.path.isdir(own):  # noqa: PTH112 (False, not an error, where one may not look)
        named = ", ".join(
            file.path for file in model.files if not _has_size(own / file.path, file.size)
        )
        return failed(
            "models",
            own,
            f"{model.label} is incomplete: {named} missing or of another size",
            REPAIR,
            _provide,
        )
    pull = (
        f"unset {offline}, then 'heimdall models pull'"
        if (offline := _offline())
        else "'heimdall models pull'"
    )
    advice = (
        f"{pull} fetches it; without a network 'heimdall models import FILE' takes it from a file"
    )
    problem = f"{model.label} is not on this machine"
    return failed("models", pinned.store.models_dir, problem, advice, _provide)


def _offline() -> str | None:
    try:
        return Settings.from_environment().offline
    except SettingsError:
        return None  # said by the check of the variables


def _has_size(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False


def _view(pinned: PinnedSet) -> Iterator[Finding]:
    """The tree that other tools expect directly in the models directory."""
    models_dir, own = pinned.store.models_dir, pinned.tree
    paths = [file.path for file in pinned.model.files]
    wrong = [path for path in paths if not _same(models_dir / path, own / path)]
    if not wrong:
        return
    if theirs := view.foreign(pinned):
        problem = (
            f"{', '.join(map(str, theirs))} is not heimdall's and is left alone: other tools find the pinned files "
            f"in {own}; heimdall itself does not mind"
        )
        advice = "move it away, then 'heimdall doctor --fix', if they are to be found there"
        yield warned("models_view", models_dir, problem, advice)
    else:
        problem = f"other tools that look there don't find the pinned {', '.join(wrong)}; heimdall itself does not mind"
        advice = "'heimdall doctor --fix' lays them out again"
        yield warned("models_view", models_dir, problem, advice, _lay_out_view)


def _same(seen: Path, own: Path) -> bool:
    try:
        return seen.samefile(own) or (
            seen.stat().st_size == own.stat().st_size and sha256_of(seen) == sha256_of(own)
        )
    except OSError:
        return not own.exists()  # a damaged set is reported as such


def _leftovers(store: Store) -> Iterator[Finding]:
    if not os.path.isdir(store.partial):  # noqa: PTH112 (as above)
        return
    stale = _stale_downloads(store)
    if stale:
        size = megabytes(sum(verdict.size for verdict in stale))
        problem = f"{len(stale)} unfinished downloads ({size}) were left behind more than a day ago"
        advice = "'heimdall models prune' removes them"
        yield warned("models_leftovers", store.partial, problem, advice, _sweep)


def _stale_downloads(store: Store) -> list[prune.Verdict]:
    """Unfinished downloads that nobody works on any more."""
    return [
        verdict for verdict in prune.judge(store) if verdict.kind == "partial" and not verdict.keep
    ]


def _provide(_finding: Finding) -> str:
    from heimdall.models.resolver import repair

    # The user asked for it, so HEIMDALL_FETCH=never does not hold here; HEIMDALL_OFFLINE does.
    settings = replace(Settings.from_environment(), fetch="use")
    resolution = repair(read_model(), settings=settings)
    origin = ", ".join(resolution.sources) or "files that were here"
    return (
        f"{resolution.model.label} was verified and mended, from {origin}: {resolution.directory}"
    )


def _lay_out_view(_finding: Finding) -> str:
    store = Store()
    view.lay_out(PinnedSet(read_model(), store))
    return f"laid the pinned files out in {store.models_dir}"


def _sweep(_finding: Finding) -> str:
    store = Store()
    stale = _stale_downloads(store)
    prune.carry_out(store, stale)
    size = megabytes(sum(verdict.size for verdict in stale))
    return f"removed {len(stale)} unfinished downloads ({size}) that nobody works on"
