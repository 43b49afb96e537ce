"""The models of any installed package that carries a manifest, as `hatch-heimdall-models` writes it."""

from __future__ import annotations

import importlib.util
from importlib.metadata import distributions
from pathlib import Path

from . import receipts
from .errors import ManifestError
from .package import MANIFEST_NAME, PART_OF_HEIMDALL, Package, heimdall
from .resolver import resolve_in_detail


def ensure(
    package: str,
    model: str | None = None,
    variant: str | None = None,
    *,
    manifest: str = MANIFEST_NAME,
) -> Path:
    """A directory with the pinned files of a package's model, fetched and verified if they are not there.

    The package is not imported, only those above it. All packages share one store, so that the same bytes are on disk
    once. The variables of the resolver hold, except for `$HEIMDALL_MODEL_VARIANT`, which is about heimdall's own model.

    Args:
        package: the import name, for example `my_package` or `my_namespace.my_package`.
        model: the model's name; default: the manifest's default.
        variant: its variant; default: `standard`.
        manifest: where the manifest is, relative to the package's directory.

    Raises:
        ManifestError: if the package or its manifest is not there or can't be used, or pins no such model.
        ModelUnavailable: if no source could provide it.
        NoSpaceError: if it does not fit.
        SettingsError: if a variable has a value that can't be used.
        StoreError: if the models directory can't be used.
    """
    return resolve_in_detail(model, variant, package=find_package(package, manifest)).directory


def find_package(name: str, manifest: str = MANIFEST_NAME) -> Package:
    """The installed package of that import name, and its manifest.

    Raises:
        ManifestError: if there is no such package, or no manifest in it.
    """
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):  # of a package above it, or a name that is none
        spec = None
    if spec is None:
        raise ManifestError(f"{name}/{manifest}", f"the package {name!r} is not installed")
    # A namespace package has several directories; a plain module has none.
    candidates = [Path(directory, manifest) for directory in spec.submodule_search_locations or ()]
    for candidate in candidates:
        if candidate.is_file() or receipts.in_archive(str(candidate)) is not None:
            return Package(name, str(candidate))
    raise ManifestError(
        str(candidates[0] if candidates else Path(name, manifest)),
        f"is missing; {name!r} was built without hatch-heimdall-models, or has none",
    )


def chosen_package(name: str | None = None) -> Package:
    """The package of that name; without one heimdall, if this source is a part of it, else the only one.

    Raises:
        ManifestError: if there is no such package, or none is named and not exactly one has a manifest.
    """
    if name:
        return find_package(name)
    if PART_OF_HEIMDALL:
        return heimdall()
    names = installed_packages()
    if len(names) == 1:
        return find_package(names[0])
    here = f"one of {', '.join(names)}" if names else "none that is installed has one"
    raise ManifestError(MANIFEST_NAME, f"name the package whose model is meant: {here}")


def installed_packages() -> list[str]:
    """The import names of this environment's packages that carry a manifest."""
    files = (file for distribution in distributions() for file in distribution.files or ())
    manifests = {file.parent for file in files if file.name == MANIFEST_NAME}
    return sorted(".".join(folder.parts) for folder in manifests if folder.parts)
