"""A release asset whose members are deflated where that pays, the same bytes on every machine.

zipfile compresses with whatever zlib Python has; a zip's own structure is small enough to be
written here.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from hatch_heimdall_models.asset import ABOUT, MODELS_ROOT
from release.deflate import deflate

_WORTH = 0.9
"""A member is deflated when it shrinks to this share of its bytes or less."""
_STORED, _DEFLATED = 0, 8
_VERSION = 20
"""The version of the format that knows deflate: 2.0."""
_UNIX = 3 << 8
_EPOCH = (0, 0x21)
"""1980-01-01, the earliest time that a zip can name."""
_REGULAR_FILE = 0o100644 << 16
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")


def write_deflated_asset(
    stream: BinaryIO, models: Mapping[str, Path], about: Mapping[str, bytes]
) -> None:
    """Write the zip.

    Args:
        stream: an empty file.
        models: the model's files by path, each smaller than 4 GiB.
        about: the documentation by name.
    """
    members = [(f"{ABOUT}{name}", about[name]) for name in sorted(about)]
    members += [(f"{MODELS_ROOT}{path}", models[path].read_bytes()) for path in sorted(models)]
    directory = b""
    offset = 0
    for name, content in members:
        method, data = _packed(content)
        encoded = name.encode("ascii")
        # Local head and directory say the same of a member, so that it can be read from either end.
        common = (
            _VERSION,
            0,
            method,
            *_EPOCH,
            zlib.crc32(content),
            len(data),
            len(content),
            len(encoded),
            0,
        )
        local = _LOCAL.pack(b"PK\3\4", *common) + encoded
        directory += (
            _CENTRAL.pack(b"PK\1\2", _VERSION | _UNIX, *common, 0, 0, 0, _REGULAR_FILE, offset)
            + encoded
        )
        stream.write(local)
        stream.write(data)
        offset += len(local) + len(data)
    stream.write(directory)
    stream.write(_END.pack(b"PK\5\6", 0, 0, len(members), len(members), len(directory), offset, 0))


def _packed(content: bytes) -> tuple[int, bytes]:
    """How the member is stored, and its bytes."""
    deflated = b"".join(deflate(memoryview(content)))
    return (_DEFLATED, deflated) if len(deflated) <= _WORTH * len(content) else (_STORED, content)
