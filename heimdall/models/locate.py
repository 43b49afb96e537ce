"""Is the model here? One small read and a few `stat` calls answer that, for whoever asks.

Part of every import of heimdall, so it works on the manifest's plain JSON and loads nothing but `json`.
"""

import os

from . import locations, receipts
from .errors import HeimdallError
from .package import Package, heimdall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

VERIFIED = "verified"
UNVERIFIED = "unverified"
ABSENT = "absent"
SYSTEM = "system"
SHARED = "shared"


class Location:
    """Where a pinned model is.

    Attributes:
        entry: the model's entry in the manifest, plain JSON; None if the manifest can't be used or pins no such model.
        state: `verified` if a receipt says that the bytes were verified, and nothing was touched since; `unverified` if
            every file is there in its pinned size: it is hashed when it is used; else `absent`.
        tier: `system` for the read-only tier, `shared` for the models directory, None if it is in neither.
        directory: the directory with the files; empty if it is absent.
        noted: whether nothing is left to be noted for `prune` about who uses the files.
    """

    __slots__ = ("directory", "entry", "noted", "state", "tier")

    def __init__(
        self,
        entry: "dict[str, Any] | None" = None,
        state: str = ABSENT,
        tier: str | None = None,
        directory: str = "",
        *,
        noted: bool = True,
    ) -> None:
        self.entry = entry
        self.state = state
        self.tier = tier
        self.directory = directory
        self.noted = noted

    @property
    def here(self) -> bool:
        """Whether all files are there, verified or to be verified when they are used."""
        return self.state != ABSENT

    @property
    def verified(self) -> bool:
        """Whether the files can be used as they are."""
        return self.state == VERIFIED


def locate(
    package: Package | None = None,
    model: str | None = None,
    variant: str | None = None,
    *,
    models_dir: str | None = None,
) -> Location:
    """Where a model is.

    Never raises: what is not plainly right counts as absent, and `resolver.resolve` says what is wrong.

    Args:
        package: whose manifest pins it; default: heimdall.
        model: its name; default: the manifest's default.
        variant: its variant; default: as `Package.variant` says.
        models_dir: the models directory; default: `$MODEL_CACHE_DIR`, else the shared one.
    """
    package = package or heimdall()
    entry = None
    try:
        document = receipts.read_json(package.manifest_path)
        entry = receipts.choose_entry(document, model, package.variant(variant))
        if entry is not None:
            return locate_entry(package, entry, models_dir)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, HeimdallError):
        pass  # whoever needs the model reads the manifest strictly
    return Location(entry)


def locate_entry(
    package: Package, entry: "dict[str, Any]", models_dir: str | None = None
) -> Location:
    """As `locate`, of an entry that was read from the package's manifest.

    Raises:
        SettingsError: if it is not known where the models directory is.
    """
    return next(places(package, entry, models_dir), Location(entry))


def places(
    package: Package, entry: "dict[str, Any]", models_dir: str | None = None
) -> "Iterator[Location]":
    """Every place where the model is, the read-only tier before the shared one, and what is verified before what is not.

    Raises:
        SettingsError: if it is not known where the models directory is.
    """
    shared = models_dir or locations.models_dir()
    tiers = {SYSTEM: locations.system_models_dir(), SHARED: shared}
    for tier, directory in tiers.items():
        if tree := verified_tree(directory, entry):
            noted = tier == SYSTEM or _is_noted(shared, package.manifest_path, entry)
            yield Location(entry, VERIFIED, tier, tree, noted=noted)
    for tier, directory in tiers.items():
        # Files that somebody put there, or a set that was touched since it was verified.
        for tree in (receipts.tree(directory, entry), directory):
            if _has_pinned_sizes(tree, entry):
                yield Location(entry, UNVERIFIED, tier, tree)


def verified_tree(models_dir: str, entry: "dict[str, Any]") -> str | None:
    """The tree of the set below `models_dir` if nothing was touched since it was verified, else None."""
    directory = receipts.set_directory(models_dir, entry)
    tree = os.path.join(directory, receipts.TREE)
    try:
        receipt = receipts.read_json(os.path.join(directory, receipts.RECEIPT))
        untouched = receipt["stats"] == dict(receipts.stats(tree, entry))
        return tree if untouched and receipt["pins"] == receipts.pins(entry) else None
    except (OSError, ValueError, KeyError):
        return None


def _has_pinned_sizes(tree: str, entry: "dict[str, Any]") -> bool:
    try:
        sizes = {path: size for path, (size, _) in receipts.stats(tree, entry)}
    except OSError:
        return False
    return all(sizes[file["path"]] == file["size"] for file in entry["files"])


def _is_noted(models_dir: str, manifest_path: str, entry: "dict[str, Any]") -> bool:
    """Whether it is noted that this manifest's environment uses the set, or can't be."""
    note = receipts.user_note(models_dir, manifest_path, entry)
    return os.path.exists(note) or not os.access(os.path.dirname(note), os.W_OK)
