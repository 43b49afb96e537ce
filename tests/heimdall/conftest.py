from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from heimdall.cognitive_system import data_dirs
from heimdall.models import locations
from heimdall.models.manifest import PinnedModel, read_model
from heimdall.models.resolver import resolve
from tests.support.small_model import Installation, SmallModel, from_mirror

SQL = Path(__file__).parent / "migration_0_3" / "heimdall_0_3" / "memories.sql"
"""What heimdall-mcp 0.3.7's own code wrote; `make.py` beside it tells how."""
OriginalDatabase = Callable[..., Path]


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
def mirror(small: SmallModel, manifest_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallModel:
    """The small model behind a `file://` mirror, and no other source."""
    for name, value in from_mirror(small.mirror).items():
        monkeypatch.setenv(name, value)
    return small


@pytest.fixture
def pinned(manifest_path: Path) -> PinnedModel:
    return read_model()


@pytest.fixture
def models_dir(home: Path) -> Path:
    return Path(locations.models_dir())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project's directory."""
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


@pytest.fixture
def original(root: Path) -> OriginalDatabase:
    """Makes the original's database at a path below the project; its own paths are made to be this project's."""

    def make(path: str = ".heimdall/cognitive_memory.db", *, more: int = 0) -> Path:
        database = root / path
        database.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(database)) as connection:
            connection.executescript(
                SQL.read_text("utf-8").replace("/home/someone/project", root.as_posix())
            )
            for number in range(more):
                connection.execute(
                    "INSERT INTO memories (id, content, memory_type, hierarchy_level, dimensions, timestamp) "
                    "VALUES (?, ?, 'episodic', 2, '{}', ?)",
                    (
                        f"00000000-0000-4000-8000-{number:012x}",
                        f"Memory number {number}.",
                        1.7e9 + number,
                    ),
                )
            connection.commit()
            connection.execute("PRAGMA journal_mode = WAL")
        return database

    return make


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No network, and nobody who answers the `docker` command, if there is one."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    monkeypatch.setenv("HEIMDALL_OFFLINE", "1")


@pytest.fixture
def healthy(
    mirror: SmallModel, pinned: PinnedModel, home: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A shared directory with nothing wrong in it, whose model came from a mirror that is there."""
    monkeypatch.delenv("HEIMDALL_SYSTEM_MODELS")
    monkeypatch.setenv("XDG_DATA_DIRS", str(home / "no-system-data"))
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    data_dirs.ensure_data_directories()
    resolve()
    return data_dirs.get_heimdall_data_dir()
