from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest

from heimdall.mcp_clients.program import find_program


def test_beside_this_python_then_on_the_path_then_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "Library" / "Python" / "3.13" / "bin"
    folders = {None: tmp_path / "beside", sysconfig.get_preferred_scheme("user"): own}
    monkeypatch.setattr(sysconfig, "get_path", lambda _, scheme=None: str(folders[scheme]))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    assert find_program("heimdall") is None
    for folder in (own, tmp_path / "path", tmp_path / "beside"):
        folder.mkdir(parents=True)
        (folder / "heimdall").touch(0o755)
        assert find_program("heimdall") == str(folder / "heimdall")
