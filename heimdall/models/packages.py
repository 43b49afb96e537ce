"""The models of any installed package that carries a manifest, as `hatch-heimdall-models` writes it."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import warnings
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from importlib.metadata import Distribution, distributions, packages_distributions
from pathlib import Path

from . import receipts
from .checkout import Checkout, CheckoutError, find_checkout, read_checkout, source_root
from .errors import ManifestError
from .manifest import PinnedModel
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
    once. A package that is used from its checkout uses the models of that tree, if they are there and have the pinned
    bytes. The variables of the resolver hold, except for `$HEIMDALL_MODEL_VARIANT`, which is about heimdall's own model.

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
    found = find_package(package, manifest)
    resolution = resolve_in_detail(model, variant, package=found)
    if found.checkout is not None:
        tree = found.checkout.tree(resolution.model.variant)
        if resolution.directory != tree:
            _tell_of_others(resolution.model, tree)
    return resolution.directory


def _tell_of_others(model: PinnedModel, tree: Path) -> None:
    """Say that a checkout's own files are not used: somebody may be working on them."""
    there = [file.path for file in model.files if (tree / file.path).exists()]
    if there:
        warnings.warn(
            f"{tree} has not exactly what {model.package.manifest_path} pins, so that the pinned model is used; "
            f"'{model.package.command('pull')}' names each file that is another and brings what is missing, and "
            "'hatch-heimdall-models lock' pins what is there",
            stacklevel=3,
        )


def find_package(name: str, manifest: str = MANIFEST_NAME) -> Package:
    """The installed package of that import name, and its manifest.

    Raises:
        ManifestError: if there is no such package, or no manifest in it.
    """
    if PART_OF_HEIMDALL and name == heimdall().name:
        return heimdall()
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):  # of a package above it, or a name that is none
        spec = None
    if spec is None:
        raise ManifestError(f"{name}/{manifest}", _not_installed(name))
    # A namespace package has several directories; a plain module has none.
    candidates = [Path(folder, manifest) for folder in spec.submodule_search_locations or ()]
    for candidate in [*candidates, *_behind_links(spec, manifest)]:
        checkout = find_checkout(Path(os.path.realpath(candidate.parent), candidate.name))
        if checkout is not None and checkout.pins.is_file():
            return Package(name, str(checkout.pins), checkout)
    for candidate in candidates:
        if candidate.is_file() or receipts.in_archive(str(candidate)) is not None:
            return Package(name, str(candidate))
    raise _none_in(name, candidates, manifest)


def _not_installed(name: str) -> str:
    from packaging.utils import canonicalize_name  # of no use where all is well

    # Installers and imports often know a package by two names.
    imported = [
        carrying
        for distribution in distributions()
        if canonicalize_name(distribution.metadata["Name"] or "") == canonicalize_name(name)
        for carrying in _carrying(distribution)
    ] or [
        module
        for module, names in packages_distributions().items()
        if canonicalize_name(name) in map(canonicalize_name, (module, *names))
    ]
    hint = f"; the name that is imported is meant: {' or '.join(imported)}" if imported else ""
    return f"the package {name!r} is not installed{hint}"


def _behind_links(spec: ModuleSpec, manifest: str) -> Iterator[Path]:
    """Where a folder of links, as some editable installs make, leads to."""
    if spec.origin and spec.submodule_search_locations and Path(spec.origin).is_symlink():
        yield Path(os.path.realpath(spec.origin)).parent / manifest


def _none_in(name: str, candidates: list[Path], manifest: str) -> ManifestError:
    path = candidates[0] if candidates else Path(name, manifest)
    root = source_root(path) if candidates else None
    if root is None:
        reason = f"{name!r} was built without hatch-heimdall-models, or has none"
        return ManifestError(str(path), f"is missing; {reason}")
    try:
        said = read_checkout(root)
        reason = f"{root / 'pyproject.toml'} says that the manifest is {root / said.manifest}"
        if root / said.manifest == Path(os.path.realpath(path)):
            reason = f"{said.pins} is missing too: restore it, or write it with 'hatch-heimdall-models lock'"
    except CheckoutError as error:
        reason = str(error)
    pull = Package(name, "", Checkout(root, "", "", "", {})).command("pull")
    return ManifestError(
        str(path),
        f"is missing; {name!r} is used from its source tree, and {reason}. Once it is there, '{pull}' brings the models",
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
    """The import names of this environment's packages that carry a manifest, or are used from a checkout that has one."""
    names = set()
    for distribution in distributions():
        names |= _carrying(distribution)
    return sorted(names)


def _carrying(distribution: Distribution) -> set[str]:
    files = distribution.files or ()
    manifests = {file.parent for file in files if file.name == MANIFEST_NAME}
    # The list of an editable install may be one of sources.
    carrying = {".".join(folder.parts) for folder in manifests if folder.parts}
    return {name for name in carrying if _is_found(name)} | {*_editable_packages(distribution)}


def _is_found(name: str) -> bool:
    try:
        find_package(name)
    except ManifestError:
        return False
    return True


def _editable_packages(distribution: Distribution) -> Iterator[str]:
    """The import name of the package whose checkout an editable install leads to."""
    from urllib.parse import urlsplit
    from urllib.request import url2pathname  # more than a process that has its model needs

    try:
        direct = json.loads(distribution.read_text("direct_url.json") or "{}")
        if not direct["dir_info"]["editable"]:
            return
        checkout = read_checkout(Path(url2pathname(urlsplit(direct["url"]).path)))
    except (ValueError, KeyError, TypeError, OSError, CheckoutError):
        return
    folders = Path(checkout.manifest).parent.parts
    # How much of the path is its import name is the backend's business.
    for name in (".".join(folders[start:]) for start in range(len(folders))):
        with contextlib.suppress(ManifestError):
            if find_package(name).checkout is not None:
                yield name
                return
