from __future__ import annotations

from typing import Any

import pytest

from heimdall.models import receipts
from heimdall.models.manifest import PinnedModel


def test_sets_that_pin_other_bytes_have_other_names(pinned: PinnedModel) -> None:
    other = {
        **pinned.entry,
        "files": [{**file, "sha256": "0" * 64} for file in pinned.entry["files"]],
    }
    assert receipts.set_name(other) != receipts.set_name(pinned.entry)


def _document(**changes: object) -> dict[str, Any]:
    entry = {"name": "m", "variant": "standard", **changes}
    return {"default": "m", "models": [{"name": "other", "variant": "standard"}, entry]}


@pytest.mark.parametrize(
    ("changes", "variant", "found"),
    [
        ({}, "standard", True),
        ({}, "compact", False),
        ({"variant": "compact"}, "compact", True),
        ({"marker": "python_version >= '3'"}, "standard", True),
        ({"marker": "python_version < '3'"}, "standard", False),
    ],
)
def test_the_entry_is_chosen_by_name_variant_and_marker(
    changes: dict[str, str], variant: str, found: bool
) -> None:
    assert (receipts.choose_entry(_document(**changes), None, variant) is not None) == found


def test_a_variant_that_computes_with_anothers_files_is_served_by_them() -> None:
    graphs = {"standard": {"path": "a.onnx"}, "fast": {"path": "b.onnx"}}
    both = {"name": "a", "variant": "standard", "graphs": graphs}
    document = {"default": "a", "models": [{"name": "a", "variant": "compact"}, both]}
    assert receipts.choose_entry(document, None, "fast") == both
    assert receipts.choose_entry(document, None, "standard") == both
    assert receipts.choose_entry(document, None, "other") is None
