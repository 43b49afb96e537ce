"""The notes of which databases are ours, in a data directory that others may write to."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import pytest

from cognitive_memory.storage import known
from heimdall.models import locations

SECRET = bytes(range(32))
OTHER = bytes(32)


@pytest.fixture
def note() -> Path:
    known.note(SECRET)
    return Path(locations.data_dir()) / known.FOLDER / sha256(SECRET).hexdigest()


def of(secret: bytes) -> str:
    return sha256(secret).hexdigest()


def test_a_note_is_the_owner_s_alone_and_holds_no_secret(note: Path) -> None:
    assert known.is_known(SECRET)
    assert not known.is_known(OTHER)
    assert SECRET not in note.read_bytes()
    assert os.name == "nt" or note.stat().st_mode & 0o777 == 0o600


def test_forgetting(note: Path) -> None:
    known.forget(SECRET)
    known.forget(SECRET)
    assert not known.is_known(SECRET)
    assert not note.exists()


@pytest.mark.parametrize("how", ["rename", "link", "symlink"])
def test_a_note_under_another_name_says_nothing(note: Path, how: str) -> None:
    """Who may write to the directory may move, copy and link what is there, but not write a file of ours."""
    other = note.with_name(of(OTHER))
    if how == "rename":
        note.rename(other)
    elif how == "link":
        os.link(note, other)
    else:
        other.symlink_to(note)
    assert not known.is_known(OTHER)


def test_a_pipe_is_not_waited_for(note: Path) -> None:
    os.mkfifo(note.with_name(of(OTHER)))
    assert not known.is_known(OTHER)


def test_a_note_that_others_may_write(note: Path) -> None:
    note.chmod(0o620)
    assert not known.is_known(SECRET)


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="needs root")
def test_a_note_of_another_user(note: Path) -> None:
    os.chown(note, 12345, -1)
    assert not known.is_known(SECRET)
