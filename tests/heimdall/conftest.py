from __future__ import annotations

from pathlib import Path

import pytest

from heimdall.models import locations
from heimdall.models.manifest import PinnedModel, read_model
from tests.support.small_model import Installation, SmallModel


@pytest.fixture
def small(tmp_path: Path) -> SmallModel:
    return SmallModel(tmp_path / "release")


@pytest.fixture
def installation(tmp_path: Path, small: SmallModel) -> Installation:
    return Installation.make(tmp_path / "site", small)


@pytest.fixture
def manifest_path(tmp_path: Path, small: SmallModel, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small model's manifest in the place of the installed one, for tests inside this process."""
    path = small.write_manifest(tmp_path / "package" / "heimdall" / "model_manifest.json")
    monkeypatch.setattr(locations, "PACKAGE_DIRECTORY", str(path.parent))
    return path


@pytest.fixture
def pinned(manifest_path: Path) -> PinnedModel:
    return read_model(str(manifest_path))


@pytest.fixture
def models_dir(home: Path) -> Path:
    return Path(locations.models_dir())
