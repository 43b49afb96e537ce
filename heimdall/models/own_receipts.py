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
from .manifest import PinnedModel


def verify_tree(tree: Path, model: PinnedModel) -> bool:
    """Hash all of the model's files in `tree`: whether they have exactly the pinned bytes.

    The outcome, good or bad, is noted for this user, where there is a place for it, so that they are hashed once.
    """
    hashed = {file.path: _hashed(tree / file.path) for file in model.files}
    stats = {path: identity for path, (_, identity) in hashed.items() if identity}
    if stats.keys() != hashed.keys():
        return False
    sound = all(hashed[file.path][0] == file.sha256 for file in model.files)
    receipt = receipts.own_receipt(str(tree), model.entry)
    if receipt:
        with contextlib.suppress(OSError):  # a full disk: they are hashed again the next time
            Path(receipt).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write(Path(receipt), receipts.pins(model.entry) if sound else {}, stats)
    return sound


def write(receipt: Path, pins: Mapping[str, object], stats: Mapping[str, object]) -> None:
    """Write a receipt.

    Args:
        pins: what the files were compared with and have; empty if they differ.
        stats: by path, what is noted of each file.

    Raises:
        OSError: it can't be written.
    """
    document = {"schema": 1, "pins": pins, "stats": stats}
    with draft(receipt) as beside:
        beside.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        # What others may write to would not be believed; many users' umask lets their group.
        beside.chmod(0o644)


def _hashed(path: Path) -> tuple[str, list[int]]:
    """The file's sha256 and identity; none of both if it can't be read, or did not stand still meanwhile."""
    try:
        with path.open("rb") as stream:
            before = receipts.identity(os.fstat(stream.fileno()))
            digest = hashlib.sha256()
            for chunk in chunks_of(stream):
                digest.update(chunk)
            after = receipts.identity(os.fstat(stream.fileno()))
    except OSError:
        return "", []
    return (digest.hexdigest(), before) if before == after else ("", [])
