"""Writing safetensors files, independently of any library."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping

import numpy as np

DTYPES = {"float32": "F32", "int64": "I64", "uint8": "U8", "float16": "F16"}


def safetensors_bytes(arrays: Mapping[str, np.ndarray]) -> bytes:
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    content = b""
    for name, array in arrays.items():
        raw = np.ascontiguousarray(array).tobytes()
        offsets = [len(content), len(content) + len(raw)]
        header[name] = {
            "dtype": DTYPES[str(array.dtype)],
            "shape": list(array.shape),
            "data_offsets": offsets,
        }
        content += raw
    return with_header(json.dumps(header).encode(), content)


def with_header(header: bytes, content: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header)) + header + content
