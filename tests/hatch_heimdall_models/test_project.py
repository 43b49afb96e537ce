from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.project import configured, read_project

if TYPE_CHECKING:
    from pathlib import Path

KEYS = """
models-dir = "pkg/models"
manifest = "pkg/model_manifest.json"
repository = "me/pkg"
"""
MODEL = """
name = "net"
license = "MIT"
upstream = "https://example.org"
"""
OWN = f"[tool.heimdall-models]{KEYS}[[tool.heimdall-models.models]]{MODEL}"
HOOK = "[tool.hatch.build.hooks.heimdall-models]\n"
PROJECT = '[project]\nname = "pkg"\nversion = "1.0"\n'


def write(root: Path, *parts: str) -> Path:
    (root / "pyproject.toml").write_text("\n".join(parts), encoding="utf-8")
    return root


def test_a_table_that_every_backend_leaves_alone(tmp_path: Path) -> None:
    project = read_project(write(tmp_path, PROJECT, OWN))
    assert (project.name, project.version) == ("pkg", "1.0")
    # Nothing copies the lock, so that it is the manifest.
    assert project.config.lock == project.config.manifest == "pkg/model_manifest.json"


def test_the_hook_may_be_configured_there_as_well(tmp_path: Path) -> None:
    table = configured(write(tmp_path, PROJECT, OWN, HOOK))
    assert (table.where, table.hooked) == ("tool.heimdall-models", True)
    assert table.parse().lock == "models.lock.json"


def test_one_table_says_it(tmp_path: Path) -> None:
    write(tmp_path, PROJECT, OWN, HOOK, 'lock = "x.json"')
    with pytest.raises(
        ModelBuildError, match=r"hooks.heimdall-models: lock can't stand there and in tool.heimdall"
    ):
        configured(tmp_path)


def test_a_custom_hook_of_something_else(tmp_path: Path) -> None:
    write(tmp_path, PROJECT, OWN, '[tool.hatch.build.hooks.custom]\npath = "x.py"')
    assert not configured(tmp_path).hooked


@pytest.mark.parametrize("text", ["tool.heimdall-models = 3", "[[tool.heimdall-models]]"])
def test_no_table(tmp_path: Path, text: str) -> None:
    with pytest.raises(ModelBuildError, match=r"tool.heimdall-models: expected a table, found"):
        configured(write(tmp_path, text))


def test_a_lock_that_nothing_copies(tmp_path: Path) -> None:
    text = OWN.replace("repository", 'lock = "models.lock.json"\nrepository')
    with pytest.raises(ModelBuildError, match=r"lock: .models\.lock\.json. is another file than"):
        read_project(write(tmp_path, PROJECT, text))


def test_a_name_that_no_distribution_can_have(tmp_path: Path) -> None:
    write(tmp_path, PROJECT, OWN)
    with pytest.raises(ModelBuildError, match=r"project\.name: 'a b' is no distribution's name"):
        read_project(tmp_path, name="a b")


@pytest.mark.parametrize("dynamic", ["[project]\ndynamic = ['version']", ""])
def test_what_is_dynamic_is_said(tmp_path: Path, dynamic: str) -> None:
    write(tmp_path, dynamic, OWN)
    with pytest.raises(ModelBuildError, match="there is none: say it with --name"):
        read_project(tmp_path)
    project = read_project(tmp_path, name="other", version="2.0")
    assert (project.name, project.version) == ("other", "2.0")
    assert read_project(tmp_path, name="other").version is None


def test_what_poetry_had_before_there_was_project(tmp_path: Path) -> None:
    write(tmp_path, '[tool.poetry]\nname = "pkg"\nversion = "1.0"', OWN)
    assert read_project(tmp_path).version == "1.0"


def test_what_is_said_wins(tmp_path: Path) -> None:
    assert read_project(write(tmp_path, PROJECT, OWN), version="1.1").version == "1.1"


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b"\xff")
    with pytest.raises(ModelBuildError, match="can't be read"):
        configured(tmp_path)
