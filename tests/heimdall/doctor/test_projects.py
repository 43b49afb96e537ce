"""Projects with one fault each."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from cognitive_memory.core.memory import NewMemory
from cognitive_memory.project.find import Project
from cognitive_memory.project.init import init_project
from cognitive_memory.project.registry import remember
from cognitive_memory.project_memory import ProjectMemory
from cognitive_memory.storage import ddl, migrations
from heimdall.doctor import projects
from heimdall.doctor.examination import examine, repair
from heimdall.doctor.finding import Finding, Request, Status
from tests.heimdall.conftest import OriginalDatabase
from tests.heimdall.migration_0_3.test_places import CONFIG
from tests.support.other_sqlite import without_log
from tests.support.other_user import other_users
from tests.support.small_model import ROOT

pytestmark = pytest.mark.usefixtures("pinned")


@pytest.fixture
def project(root: Path) -> Project:
    project = init_project(root)
    with ProjectMemory.open(project.database, project_id=project.config.project_id) as memory:
        memory.store_many([NewMemory(text=f"Memory number {number}.") for number in range(40)])
    return project


def look(root: Path) -> list[Finding]:
    return list(examine(Request(project=root), {"projects": projects.check}))


def test_a_sound_project(project: Project) -> None:
    (found,) = look(project.root)
    assert (found.key, found.status, found.path) == ("projects", Status.PASS, str(project.database))
    assert "40 memories, 40 without a vector yet" in found.message


def test_where_there_is_none(root: Path) -> None:
    (found,) = look(root)
    assert found.status is Status.NOT_CHECKED
    assert "heimdall project init" in found.message
    assert not list(root.iterdir())
    init_project(root)
    (found,) = look(root)
    assert (found.status, "nothing is stored" in found.message) == (Status.PASS, True)


def damage_pages(project: Project) -> None:
    content = bytearray(project.database.read_bytes())
    for start in range(2 * 8192, len(content), 8192):
        content[start : start + 64] = b"\xff" * 64
    project.database.write_bytes(content)


def overwrite(project: Project) -> None:
    project.database.write_bytes(b"no database at all" * 1000)


def set_schema(version: int) -> Callable[[Project], None]:
    def plant(project: Project) -> None:
        with closing(sqlite3.connect(project.database)) as connection:
            connection.execute(f"PRAGMA user_version = {version}")

    return plant


def forget_words(project: Project) -> None:
    with closing(sqlite3.connect(project.database)) as connection:
        connection.execute("INSERT INTO memory_words (memory_words) VALUES ('delete-all')")
        connection.commit()


def misspell_a_setting(project: Project) -> None:
    text = project.config_path.read_text().replace("project_id:", "projct_id:")
    project.config_path.write_text(text)


def interrupt_a_migration(project: Project) -> None:
    half = project.folder / "migrating.host.1-00000000.tmp"
    half.mkdir()
    os.utime(half, (1e9, 1e9))


def put_in_another_database(project: Project) -> None:
    project.database.unlink()
    with closing(sqlite3.connect(project.database)) as connection:
        connection.execute("CREATE TABLE contacts (name)")
        connection.commit()


def put_in_settings_of_the_original(project: Project) -> None:
    project.config_path.write_text(CONFIG)


FAULTS = [
    (damage_pages, "projects", Status.FAIL, "damaged"),
    (overwrite, "projects", Status.FAIL, "no SQLite database"),
    (put_in_another_database, "projects", Status.FAIL, "contacts"),
    (set_schema(99), "projects", Status.FAIL, "schema 99, which a newer release made"),
    (forget_words, "project_words", Status.FAIL, "keyword index"),
    (misspell_a_setting, "project_settings", Status.FAIL, "did you mean project_id?"),
    (put_in_settings_of_the_original, "project_settings", Status.FAIL, "settings of heimdall 0.3"),
    (interrupt_a_migration, "projects.2", Status.WARN, "a migration was interrupted"),
]


@pytest.mark.parametrize(("plant", "key", "status", "words"), FAULTS)
def test_a_planted_fault_is_named_and_no_other(
    project: Project, plant: Callable[[Project], None], key: str, status: Status, words: str
) -> None:
    plant(project)
    troubles = [finding for finding in look(project.root) if finding.status is not Status.PASS]
    assert [(finding.key, finding.status) for finding in troubles] == [(key, status)]
    assert words in troubles[0].message
    assert troubles[0].advice


def test_the_original_is_recognised(original: OriginalDatabase, root: Path) -> None:
    original()
    (found,) = look(root)
    assert found.status is Status.WARN
    assert f"heimdall migrate {root}" in found.message
    (root / ".heimdall/cognitive_memory.db").rename(root / "elsewhere")
    original("data/cognitive_memory.db")
    (found,) = look(root)
    assert "memories of heimdall 0.3 are in" in found.message


def test_other_known_projects_are_looked_at_too(project: Project, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other, gone = init_project(tmp_path / "other"), Project(tmp_path / "gone")
    for known in (project, other):
        remember(known)
    gone.root.mkdir()
    remember(gone)
    gone.root.rmdir()
    overwrite(other)
    found = {finding.path: finding.status for finding in look(project.root)}
    assert found == {
        str(project.database): Status.PASS,
        str(other.database): Status.FAIL,
        str(gone.root): Status.WARN,
    }


@pytest.mark.slow
def test_a_database_of_somebody_else(project: Project) -> None:
    user, _ = other_users()
    for parent in (project.root, *project.root.parents[:3]):
        parent.chmod(parent.stat().st_mode | 0o055)
    code = (
        "from heimdall.doctor import projects, finding; from pathlib import Path; "
        f"print(*projects.check(finding.Request(project=Path({str(project.root)!r}))))"
    )
    done = user.run([sys.executable, "-c", code], {**os.environ, "PYTHONPATH": str(ROOT)})
    assert "Status.FAIL" in done.stdout, done.stderr
    assert "it belongs to root" in done.stdout


def test_the_keyword_index_is_made_anew(project: Project) -> None:
    forget_words(project)
    (step,) = repair(look(project.root))
    assert step.done, step.what
    (found,) = look(project.root)
    assert found.status is Status.PASS
    with ProjectMemory.open(project.database) as memory:
        assert memory.recall("number 7").hits


def test_an_old_schema_is_brought_up_with_a_backup(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after an upgrade: this release has one step more than the one that made the database."""
    steps = migrations.carried()
    more = migrations.Migration(steps[-1].version + 1, ("CREATE TABLE added (x)",))
    monkeypatch.setattr("cognitive_memory.storage.migrations.carried", lambda: (*steps, more))
    monkeypatch.setitem(ddl.DIGESTS, more.version, "")
    (found,) = look(project.root)
    assert (found.key, found.status) == ("project_schema", Status.WARN)
    (step,) = repair([found])
    assert step.done, step.what
    assert "its state before is kept in" in step.what
    (found,) = look(project.root)
    assert found.status is Status.PASS


