"""`pull --checkout`: what the lock pins comes into the tree, and nothing there is displaced."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from heimdall.cli.run import run
from heimdall.models import ensure
from heimdall.models.__main__ import main
from tests.support.small_model import SmallModel

TABLE = """
[tool.heimdall-models]
models-dir = "red/models"
manifest = "red/model_manifest.json"
"""


@pytest.fixture
def project(tmp_path: Path, small: SmallModel, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "project"
    small.write_manifest(root / "red/model_manifest.json")
    (root / "red/__init__.py").write_text("raise RuntimeError\n")
    (root / "pyproject.toml").write_text(TABLE)
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", small.mirror)
    monkeypatch.setenv("HEIMDALL_SOURCES", "mirror")
    monkeypatch.syspath_prepend(root)
    return root


def _files(project: Path) -> list[str]:
    models = project / "red/models"
    return sorted(
        path.relative_to(models).as_posix() for path in models.rglob("*") if not path.is_dir()
    )


@pytest.mark.parametrize("program", [main, lambda arguments: run(["models", *arguments])])
def test_a_clone_gets_its_models(
    project: Path,
    small: SmallModel,
    models_dir: Path,
    program: object,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert callable(program)
    assert program(["pull", "--checkout", str(project), "--json"]) == 0
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert document == {
        "sound": True,
        "models": [
            {
                "model": "small",
                "variant": "standard",
                "directory": str(project / "red/models"),
                "brought": sorted(small.files),
                "sources": ["mirror"],
                "different": [],
            }
        ],
    }
    assert f"verified, in {project / 'red/models'}\n" in printed.err
    small.assert_tree(project / "red/models")
    assert _files(project) == sorted(small.files)
    assert not (project / "red/models/.cache").exists()
    assert not models_dir.exists()
    monkeypatch.setenv("HEIMDALL_OFFLINE", "1")
    assert ensure("red") == project / "red/models"
    monkeypatch.chdir(project)
    assert program(["pull", "--checkout"]) == 0
    assert "small (standard): was here already, verified" in capsys.readouterr().out


def test_what_is_there_and_right_is_not_fetched(
    project: Path, small: SmallModel, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = project / "red/models/model.safetensors"
    weights.parent.mkdir()
    weights.write_bytes(small.files["model.safetensors"])
    before = weights.stat()
    small.asset_path.unlink()
    assert main(["pull", "--checkout", str(project)]) == 2
    assert "tokenizer" not in str(_files(project))
    tokenizer = project.parent / "tokenizer.json"
    tokenizer.write_bytes(small.files["tokenizer/tokenizer.json"])
    small.also = {"tokenizer/tokenizer.json": (tokenizer.as_uri(),)}
    small.__post_init__()
    small.write_manifest(project / "red/model_manifest.json")
    assert main(["pull", "--checkout", str(project)]) == 0
    small.assert_tree(project / "red/models")
    after = weights.stat()
    assert (before.st_ino, before.st_mtime_ns, after.st_nlink) == (
        after.st_ino,
        after.st_mtime_ns,
        1,
    )
    assert "3 files brought" in capsys.readouterr().out


def test_what_is_there_and_different_stays_and_is_named(
    project: Path, small: SmallModel, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = project / "red/models"
    tree.mkdir()
    (tree / "model.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    (tree / "net.onnx").symlink_to(tree / "nowhere")
    (tree / "tokenizer").write_text("a file in a folder's place")
    (tree / "mine.txt").write_text("mine")
    small.asset_path.unlink()  # all that it is asked for travels in the manifest
    assert main(["pull", "--checkout", str(project)]) == 1
    printed = capsys.readouterr().out
    assert "different  model.safetensors  it is a Git LFS pointer" in printed
    assert "missing    net.onnx  a link that leads nowhere" in printed
    assert "tokenizer/tokenizer.json" in printed
    assert f"heimdall models pull --checkout {project}' again" in printed
    assert (tree / "model.safetensors").read_bytes().startswith(b"version")
    assert (tree / "net.onnx").is_symlink()
    assert (tree / "mine.txt").read_text() == "mine"
    assert (tree / "model_config.json").read_bytes() == small.files["model_config.json"]


def test_an_interrupted_one_goes_on(project: Path, small: SmallModel) -> None:
    working = project / "red/models/.cache/heimdall"
    asset = small.asset_path.read_bytes()
    small.asset_path.unlink()
    (project / "red/models/.cache").mkdir(parents=True)
    (project / "red/models/.cache/other").write_text("another program's")
    assert main(["pull", "--checkout", str(project)]) == 2
    small.asset_path.write_bytes(asset)
    assert main(["pull", "--checkout", str(project)]) == 0
    small.assert_tree(project / "red/models")
    assert not working.exists()
    assert (project / "red/models/.cache/other").exists()


@pytest.mark.parametrize("link", ["red/models", "red/models/tokenizer"])
def test_no_link_leads_out(
    project: Path, tmp_path: Path, link: str, capsys: pytest.CaptureFixture[str]
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (project / link).parent.mkdir(exist_ok=True)
    (project / link).symlink_to(outside)
    assert main(["pull", "--checkout", str(project)]) == 2
    assert "leads out of the checkout" in capsys.readouterr().err
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["red", "--checkout", "."], "'red' can't be named, too"),
        (["--checkout", "nowhere"], f"nowhere{os.sep}pyproject.toml: there is no such file"),
        (["--checkout", "project", "--variant", "huge"], "pins nothing of the variant 'huge'"),
    ],
)
def test_mistakes(
    project: Path, arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["pull", *arguments]) == 2
    assert problem in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_tree_that_can_not_be_written(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "red").chmod(0o555)
    assert main(["pull", "--checkout", str(project)]) == 2
    assert "Permission denied" in capsys.readouterr().err
