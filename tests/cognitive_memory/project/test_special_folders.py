from __future__ import annotations

from pathlib import Path

import pytest

from cognitive_memory.project.special_folders import synced_by


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
