from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from heimdall.models import receipts
from heimdall.models.manifest import PinnedModel
from heimdall.models.store import Store


@pytest.fixture
def tree(pinned: PinnedModel, models_dir: Path, small: Any) -> Path:
    store = Store(models_dir)
    store.prepare()
    for file in pinned.files:
        store.receive(file, [small.files[file.path]])
    return store.publish(pinned)


def test_a_published_set_is_complete(pinned: PinnedModel, models_dir: Path, tree: Path) -> None:
    assert receipts.complete_set(str(models_dir), pinned.entry) == str(tree)


@pytest.mark.parametrize(
    "damage", ["touch", "grow", "remove", "no receipt", "empty receipt", "receipt of other bytes"]
)
def test_whatever_was_touched_is_not_complete(
    pinned: PinnedModel, models_dir: Path, tree: Path, damage: str
) -> None:
    weights, receipt = tree / "model.safetensors", tree.parent / receipts.RECEIPT
    match damage:
        case "touch":
            os.utime(weights, ns=(1, 1))
        case "grow":
            status = weights.stat()
            with weights.open("ab") as stream:
                stream.write(b"x")
            os.utime(weights, ns=(status.st_atime_ns, status.st_mtime_ns))
        case "remove":
            weights.unlink()
        case "no receipt":
            receipt.unlink()
        case "empty receipt":
            receipt.write_text("[]")
        case _:
            receipt.write_text(receipt.read_text().replace(pinned.files[0].sha256, "0" * 64))
    assert receipts.complete_set(str(models_dir), pinned.entry) is None


def test_sets_that_pin_other_bytes_have_other_names(pinned: PinnedModel) -> None:
    other = {
        **pinned.entry,
        "files": [{**file, "sha256": "0" * 64} for file in pinned.entry["files"]],
    }
    assert receipts.set_name(other) != receipts.set_name(pinned.entry)


def test_a_plausible_tree_has_every_file_in_its_size(
    pinned: PinnedModel, tree: Path, tmp_path: Path
) -> None:
    assert receipts.plausible_tree(str(tree), pinned.entry)
    assert not receipts.plausible_tree(str(tmp_path), pinned.entry)
    (tree / "model.safetensors").write_bytes(b"short")
    assert not receipts.plausible_tree(str(tree), pinned.entry)


def _document(**changes: object) -> dict[str, Any]:
    entry = {"name": "m", "variant": "standard", **changes}
    return {"default": "m", "models": [{"name": "other", "variant": "standard"}, entry]}


@pytest.mark.parametrize(
    ("changes", "variant", "found"),
    [
        ({}, None, True),
        ({}, "compact", False),
        ({"variant": "compact"}, "compact", True),
        ({"marker": "python_version >= '3'"}, None, True),
        ({"marker": "python_version < '3'"}, None, False),
    ],
)
def test_the_entry_is_chosen_by_name_variant_and_marker(
    changes: dict[str, str], variant: str | None, found: bool
) -> None:
    assert (receipts.choose_entry(_document(**changes), None, variant) is not None) == found


def test_a_variant_that_computes_with_anothers_files_is_served_by_them() -> None:
    graphs = {"standard": {"path": "a.onnx"}, "fast": {"path": "b.onnx"}}
    both = {"name": "a", "variant": "standard", "graphs": graphs}
    document = {"default": "a", "models": [{"name": "a", "variant": "compact"}, both]}
    assert receipts.choose_entry(document, None, "fast") == both
    assert receipts.choose_entry(document, None, "standard") == both
    assert receipts.choose_entry(document, None, "other") is None


def test_the_variable_names_the_variant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEIMDALL_MODEL_VARIANT", "compact")
    assert receipts.choose_entry(_document(), None, None) is None
    assert receipts.choose_entry(_document(), "other", "standard") == {
        "name": "other",
        "variant": "standard",
    }
