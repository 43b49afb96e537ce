"""Copying what was fetched, and no byte more than was pinned."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import BinaryIO

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.files import CHUNK


def copy_verified(
    source: BinaryIO,
    target: BinaryIO,
    *,
    sha256: str,
    size: int,
    subject: str,
    advance: Callable[[int], None] | None = None,
) -> None:
    """Copy a stream, hashing it on the way; no more than one chunk beyond `size` bytes is read.

    `advance`, where it is given, hears of the bytes of each chunk.

    Raises:
        ModelBuildError: if the bytes do not have the size and the sha256.
    """
    digest = hashlib.sha256()
    copied = 0
    while chunk := source.read(CHUNK):
        copied += len(chunk)
        if copied > size:
            raise ModelBuildError(subject, [f"has more than the {size} bytes that are pinned"])
        digest.update(chunk)
        target.write(chunk)
        if advance is not None:
            advance(len(chunk))
    if (digest.hexdigest(), copied) != (sha256, size):
        problem = (
            f"expected sha256 {sha256} ({size} bytes), found {digest.hexdigest()} ({copied} bytes)"
        )
        raise ModelBuildError(subject, [problem])
