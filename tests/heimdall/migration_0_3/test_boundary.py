"""Repositories whose files and links lead to what belongs to their victim, and not to them."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from cognitive_memory.project.find import Project
from cognitive_memory.project_memory import ProjectMemory
from heimdall.cognitive_system import data_dirs
from heimdall.migration_0_3.boundary import is_within
from heimdall.migration_0_3.migrate import migrate_legacy_data
from heimdall.migration_0_3.report import MigrationReport, Outcome
from heimdall.models import locations
from tests.heimdall.conftest import OriginalDatabase
from tests.heimdall.migration_0_3.test_places import CONFIG, make_server

COMPOSE = "services: {{qdrant: {{volumes: ['{}:/qdrant/storage']}}}}"


@pytest.fixture
def clone(root: Path, pinned: object) -> Path:
    (root / ".git").mkdir()
    (root / ".heimdall").mkdir()
    return root


@pytest.fixture
def victim(home: Path, original: OriginalDatabase) -> Path:
    """Everything that a migration looks for, in a place that is none of the repository's."""
    victim = home / "important"
    made = original("made.db")
    for name in ("victim.db", "cognitive_memory.db"):
        victim.mkdir(parents=True, exist_ok=True)
        shutil.copy(made, victim / name)
    made.unlink()
    make_server(victim, "one")
    make_server(victim / "qdrant", "one")
    make_server(victim / "storage", "one")
    (victim / "models").mkdir()
    (victim / "models" / "x.onnx").write_text("precious")
    (victim / "models--x" / "blobs").mkdir(parents=True)
    (victim / "models--x" / "blobs" / "y").write_text("precious")
    return victim


