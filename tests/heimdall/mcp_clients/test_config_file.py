from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest

from heimdall.mcp_clients.config_file import ConfigFile
from heimdall.mcp_clients.errors import ClientConfigError
from tests.support.capabilities import needs_modes


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "settings.json"


@pytest.fixture
def backups(tmp_path: Path) -> Path:
    return tmp_path / "backups"


def test_a_new_file_needs_no_copy(path: Path, backups: Path) -> None:
    assert ConfigFile.read(path).replace("{}", backups) is None
    assert path.read_text() == "{}"
    assert not backups.exists()


@needs_modes
def test_the_copy_holds_what_was_there_for_its_owner_alone(path: Path, backups: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"\xef\xbb\xbf{\r\n}")
    path.chmod(0o640)
    file = ConfigFile.read(path)
    assert file.text == "{\r\n}"
    copy = file.replace("{}\r\n", backups)
    assert copy is not None
    assert copy.read_bytes() == b"\xef\xbb\xbf{\r\n}"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert path.read_bytes() == b"\xef\xbb\xbf{}\r\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [entry.name for entry in path.parent.iterdir()] == ["settings.json"]


def test_a_link_stays_one(path: Path, tmp_path: Path, backups: Path) -> None:
    real = tmp_path / "dotfiles.json"
    real.write_text("{}")
    path.parent.mkdir()
    path.symlink_to(real)
    ConfigFile.read(path).replace("[]", backups)
    assert path.is_symlink()
    assert real.read_text() == "[]"


def test_no_text_left_removes_the_file(path: Path, backups: Path) -> None:
    path.parent.mkdir()
    path.write_text("{}")
    assert ConfigFile.read(path).replace("", backups) is not None
    assert not path.exists()


def test_a_change_by_others_is_not_overwritten(path: Path, backups: Path) -> None:
    path.parent.mkdir()
    path.write_text("{}")
    file = ConfigFile.read(path)
    path.write_text('{"theirs": 1}')
    with pytest.raises(ClientConfigError, match="was changed by another program"):
        file.replace("{}", backups)
    assert path.read_text() == '{"theirs": 1}'


def test_what_is_no_text_or_no_file_is_named(path: Path, backups: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(ClientConfigError, match=f"^{re.escape(str(path))}: is no ordinary file"):
        ConfigFile.read(path)
    path.rmdir()
    path.write_bytes(b"{\xff}")
    with pytest.raises(ClientConfigError, match="is not UTF-8 at byte 1"):
        ConfigFile.read(path)
    assert path.read_bytes() == b"{\xff}"


def test_a_place_that_can_not_be_written_is_named(tmp_path: Path, backups: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ClientConfigError, match=r"can't be (read|changed)"):
        ConfigFile.read(tmp_path / "file" / "settings.json").replace("{}", backups)


def test_what_its_owner_made_read_only_stays(path: Path, backups: Path) -> None:
    path.parent.mkdir()
    path.write_text("{}")
    path.chmod(0o444)
    with pytest.raises(ClientConfigError, match="is read-only"):
        ConfigFile.read(path).replace("[]", backups)
    assert path.read_text() == "{}"


def test_a_file_of_two_names_keeps_both(path: Path, tmp_path: Path, backups: Path) -> None:
    path.parent.mkdir()
    path.write_text("{}")
    (tmp_path / "dotfiles").hardlink_to(path)
    ConfigFile.read(path).replace("[]", backups)
    assert (tmp_path / "dotfiles").read_text() == "[]"
    assert path.samefile(tmp_path / "dotfiles")


def test_a_pipe_is_not_waited_for(path: Path) -> None:
    path.parent.mkdir()
    os.mkfifo(path)
    with pytest.raises(ClientConfigError, match="is no ordinary file"):
        ConfigFile.read(path)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away"
)
def test_roots_change_leaves_the_file_its_owner(path: Path, backups: Path) -> None:
    path.parent.mkdir()
    path.write_text("{}")
    os.chown(path, 1234, 2345)
    ConfigFile.read(path).replace("[]", backups)
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 2345)


def test_a_link_that_leads_nowhere_leads_to_the_new_file(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    path.symlink_to(tmp_path / "dotfiles" / "x.json")
    ConfigFile.read(path).replace("{}", tmp_path / "backups")
    assert (tmp_path / "dotfiles" / "x.json").read_text() == "{}"
    assert path.is_symlink()
