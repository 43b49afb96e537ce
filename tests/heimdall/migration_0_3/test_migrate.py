"""All of it together: repeated, killed, by processes at the same time."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

import tests.support
from cognitive_memory.project.errors import ProjectError
from cognitive_memory.project.find import Project
from cognitive_memory.project.registry import known_projects
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.storage.backup import problems_in
from heimdall.cognitive_system import data_dirs
from heimdall.migration_0_3.memories import KEPT_NAME
from heimdall.migration_0_3.migrate import migrate_legacy_data
from heimdall.migration_0_3.report import MigrationReport, Outcome
from heimdall.models import locations
from tests.heimdall.conftest import OriginalDatabase
from tests.heimdall.migration_0_3.test_places import CONFIG, make_server
from tests.support.capabilities import needs_fork
from tests.support.filesystems import tmpfs
from tests.support.other_user import other_users
from tests.support.real_model import linked_copy
from tests.support.small_model import ROOT, SmallModel, noise

pytestmark = [pytest.mark.usefixtures("alone"), pytest.mark.slow]
KILLS = int(os.environ.get("KILLS", "15"))
LOOP = str(Path(tests.support.__path__[0]) / "migration_kill_loop.py")


@pytest.fixture
def project(original: OriginalDatabase, root: Path, small: SmallModel, pinned: object) -> Project:
    """A project as 0.3 left it: memories, settings, models, a folder of Qdrant."""
    original(more=50)
    (root / ".heimdall/config.yaml").write_text(CONFIG, newline="\n")
    small.lay_out(root / "data/models")
    (root / "data/models/vocab.txt").write_bytes(noise(50_000, seed=7))
    make_server(root / "tmp_qdrant_storage", "kept", "project_0123abcd_concepts")
    (root / "tmp_qdrant_storage/collections/kept/0/segment").write_bytes(noise(200_000, seed=8))
    return Project(root)


@pytest.fixture
def original_settings(root: Path, pinned: object) -> Project:
    """A project that 0.3 had initialised only, or a fresh clone of one: settings are committed, memories are not."""
    (root / ".heimdall").mkdir(exist_ok=True)
    (root / ".heimdall/config.yaml").write_text(CONFIG, newline="\n")
    return Project(root)


def everything_in(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def outcomes(report: MigrationReport) -> dict[str, set[Outcome]]:
    found: dict[str, set[Outcome]] = {}
    for step in report.steps:
        found.setdefault(step.kind, set()).add(step.outcome)
    return found


def test_everything_comes_over_and_everything_old_stays(
    project: Project, small: SmallModel
) -> None:
    before = everything_in(project.root)
    report = migrate_legacy_data(project.root)
    assert report.sound
    assert outcomes(report) == {
        kind: {Outcome.MIGRATED} for kind in ("model", "file", "settings", "memories", "qdrant")
    }
    after = everything_in(project.root)
    moved = {".heimdall/cognitive_memory.db", ".heimdall/config.yaml"}
    assert {name: after[name] for name in before.keys() - moved} == {
        name: content for name, content in before.items() if name not in moved
    }
    assert after[".heimdall/config.heimdall-0.3.yaml"] == CONFIG.encode()
    small.assert_tree(Path(locations.models_dir()))
    with ProjectMemory.open(project.database) as memory:
        status = memory.storage.status()
    assert (status.memories, status.pending) == (55, 55)
    assert any("55 memories have no vector yet" in note for note in report.notes)
    assert any("They hold vectors of project_0123abcd" in note for note in report.notes)
    assert [known.project.root for known in known_projects()] == [project.root]


def test_settings_come_over_without_memories(original_settings: Project) -> None:
    kept = original_settings.config_path.with_name("config.heimdall-0.3.yaml")
    assert outcomes(migrate_legacy_data(original_settings.root, dry_run=True)) == {
        "settings": {Outcome.PLANNED}
    }
    assert not kept.exists()
    assert outcomes(migrate_legacy_data(original_settings.root)) == {"settings": {Outcome.MIGRATED}}
    assert kept.read_text() == CONFIG
    assert Project(original_settings.root).config.project_id
    assert outcomes(migrate_legacy_data(original_settings.root)) == {}


def test_repeating_it_changes_nothing(project: Project) -> None:
    migrate_legacy_data(project.root)
    before = everything_in(project.root), everything_in(data_dirs.get_heimdall_data_dir())
    report = migrate_legacy_data(project.root)
    assert set().union(*outcomes(report).values()) == {Outcome.PRESENT}
    assert (everything_in(project.root), everything_in(data_dirs.get_heimdall_data_dir())) == before


def test_a_dry_run_changes_nothing(project: Project, home: Path) -> None:
    before = everything_in(project.root), everything_in(home)
    report = migrate_legacy_data(project.root, dry_run=True)
    assert set().union(*outcomes(report).values()) == {Outcome.PLANNED}
    assert (everything_in(project.root), everything_in(home)) == before


@pytest.mark.parametrize("at_once", [True, False])
def test_removing(project: Project, small: SmallModel, at_once: bool) -> None:
    if not at_once:
        migrate_legacy_data(project.root)
    report = migrate_legacy_data(project.root, remove=True)
    assert report.sound
    left = {
        path.relative_to(project.root).as_posix()
        for path in project.root.rglob("*")
        if path.is_file()
    }
    assert left == {
        ".heimdall/.gitignore",
        ".heimdall/cognitive_memory.db",
        ".heimdall/config.yaml",
        ".heimdall/config.heimdall-0.3.yaml",
        ".heimdall/migrated.json",
    }
    with ProjectMemory.open(project.database) as memory:
        assert memory.storage.status().memories == 55
        assert problems_in(memory.database) == []
    small.assert_tree(Path(locations.models_dir()))
    assert (
        data_dirs.get_qdrant_data_dir() / "collections/kept/0/segment"
    ).stat().st_size == 200_000


def test_the_working_directorys_project_is_the_default(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.root / "src").mkdir()
    monkeypatch.chdir(project.root / "src")
    assert "memories" in outcomes(migrate_legacy_data())


def test_what_lies_in_the_working_directory_below_a_project_counts_too(
    original: OriginalDatabase,
    root: Path,
    small: SmallModel,
    pinned: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The original went by the working directory alone."""
    (root / ".git").mkdir()
    original("service/data/cognitive_memory.db")
    (root / "service/data/models").mkdir()
    (root / "service/data/models/model.safetensors").write_bytes(small.files["model.safetensors"])
    make_server(root / "service/tmp_qdrant_storage", "one")
    monkeypatch.chdir(root / "service")
    assert outcomes(migrate_legacy_data()).keys() == {"model", "memories", "qdrant"}
    assert Project(root).database.exists()


