from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest

from heimdall import version as own


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        (
            ["heimdall_mcp-9.8rc1+site.7.dist-info", "heimdall_models-1.0.dist-info"],
            "9.8rc1+site.7",
        ),
        ([], version("heimdall-mcp")),
        # What an interrupted upgrade leaves.
        (["heimdall_mcp-9.8.dist-info", "heimdall_mcp-9.9.dist-info"], version("heimdall-mcp")),
    ],
)
def test_the_installed_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folders: list[str], expected: str
) -> None:
    (tmp_path / "heimdall").mkdir()
    for folder in folders:
        (tmp_path / folder).mkdir()
    monkeypatch.setattr(own, "__file__", str(tmp_path / "heimdall" / "version.py"))
    assert own.own_version() == expected


def test_the_version_of_a_package_in_an_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "app.pyz").touch()
    monkeypatch.setattr(own, "__file__", str(tmp_path / "app.pyz" / "heimdall" / "version.py"))
    assert own.own_version() == version("heimdall-mcp")
