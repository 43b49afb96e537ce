from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.inventory import HashedFile, take_inventory
from hatch_heimdall_models.lock import differences, read_manifest
from tests.support.manifests import FILES, manifest_of, write_models

if TYPE_CHECKING:
    from pathlib import Path

    from hatch_heimdall_models.manifest import Manifest


def test_reading_gives_the_manifest(tmp_path: Path) -> None:
    path = tmp_path / "models.lock.json"
    path.write_text(manifest_of().dumps(), encoding="utf-8")
    assert read_manifest(path) == manifest_of()


@pytest.mark.parametrize("content", [None, b"\xff", b"{}"])
def test_what_can_not_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "models.lock.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelBuildError) as caught:
        read_manifest(path)
    assert caught.value.subject == str(path)


def test_nothing_differs(tmp_path: Path) -> None:
    write_models(tmp_path)
    assert differences(manifest_of(), take_inventory(tmp_path)) == []


def test_every_difference_is_named_with_both_digests() -> None:
    changed, missing, extra = "model.safetensors", "model_config.json", "extra.bin"
    kept = HashedFile("tokenizer/tokenizer.json", *_pin(FILES["tokenizer/tokenizer.json"]))
    found = [HashedFile(extra, "1" * 64, 3), HashedFile(changed, "2" * 64, 9), kept]
    pinned, size = _pin(FILES[changed])
    assert differences(manifest_of(), found) == [
        f"{extra} is there but not pinned",
        f"{changed}: pinned is sha256 {pinned} ({size} bytes), found sha256 {'2' * 64} (9 bytes)",
        f"{missing} is pinned but not there",
    ]


def test_either_variant_of_one_path_is_right() -> None:
    one, other = manifest_of({"m.onnx": b"one"}), manifest_of({"m.onnx": b"other"})
    both = replace(one, models=(*one.models, replace(other.models[0], variant="compact")))
    assert differences(both, [HashedFile("m.onnx", *_pin(b"one"))]) == []
    assert differences(both, [HashedFile("m.onnx", *_pin(b"other"))]) == []
    (problem,) = differences(both, [HashedFile("m.onnx", *_pin(b"third"))])
    assert all(_pin(content)[0] in problem for content in (b"one", b"other", b"third"))


def _two_variants() -> tuple[Manifest, list[HashedFile]]:
    """Two variants of the same paths, the second in a folder of its own, and all their files."""
    standard, compact = (
        manifest_of({"a.bin": b"one", "m.onnx": b"one"}),
        manifest_of({"m.onnx": b"other"}),
    )
    both = replace(
        standard, models=(*standard.models, replace(compact.models[0], variant="compact"))
    )
    found = {"a.bin": b"one", "m.onnx": b"one", "small/m.onnx": b"other"}
    return both, [HashedFile(path, *_pin(content)) for path, content in found.items()]


def test_a_variant_in_a_folder_of_its_own_is_compared_there() -> None:
    both, found = _two_variants()
    assert differences(both, found, {"compact": "small"}) == []
    swapped = [*found[:2], replace(found[1], path="small/m.onnx")]
    (problem,) = differences(both, swapped, {"compact": "small"})
    assert problem.startswith("small/m.onnx: pinned is")
    assert differences(
        both, [*found, HashedFile("small/extra", "1" * 64, 1)], {"compact": "small"}
    ) == ["small/extra is there but not pinned"]
    assert differences(both, [found[1], found[2]], {"compact": "small"}) == [
        "a.bin is pinned but not there"
    ]


def test_a_variant_of_which_nothing_is_there_is_not_compared() -> None:
    both, found = _two_variants()
    assert differences(both, found[:2], {"compact": "small"}) == []
    assert differences(both, found[2:], {"compact": "small"}) == []
    assert len(differences(both, [], {"compact": "small"})) == 3


def _pin(content: bytes) -> tuple[str, int]:
    return hashlib.sha256(content).hexdigest(), len(content)