def test_one_thing_that_fails_does_not_stop_the_others(project: Project) -> None:
    with closing(sqlite3.connect(project.database)) as other:
        other.execute("SELECT count(*) FROM memories").fetchone()
        report = migrate_legacy_data(project.root)
    assert not report.sound
    assert outcomes(report)["memories"] == {Outcome.FAILED}
    assert outcomes(report)["model"] == outcomes(report)["qdrant"] == {Outcome.MIGRATED}
    assert migrate_legacy_data(project.root).sound


def test_a_half_migrated_folder_is_finished(project: Project) -> None:
    """Killed after the original's file had its second name, and with a database half-made."""
    os.link(project.database, project.folder / KEPT_NAME)
    half = project.folder / "migrating.host.1-00000000.tmp"
    half.mkdir()
    (half / "cognitive_memory.db").write_text("half")
    os.utime(half, (1e9, 1e9))
    assert migrate_legacy_data(project.root).sound
    assert not half.exists()
    with ProjectMemory.open(project.database) as memory:
        assert memory.storage.status().memories == 55


def test_what_nobody_can_read_is_said(project: Project) -> None:
    project.database.write_bytes(b"no database " * 2000)
    report = migrate_legacy_data(project.root)
    (step,) = [step for step in report.steps if step.kind == "memories"]
    assert (step.outcome, step.source) == (Outcome.FAILED, str(project.database))
    assert "no SQLite database" in step.detail


def test_nothing_there_nothing_said(root: Path, pinned: object) -> None:
    assert migrate_legacy_data(root).steps == []
    with pytest.raises(ProjectError, match="is no directory"):
        migrate_legacy_data(root / "gone")


