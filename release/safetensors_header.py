"""Where each tensor lies in a safetensors file.

Reads the header alone (8 bytes of little-endian length, then JSON: https://huggingface.co/docs/safetensors), never the
weights, and believes nothing it has not checked: the offsets end up in an ONNX graph that others load.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Any, TypeGuard

from hatch_heimdall_models.errors import ModelBuildError

_LENGTH = struct.Struct("<Q")
_HEADER_LIMIT = 100_000_000
"""The limit that the format's own reader has, in bytes."""

ITEM_SIZES: Mapping[str, int] = {
    "BOOL": 1,
    "U8": 1,
    "I8": 1,
    "F8_E5M2": 1,
    "F8_E4M3": 1,
    "U16": 2,
    "I16": 2,
    "F16": 2,
    "BF16": 2,
    "U32": 4,
    "I32": 4,
    "F32": 4,
    "U64": 8,
    "I64": 8,
    "F64": 8,
}
"""Bytes of one element, for each of the format's element types."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor's type and place.

    Attributes:
        dtype: the format's name of the element type, for example `F32`; elements are little-endian and row-major.
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
        ModelBuildError: if the file can't be read, or with everything that is wrong with its header.
    """
    try:
        with path.open("rb") as stream:
            file_size = path.stat().st_size
            prefix = stream.read(_LENGTH.size)
            length = _LENGTH.unpack(prefix)[0] if len(prefix) == _LENGTH.size else 0
            # The length is a claim of the file's; memory is not taken on its word.
            header = stream.read(length) if length <= min(file_size, _HEADER_LIMIT) else b""
    except OSError as error:
        raise ModelBuildError(str(path), [f"can't be read: {error}"]) from error
    return parse_header(prefix + header, file_size=file_size, subject=str(path))


def parse_header(head: bytes, *, file_size: int, subject: str) -> dict[str, Tensor]:
    """The tensors that the first bytes of a safetensors file announce, by name.

    Args:
        head: the file's first bytes, up to the end of its header or further.
        file_size: bytes of the whole file.
        subject: what the bytes are, for messages: usually a path.

    Raises:
        ModelBuildError: with everything that is wrong: no header, no JSON, an unknown element type, a size that does
            not fit the shape, tensors that overlap, leave a gap or end beyond the file.
    """
    if len(head) < _LENGTH.size:
        raise ModelBuildError(
            subject, [f"is no safetensors file: {file_size} bytes are too few for a header"]
        )
    length = _LENGTH.unpack_from(head)[0]
    start = _LENGTH.size + length
    if length > _HEADER_LIMIT or start > file_size or start > len(head):
        problem = f"is no whole safetensors file: it announces a header of {length} bytes and has {file_size} bytes"
        raise ModelBuildError(subject, [problem])
    try:
        document = json.loads(
            head[_LENGTH.size : start].decode("utf-8"), object_pairs_hook=_object_without_repeats
        )
    except (ValueError, RecursionError) as error:
        raise ModelBuildError(subject, [f"its header is not JSON: {error}"]) from error
    if not isinstance(document, dict):
        raise ModelBuildError(subject, ["its header must be a JSON object"])
    document.pop("__metadata__", None)
    problems: list[str] = []
    tensors: dict[str, Tensor] = {}
    for name, entry in document.items():
        tensor = _tensor(entry, start)
        if isinstance(tensor, Tensor):
            tensors[name] = tensor
        else:
            problems.append(f"tensor {name!r} {tensor}")
    if not problems:
        problems.extend(_layout_problems(tensors, start, file_size))
    if problems:
        raise ModelBuildError(subject, problems)
    return tensors


def _object_without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"repeated keys: {', '.join(repeated)}")
    return document


def _tensor(entry: object, start: int) -> Tensor | str:
    """The tensor of one header entry, or what is wrong with the entry."""
    if not isinstance(entry, dict):
        return f"must be a JSON object, found {entry!r}"
    dtype, shape, offsets = entry.get("dtype"), entry.get("shape"), entry.get("data_offsets")
    if not isinstance(dtype, str) or dtype not in ITEM_SIZES:
        return f"has an unknown dtype: {dtype!r}"
    if not _is_sizes(shape):
        return f"has no usable shape: {shape!r}"
    if not _is_sizes(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        return f"has no usable data_offsets: {offsets!r}"
    begin, end = offsets
    wanted = prod(shape) * ITEM_SIZES[dtype]
    if end - begin != wanted:
        return f"has {end - begin} bytes where {dtype} of shape {shape} takes {wanted}"
    return Tensor(dtype, tuple(shape), start + begin, wanted)


def _is_sizes(value: object) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(size) is int and size >= 0 for size in value)


def _layout_problems(tensors: Mapping[str, Tensor], start: int, file_size: int) -> Iterable[str]:
    """The format wants the tensors side by side, from the end of the header to the end of the file."""
    places = sorted(
        (tensor.offset, tensor.offset + tensor.length, name) for name, tensor in tensors.items()
    )
    fences = [(start, start, "the header"), *places, (file_size, file_size, "the end of the file")]
    for (_, end, name), (begin, _, following) in pairwise(fences):
        if end != begin:
            yield f"{following} should begin where {name} ends, at byte {end}, and is at byte {begin}"
