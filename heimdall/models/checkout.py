"""A project's own tree: where its `pyproject.toml` says that its models and their pins are.

The build half checks the whole table; this one reads what it takes to find the files.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import PathError
from .pin_rules import path_problem

_TABLE = "heimdall-models"
_LOCK = "models.lock.json"
_INSTALLED = {"site-packages", "dist-packages"}


class CheckoutError(PathError):
    """A folder, or a file in it, is no checkout whose models can be brought."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """What the table says. Paths are relative to the root, POSIX.

    Attributes:
        root: the project's root, absolute.
        models_dir: the folder of the models.
        manifest: where the manifest is in the package.
        lock: the committed file that holds the pins.
        variant_folders: by variant, the folder below `models_dir` that has its files.
    """

    root: Path
    models_dir: str
    manifest: str
    lock: str
    variant_folders: Mapping[str, str]

    @property
    def pins(self) -> Path:
        """The file that says what is pinned: the lock, else a manifest that an sdist carries, else where the lock would be."""
        lock, manifest = self.root / self.lock, self.root / self.manifest
        return manifest if manifest.is_file() and not lock.is_file() else lock

    def tree(self, variant: str) -> Path:
        """The folder of a variant's files."""
        return self.root.joinpath(self.models_dir, self.variant_folders.get(variant, ""))


def read_checkout(root: Path) -> Checkout:
    """The checkout whose root is that folder.

    Raises:
        CheckoutError: if nothing there configures models, or it can't be read.
    """
    root = root.absolute()
    project = root / "pyproject.toml"
    document = _read(project)
    hooks = _table(document, "tool", "hatch", "build", "hooks")
    if (root / "hatch.toml").is_file():
        # As hatchling does it: the whole table counts, not key by key.
        hatch = _read(root / "hatch.toml")
        hooks = _table(hatch, "build", "hooks") if "build" in hatch else hooks
    in_tree = _table(hooks, "custom")  # which may be anybody's
    hook = _table(hooks, _TABLE) or (in_tree if "models-dir" in in_tree else {})
    table = _table(document, "tool", _TABLE) or hook
    if not table:
        raise CheckoutError(str(project), f"configures no models: it has no [tool.{_TABLE}]")
    manifest = _path(table, "manifest", project)
    folders = _table(table, "variant-folders")
    return Checkout(
        root,
        models_dir=_path(table, "models-dir", project),
        manifest=manifest,
        # Without a hook that writes the manifest, one committed file is both.
        lock=_path(table, "lock", project, _LOCK if hook or _TABLE in hooks else manifest),
        variant_folders={variant: _path(folders, variant, project) for variant in folders},
    )


def find_checkout(manifest: Path) -> Checkout | None:
    """The checkout whose configuration says that a package's manifest is there, or would be; None if there is none.

    Args:
        manifest: absolute, without links.
    """
    root = source_root(manifest)
    if root is None:
        return None
    try:
        checkout = read_checkout(root)
    except CheckoutError:
        return None
    return checkout if root / checkout.manifest == manifest else None


def source_root(path: Path) -> Path | None:
    """The nearest folder above a package's file that has a `pyproject.toml`; None for what an installer put there.

    Who else has such a file above it has no say in what the package loads: it is the owner of the package's folder that
    counts.
    """
    if _INSTALLED.intersection(path.parts):
        return None
    with contextlib.suppress(OSError):
        owner = path.parent.stat().st_uid
        for root in path.parent.parents:
            if (root / "pyproject.toml").is_file():
                return root if (root / "pyproject.toml").stat().st_uid == owner else None
    return None


def _read(path: Path) -> dict[str, Any]:
    try:
        import tomllib
    except ModuleNotFoundError:
        raise CheckoutError(str(path), "only Python 3.11 or later can read it: use one") from None
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        problem = "there is no such file: name the folder of a checkout that has one"
        raise CheckoutError(str(path), problem) from None
    except (OSError, ValueError, RecursionError) as error:
        raise CheckoutError(str(path), f"can't be read: {error}") from error


def _table(document: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    found: Any = document
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _path(table: Mapping[str, Any], key: str, project: Path, default: str | None = None) -> str:
    value = table.get(key, default)
    path = value.rstrip("/") if isinstance(value, str) else value
    if problem := path_problem(path):
        reason = "is not there" if value is None else f"{problem}, in {value!r}"
        raise CheckoutError(str(project), f"'{key}' of the models' table {reason}")
    return str(path)


def leads_out(path: Path, root: Path) -> bool:
    """Whether links on the way to `path` lead out of `root`."""
    real = os.path.realpath(path)
    return not Path(real).is_relative_to(os.path.realpath(root))
