"""Carrying a model to a machine without a network: one file, in the release asset's own form."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import IntegrityError, ModelError
from .files import chunks_of, draft
from .manifest import PinnedFile, PinnedModel
from .sources.base import Context
from .sources.local import adopt
from .store import copy_verified
from .transfer.archives import ROOT, unpack


@dataclass(eq=False, repr=False)
class BundleError(ModelError):
    """A model can't be exported or imported.

    Attributes:
        path: the file or folder.
        reason: why, and what to do.
    """

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Given:
    """A source that the user names: an export or a release asset, or a folder as a models directory or an unpacked asset."""

    path: Path
    remote: bool = False

    def __post_init__(self) -> None:
        """Look whether it is there.

        Raises:
            BundleError: if there is no such file or folder.
        """
        if not (self.path.is_dir() or self.path.is_file()):
            reason = "no such file or folder; name an export, a release asset or a models directory"
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
        """Take what is wanted; each file is verified, so a zip need not be the pinned one."""
        if self.path.is_file():
            unpack(self.path, wanted, context.pinned)
            return
        for file in wanted:
            adopt([self.path / file.path, self.path / ROOT / file.path], file, context)


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
