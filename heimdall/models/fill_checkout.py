"""Bringing what a checkout's lock pins into its tree, for whoever has it without the models.

What is fetched is kept below `.cache` in the models' folder until it has its place, which locks and archives pass over:
one copy of it is on the disk, and an interrupted download goes on where it was.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from . import own_receipts
from .checkout import Checkout, CheckoutError, leads_out
from .errors import ManifestError
from .fetch import provide
from .files import link_unless_there, size_below
from .manifest import PinnedFile, PinnedModel, read_models
from .package import Package
from .pinned_set import PinnedSet
from .settings import Settings
from .store import Store
from .transfer.progress import make_progress
from .verify import Finding, look_at

_LFS_POINTER = b"version https://git-lfs"


@dataclass(frozen=True, slots=True)
class Filled:
    """A model of a checkout, as it is there now.

    Attributes:
        directory: the folder of its files.
        brought: the paths that were missing and are there now.
        sources: the sources that delivered, in order.
        findings: the files that are not as they are pinned; they were left as they are.
    """

    model: PinnedModel
    directory: Path
    brought: tuple[str, ...]
    sources: tuple[str, ...]
    findings: tuple[Finding, ...]


def fill(checkout: Checkout, variant: str | None = None) -> list[Filled]:
    """Bring every pinned file that is missing in the tree, also for other machines: a build compares them all.

    What is there is never replaced.

    Args:
        variant: default: all variants.

    Raises:
        CheckoutError: if a link leads out of the checkout.
        ManifestError: if the pins can't be used, or there is no such variant.
        ModelUnavailable: if no source could provide a file.
        NoSpaceError, OSError: if the files can't be written.
    """
    package = Package(Path(checkout.manifest).parent.name, str(checkout.pins), checkout)
    models = [model for model in read_models(package) if variant in {None, model.variant}]
    if not models:
        raise ManifestError(package.manifest_path, f"pins nothing of the variant {variant!r}")
    with _working(checkout.root / checkout.models_dir / ".cache" / "heimdall") as store:
        return [_fill(model, checkout, store) for model in models]


def _fill(model: PinnedModel, checkout: Checkout, store: Store) -> Filled:
    tree = checkout.tree(model.variant)
    for file in model.files:
        folder = (tree / file.path).parent
        if leads_out(folder, checkout.root):
            reason = f"a link leads out of the checkout {checkout.root}: put a folder in its place"
            raise CheckoutError(str(folder), reason)
    before = {file: look_at(file, tree) for file in model.files}
    missing = [
        file
        for file, finding in before.items()
        if finding.state == "missing" and not (tree / file.path).is_symlink()
    ]
    sources: tuple[str, ...] = ()
    if missing:
        there = [file for file, finding in before.items() if finding.state == "ok"]
        wanted = _only(model, [*missing, *there])
        try:
            sources = _bring(wanted, tree, missing, there, store)
        except FileNotFoundError:  # somebody else did the same, and cleared up
            sources = _bring(wanted, tree, missing, there, store)
        after = [look_at(file, tree) for file in model.files]
    else:
        after = list(before.values())
    bad = tuple(_explained(finding, tree) for finding in after if finding.state != "ok")
    if not bad:
        own_receipts.verify_tree(tree, model)  # so that its first use need not
    wrong = {finding.path for finding in bad}
    brought = tuple(file.path for file in missing if file.path not in wrong)
    return Filled(model, tree, brought, sources, bad)


def _only(model: PinnedModel, files: Sequence[PinnedFile]) -> PinnedModel:
    """The model without its other files, which are not to be fetched in vain."""
    others = [file for file in model.files if file not in files]
    paths = {file.path for file in files}
    pins = [item for item in model.entry["files"] if item["path"] in paths]
    return replace(
        model,
        files=tuple(files),
        assets=tuple(asset for asset in model.assets if not asset.is_among(others)),
        entry={**model.entry, "files": pins},
    )


def _bring(
    model: PinnedModel,
    tree: Path,
    missing: Sequence[PinnedFile],
    there: Sequence[PinnedFile],
    store: Store,
) -> tuple[str, ...]:
    store.prepare()
    for file in there:  # so that they are not fetched
        if not store.blob(file).exists():
            _link_or_copy(tree / file.path, store.blob(file))
    settings = replace(Settings.from_environment(), fetch="use")  # the user asked for it
    pinned = PinnedSet(model, store, destination=tree)
    sources = provide(pinned, settings, make_progress(wanted=settings.progress))
    for file in missing:
        target = tree / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        link_unless_there(pinned.tree / file.path, target)
    return sources


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


@contextlib.contextmanager
def _working(directory: Path) -> Iterator[Store]:
    """A store of what is on its way; what did not arrive as a whole stays for the next time."""
    store = Store(directory)
    done = False
    try:
        yield store
        done = True
    finally:
        if done or not size_below(store.partial) + size_below(store.blobs):
            shutil.rmtree(directory, ignore_errors=True)
            for folder in directory.parents[:2]:  # unless there is something else
                with contextlib.suppress(OSError):
                    folder.rmdir()


def _explained(finding: Finding, tree: Path) -> Finding:
    with contextlib.suppress(OSError), (tree / finding.path).open("rb") as stream:
        if stream.read(len(_LFS_POINTER)) == _LFS_POINTER:
            return replace(finding, detail="it is a Git LFS pointer")
    if finding.state == "missing" and (tree / finding.path).is_symlink():
        return replace(finding, detail="a link that leads nowhere is in its place")
    return finding
