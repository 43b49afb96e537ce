"""A model's release asset: a zip with root `models/`, opened with distrust."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Sequence
from pathlib import Path

from ..errors import SourceError
from ..manifest import PinnedFile, PinnedModel
from ..store import Store
from .zip_members import opened_zip, receive_members

ROOT = "models/"
DOCUMENTS = f"{ROOT}about/"
"""Licence, model card and provenance: in the asset, never unpacked."""


def unpack(archive: Path, model: PinnedModel, wanted: Sequence[PinnedFile], store: Store) -> None:
    """Take the wanted members into the store, each verified while it is read.

    Raises:
        SourceError: if the archive is damaged or has a member that it must not have; what was verified stays.
    """
    label = archive.name
    with opened_zip(archive, label) as opened:
        _check_members(opened, model, label)
        receive_members(opened, {f"{ROOT}{file.path}": file for file in wanted}, store, label)


def _check_members(opened: zipfile.ZipFile, model: PinnedModel, label: str) -> None:
    pinned = {f"{ROOT}{file.path}": file.size for file in model.files}
    seen: set[str] = set()
    for info in opened.infolist():
        if problem := _member_problem(info, pinned, seen):
            raise SourceError(f"{label}: member {info.filename!r} {problem}; refused")
        seen.add(info.filename.casefold())


def _member_problem(info: zipfile.ZipInfo, pinned: dict[str, int], seen: set[str]) -> str | None:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if info.filename.casefold() in seen:
        return "is there twice"
    if info.flag_bits & 0x1:
        return "is encrypted"
    if kind and not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
        return "is a link or special file"
    if info.filename in pinned:
        size = pinned[info.filename]
        return None if info.file_size == size else f"has {info.file_size} bytes, expected {size}"
    # Not is_dir(): before Python 3.12 it fails on a member without a name.
    if info.filename.endswith("/") and any(
        name.startswith(info.filename) for name in (*pinned, DOCUMENTS)
    ):
        return None
    if info.filename.startswith(DOCUMENTS) and ".." not in info.filename:
        return None
    return "is none of the pinned files"
