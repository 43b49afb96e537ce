"""Which files travel inside the manifest: small ones, as long as all of them together stay small."""

from __future__ import annotations

import base64
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from hatch_heimdall_models.inventory import HashedFile

INLINE_LIMIT = 20_000
"""Bytes that a file may have when it is compressed."""
INLINE_TOTAL = 256_000
"""Bytes that all of them may have: a manifest is part of every wheel, and read with every import."""
_LARGEST = 1024 * 1024
"""Files of more bytes are not compressed to see what comes of it."""


def inline_texts(
    files: Iterable[tuple[Path, HashedFile]], limit: int = INLINE_LIMIT
) -> dict[str, str]:
    """The text of each file that travels inside the manifest, base64 of zlib, by sha256.

    The smallest come first, until there is no room.

    Args:
        files: where each file is.
        limit: bytes that one may have when it is compressed.
    """
    compressed: dict[str, bytes] = {}
    for path, file in files:
        if file.size <= max(_LARGEST, limit) and file.sha256 not in compressed:
            content = zlib.compress(path.read_bytes(), 9)
            if len(content) <= limit:
                compressed[file.sha256] = content
    texts = {}
    room = max(INLINE_TOTAL, limit)
    for sha256, content in sorted(compressed.items(), key=lambda item: (len(item[1]), item[0])):
        room -= len(content)
        if room < 0:
            break
        texts[sha256] = base64.b64encode(content).decode()
    return texts