def test_an_older_shared_directory(
    small: SmallModel,
    pinned: object,
    root: Path,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    small.lay_out(home / ".heimdall-shared/models")
    make_server(home / ".heimdall-shared/qdrant", "one")
    report = migrate_legacy_data(root, remove=True)
    assert outcomes(report) == {"model": {Outcome.MIGRATED}, "qdrant": {Outcome.MIGRATED}}
    small.assert_tree(Path(locations.models_dir()))
    small.assert_tree(home / ".heimdall-shared/models")


@pytest.mark.model
def test_vectors_are_made_where_the_model_is(
    original: OriginalDatabase, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original()
    monkeypatch.setenv("HEIMDALL_SYSTEM_MODELS", str(linked_copy(tmp_path / "system")))
    told: list[tuple[int, int]] = []
    report = migrate_legacy_data(root, progress=lambda done, total: told.append((done, total)))
    assert report.sound, report
    with ProjectMemory.open(Project(root).database) as memory:
        status = memory.storage.status()
        assert (status.embedded, status.pending) == (5, 0)
    assert told[-1] == (5, 5)


def test_two_at_once(project: Project) -> None:
    code = (
        "import sys; from pathlib import Path; from heimdall.migration_0_3.migrate import migrate_legacy_data; "
        "sys.exit(not migrate_legacy_data(Path(sys.argv[1])).sound)"
    )
    command = [sys.executable, "-c", code, str(project.root)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    both = [
        subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, encoding="utf-8")
        for _ in range(2)
    ]
    for process in both:
        _, said = process.communicate(timeout=900)
        assert process.returncode == 0, said
    with ProjectMemory.open(project.database) as memory:
        assert memory.storage.status().memories == 55
    assert len(list(project.folder.glob("cognitive_memory.heimdall-0.3*.db"))) == 1


@pytest.mark.parametrize("size", ["100k", "300k", "500k"])
def test_a_disk_that_is_full(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: str
) -> None:
    """Where models and Qdrant's data go: what fails is said, nothing old is lost, memories come over all the same."""
    before = everything_in(project.root)
    with tmpfs(tmp_path / "disk", f"size={size}") as disk:
        monkeypatch.setenv("HEIMDALL_DATA_DIR", str(disk))
        report = migrate_legacy_data(project.root, remove=True)
        assert not report.sound
        assert "memories" not in {
            step.kind for step in report.steps if step.outcome is Outcome.FAILED
        }
        assert not list(disk.rglob("migrating.*"))
        arrived = set(everything_in(disk).values())
    after = everything_in(project.root)
    gone = {name for name in before.keys() - after.keys() if not name.startswith(".heimdall")}
    assert all(before[name] in arrived for name in gone), "only what arrived was removed"
    assert any(not name.startswith(".heimdall") for name in after)


def test_a_disk_without_room_for_another_database(
    original: OriginalDatabase, root: Path, tmp_path: Path
) -> None:
    database = original(more=1_000)
    with tmpfs(tmp_path / "disk", "size=500k") as disk:
        copy = disk / ".heimdall" / "cognitive_memory.db"
        copy.parent.mkdir()
        shutil.copyfile(database, copy)
        report = migrate_legacy_data(disk, remove=True)
        (step,) = [step for step in report.steps if step.kind == "memories"]
        assert step.outcome is Outcome.FAILED
        assert "disk is full" in step.detail
        with closing(sqlite3.connect(copy)) as connection:
            assert connection.execute("SELECT count(*) FROM memories").fetchone() == (1_006,)
        assert not list(copy.parent.glob("migrating.*"))


def test_what_belongs_to_somebody_else_is_left_and_said(project: Project, tmp_path: Path) -> None:
    user, _ = other_users()
    for parent in (project.root, *project.root.parents[:3]):
        parent.chmod(parent.stat().st_mode | 0o055)
    shared = tmp_path / "theirs"
    shared.mkdir()
    os.chown(shared, user.uid, user.gid)
    code = (
        "import sys, json; from pathlib import Path; from dataclasses import asdict; "
        "from heimdall.migration_0_3.migrate import migrate_legacy_data; "
        "print(json.dumps(asdict(migrate_legacy_data(Path(sys.argv[1]), remove=True))))"
    )
    before = everything_in(project.root)
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "HEIMDALL_DATA_DIR": str(shared),
        "PATH": os.defpath,
    }
    done = user.run([sys.executable, "-c", code, str(project.root)], environment)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert {step["outcome"] for step in report["steps"] if step["kind"] == "memories"} == {"failed"}
    assert all(step["detail"] for step in report["steps"])
    assert not any(step["removed"] for step in report["steps"])
    assert everything_in(project.root) == before


@pytest.mark.kills
@needs_fork
def test_kills_at_any_moment(project: Project, tmp_path: Path) -> None:
    template = tmp_path / "template"
    shutil.copytree(project.root, template)
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "HEIMDALL_DATA_DIR": str(tmp_path / "shared"),
        "HEIMDALL_FETCH": "never",
    }
    command = [sys.executable, LOOP, str(KILLS), str(template), str(tmp_path / "killed")]
    done = subprocess.run(
        command, env=environment, capture_output=True, encoding="utf-8", timeout=900, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert int(done.stdout) >= KILLS
