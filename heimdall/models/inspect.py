"""Looking at what is here without fetching: where each file of a model is, and whether its bytes are right."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from . import graph_cache, locations, receipts
from .files import sha256_of
from .manifest import PinnedModel, read_model
from .store import Store


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """A pinned model and the directory in which it is.

    Attributes:
        model: as it is pinned.
        directory: where all of its files are, in their sizes; None if there is no such place.
        tier: `system` for the read-only tier, `shared` for the models directory, None if it is in neither.
        verified: whether a receipt says that the bytes were verified and not touched since. A tree that somebody put
            there without a receipt is hashed when it is used.
    """

    model: PinnedModel
    directory: Path | None = None
    tier: str | None = None
    verified: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A pinned or derived file as it was found: `state` is `ok`, `missing`, `unreadable` or `different`."""

    path: str
    state: str
    detail: str = ""


def whereabouts(model: str | None = None, variant: str | None = None) -> Whereabouts:
    """Where the model is, judged by receipts and sizes, in the order in which it is looked for; nothing is hashed.

    Raises:
        ManifestError: if the manifest can't be used or pins no such model.
    """
    pinned = read_model(locations.manifest_path(), model, variant)
    tiers = {
        "system": Store(Path(locations.system_models_dir())),
        "shared": Store(Path(locations.models_dir())),
    }
    for tier, store in tiers.items():
        if tree := store.complete(pinned):
            return Whereabouts(pinned, tree, tier, verified=True)
    for tier, store in tiers.items():
        if receipts.plausible_tree(str(store.models_dir), pinned.entry):
            return Whereabouts(pinned, store.models_dir, tier)
    return Whereabouts(pinned)


def verify(found: Whereabouts) -> list[Finding]:
    """Hash every pinned file where the model is, or would be in the shared models directory, and what was derived from them."""
    own = Path(receipts.set_directory(locations.models_dir(), found.model.entry)) / receipts.TREE
    tree = (
        own
        if found.directory is None or (found.tier == "shared" and own.exists())
        else found.directory
    )
    findings = []
    for file in found.model.files:
        path = tree / file.path
        try:
            size, sha256 = path.stat().st_size, sha256_of(path)
        except FileNotFoundError:
            findings.append(Finding(file.path, "missing"))
        except OSError as error:
            findings.append(Finding(file.path, "unreadable", str(error)))
        else:
            right = (size, sha256) == (file.size, file.sha256)
            detail = f"expected {file.size} bytes, sha256 {file.sha256}; found {size} bytes, sha256 {sha256}"
            findings.append(
                Finding(file.path, "ok") if right else Finding(file.path, "different", detail)
            )
    if shelf := graph_cache.shelf(tree):
        computed = graph_cache.check(shelf)
        findings.extend(
            Finding(path, "different" if problem else "ok", problem) for path, problem in computed
        )
    return findings
