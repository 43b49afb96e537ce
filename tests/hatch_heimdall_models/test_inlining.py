from __future__ import annotations

import base64
import random
import zlib
from typing import TYPE_CHECKING

from hatch_heimdall_models.inlining import INLINE_LIMIT, INLINE_TOTAL, inline_texts
from hatch_heimdall_models.inventory import take_inventory

if TYPE_CHECKING:
    from pathlib import Path


def _inline(directory: Path, limit: int = INLINE_LIMIT) -> dict[str, str]:
    texts = inline_texts(
        ((directory / file.path, file) for file in take_inventory(directory)), limit
    )
    names = {file.sha256: file.path for file in take_inventory(directory)}
    return {names[sha256]: text for sha256, text in texts.items()}


def test_what_is_small_when_compressed_travels_inside(tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(b"x" * 500_000)
    (tmp_path / "noise").write_bytes(random.Random(1).randbytes(INLINE_LIMIT + 1))
    assert _inline(tmp_path).keys() == {"long"}
    assert zlib.decompress(base64.b64decode(_inline(tmp_path)["long"])) == b"x" * 500_000
    assert _inline(tmp_path, 0) == {}
    assert _inline(tmp_path, 1_000_000).keys() == {"long", "noise"}


def test_many_small_files_do_not_make_a_large_wheel(tmp_path: Path) -> None:
    for index in range(100):
        (tmp_path / f"{index}").write_bytes(random.Random(index).randbytes(19_000))
    (tmp_path / "config.json").write_bytes(b"{}")
    inline = _inline(tmp_path)
    assert "config.json" in inline
    size = sum(len(base64.b64decode(text)) for text in inline.values())
    assert INLINE_TOTAL - 20_000 < size <= INLINE_TOTAL
