from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cognitive_memory.project import trust
from cognitive_memory.project.errors import ProjectError
from heimdall.models.settings import SettingsError
from tests.support.other_user import other_users
from tests.support.places import DATA
from tests.support.real_model import ROOT


@pytest.fixture
def file(home: Path) -> Path:
    """Where this user's word is kept."""
    user = "" if os.name == "nt" else f"-{os.geteuid()}"
    return home / DATA / f"trusted-projects{user}.jsonl"


def test_the_environment_names_projects_after_links_are_resolved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    (tmp_path / "real" / "below").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    assert not trust.named_in_environment(tmp_path / "real")
    monkeypatch.setenv("HEIMDALL_TRUST", os.pathsep.join(["/nowhere", str(tmp_path / "link")]))
    assert trust.named_in_environment(tmp_path / "real")
    assert trust.named_in_environment(tmp_path / "link")
    assert not trust.named_in_environment(tmp_path / "real" / "below"), "each is named itself"
    assert not trust.named_in_environment(tmp_path)
    monkeypatch.setenv("HEIMDALL_TRUST", "*")
    assert trust.named_in_environment(tmp_path)
    monkeypatch.setenv("HEIMDALL_TRUST", "~/project")
    assert trust.named_in_environment(home / "project")
    monkeypatch.setenv("HEIMDALL_TRUST", "")
    assert not trust.named_in_environment(tmp_path)


@pytest.mark.parametrize(
    "entry", ["", "relative", ".", "*/project", " *", "~nobody-of-that-name/x"]
)
def test_an_entry_that_depends_on_the_working_directory_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str
) -> None:
    monkeypatch.setenv("HEIMDALL_TRUST", f"{tmp_path}{os.pathsep}{entry}")
    with pytest.raises(SettingsError, match=r"HEIMDALL_TRUST=.*: expected absolute paths"):
        trust.named_in_environment(tmp_path)


def test_what_is_kept_is_trusted_until_it_is_taken_back(tmp_path: Path, file: Path) -> None:
    assert not trust.is_trusted(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path)
    assert trust.keep(tmp_path / "link") == str(tmp_path)
    assert trust.is_trusted(tmp_path)
    assert not trust.named_in_environment(tmp_path)
    assert trust.keep(None) == "*"
    assert trust.kept() == [str(tmp_path), "*"]
    assert trust.is_trusted(tmp_path / "other")
    assert trust.forget(None)
    assert trust.forget(tmp_path)
    assert not trust.forget(tmp_path)
    assert trust.kept() == []
    assert not trust.is_trusted(tmp_path)
    assert file.stat().st_mode & 0o777 == 0o600 or os.name == "nt"


def test_a_line_that_was_cut_loses_no_other(tmp_path: Path, file: Path) -> None:
    trust.keep(tmp_path)
    with file.open("a") as stream:
        stream.write('["/cut\n[[1], true]\n7\n')
    trust.keep(tmp_path / "second")
    assert trust.kept() == [str(tmp_path), str(tmp_path / "second")]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are text")
def test_names_that_are_no_text(tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"caf\xe9\nsecond line")
    trust.keep(odd)
    assert trust.is_trusted(odd)


def test_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from cognitive_memory.project import trust\n"
        "for number in range(50): trust.keep(Path('/p') / sys.argv[1] / str(number))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HEIMDALL_FETCH": "never"}
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(who)], env=environment)
        for who in range(4)
    ]
    assert [process.wait(timeout=900) for process in started] == [0] * 4
    assert set(trust.kept()) == {
        str(Path(f"/p/{who}/{number}").absolute()) for who in range(4) for number in range(50)
    }


@pytest.mark.skipif(os.name == "nt", reason="there are no such modes and links")
@pytest.mark.parametrize("kind", ["link", "dangling", "pipe", "folder", "writable"])
def test_a_file_that_others_may_have_made_is_neither_believed_nor_written(
    tmp_path: Path, file: Path, kind: str
) -> None:
    trust.keep(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    if kind == "writable":
        file.chmod(0o666)
    else:
        file.rename(elsewhere)
    if kind == "link":
        file.symlink_to(elsewhere)
    elif kind == "dangling":
        file.symlink_to(tmp_path / "nowhere")
    elif kind == "pipe":
        os.mkfifo(file)
    elif kind == "folder":
        file.mkdir()
    assert trust.kept() == []
    assert not trust.is_trusted(tmp_path)
    with pytest.raises((ProjectError, OSError)):
        trust.keep(tmp_path)
    assert not (tmp_path / "nowhere").exists()


def test_in_a_shared_data_directory_each_user_has_a_word_of_his_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = other_users()
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    tmp_path.chmod(0o755)
    code = (
        "import os, sys; from pathlib import Path; from cognitive_memory.project import trust\n"
        "if sys.argv[1:]: trust.keep(Path(sys.argv[1]))\n"
        "print(trust.kept())"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "HEIMDALL_FETCH": "never",
        "HEIMDALL_DATA_DIR": str(shared),
    }

    def run(user: object, *arguments: str) -> str:
        done = user.run([sys.executable, "-c", code, *arguments], environment)  # type: ignore[attr-defined]
        assert done.returncode == 0, done.stderr
        return str(done.stdout).strip()

    assert run(first, "/a") == "['/a']"
    assert run(second) == "[]"
    # prepared by the first for the second
    forged = shared / f"trusted-projects-{second.uid}.jsonl"
    forged.write_text('["*", true]\n')
    os.chown(forged, first.uid, first.gid)
    assert run(second) == "[]"
