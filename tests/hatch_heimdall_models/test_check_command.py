"""`hatch-heimdall-models check` on archives as backends of every kind make them."""

from __future__ import annotations

import io
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from hatch_heimdall_models.cli import main
from tests.support.samples import SRC

MANIFEST = "src/iris_sorter/model_manifest.json"
ASSET = "dist/models/v1.2.0/iris-v1.2.0.zip"
LICENCE = "LICENSES/model.txt"
WEIGHTS = SRC.models["iris.joblib"]


@pytest.fixture
def root(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A locked project whose backend is none in particular."""
    SRC.write(tmp_path)
    text = (tmp_path / "pyproject.toml").read_text()
    tables = text[text.index("[tool.hatch.build.hooks.") : text.index("[tool.hatch.build.targets")]
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "iris-sorter"\nversion = "1.2.0"\n'
        + tables.replace("hatch.build.hooks.", "").replace(
            "repository", 'max-wheel-size = "20 KB"\nrepository'
        )
    )
    assert main(["lock", "--project", str(tmp_path)]) == 0
    assert not (tmp_path / "models.lock.json").exists()
    capsys.readouterr()
    return tmp_path


def wheel(
    root: Path, members: dict[str, bytes], *, name: str = "iris_sorter-1.2.0-py3-none-any.whl"
) -> Path:
    path = root / "dist" / name
    licence = {f"iris_sorter-1.2.0.dist-info/licenses/{LICENCE}": (root / LICENCE).read_bytes()}
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in (licence | members).items():
            archive.writestr(member, content)
    return path


def sdist(root: Path, members: dict[str, bytes]) -> Path:
    path = root / "dist" / "iris_sorter-1.2.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for member, content in members.items():
            info = tarfile.TarInfo(f"iris_sorter-1.2.0/{member}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def check(root: Path, *archives: Path | str) -> int:
    return main(["check", "--project", str(root), *map(str, archives)])


def manifest(root: Path) -> bytes:
    return (root / MANIFEST).read_bytes()


@pytest.mark.parametrize(
    "place",
    [
        "iris_sorter/model_manifest.json",
        "iris_sorter-1.2.0.data/purelib/iris_sorter/model_manifest.json",
        "above/iris_sorter/model_manifest.json",
    ],
)
def test_right_archives(root: Path, place: str, capsys: pytest.CaptureFixture[str]) -> None:
    archives = [wheel(root, {place: manifest(root)}), sdist(root, {MANIFEST: manifest(root)})]
    members = {f"iris_sorter-1.2.0/{MANIFEST}": manifest(root)}
    archives.append(wheel(root, members, name="iris_sorter-1.2.0.zip"))
    assert check(root, *archives) == 0
    assert capsys.readouterr().out.count("carries the manifest, and no model") == 3


@pytest.mark.parametrize(
    ("path", "content", "problem"),
    [
        (
            "iris_sorter/models/notes.txt",
            b"x",
            "carries iris_sorter/models/notes.txt, which lies in",
        ),
        ("else/where.bin", WEIGHTS, "carries else/where.bin, which is the model's iris.joblib"),
        (
            f"iris_sorter-1.2.0.dist-info/licenses/{LICENCE}",
            b"Another project's licence.",
            f"lacks {LICENCE}, the licence of a model: add it to the project's license-files",
        ),
        ("big.py", bytes(30_000), "more than max-wheel-size allows (20000)"),
    ],
)
def test_wrong_wheels(
    root: Path, path: str, content: bytes, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    members = {"iris_sorter/model_manifest.json": manifest(root), path: content}
    assert check(root, wheel(root, members), sdist(root, {MANIFEST: manifest(root)})) == 1
    assert problem in capsys.readouterr().out


def test_an_sdist_with_the_models_and_one_with_the_asset(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    right = {MANIFEST: manifest(root)}
    assert check(root, sdist(root, {**right, f"{SRC.models_dir}/iris.joblib": WEIGHTS})) == 1
    assert check(root, sdist(root, {**right, ASSET: (root / ASSET).read_bytes()})) == 1
    shown = capsys.readouterr().out
    assert "carries src/iris_sorter/models/iris.joblib, which lies in models-dir" in shown
    assert f"carries {ASSET}, which is the release asset iris-v1.2.0.zip" in shown


def test_a_missing_and_another_manifest(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(root, wheel(root, {"iris_sorter/__init__.py": b""})) == 1
    assert f"has no {MANIFEST}" in capsys.readouterr().out
    other = manifest(root).replace(b"BSD-3-Clause", b"MIT")
    assert check(root, wheel(root, {"iris_sorter/model_manifest.json": other})) == 1
    assert "carries another iris_sorter/model_manifest.json" in capsys.readouterr().out


def test_everything_in_dist(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(root)
    wheel(root, {"iris_sorter/model_manifest.json": manifest(root)})
    shutil.copy(root / ASSET, root / "dist")
    (root / "dist" / "notes.txt").write_text("x")
    # As a shell that knows no patterns passes it on.
    assert main(["check", "dist/*"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("passed over") == 3
    assert "passed over, the release asset iris-v1.2.0.zip" in shown


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("dist/*", "there is no wheel and no sdist among them"),
        ("nowhere-1.0.whl", "nowhere-1.0.whl"),
        ("nowhere", "nowhere"),
        ("dist/broken-1.0.whl", "can't be read"),
        ("dist/broken-1.0.tar.gz", "can't be read"),
    ],
)
def test_nothing_that_can_be_checked(
    root: Path, name: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if "broken" in name:
        (root / name).write_bytes(b"no archive")
    assert check(root, root / name) == 2
    assert message in capsys.readouterr().err


def test_without_a_lock(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = wheel(root, {"iris_sorter/model_manifest.json": manifest(root)})
    (root / MANIFEST).unlink()
    assert check(root, archive) == 2
    assert "pin the models with 'hatch-heimdall-models lock'" in capsys.readouterr().err
