"""`hatch-heimdall-models lock` on sample projects: what it checks, and what it refuses."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from unittest.mock import Mock

import pytest

from hatch_heimdall_models import lock_command
from hatch_heimdall_models.cli import main
from tests.support.capabilities import can_be_named
from tests.support.locked import ASSET, Locked
from tests.support.samples import FLAT, SRC


def test_check_writes_nothing_and_says_what_is_different(
    locked: Locked, capsys: pytest.CaptureFixture[str]
) -> None:
    before = locked.contents()
    assert locked.run("--check") == 0
    assert "pins what is there" in capsys.readouterr().out
    (locked.root / SRC.models_dir / "classes.json").write_bytes(b"[]")
    locked.edit("BSD-3-Clause", "MIT")
    (locked.root / ASSET).unlink()
    changed = locked.contents()
    assert locked.run("--check") == 1
    shown = capsys.readouterr().out
    for place in (
        "iris standard.license",
        "iris standard classes.json.sha256",
        "iris standard.asset.sha256",
    ):
        assert f"\n{place}: the lock has " in shown
    assert locked.contents() == changed
    assert before.keys() - changed.keys() == {str(locked.root / ASSET)}


def test_check_without_a_lock(project: Locked, capsys: pytest.CaptureFixture[str]) -> None:
    assert project.run("--check") == 1
    assert "there is no lock" in capsys.readouterr().out
    assert not (project.root / "dist").exists()


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        ("__init__.py", b"", "__init__.py is code, and nothing in models-dir is packed"),
        ("net.py", b"x", "net.py is code"),
        ("LICENSE", b"MIT", "LICENSE is a licence or notice"),
        (".env", b"A=1", ".env is hidden"),
        (".store/x", b"1", ".store/x has a name that only the resolver's own store has"),
        ("about/x", b"1", "about/x has a name that only an asset's documentation has"),
        ("a/B", b"1", "'a/B' and 'a/b' are one file where case does not count"),
        ("what?", b"1", "what? has one of the characters"),
        ("a\u00a0b", b"1", "has a character that can't be seen (U+00A0)"),
        ("aux.json", b"1", "has a component with the name of a device on Windows"),
        ("config", b"url = https://me:ghTOKEN@github.com/x", "config holds a URL with a password"),
        ("note.txt", b"hf_" + b"a" * 34, "note.txt holds a token of Hugging Face"),
        ("key.pem", b"-----BEGIN RSA PRIVATE KEY-----\n", "key.pem holds a private key"),
    ],
)
def test_what_is_not_pinned(
    project: Locked, path: str, content: bytes, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    models = project.root / SRC.models_dir
    for name, text in (("a/b", b"1"), (path, content)):
        place = models / name
        place.parent.mkdir(exist_ok=True, parents=True)
        if not can_be_named(place.parent, place.name):
            pytest.skip(f"no file can be called {name} here")
        place.write_bytes(text)
    assert project.run() == 2
    assert message in capsys.readouterr().err
    assert not (project.root / "models.lock.json").exists()
    assert not (project.root / "dist").exists()


def test_what_is_named_is_pinned(project: Locked) -> None:
    models = project.root / SRC.models_dir
    (models / "net.py").write_bytes(b"x")
    # The same as the model's licence, which wheel and asset carry.
    (models / "LICENSE").write_bytes((project.root / "LICENSES/model.txt").read_bytes())
    project.edit('name = "iris"', 'name = "iris"\nfiles = ["*", "*.py"]')
    assert project.run() == 0
    assert {file.path for file in project.lock.models[0].files} >= {"net.py", "LICENSE"}


def test_an_asset_that_is_not_the_pinned_one(
    locked: Locked, capsys: pytest.CaptureFixture[str]
) -> None:
    with zipfile.ZipFile(locked.root / ASSET, "a") as archive:
        archive.writestr("models/about/MORE", "x")
    assert locked.run("--check") == 1
    assert (
        f"the lock pins sha256 {locked.lock.models[0].asset.sha256}, found "
        in capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "[[tool.hatch.build.hooks.heimdall-models.models]]",
            "[tool.other]",
            "hooks.heimdall-models.models: expected a table for each",
        ),
        (
            'name = "iris"',
            'nam = "iris"',
            "hooks.heimdall-models.models[0].nam: unknown key; did you mean 'name'?",
        ),
        (
            'name = "iris"',
            'name = "iris"\nfiles = ["*.onnx"]',
            "iris.joblib belongs to no model: let the 'files' of",
        ),
        (
            'name = "iris"',
            'name = "iris"\nfiles = ["*.onnx"]',
            "iris (standard): its 'files' match none",
        ),
        (
            'license-files = ["LICENSES/model.txt"]',
            'license-files = ["x"]',
            "x: is one of the model's 'license-files'",
        ),
        ("[project]", "[project", "pyproject.toml: can't be read: "),
        ('version = "1.2.0"', "", "project.version: is dynamic: name the release"),
        ("heimdall-models", "heimdall-model", "tool.heimdall-models: there is no such table"),
        (
            "hatch.build.hooks.heimdall-models",
            "heimdall_models",
            "; if tool.heimdall_models is it, correct its name",
        ),
        ("[build-system]", "\ufeff[build-system]", "begins with a byte order mark"),
        ('version = "1.2.0"', 'version = "1!2.0"', "tag 'v1!2.0': can't be part of a file's name"),
        (
            'license-files = ["LICENSES/model.txt"]',
            'license-files = ["x"]',
            "can't be read: No such file or directory\n",
        ),
    ],
)
def test_mistakes_are_explained(
    project: Locked, old: str, new: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    project.edit(old, new)
    assert project.run() == 2
    shown = capsys.readouterr().err
    assert shown.startswith("hatch-heimdall-models: error: ")
    assert message in shown


def test_what_the_system_says_is_told_in_words(
    project: Locked, capsys: pytest.CaptureFixture[str]
) -> None:
    (project.root / "dist").write_text("")
    assert project.run() == 2
    shown = capsys.readouterr().err
    assert re.search(r"dist\S*: [FN]", shown)  # Windows names the file alone
    assert "[Errno" not in shown


def test_a_full_disk_names_no_file(
    project: Locked, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # as writing to what is open says it
    monkeypatch.setattr(lock_command, "settle", Mock(side_effect=full))
    assert project.run() == 2
    assert capsys.readouterr().err == f"hatch-heimdall-models: error: {full.strerror}\n"


def test_a_file_of_two_models(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = Locked(tmp_path / "project", FLAT)
    project.edit('files = ["german/*"]', 'files = ["*"]')
    assert project.run() == 2
    shown = capsys.readouterr().err
    assert "english/en.bin belongs to english (standard) and german (standard): let" in shown
    assert "match none" not in shown


def test_no_models_and_no_project(
    project: Locked, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in SRC.models:
        (project.root / SRC.models_dir / path).unlink()
    assert project.run("--check") == 2
    assert "has no model files: get them first" in capsys.readouterr().err
    assert main(["lock", "--project", str(tmp_path / "nowhere")]) == 2
    assert "pyproject.toml: there is no such file" in capsys.readouterr().err


def test_the_table_may_be_in_hatch_toml(
    project: Locked, capsys: pytest.CaptureFixture[str]
) -> None:
    head, _, tables = (project.root / "pyproject.toml").read_text().partition("[tool.hatch.build]")
    (project.root / "pyproject.toml").write_text(head)
    (project.root / "hatch.toml").write_text(f"[build]{tables}".replace("[tool.hatch.", "["))
    assert project.run() == 0
    text = (project.root / "hatch.toml").read_text()
    (project.root / "hatch.toml").write_text(text.replace("models-dir", "model-dir"))
    assert project.run() == 2
    shown = capsys.readouterr().err
    assert "hatch.toml: 2 problems" in shown
    assert "build.hooks.heimdall-models.model-dir: unknown key; did you mean 'models-dir'?" in shown
    assert "tool." not in shown


def test_it_runs_as_a_module(project: Locked) -> None:
    command = [sys.executable, "-m", "hatch_heimdall_models", "lock"]
    # The project is the current directory, so that of the package has to be named.
    environment = {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    done = subprocess.run(
        command,
        cwd=project.root,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert "wrote models.lock.json\n" in done.stdout
    assert (
        "release v1.2.0: iris-v1.2.0.zip, 0.2 MB (dist/models/v1.2.0/iris-v1.2.0.zip, to be uploaded)"
        in done.stdout
    )


def test_the_distribution_has_a_command_of_its_own_name() -> None:
    """Not `heimdall-models`, which is the command of the run-time distribution."""
    root = Path(__file__).resolve().parents[2]
    project = tomllib.loads((root / "hatch_heimdall_models" / "pyproject.toml").read_text())
    assert project["project"]["scripts"] == {
        "hatch-heimdall-models": "hatch_heimdall_models.cli:main"
    }
