"""Receipts of one's own, for files that others own: hashed once by each user, and known by inode and change time."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from . import receipts
from .files import chunks_of, draft
from .manifest import PinnedFile, PinnedModel


def verify_tree(tree: Path, model: PinnedModel) -> bool:
    """Hash all of the model's files in `tree`: whether they have exactly the pinned bytes.

    That they do is noted for this user, where there is a place for it, so that they are hashed once.
    """
    hashed = {file.path: _hashed(tree / file.path, file) for file in model.files}
    if None in hashed.values():
        return False
    receipt = receipts.own_receipt(str(tree), model.entry)
    if receipt:
        with contextlib.suppress(OSError):  # a full disk: they are hashed again the next time
            Path(receipt).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write(Path(receipt), model, hashed)
    return True


def write(receipt: Path, model: PinnedModel, stats: Mapping[str, object]) -> None:
    """Write a receipt of the model's files.

    Args:
        stats: by path, what is noted of each file that was verified.

    Raises:
        OSError: it can't be written.
    """
    document = {"schema": 1, "pins": receipts.pins(model.entry), "stats": stats}
    with draft(receipt) as beside:
        beside.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        # What others may write to would not be believed; many users' umask lets their group.
        beside.chmod(0o644)


def _hashed(path: Path, file: PinnedFile) -> list[int] | None:
    """The file's identity if its bytes are the pinned ones, and stood still while they were read."""
    try:
        with path.open("rb") as stream:
            before = os.fstat(stream.fileno())
            if before.st_size != file.size:
                return None
            digest = hashlib.sha256()
            for chunk in chunks_of(stream):
                digest.update(chunk)
            same = receipts.identity(os.fstat(stream.fileno())) == receipts.identity(before)
    except OSError:
        return None
    return receipts.identity(before) if same and digest.hexdigest() == file.sha256 else None
