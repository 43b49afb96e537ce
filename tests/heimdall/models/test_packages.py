"""The manifests of other packages, found without importing them. Whole packages: test_samples."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from heimdall.cli.run import run
from heimdall.models import ManifestError, ModelUnavailable, ensure
from heimdall.models.locate import locate
from heimdall.models.packages import find_package
from heimdall.models.prune import judge
from heimdall.models.resolver import resolve
from heimdall.models.store import Store
from tests.support.small_model import SmallModel


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    site = tmp_path / "site"
    for path, text in {
        "broken_on_import/__init__.py": "raise RuntimeError",
        "some_space/inner/__init__.py": "raise RuntimeError",
        "plain_module.py": "",
    }.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(text)
    monkeypatch.syspath_prepend(site)
    return site


@pytest.mark.parametrize("package", ["broken_on_import", "some_space.inner", "some_space"])
def test_a_manifest_is_found_without_importing_its_package(site: Path, package: str) -> None:
    path = site / package.replace(".", "/") / "model_manifest.json"
    path.write_text("{}")
    assert find_package(package).manifest_path == str(path)


def test_a_manifest_may_have_another_name(site: Path) -> None:
    path = site / "broken_on_import" / "data" / "pins.json"
    path.parent.mkdir()
    path.write_text("{}")
    assert find_package("broken_on_import", "data/pins.json").manifest_path == str(path)


@pytest.mark.parametrize(
    ("package", "reason"),
    [
        ("not_there_at_all", "is not installed"),
        ("not_there.at_all", "is not installed"),
        (".relative", "is not installed"),
        ("", "is not installed"),
        ("Typing-Extensions", "the name that is imported is meant: typing_extensions$"),
        ("Pluggy", "the name that is imported is meant: pluggy$"),
        ("pyyaml", "the name that is imported is meant: .*yaml"),
        ("broken_on_import", "was built without hatch-heimdall-models"),
        ("plain_module", "was built without hatch-heimdall-models"),
    ],
)
def test_what_is_missing_is_said(site: Path, package: str, reason: str) -> None:
    with pytest.raises(ManifestError, match=reason):
        ensure(package)


def test_a_distribution_is_told_by_its_package_that_has_models(site: Path) -> None:
    (site / "some_space" / "inner" / "model_manifest.json").write_text("{}")
    told = site / "space_dist-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: space.dist\nVersion: 1.0\n")
    (told / "RECORD").write_text("some_space/inner/model_manifest.json,,\n")
    with pytest.raises(ManifestError, match=r"is meant: some_space\.inner$"):
        ensure("Space-Dist")


@pytest.fixture
def mirrored(mirror: SmallModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEIMDALL_MODEL_VARIANT", "compact")  # of heimdall's own model
    monkeypatch.delenv("HEIMDALL_FETCH", raising=False)


@pytest.mark.usefixtures("mirrored")
def test_a_package_gets_its_set_in_the_shared_store_and_nothing_beside_it(
    site: Path, small: SmallModel, models_dir: Path
) -> None:
    small.write_manifest(site / "some_space" / "inner" / "model_manifest.json")
    directory = ensure("some_space.inner")
    small.assert_tree(directory)
    assert directory.is_relative_to(models_dir / ".store" / "sets")
    assert [path.name for path in models_dir.iterdir()] == [".store"]
    assert ensure("some_space.inner", "small", "standard") == directory


@pytest.mark.usefixtures("mirrored")
def test_packages_that_pin_the_same_bytes_share_them(
    site: Path, small: SmallModel, models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {**small.files, "net.onnx": b"another graph"}
    other = SmallModel(tmp_path / "other", files, name="another")
    small.write_manifest(site / "some_space" / "inner" / "model_manifest.json")
    other.write_manifest(site / "broken_on_import" / "model_manifest.json")
    first = ensure("some_space.inner")
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", "https://127.0.0.1:9")
    second = ensure("broken_on_import")
    other.assert_tree(second)
    assert (first / "model.safetensors").samefile(second / "model.safetensors")
    assert len(list((models_dir / ".store" / "blobs").iterdir())) == len(files) + 1


@pytest.mark.usefixtures("mirrored")
def test_messages_name_the_command_that_helps_the_package(
    site: Path, small: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.write_manifest(site / "some_space" / "inner" / "model_manifest.json")
    small.asset_path.unlink()
    with pytest.raises(ModelUnavailable, match=r"models pull --package some_space\.inner"):
        ensure("some_space.inner")
    with pytest.raises(ManifestError, match=r"pins no small \(tiny\)") as caught:
        ensure("some_space.inner", variant="tiny")
    assert "HEIMDALL_MODEL_VARIANT" not in str(caught.value)


@pytest.mark.usefixtures("mirrored")
def test_prune_judges_the_models_of_packages_too(
    site: Path,
    small: SmallModel,
    models_dir: Path,
    manifest_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("HEIMDALL_MODEL_VARIANT")
    another = SmallModel(tmp_path / "another", small.files, name="another")
    manifest = another.write_manifest(site / "some_space" / "inner" / "model_manifest.json")
    own, other = resolve(), ensure("some_space.inner")
    assert run(["models", "prune"]) == 0
    assert f"used by the environment of {manifest}" in capsys.readouterr().out
    small.assert_tree(other)
    manifest.unlink()
    assert run(["models", "prune", "--dry-run"]) == 0
    assert f"the environment of {manifest} is gone" in capsys.readouterr().out
    small.assert_tree(other)
    assert run(["models", "prune"]) == 0
    assert not other.exists()
    assert len(list((models_dir / ".store" / "blobs").iterdir())) == len(small.files)
    small.assert_tree(own)


def test_a_package_in_an_archive(
    small: SmallModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Python imports it from a zip application; its environment is the archive."""
    archive = tmp_path / "app.pyz"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("zipped_space/__init__.py", "")
        packed.writestr("zipped_space/inner/__init__.py", "raise RuntimeError")
        packed.writestr("zipped_space/inner/model_manifest.json", small.manifest.dumps())
        packed.writestr("zipped_space/bare/__init__.py", "")
    monkeypatch.syspath_prepend(archive)
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", small.mirror)
    monkeypatch.setenv("HEIMDALL_SOURCES", "mirror")
    small.assert_tree(ensure("zipped_space.inner"))
    assert locate(find_package("zipped_space.inner")).verified
    with pytest.raises(ManifestError, match="was built without hatch-heimdall-models"):
        find_package("zipped_space.bare")
    store = Store()
    assert [verdict.keep for verdict in judge(store)] == [True]
    archive.unlink()
    assert not any(verdict.keep for verdict in judge(store))
