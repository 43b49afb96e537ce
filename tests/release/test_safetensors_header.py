"""The header reader: right about good files, clear about what is none."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hatch_heimdall_models.errors import ModelBuildError
from release.safetensors_header import read_header
from tests.support.safetensors_files import DTYPES, safetensors_bytes, with_header

_names = st.text(min_size=1, max_size=8).filter(
    lambda name: name != "__metadata__" and name.isprintable()
)
_arrays = arrays.arrays(
    st.sampled_from(list(DTYPES)),
    arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)


@given(tensors=st.dictionaries(_names, _arrays, max_size=5))
def test_every_tensor_is_where_the_header_says(
    tmp_path: Path, tensors: dict[str, np.ndarray]
) -> None:
    content = safetensors_bytes(tensors)
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    places = read_header(path)
    assert places.keys() == tensors.keys()
    for name, array in tensors.items():
        place = places[name]
        assert (place.dtype, place.shape) == (DTYPES[str(array.dtype)], array.shape)
        assert content[place.offset : place.offset + place.length] == array.tobytes()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "can't be read as a safetensors file"),
        (bytes(7), "can't be read as a safetensors file"),
        ((2**63).to_bytes(8, "little") + b"{}", "which is not where its last tensor ends"),
        (with_header(b"\xff{}"), "can't be read as a safetensors file"),
        (with_header(b"[" * 100_000), "can't be read as a safetensors file"),
        (with_header(b"[]"), "can't be read as a safetensors file"),
        (with_header(b'{"table": []}'), "can't be read as a safetensors file"),
        (with_header(b'{"table": {"dtype": "F32"}}'), "can't be read as a safetensors file"),
        (safetensors_bytes({"table": np.zeros(3, "f4")})[:-1], "where its last tensor ends"),
        (safetensors_bytes({"table": np.zeros(3, "f4")}) + b"x", "where its last tensor ends"),
        (b"version https://git-lfs.github.com/spec/v1\n", "can't be read as a safetensors file"),
    ],
)
def test_what_is_no_safetensors_file_is_said_to_be_none(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelBuildError, match=message):
        read_header(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelBuildError, match=r"absent\.safetensors: can't be read"):
        read_header(tmp_path / "absent.safetensors")


def test_the_weights_themselves_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    head = with_header(
        json.dumps(
            {"huge": {"dtype": "U8", "shape": [1 << 40], "data_offsets": [0, 1 << 40]}}
        ).encode()
    )
    path.write_bytes(head)
    with path.open("r+b") as stream:
        stream.truncate(len(head) + (1 << 40))
    assert read_header(path)["huge"].length == 1 << 40