def state(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def removed_from(clone: Path, victim: Path) -> MigrationReport:
    before = state(victim)
    report = migrate_legacy_data(clone, remove=True)
    assert state(victim) == before
    assert report.sound, report.steps
    assert not (data_dirs.get_qdrant_data_dir() / "collections").exists()
    models = Path(locations.models_dir())
    assert not [path for path in models.rglob("*") if path.name in {"x.onnx", "y"}]
    if Project(clone).database.exists():
        with ProjectMemory.open(Project(clone).database) as memory:
            assert memory.storage.status().memories == 0
    return report


def left(report: MigrationReport, kind: str) -> list[str]:
    """What of a kind is told to be left alone; nothing else of it may be told."""
    steps = [step for step in report.steps if step.kind == kind]
    assert {step.outcome for step in steps} == {Outcome.LEFT}, steps
    assert all("outside" in step.detail for step in steps)
    return [step.source for step in steps]


@pytest.mark.parametrize("place", ["~/important", "../home/important", "{}", "./link"])
@pytest.mark.parametrize("name", ["docker-compose.yml", "docker/compose.yaml"])
def test_mounts(clone: Path, victim: Path, place: str, name: str) -> None:
    (clone / "docker").mkdir()
    compose = clone / name
    if place == "../home/important":
        place = os.path.relpath(victim, compose.parent)
    place = place.format(victim)
    (compose.parent / "link").symlink_to(victim)
    compose.write_text(COMPOSE.format(place))
    assert len(left(removed_from(clone, victim), "qdrant")) == 1


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("absolute", [False, True])
def test_the_database_that_settings_name(
    clone: Path, victim: Path, *, kept: bool, absolute: bool
) -> None:
    name = "config.heimdall-0.3.yaml" if kept else "config.yaml"
    path = victim / "victim.db"
    named = path if absolute else os.path.relpath(path, clone)
    (clone / ".heimdall" / name).write_text(CONFIG.replace("./elsewhere/memory.db", str(named)))
    report = removed_from(clone, victim)
    assert len(left(report, "memories")) == 1


@pytest.mark.parametrize("name", ["data", ".heimdall-mcp"])
def test_folders_that_are_links(clone: Path, victim: Path, name: str) -> None:
    (clone / name).symlink_to(victim, target_is_directory=True)
    report = removed_from(clone, victim)
    assert str(clone / name / "cognitive_memory.db") in left(report, "memories")
    assert str(clone / name / "qdrant") in left(report, "qdrant")


def test_a_folder_of_compose_files_that_is_a_link(clone: Path, victim: Path) -> None:
    (victim / "compose.yml").write_text(COMPOSE.format(clone / "mounted"))
    make_server(clone / "mounted", "mine")
    (clone / "docker").symlink_to(victim)
    removed_from(clone, victim)
    assert (clone / "mounted" / "collections" / "mine").is_dir()


@pytest.mark.parametrize("link", ["collections", "collections/one", "storage"])
def test_links_in_a_folder_of_qdrant(clone: Path, victim: Path, link: str) -> None:
    path = clone / "qdrant_data" / link
    path.parent.mkdir(parents=True)
    path.symlink_to(victim / link)
    report = removed_from(clone, victim)
    assert path.is_symlink()
    if link != "storage":
        assert left(report, "qdrant") == [str(clone / "qdrant_data" / "collections" / "one")]


def test_links_in_a_folder_of_models(clone: Path, victim: Path) -> None:
    models = clone / "data" / "models"
    models.mkdir(parents=True)
    for name in ("models--x", "models"):
        (models / name).symlink_to(victim / name)
    (models / "x.onnx").symlink_to(victim / "models" / "x.onnx")
    report = removed_from(clone, victim)
    assert {step.outcome for step in report.steps} == {Outcome.LEFT}
    assert (models / "models--x").is_symlink()


@pytest.mark.parametrize("link", ["loop", "gone", "/dev/zero"])
def test_links_that_lead_nowhere(clone: Path, link: str) -> None:
    (clone / "loop").symlink_to("loop")
    for name in ("data", "tmp_qdrant_storage", ".heimdall-mcp", "compose.yaml"):
        (clone / name).symlink_to(link)
    assert migrate_legacy_data(clone, remove=True).sound


@pytest.mark.parametrize("path", ["\0", "\ud800", "n" * 6000, "~\0/x", "/" * 6000 + "x", "."])
def test_paths_that_are_none(clone: Path, path: str) -> None:
    volumes = [f"{start}{path}:/qdrant/storage" for start in ("", "./")]
    compose = {"services": {"qdrant": {"volumes": volumes}}}
    (clone / "compose.yaml").write_text(json.dumps(compose))  # JSON is YAML
    (clone / ".heimdall" / "config.yaml").write_text(json.dumps({"database": {"path": path}}))
    report = migrate_legacy_data(clone, remove=True)
    json.dumps(report.as_json()).encode()
    assert report.steps
    assert not is_within(Path("\0"), clone)


@pytest.mark.parametrize("mounted", [".", "..", "/"])
def test_a_project_is_no_folder_of_models_or_qdrant(clone: Path, mounted: str) -> None:
    """Those are copied and removed as one: all that the project is."""
    (clone / "compose.yml").write_text(COMPOSE.format(mounted))
    (clone / "meta.json").write_text("{}")
    (clone / "net.onnx").write_text("a graph")
    make_server(clone, "one")
    before = state(clone)
    assert migrate_legacy_data(clone, remove=True).sound
    assert state(clone) == before


def test_a_folder_with_more_in_it_is_not_the_clients(clone: Path) -> None:
    (clone / "data" / "qdrant" / "collection").mkdir(parents=True)
    for name in ("meta.json", "thesis.tex"):
        (clone / "data" / "qdrant" / name).write_text("{}")
    before = state(clone)
    assert migrate_legacy_data(clone, remove=True).steps == []
    assert state(clone) == before


def test_what_is_below_the_project_comes_over_through_links(
    clone: Path, original: OriginalDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    original("real/cognitive_memory.db")
    make_server(clone / "real" / "qdrant", "one")
    (clone / "data").symlink_to("real")
    (clone / "service").mkdir()
    (clone / "service" / "compose.yml").write_text(COMPOSE.format("../mounted"))
    make_server(clone / "mounted", "two")
    monkeypatch.chdir(clone / "service")
    report = migrate_legacy_data()
    assert {(step.kind, step.outcome) for step in report.steps} == {
        ("memories", Outcome.MIGRATED),
        ("qdrant", Outcome.MIGRATED),
    }
    assert sorted(
        path.name for path in (data_dirs.get_qdrant_data_dir() / "collections").iterdir()
    ) == ["one", "two"]
