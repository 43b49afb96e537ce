"""Whose model it is: an installed package that carries a manifest, and the command that helps it.

Part of every import of heimdall, so it loads nothing but `os`.
"""

import os

from . import locations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .checkout import Checkout

MANIFEST_NAME = "model_manifest.json"
DEFAULT_VARIANT = "standard"
_HEIMDALL = "heimdall"
PART_OF_HEIMDALL = __name__.partition(".")[0] == _HEIMDALL
"""Whether this source is installed as a part of heimdall, or as the distribution `heimdall-models`."""
DISTRIBUTION = "heimdall-mcp" if PART_OF_HEIMDALL else "heimdall-models"
"""The distribution that this source is installed with."""
COMMAND = _HEIMDALL if PART_OF_HEIMDALL else DISTRIBUTION
"""What speaks to people."""


class Package:
    """A package with models.

    Attributes:
        name: its import name.
        manifest_path: where its manifest is, or would be.
        checkout: the project's tree, if it is used from there and not installed.
    """

    __slots__ = ("checkout", "manifest_path", "name")

    def __init__(self, name: str, manifest_path: str, checkout: "Checkout | None" = None) -> None:
        self.name = name
        self.manifest_path = manifest_path
        self.checkout = checkout

    @property
    def is_heimdall(self) -> bool:
        """Whether it is heimdall, whose models other tools also see, directly in the models directory."""
        return self.name == _HEIMDALL

    @property
    def distribution(self) -> str:
        """The name that installers know it by, for messages; the import name where that is not known."""
        if self.is_heimdall:
            return "heimdall-mcp"
        from importlib.metadata import packages_distributions

        return packages_distributions().get(self.name.partition(".")[0], [self.name])[0]

    @property
    def remedy(self) -> str:
        """What mends a manifest of it that can't be used."""
        restored = "restore it from version control"
        return restored if self.checkout is not None else f"reinstall {self.distribution}"

    def variant(self, variant: str | None = None) -> str:
        """The variant asked for, else what `$HEIMDALL_MODEL_VARIANT` says of heimdall's own model, else `standard`."""
        own = os.environ.get("HEIMDALL_MODEL_VARIANT") if self.is_heimdall else None
        return variant or own or DEFAULT_VARIANT

    def command(self, action: str) -> str:
        """The command line that does something about this package's models.

        Args:
            action: the command and its options, for example `verify --repair`.
        """
        if self.checkout is not None and action == "pull":
            program = "heimdall models" if PART_OF_HEIMDALL else DISTRIBUTION
            return f"{program} pull --checkout {self.checkout.root}"
        if self.is_heimdall:
            return f"heimdall models {action}"
        if PART_OF_HEIMDALL:
            return f"heimdall models {action} --package {self.name}"
        return f"heimdall-models {action} {self.name}"


def heimdall() -> Package:
    """Heimdall itself, whose model is meant where no package is named."""
    return Package(_HEIMDALL, locations.manifest_path())
