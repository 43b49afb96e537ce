"""The models of any installed package that carries a manifest, as `hatch-heimdall-models` writes it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from . import locations, receipts
from .errors import ManifestError
from .resolver import resolve_in_detail
from .store import Store

MANIFEST_NAME = "model_manifest.json"
_FOLDER = "packages"


def ensure(
    package: str,
    model: str | None = None,
    variant: str | None = None,
    *,
    manifest: str = MANIFEST_NAME,
) -> Path:
    """A directory with the pinned files of another package's model, fetched and verified if they are not there.

    The package is not imported, only those above it. Its models lie in `packages/<package>` of heimdall's models
    directories, and heimdall's settings hold, except for `$HEIMDALL_MODEL_VARIANT`, which is about its own model.

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
    below = Path(_FOLDER, package)
    return resolve_in_detail(
        model,
        variant or receipts.DEFAULT_VARIANT,
        models_dir=locations.models_dir() / below,
        manifest_path=manifest_of(package, manifest),
        system_dir=locations.system_models_dir() / below,
    ).directory


def package_stores(models_dir: Path) -> list[Store]:
    """The stores below `models_dir` that hold other packages' models."""
    return [Store(path.parent) for path in sorted(models_dir.glob(f"{_FOLDER}/*/{receipts.STORE}"))]


def manifest_of(package: str, manifest: str = MANIFEST_NAME) -> str:
    """The path of a package's manifest.

    Raises:
        ManifestError: if there is no such package, or no manifest in it.
    """
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):  # of a package above it, or a name that is none
        spec = None
    if spec is None:
        raise ManifestError(f"{package}/{manifest}", f"the package {package!r} is not installed")
    # A namespace package has several directories; a plain module has none.
    places = [Path(directory, manifest) for directory in spec.submodule_search_locations or ()]
    for place in places:
        if place.is_file():
            return str(place)
    searched = places[0] if places else Path(package, manifest)
    raise ManifestError(
        str(searched),
        f"is missing; {package!r} was built without hatch-heimdall-models, or has none",
    )
