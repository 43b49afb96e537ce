"""The header reader: right about good files, clear about bad ones, and never anything else than that."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hatch_heimdall_models.errors import ModelBuildError
from release.safetensors_header import Tensor, parse_header, read_header
from tests.support.safetensors_files import DTYPES, safetensors_bytes, with_header

_names = st.text(min_size=1, max_size=8).filter(
    lambda name: name != "__metadata__" and name.isprintable()
)
_arrays = arrays.arrays(
    st.sampled_from(list(DTYPES)),
    arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)
_F32 = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


def parse(content: bytes) -> dict[str, Tensor]:
    return parse_header(content, file_size=len(content), subject="weights")


def problems_of(header: object, content: bytes) -> str:
    with pytest.raises(ModelBuildError) as caught:
        parse(with_header(json.dumps(header).encode(), content))
    return str(caught.value)


@given(st.dictionaries(_names, _arrays, max_size=5))
def test_every_tensor_is_where_the_header_says(tensors: dict[str, np.ndarray]) -> None:
    content = safetensors_bytes(tensors)
    found = parse(content)
    assert found.keys() == tensors.keys()
    for name, array in tensors.items():
        place = found[name]
        assert (place.dtype, place.shape) == (DTYPES[str(array.dtype)], array.shape)
        assert content[place.offset : place.offset + place.length] == array.tobytes()


@given(st.binary(max_size=200))
def test_any_bytes_give_tensors_or_a_clear_error(content: bytes) -> None:
    with suppress(ModelBuildError):
        assert isinstance(parse(content), dict)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
_near_entries = st.fixed_dictionaries(
    {
        "dtype": st.just("F32") | _json,
        "shape": st.just([2]) | _json,
        "data_offsets": st.just([0, 8]) | _json,
    }
)


@given(st.dictionaries(_names, _near_entries | _json, max_size=3) | _json)
def test_any_json_gives_tensors_inside_the_file_or_a_clear_error(header: object) -> None:
    content = with_header(json.dumps(header).encode(), bytes(8))
    with suppress(ModelBuildError):
        tensors = parse(content)
        assert all(
            0 <= tensor.offset <= tensor.offset + tensor.length <= len(content)
            for tensor in tensors.values()
        )


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ([], "must be a JSON object"),
        (_F32 | {"dtype": "F33"}, "unknown dtype: 'F33'"),
        (_F32 | {"dtype": ["F32"]}, "unknown dtype"),
        (_F32 | {"shape": [-2]}, "no usable shape: [-2]"),
        (_F32 | {"shape": [True, 2]}, "no usable shape"),
        (_F32 | {"data_offsets": [8, 0]}, "no usable data_offsets"),
        (_F32 | {"data_offsets": [0, 8, 8]}, "no usable data_offsets"),
        (_F32 | {"shape": [3]}, "has 8 bytes where F32 of shape [3] takes 12"),
    ],
)
def test_a_bad_entry_is_named(entry: object, message: str) -> None:
    assert message in problems_of({"table": entry}, bytes(8))


def test_every_bad_entry_is_reported_at_once() -> None:
    text = problems_of({"one": [], "good": _F32, "two": {}}, bytes(8))
    assert "'one'" in text
    assert "'two'" in text
    assert "'good'" not in text


@pytest.mark.parametrize(
    ("offsets", "size", "message"),
    [
        ([[0, 8], [4, 12]], 12, "second should begin where first ends"),
        ([[0, 8], [12, 20]], 20, "second should begin where first ends"),
        ([[4, 12], [12, 20]], 20, "first should begin where the header ends"),
        ([[0, 8], [8, 16]], 20, "the end of the file should begin where second ends"),
        ([[0, 8], [8, 16]], 12, "the end of the file should begin where second ends"),
    ],
)
def test_tensors_lie_side_by_side_in_the_whole_file(
    offsets: list[list[int]], size: int, message: str
) -> None:
    header = {
        name: _F32 | {"data_offsets": pair}
        for name, pair in zip(("first", "second"), offsets, strict=True)
    }
    assert message in problems_of(header, bytes(size))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "0 bytes are too few"),
        (bytes(7), "7 bytes are too few"),
        ((2**63).to_bytes(8, "little") + b"{}", "no whole safetensors file"),
        (with_header(b'{"a": 1, "a": 2}'), "repeated keys: a"),
        (with_header(b"\xff{}"), "not JSON"),
        (with_header(b"[" * 100_000), "not JSON"),
        (with_header(b"[]"), "must be a JSON object"),
        (b"version https://git-lfs.github.com/spec/v1\n", "no whole safetensors file"),
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
