"""Hashing every pinned file of a model where it lies, and what was computed from them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from . import graph_cache
from .files import sha256_of
from .locate import SHARED
from .manifest import PinnedFile
from .pinned_set import PinnedSet


@dataclass(frozen=True, slots=True)
class Finding:
    """What is to be said of a pinned or computed file.

    Attributes:
        state: `ok`, `missing`, `unreadable` or `different`.
        detail: how it differs, or why it can't be read.
    """

    path: str
    state: str
    detail: str = ""


def verify(pinned: PinnedSet) -> list[Finding]:
    """Hash every pinned file where the model is, or would be in the store, and what was computed from them."""
    location = pinned.model.locate(str(pinned.store.models_dir))
    elsewhere = location.here and (location.tier != SHARED or not pinned.tree.exists())
    tree = Path(location.directory) if elsewhere else pinned.tree
    findings = [look_at(file, tree) for file in pinned.model.files]
    findings += [
        Finding(path, "different" if problem else "ok", problem)
        for cache in graph_cache.places(tree)
        for path, problem in graph_cache.check(cache)
    ]
    return findings


def look_at(file: PinnedFile, tree: Path) -> Finding:
    """Hash one file below `tree`."""
    path = tree / file.path
    try:
        size, sha256 = path.stat().st_size, sha256_of(path)
    except FileNotFoundError:
        return Finding(file.path, "missing")
    except OSError as error:
        return Finding(file.path, "unreadable", str(error))
    if (size, sha256) == (file.size, file.sha256):
        return Finding(file.path, "ok")
    pinned, actual = f"{file.size} bytes, sha256 {file.sha256}", f"{size} bytes, sha256 {sha256}"
    return Finding(file.path, "different", f"expected {pinned}; found {actual}")
