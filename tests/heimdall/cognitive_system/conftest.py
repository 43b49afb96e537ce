from __future__ import annotations

from pathlib import Path

import pytest

from heimdall.cognitive_system import data_dirs
from heimdall.models.manifest import PinnedModel
from heimdall.models.resolver import resolve
from tests.support.small_model import SmallModel


@pytest.fixture
def healthy(small: SmallModel, pinned: PinnedModel, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shared directory with nothing wrong in it, whose model came from a mirror that is there."""
    monkeypatch.delenv("HEIMDALL_SYSTEM_MODELS")
    monkeypatch.setenv("XDG_DATA_DIRS", str(home / "no-system-data"))
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", small.mirror)
    monkeypatch.setenv("HEIMDALL_SOURCES", "mirror")
    data_dirs.ensure_data_directories()
    resolve()
    return data_dirs.get_heimdall_data_dir()
