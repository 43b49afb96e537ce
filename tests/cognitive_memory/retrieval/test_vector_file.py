from __future__ import annotations

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest

from cognitive_memory.retrieval.vector_file import VectorFile
from cognitive_memory.storage.vectors import State

STATE = State(7, -(2**62))
KEYS = np.array([1, 5, 9], dtype=np.int64)
MATRIX = np.arange(12, dtype=np.float32).reshape(3, 4)


@pytest.fixture
def file(tmp_path: Path) -> VectorFile:
    file = VectorFile(tmp_path / "memory.vectors")
    file.write("model", STATE, [(KEYS[:2], MATRIX[:2]), (KEYS[2:], MATRIX[2:])])
    return file


def test_what_was_written_is_read(file: VectorFile) -> None:
    saved = file.read("model")
    assert saved is not None
    assert saved.state == STATE
    np.testing.assert_array_equal(saved.keys, KEYS)
    np.testing.assert_array_equal(saved.matrix, MATRIX)
    assert list(file.path.parent.iterdir()) == [file.path]


def test_who_has_it_mapped_keeps_what_it_was(file: VectorFile) -> None:
    saved = file.read("model")
    assert saved is not None
    file.write("model", STATE, [(KEYS, -MATRIX)])
    np.testing.assert_array_equal(saved.matrix, MATRIX)


def test_of_another_model(file: VectorFile) -> None:
    assert file.read("other") is None


@pytest.mark.parametrize("size", [0, 10, 4096, 4160, -1])
def test_cut_off(file: VectorFile, size: int) -> None:
    content = file.path.read_bytes()
    file.path.write_bytes(content[:size])
    assert file.read("model") is None


@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 5000, b"{}".ljust(5000), b"[]".ljust(5000), os.urandom(9000), b"7" * 4096],
)
def test_something_else(file: VectorFile, content: bytes) -> None:
    file.path.write_bytes(content)
    assert file.read("model") is None


def test_other_keys(file: VectorFile) -> None:
    content = bytearray(file.path.read_bytes())
    content[-3] ^= 1
    file.path.write_bytes(content)
    assert file.read("model") is None


@pytest.mark.parametrize(
    ("key", "value"),
    [("heimdall_vectors", 2), ("rows", "3"), ("rows", 2), ("state", [1]), ("state", None)],
)
def test_a_header_of_another_form(file: VectorFile, key: str, value: object) -> None:
    content = file.path.read_bytes()
    header = json.loads(content[:4096]) | {key: value}
    file.path.write_bytes(json.dumps(header).encode().ljust(4096) + content[4096:])
    assert file.read("model") is None


def test_what_a_killed_process_left_is_removed(file: VectorFile) -> None:
    old, young = (file.path.with_name(f".{file.path.name}.{name}.tmp") for name in ("old", "young"))
    for part in (old, young):
        part.write_bytes(b"half")
    os.utime(old, (time.time() - 5000,) * 2)
    file.write("model", STATE, [(KEYS, MATRIX)])
    assert not old.exists()
    assert young.exists()


def test_nothing_is_left_of_what_could_not_be_written(file: VectorFile) -> None:
    def parts() -> object:
        yield KEYS, MATRIX
        raise OSError("no space left")

    before = file.path.read_bytes()
    file.write("model", STATE, parts())  # type: ignore[arg-type]
    assert list(file.path.parent.iterdir()) == [file.path]
    assert file.path.read_bytes() == before


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dimension", 3),
        ("dimension", 0),
        ("dimension", True),
        ("rows", -3),
        ("rows", 1e308),
        ("state", ["a", "b"]),
        ("state", [7, None]),
        ("state", [-7, 0]),
        ("keys_crc32", None),
    ],
)
def test_what_no_process_of_ours_wrote_is_removed(
    file: VectorFile, key: str, value: object, caplog: pytest.LogCaptureFixture
) -> None:
    content = file.path.read_bytes()
    header = json.loads(content[:4096]) | {key: value}
    file.path.write_bytes(json.dumps(header).encode().ljust(4096) + content[4096:])
    assert file.read("model") is None
    assert not file.path.exists()
    assert len(caplog.records) == 1


def test_of_another_dimension(file: VectorFile) -> None:
    assert VectorFile(file.path, 4).read("model") is not None
    assert VectorFile(file.path, 5).read("model") is None
    assert not file.path.exists()


def test_what_another_model_or_release_wrote_stays(file: VectorFile) -> None:
    assert VectorFile(file.path, 5).read("other") is None
    assert file.path.exists()


@pytest.mark.skipif(os.name == "nt", reason="there are no such files")
@pytest.mark.parametrize("kind", ["link", "pipe", "zero"])
def test_what_is_no_file_is_removed_and_not_followed(file: VectorFile, kind: str) -> None:
    target = file.path.with_name("target")
    file.path.rename(target)
    if kind == "pipe":
        os.mkfifo(file.path)
    else:
        file.path.symlink_to({"link": target, "zero": Path("/dev/zero")}[kind])
    assert file.read("model") is None
    assert not file.path.is_symlink()
    assert not file.path.exists()
    assert target.exists()


def test_a_header_that_is_nested_too_deeply(file: VectorFile) -> None:
    file.path.write_bytes(b"[" * 5000)
    assert file.read("model") is None
    assert not file.path.exists()


def test_what_the_log_says_of_something_else_in_its_place(
    file: VectorFile, caplog: pytest.LogCaptureFixture
) -> None:
    file.path.unlink()
    os.mkfifo(file.path)
    assert file.read("model") is None
    (record,) = caplog.records
    assert record.getMessage().endswith("is thrown away, and made anew: it is no regular file")
