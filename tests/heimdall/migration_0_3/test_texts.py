"""Files in the place of those that a migration reads: endless, empty of meaning, or none at all."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from heimdall.migration_0_3.memories import KEPT_NAME
from heimdall.migration_0_3.texts import MOST_BYTES, read_json_object, read_yaml
from tests.heimdall.conftest import OriginalDatabase
from tests.heimdall.migration_0_3.test_places import CONFIG
from tests.support.small_model import ROOT


def sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 3_000_000_000)


HOSTILE: dict[str, Callable[[Path], object]] = {
    "sparse": sparse,
    "endless": lambda path: path.symlink_to("/dev/zero"),
    "nested": lambda path: path.write_text("[\n" * 100_000),
    "nested within the bound": lambda path: path.write_text("[\n" * (MOST_BYTES // 2)),
    "folder": lambda path: path.mkdir(),
    "nines": lambda path: path.write_text("9" * 6_000),
    "nines in settings": lambda path: path.write_text(f"{CONFIG}more: {'9' * 6_000}"),
    "tags": lambda path: path.write_text("qdrant_url: !!timestamp foo\ndatabase: !!int ''"),
    "itself": lambda path: path.write_text("services: &a {b: *a, qdrant_url: *a, volumes: [*a]}"),
    "no text": lambda path: path.write_bytes(b"\xff\xfe\x00"),
}
if hasattr(os, "mkfifo"):
    HOSTILE["pipe"] = os.mkfifo
PLACES = (
    "docker-compose.yml",
    ".heimdall/config.yaml",
    ".heimdall/config.heimdall-0.3.yaml",
    ".heimdall/migrated.json",
)


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_read(tmp_path: Path, kind: str) -> None:
    HOSTILE[kind](tmp_path / "file")
    assert not isinstance(read_yaml(tmp_path / "file"), (int, float))
    assert read_json_object(tmp_path / "file") == {}


def test_what_is_too_long_is_not_read_in_part(tmp_path: Path) -> None:
    (tmp_path / "file").write_text(f"{CONFIG}#{'x' * MOST_BYTES}")
    assert read_yaml(tmp_path / "file") is None
    (tmp_path / "file").write_text('{"a": 1}' + " " * 1_000_000)
    assert read_json_object(tmp_path / "file") == {}
    (tmp_path / "file").write_text('{"a": 1}')
    assert read_json_object(tmp_path / "file") == {"a": 1}


@pytest.mark.slow
@pytest.mark.parametrize("kind", HOSTILE)
def test_migrate_and_doctor_end_and_say_what_it_is(
    original: OriginalDatabase, root: Path, home: Path, kind: str
) -> None:
    original()
    for place in PLACES:
        HOSTILE[kind](root / place)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for command in (["migrate", "--remove", str(root)], ["doctor"]):
        done = subprocess.run(
            [sys.executable, "-m", "heimdall", *command],
            cwd=root,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            timeout=900,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode in {0, 1}, said
        assert "should not have happened" not in said
        assert "Traceback" not in said
        assert said.strip()
    # The memories came over, or are where they were.
    assert (root / ".heimdall/cognitive_memory.db").is_file() or (
        root / ".heimdall" / KEPT_NAME
    ).is_file()
