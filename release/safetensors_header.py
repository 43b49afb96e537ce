"""Where each tensor lies in a safetensors file.

Reads the header alone (8 bytes of little-endian length, then JSON:
https://huggingface.co/docs/safetensors), never the weights. The file is one that the recipe pins:
its digest was checked before, so that only the form is checked here.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path

from hatch_heimdall_models.errors import ModelBuildError

_LENGTH = struct.Struct("<Q")
_NO_SAFETENSORS = (
    OSError,
    struct.error,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    RecursionError,
)
"""What another kind of file leads to: too short, no JSON, or JSON of another form."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor's type and place.

    Attributes:
        dtype: the format's name of the element type, for example `F32`; elements are little-endian
            and row-major.
        shape: its dimensions.
        offset: bytes from the start of the *file* to the first element.
        length: bytes.
    """

    dtype: str
    shape: tuple[int, ...]
    offset: int
    length: int


def read_header(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file, by name.

    Raises:
        ModelBuildError: if the file can't be read, or is no whole safetensors file.
    """
    tensors = {}
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            (length,) = _LENGTH.unpack(stream.read(_LENGTH.size))
            # The length is a claim of the file's: no memory is taken for more than there is.
            header = json.loads(stream.read(min(length, size)))
        start = _LENGTH.size + length
        header.pop("__metadata__", None)
        for name, entry in header.items():
            begin, end = entry["data_offsets"]
            tensors[name] = Tensor(
                entry["dtype"], tuple(entry["shape"]), start + begin, end - begin
            )
    except _NO_SAFETENSORS as error:
        problem = f"can't be read as a safetensors file: {error!r}"
        raise ModelBuildError(str(path), [problem]) from error
    # The format wants the tensors to fill the file, so that one that was cut shows.
    if max((tensor.offset + tensor.length for tensor in tensors.values()), default=start) != size:
        raise ModelBuildError(
            str(path), [f"has {size} bytes, which is not where its last tensor ends"]
        )
    return tensors
