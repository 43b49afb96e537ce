from __future__ import annotations

from pathlib import Path

import pytest

from cognitive_memory.project.find import Project
from heimdall.migration_0_3 import places, settings
from heimdall.migration_0_3.qdrant import QdrantFolder
from heimdall.migration_0_3.report import Options, Outcome
from tests.cognitive_memory.ingest.test_front_matter import ODD
from tests.heimdall.conftest import OriginalDatabase
from tests.support.places import DATA

CONFIG = """\
project_id: project_0123abcd
qdrant_url: http://localhost:6333
database:
  path: ./elsewhere/memory.db
monitoring:
  target_path: ./.heimdall/docs
"""


def model_folders(top: Path) -> list[Path]:
    return places.model_folders(Project(top), [top])


def qdrant_folders(top: Path) -> list[QdrantFolder]:
    return places.qdrant_folders(Project(top), [top])


def make_server(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / "collections" / name / "0").mkdir(parents=True)
        (folder / "collections" / name / "config.json").write_text("{}")
        (folder / "collections" / name / "0" / "segment").write_text(name)
    return folder


@pytest.mark.parametrize("path", [".heimdall/cognitive_memory.db", "data/cognitive_memory.db"])
def test_databases_are_found_by_what_they_are(
    original: OriginalDatabase, root: Path, path: str
) -> None:
    assert places.databases(Project(root)) == ([], {})
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text("no database")
    originals, unreadable = places.databases(Project(root))
    assert (originals, set(unreadable)) == ([], {root / path})
    assert "no SQLite database" in unreadable[root / path]
    (root / path).unlink()
    database = original(path)
    assert places.databases(Project(root)) == ([database], {})


def test_the_database_that_the_settings_name(original: OriginalDatabase, root: Path) -> None:
    database = original("elsewhere/memory.db")
    (root / ".heimdall").mkdir()
    (root / ".heimdall/config.yaml").write_text(CONFIG)
    assert places.databases(Project(root)) == ([root / "./elsewhere/memory.db"], {})
    settings.migrate(Project(root), Options())
    assert places.databases(Project(root)) == ([database], {}), (
        "also after the settings were kept under another name"
    )


@pytest.mark.parametrize("name", ["tmp_qdrant_storage", "data/qdrant", ".heimdall/qdrant_storage"])
def test_folders_of_qdrant(root: Path, name: str) -> None:
    make_server(root / name, "project_0123abcd_concepts", "project_0123abcd_episodes")
    (found,) = qdrant_folders(root)
    assert (found.path, found.local, found.projects) == (root / name, False, ["project_0123abcd"])
    (found,) = qdrant_folders(root / name)
    assert found.path == root / name


def test_a_storage_below_the_folder(root: Path) -> None:
    make_server(root / "data/qdrant/storage", "other")
    (found,) = qdrant_folders(root)
    assert (found.path, found.projects) == (root / "data/qdrant/storage", [])


@pytest.mark.parametrize(
    "volumes",
    [
        "['./mounted:/qdrant/storage:z']",
        "[{type: bind, source: ./mounted, target: /qdrant/storage}]",
    ],
)
def test_folders_that_compose_files_mount(root: Path, volumes: str) -> None:
    (root / ".heimdall-mcp").mkdir()
    compose = f"services: {{qdrant: {{volumes: {volumes}}}, web: {{volumes: null}}, none: null}}"
    (root / ".heimdall-mcp/docker-compose.yml").write_text(compose)
    make_server(root / ".heimdall-mcp/mounted", "one")
    assert [found.path for found in qdrant_folders(root)] == [root / ".heimdall-mcp/mounted"]


@pytest.mark.parametrize(
    "content",
    [
        "[",
        "- list",
        "services: 3",
        "services: {a: {volumes: {b: c}}}",
        "{a: [b",
        *ODD,
        "[\n" * 9000,
    ],
)
def test_compose_files_of_any_kind(root: Path, content: str) -> None:
    (root / "compose.yaml").write_text(content)
    assert qdrant_folders(root) == []


def test_models_of_a_project_and_a_folder_of_models(root: Path) -> None:
    assert model_folders(root) == []
    (root / "data/models").mkdir(parents=True)
    assert model_folders(root) == []
    (root / "data/models/x.onnx").touch()
    assert model_folders(root) == model_folders(root / "data/models") == [root / "data/models"]


def test_an_older_shared_directory_counts_where_ours_is_elsewhere(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ".heimdall-shared").mkdir()
    default = home / DATA
    default.mkdir(parents=True)
    assert places.older_shared_directories() == [home / ".heimdall-shared"]
    monkeypatch.setenv("HEIMDALL_DATA_DIR", str(tmp_path / "ours"))
    assert set(places.older_shared_directories()) == {home / ".heimdall-shared", default}


def test_settings_give_way_and_are_kept(root: Path) -> None:
    project = Project(root)
    project.folder.mkdir()
    project.config_path.write_text(CONFIG)
    planned = settings.migrate(project, Options(dry_run=True))
    assert planned is not None
    assert planned.outcome is Outcome.PLANNED
    assert project.config_path.read_text() == CONFIG
    step = settings.migrate(project, Options())
    assert step is not None
    assert (step.outcome, "database, monitoring, project_id, qdrant_url" in step.detail) == (
        Outcome.MIGRATED,
        True,
    )
    assert (project.folder / settings.KEPT_NAME).read_text() == CONFIG
    assert Project(root).config.project_id is not None
    assert settings.migrate(Project(root), Options()) is None


def test_other_settings_that_were_kept_are_not_replaced(root: Path) -> None:
    project = Project(root)
    project.folder.mkdir()
    project.config_path.write_text(CONFIG)
    (project.folder / settings.KEPT_NAME).write_text("others")
    step = settings.migrate(project, Options())
    assert step is not None
    assert step.outcome is Outcome.FAILED
    assert project.config_path.read_text() == CONFIG
    (project.folder / settings.KEPT_NAME).write_text(CONFIG)  # killed after that, last time
    assert settings.migrate(project, Options()) is not None


@pytest.mark.parametrize("content", ["project_id: 3", "[", "text", "", *ODD])
def test_settings_that_are_not_the_originals(root: Path, content: str) -> None:
    (root / ".heimdall").mkdir()
    (root / ".heimdall/config.yaml").write_text(content)
    assert settings.migrate(Project(root), Options()) is None
    assert settings.database_of(Project(root)) is None


@pytest.mark.parametrize("odd", [odd for odd in ODD if "complex" not in odd])
def test_settings_with_values_that_are_none(root: Path, odd: str) -> None:
    (root / ".heimdall").mkdir()
    (root / ".heimdall/config.yaml").write_text(f"{odd}\n{CONFIG}")
    assert settings.migrate(Project(root), Options(dry_run=True)) is not None
