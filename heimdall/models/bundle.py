"""Carrying a model to a machine without a network: one file, in the release asset's own form."""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from .errors import IntegrityError, PathError, SourceError
from .files import chunks_of, draft
from .manifest import PinnedFile, PinnedModel
from .ownership import is_finders
from .sources.archives import ROOT, take_members
from .sources.base import Context
from .sources.local import adopt, adopt_from, still_wanted
from .store import copy_verified

_MOST_ENTRIES = 1_000_000
"""Of a folder that the user names: a whole cache has fewer."""


class BundleError(PathError):
    """A model can't be exported or imported."""


@dataclass(frozen=True, slots=True)
class Given:
    """A source that the user names: a file or a folder of any shape. What it has is told by hash, whatever it is called.

    For example an export, a release asset, a wheel, one of the model's files; a models directory, a snapshot of Hugging
    Face's or a whole cache, a flat folder with the files or with archives of them.
    """

    path: Path
    remote: bool = False

    def __post_init__(self) -> None:
        """Look whether it is there.

        Raises:
            BundleError: if there is no such file or folder.
        """
        if not (self.path.is_dir() or self.path.is_file()):
            reason = "no such file or folder; name an export, a release asset, or a folder with the model's files"
            raise BundleError(str(self.path), reason)

    @property
    def name(self) -> str:
        """What it is: a file or a folder."""
        return "folder" if self.path.is_dir() else "file"

    @property
    def place(self) -> str:
        """The path."""
        return str(self.path)

    def deliver(self, wanted: Sequence[PinnedFile], context: Context) -> None:
        """Take what is wanted and there.

        Raises:
            SourceError: naming what is not there; the rest is kept.
        """
        if self.path.is_file():
            _take_file(self.path, wanted, context)
        else:
            adopt_from(self.path, wanted, context, _MOST_ENTRIES)
            for archive in _archives_below(self.path) if still_wanted(wanted, context) else ():
                with contextlib.suppress(SourceError):  # a damaged one of many
                    _take_file(archive, still_wanted(wanted, context), context)
        if missing := still_wanted(wanted, context):
            lacking = ", ".join(
                f"{file.path} ({file.size} bytes, sha256 {file.sha256})" for file in missing
            )
            kept = "; what it has is kept, and another import brings the rest"
            raise SourceError(
                f"{self.path} lacks {lacking}{kept if len(missing) < len(wanted) else ''}"
            )


def _take_file(path: Path, wanted: Sequence[PinnedFile], context: Context) -> None:
    if zipfile.is_zipfile(path):
        take_members(path, wanted, context.pinned)
    else:
        for file in wanted:
            adopt([path], file, context)


def _archives_below(folder: Path) -> list[Path]:
    paths = (path for path in islice(folder.rglob("*"), _MOST_ENTRIES) if not is_finders(path.name))
    return sorted(path for path in paths if path.suffix in {".zip", ".whl"} and path.is_file())


def export(model: PinnedModel, tree: Path, target: Path) -> None:
    """Write the model's files as one zip, verifying them while they are read.

    The same model gives the same bytes. Members are stored: weights hardly shrink, and can be verified much faster so.

    Args:
        tree: the directory with the files.
        target: must not exist.

    Raises:
        BundleError: if `target` exists, or a file does not match its pin.
        OSError: if it can't be written; nothing is left then.
    """
    if target.exists():
        raise BundleError(str(target), "exists already and is not replaced; name another file")
    try:
        with draft(target) as beside, zipfile.ZipFile(beside, "w", zipfile.ZIP_STORED) as archive:
            for file in sorted(model.files, key=lambda file: file.path):
                info = zipfile.ZipInfo(ROOT + file.path)
                info.create_system, info.external_attr = 3, 0o100644 << 16
                with (tree / file.path).open("rb") as source, archive.open(info, "w") as member:
                    copy_verified(chunks_of(source), member, file)
    except IntegrityError as error:
        command = model.package.command("verify --repair")
        raise BundleError(str(tree), f"{error}; '{command}' mends it") from error
