"""The bill of the models, read back by the library that wrote it."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import pytest

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.sbom import sbom_of
from tests.support.manifests import manifest_of


@pytest.fixture
def library() -> None:
    pytest.importorskip("cyclonedx", reason="needs cyclonedx-python-lib")


@pytest.mark.usefixtures("library")
def test_it_names_each_model_its_asset_and_its_files() -> None:
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import ComponentType

    manifest = manifest_of()
    (pinned,) = manifest.models
    other = replace(
        pinned, variant="small", marker="sys_platform == 'linux'", license="Some licence of ours"
    )
    content = json.loads(sbom_of(replace(manifest, models=(pinned, other)), version="1.0"))
    bill: Bom | None = Bom.from_json(content)  # type: ignore[attr-defined]  # added by a decorator
    assert bill is not None
    assert bill.metadata.component is not None
    assert (bill.metadata.component.name, bill.metadata.component.version) == (
        "heimdall-mcp",
        "1.0",
    )
    small, standard = sorted(bill.components, key=lambda component: str(component.bom_ref))
    assert standard.type is ComponentType.MACHINE_LEARNING_MODEL
    assert {file.name: next(iter(file.hashes)).content for file in standard.components} == {
        file.path: file.sha256 for file in pinned.files
    }
    urls = {str(reference.url) for reference in standard.external_references}
    assert urls == {
        "https://github.com/lcbcFoo/heimdall-mcp-server/releases/download/v0.1.0/models-v0.1.0.zip",
        pinned.upstream,
    }
    assert {(item.name, item.value) for item in small.properties} == {
        ("heimdall-models:variant", "small"),
        ("heimdall-models:marker", "sys_platform == 'linux'"),
    }


@pytest.mark.usefixtures("library")
def test_the_same_pins_give_the_same_text() -> None:
    text = sbom_of(manifest_of(), version="1.0")
    assert sbom_of(manifest_of(), version="1.0") == text
    assert "timestamp" not in text
    assert "serialNumber" not in text


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    for name in [name for name in sys.modules if name.split(".")[0] == "cyclonedx"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(
        ModelBuildError, match=r"name hatch-heimdall-models\[sbom\] in build-system\.requires"
    ):
        sbom_of(manifest_of(), version="1.0")