def test_looking_changes_nothing(project: Project) -> None:
    before = {path.name: path.read_bytes() for path in project.folder.iterdir()}
    look(project.root)
    assert {path.name: path.read_bytes() for path in project.folder.iterdir()} == before
    shutil.rmtree(project.folder)


def test_a_memory_that_no_search_finds(project: Project, home: Path) -> None:
    remember(init_project(home))
    found = {finding.path: finding for finding in look(project.root)}
    assert found[str(project.database)].status is Status.PASS
    stray = found[str(home)]
    assert stray.status is Status.WARN
    assert "is your home directory" in stray.message
    assert "HEIMDALL_PROJECT" in stray.message
    assert f"heimdall project clean {home}" in stray.message


def test_a_database_of_the_original_outside_the_project_is_not_looked_at(
    original: OriginalDatabase, root: Path, tmp_path: Path
) -> None:
    outside = original("made.db").rename(tmp_path / "victim.db")
    (root / ".heimdall").mkdir()
    (root / ".heimdall/config.heimdall-0.3.yaml").write_text(
        CONFIG.replace("./elsewhere/memory.db", "../victim.db")
    )
    (root / "data").symlink_to(outside.parent)
    outside.with_name("cognitive_memory.db").hardlink_to(outside)
    (found,) = look(root)
    assert str(outside) not in found.message
    assert "heimdall 0.3" not in found.message


def test_a_volume_without_a_log_and_a_folder_that_is_synced(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = home / "Dropbox" / "notes"
    root.mkdir(parents=True)
    without_log(monkeypatch)
    project = init_project(root)
    with ProjectMemory.open(project.database, project_id=project.config.project_id) as memory:
        memory.store(NewMemory(text="one"), embed=False)
    log, synced = look(root)
    assert (log.status, synced.status) == (Status.WARN, Status.WARN)
    assert "no write-ahead log" in log.message
    assert synced.message.startswith("Dropbox copies it to other machines")
