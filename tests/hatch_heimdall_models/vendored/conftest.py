from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from hatch_heimdall_models.vendored import ensure as vendored
from tests.support.small_model import SmallModel
from tests.support.vendored_package import VendoredPackage


@pytest.fixture
def model(tmp_path: Path) -> SmallModel:
    return SmallModel(tmp_path / "release")


@pytest.fixture
def package(tmp_path: Path, model: SmallModel) -> VendoredPackage:
    return VendoredPackage.make(tmp_path / "tree", model)


@pytest.fixture
def here(
    package: VendoredPackage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> VendoredPackage:
    """The same in this process, where the module finds the package's files from its own folder."""
    places = {"MANIFEST": "model_manifest.json", "LOCK": "models.lock.json", "MODELS_DIR": "models"}
    for name, place in places.items():
        monkeypatch.setattr(vendored, name, place)
    monkeypatch.setattr(vendored, "__file__", str(package.package / "_models.py"))
    for name in [name for name in os.environ if name.startswith(("HEIMDALL_", "HF_", "XDG_"))]:
        monkeypatch.delenv(name)
    for name, value in package.homes.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    return package


@pytest.fixture
def mirrored(
    here: VendoredPackage, model: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> VendoredPackage:
    """The same without a network, beside a folder with the release."""
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", model.mirror)
    monkeypatch.setenv("HEIMDALL_OFFLINE", "1")
    return here
