"""Is the model here? One small read and a few `stat` calls answer that, for whoever asks.

Part of every import of heimdall, so it works on the manifest's plain JSON and loads nothing but `json`.
"""

from . import locations, receipts
from .base_error import HeimdallError
from .package import Package, heimdall
from .receipts import StoredSet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

VERIFIED = "verified"
UNVERIFIED = "unverified"
ABSENT = "absent"
CHECKOUT = "checkout"
SYSTEM = "system"
SHARED = "shared"


class Location:
    """Where a pinned model is.

    Attributes:
        entry: the model's entry in the manifest, plain JSON; None if the manifest can't be used or pins no such model.
        state: `verified` if a receipt says that the bytes were verified, and nothing was touched since; `unverified` if
            every file is there in its pinned size: it is hashed when it is used; else `absent`.
        tier: `checkout` for the tree of a package that is used from its checkout, `system` for the read-only tier,
            `shared` for the models directory, None if it is in none of them.
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
        document = receipts.read_manifest(package.manifest_path)
        entry = receipts.choose_entry(document, model, package.variant(variant))
        if entry is not None:
            return next(places(package, entry, models_dir), Location(entry))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, HeimdallError):
        pass  # whoever needs the model reads the manifest strictly
    return Location(entry)


def places(
    package: Package, entry: "dict[str, Any]", models_dir: str | None = None
) -> "Iterator[Location]":
    """Where the model of an entry of the package's manifest is, the best place first.

    A checkout's own tree comes first, unless it is noted to be bad. Then what is verified comes before what is not, and
    the read-only tier before the shared one.

    Raises:
        SettingsError: if it is not known where the models directory is.
    """
    shared = StoredSet(models_dir or locations.models_dir(), entry)
    system = StoredSet(locations.system_models_dir(), entry, read_only=True)
    if package.checkout is not None:
        tree = str(package.checkout.tree(entry["variant"]))
        verdict = shared.noted_verdict(tree)
        if verdict:
            yield Location(entry, VERIFIED, CHECKOUT, tree)
        elif verdict is None and shared.is_whole(tree):
            yield Location(entry, UNVERIFIED, CHECKOUT, tree)
    trees = [
        (tier, stored, tree)
        for tier, stored in ((SYSTEM, system), (SHARED, shared))
        for tree in stored.trees
    ]
    for tier, stored, tree in trees:
        if stored.is_verified(tree):
            # Nothing is ever written to the read-only tier.
            noted = tier == SYSTEM or shared.is_noted(package.manifest_path)
            yield Location(entry, VERIFIED, tier, tree, noted=noted)
    for tier, stored, tree in trees:
        if stored.is_whole(tree):
            yield Location(entry, UNVERIFIED, tier, tree)
