"""Copying what was fetched, and no byte more than was pinned."""

from __future__ import annotations

import hashlib
from typing import IO

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.files import CHUNK


def copy_verified(
    source: IO[bytes], target: IO[bytes], *, sha256: str, size: int, subject: str
) -> None:
    """Copy a stream, hashing it on the way; no more than one chunk beyond `size` bytes is read.

    Raises:
        ModelBuildError: if the bytes do not have the size and the sha256.
    """
    digest = hashlib.sha256()
    copied = 0
    while chunk := source.read(CHUNK):
        copied += len(chunk)
        # At once: a server may send without end.
        if copied > size:
            raise ModelBuildError(subject, [f"has more than the {size} bytes that are pinned"])
        digest.update(chunk)
        target.write(chunk)
    if (digest.hexdigest(), copied) != (sha256, size):
        problem = (
            f"expected sha256 {sha256} ({size} bytes), found {digest.hexdigest()} ({copied} bytes)"
        )
        raise ModelBuildError(subject, [problem])
