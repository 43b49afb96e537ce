from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

import pytest

from cognitive_memory.project.special_folders import synced_by
from cognitive_memory.storage.errors import StorageError, explained


@pytest.mark.parametrize(
    ("folder", "service"),
    [
        ("Library/Mobile Documents/com~apple~CloudDocs/notes", "iCloud Drive"),
        ("Library/CloudStorage/OneDrive-Company/notes", "OneDrive-Company"),
        ("Dropbox (Personal)/notes", "Dropbox (Personal)"),
        ("src/Dropbox", None),
        ("Library/notes", None),
        ("", None),
    ],
)
def test_what_copies_a_folder(home: Path, folder: str, service: str | None) -> None:
    assert synced_by(home / folder) == service


def test_what_is_not_below_the_home_is_not_synced(tmp_path: Path) -> None:
    assert synced_by(tmp_path / "Dropbox") is None


def test_a_database_that_macos_guards_is_told_with_the_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said() -> str:
        with pytest.raises(StorageError) as caught, explained(tmp_path / "a.db"):
            sqlite3.connect(f"file:{tmp_path}?mode=rw", uri=True).execute("SELECT 1")
        return str(caught.value)

    assert "macOS" not in said()
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "Privacy & Security, Files and Folders" in said()
