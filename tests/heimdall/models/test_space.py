from __future__ import annotations

import errno
import os
import pickle
from pathlib import Path

import pytest

from heimdall.models import windows
from heimdall.models.space import NoSpaceError, explained, may_change_hands, require_space
from tests.support.capabilities import needs_posix_paths, needs_users
from tests.support.filesystems import tmpfs


def test_what_fits_fits(tmp_path: Path) -> None:
    require_space(tmp_path, 1)


def test_too_much_says_how_much_is_missing_where(tmp_path: Path) -> None:
    with pytest.raises(
        NoSpaceError, match=r"make room for .* MB more, or set HEIMDALL_DATA_DIR"
    ) as caught:
        require_space(tmp_path, 1 << 60)
    assert str(tmp_path) in str(caught.value)
    assert caught.value.needed > 1 << 60 > caught.value.free


def test_a_directory_that_can_not_be_asked_is_left_to_the_write(tmp_path: Path) -> None:
    require_space(tmp_path / "none", 1 << 60)


def test_it_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(NoSpaceError("/x", 5, 3)))  # noqa: S301
    assert (error.directory, error.needed, error.free) == ("/x", 5, 3)


def denied(path: str | Path) -> OSError:
    return PermissionError(errno.EACCES, "Permission denied", str(path))


@needs_posix_paths
def test_nobody_is_told_to_own_what_is_above_his_home(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in home.parents:
        assert not may_change_hands(path)
    assert may_change_hands(home / ".local")
    monkeypatch.setenv("HEIMDALL_DATA_DIR", str(home.parent))
    assert not may_change_hands(home.parent)
    monkeypatch.setenv("HEIMDALL_DATA_DIR", "/srv/heimdall")
    assert may_change_hands(Path("/srv/heimdall/models"))
    assert not may_change_hands(Path("/srv"))
    monkeypatch.setenv("HEIMDALL_DATA_DIR", "/")
    assert not may_change_hands(Path("/"))


@needs_users
@pytest.mark.parametrize("none", ["/", "/nonexistent"])
def test_without_a_home_the_way_out_is_a_directory_of_ones_own(
    none: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", none)
    said = str(explained(denied(f"{none}/.local".replace("//", "/")), Path(none, "models")))
    assert "chown" not in said
    assert "/ belongs to root: set HEIMDALL_DATA_DIR to a directory that you may write to" in said


def test_the_variable_that_decides_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / ".local").mkdir()
    assert "or set HEIMDALL_DATA_DIR" in str(explained(denied(home / ".local"), home))
    (home / "elsewhere").mkdir()
    monkeypatch.setenv("MODEL_CACHE_DIR", str(home / "elsewhere"))
    assert "or set MODEL_CACHE_DIR" in str(explained(denied(home / "elsewhere"), home))


def test_anothers_home_is_not_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with sudo that keeps HOME."""
    pwd = pytest.importorskip("pwd")
    monkeypatch.setenv("HOME", pwd.getpwuid(os.geteuid()).pw_dir)
    assert may_change_hands(Path.home() / ".cache")
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    assert not may_change_hands(Path.home() / ".cache")


def test_a_disk_without_inodes_is_told_as_such(tmp_path: Path) -> None:
    with tmpfs(tmp_path / "disk", "size=50m", "nr_inodes=2") as disk:
        (disk / "one").touch()
        with pytest.raises(OSError, match="No space left") as caught:
            (disk / "two").touch()
        assert "no inodes are left there ('df -i')" in str(explained(caught.value, disk))
    with tmpfs(tmp_path / "full", "size=4k") as disk:
        with pytest.raises(OSError, match="No space left") as caught:
            (disk / "one").write_bytes(bytes(100_000))
        caught.value.filename = str(disk / "one")
        assert "make room there" in str(explained(caught.value, disk))


def test_a_link_to_a_disk_that_is_not_there_is_told(tmp_path: Path) -> None:
    data = tmp_path / "heimdall"
    data.symlink_to("/media/gone")
    with pytest.raises(FileExistsError) as caught:
        (data / "models").mkdir(parents=True)
    said = str(explained(caught.value, data / "models"))
    assert f"{data} leads to /media/gone, which is not there; is a disk not mounted?" in said
    assert "set HEIMDALL_DATA_DIR" in said


def test_what_a_program_has_open_is_not_said_to_be_somebody_elses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Windows refuses to replace a file that a server has open."""
    running = {7: windows.Process("heimdall-mcp.exe", 1), 8: windows.Process("Code.exe", 1)}
    monkeypatch.setattr(windows, "processes", lambda: running)
    used = tmp_path / "weights"
    used.touch()
    error = OSError(errno.EACCES, "Access is denied", str(tmp_path / "new"), None, str(used))
    error.winerror = 32  # type: ignore[attr-defined,unused-ignore]
    said = str(explained(error, tmp_path))
    assert (
        f"a program has {used} open (heimdall-mcp runs as process 7): stop the assistants that use it"
        in said
    )
    assert "chown" not in said
