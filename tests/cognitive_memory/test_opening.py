from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from cognitive_memory import project_memory
from cognitive_memory.core.memory import NewMemory
from cognitive_memory.embedding.sharing import FEWEST
from cognitive_memory.opening import existing_memory, open_memory
from cognitive_memory.project.errors import ProjectConfigError
from cognitive_memory.project.find import Project, find_project
from cognitive_memory.project.init import init_project
from cognitive_memory.project.registry import known_projects, remove, stored_files
from cognitive_memory.project.settings import RecallSettings
from cognitive_memory.retrieval.scoring import Weights
from cognitive_memory.storage.errors import StorageError
from tests.support.plain_embedder import PlainEmbedder


def test_looking_makes_nothing(tmp_path: Path) -> None:
    assert existing_memory(Project(tmp_path)) is None
    assert not list(tmp_path.iterdir())
    assert known_projects() == []


def test_opening_makes_folder_settings_and_database_and_is_remembered(tmp_path: Path) -> None:
    with open_memory(find_project(tmp_path)) as memory:
        identity = memory.project_id
    project = find_project(tmp_path)
    assert project.initialised
    assert project.config.project_id == identity
    assert [known.project for known in known_projects()] == [project]
    with open_memory(project) as again:
        assert again.project_id == identity


def test_an_existing_database_keeps_its_id(tmp_path: Path) -> None:
    with open_memory(Project(tmp_path)) as memory:
        identity = memory.project_id
    Project(tmp_path).config_path.write_text("project_id: d87b289b-90c7-427a-b6c8-10c5db13259b\n")
    with open_memory(Project(tmp_path)) as memory:
        assert memory.project_id == identity


def test_settings_with_mistakes_open_nothing(tmp_path: Path) -> None:
    init_project(tmp_path).config_path.write_text("recall: {meaning: 2}\n")
    with pytest.raises(
        ProjectConfigError, match=r"recall\.meaning: expected a number from 0 to 1, got '2'"
    ):
        open_memory(Project(tmp_path))
    assert not Project(tmp_path).database.exists()


def test_a_shared_directory_that_can_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that could not be noted there would be an unknown one the next time."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("HEIMDALL_DATA_DIR", str(tmp_path / "file"))
    with pytest.raises(StorageError, match=r"can't be noted .*HEIMDALL_DATA_DIR .*HEIMDALL_TRUST"):
        open_memory(Project(tmp_path))
    assert not Project(tmp_path).database.exists()
    monkeypatch.setenv("HEIMDALL_TRUST", str(tmp_path))
    for _ in range(2):
        with open_memory(Project(tmp_path)) as memory:
            assert memory.storage.status().memories == 0


def test_the_recall_settings_take_effect(tmp_path: Path) -> None:
    project = init_project(tmp_path)
    found = {}
    for importance in (0, 1):
        project.config_path.write_text(
            f"recall:\n  importance: {importance}\n  recency: 0.5\n  half_life_days: 1\n"
        )
        with open_memory(Project(tmp_path)) as memory:
            memory.store(NewMemory(text="Pears grow on trees.", importance=0.9), embed=False)
            found[importance] = memory.recall("pears", explain=True).hits[0].parts
    assert found[0]["importance"] == 0
    assert found[1]["importance"] == pytest.approx(0.4)
    assert found[1]["recency"] == pytest.approx(0.5, abs=0.01)


def test_the_defaults_are_those_that_were_measured() -> None:
    measured = asdict(Weights())
    assert asdict(RecallSettings()) == {name: measured[name] for name in asdict(RecallSettings())}


def test_removing_leaves_settings_and_what_is_not_ours(tmp_path: Path) -> None:
    project = Project(tmp_path)
    with open_memory(project) as memory:
        memory.store(NewMemory(text="Pears grow on trees."), embed=False)
        names = {file.name for file in stored_files(project)}
        assert {"cognitive_memory.db", "cognitive_memory.db-wal"} <= names
    (project.folder / "cognitive_memory.vectors").write_bytes(b"vectors")
    (project.folder / "notes.md").write_text("mine")
    remove(project)
    assert sorted(path.name for path in project.folder.iterdir()) == [
        ".gitignore",
        "config.yaml",
        "notes.md",
    ]
    assert known_projects() == []


def test_what_another_project_embedded_is_not_embedded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedder = PlainEmbedder()
    monkeypatch.setattr(project_memory, "ModelEmbedder", lambda _config: embedder)
    texts = [NewMemory(text=f"text {number}") for number in range(FEWEST)]
    for name in ("clone", "project"):
        (tmp_path / name).mkdir()
        with open_memory(Project(tmp_path / name)) as memory:
            memory.store_many(texts, embed=False)
            assert memory.embed_pending() == len(texts)
    assert len(embedder.texts) == len(texts)
