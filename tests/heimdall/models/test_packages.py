"""The manifests of other packages, found without importing them. Whole packages: test_samples."""

from __future__ import annotations

from pathlib import Path

import pytest

from heimdall.cli.run import run
from heimdall.models import ManifestError, ensure, resolve
from heimdall.models.packages import manifest_of
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
    assert manifest_of(package) == str(path)


def test_a_manifest_may_have_another_name(site: Path) -> None:
    path = site / "broken_on_import" / "data" / "pins.json"
    path.parent.mkdir()
    path.write_text("{}")
    assert manifest_of("broken_on_import", "data/pins.json") == str(path)


@pytest.mark.parametrize(
    ("package", "reason"),
    [
        ("not_there_at_all", "is not installed"),
        ("not_there.at_all", "is not installed"),
        (".relative", "is not installed"),
        ("", "is not installed"),
        ("broken_on_import", "was built without hatch-heimdall-models"),
        ("plain_module", "was built without hatch-heimdall-models"),
    ],
)
def test_what_is_missing_is_said(site: Path, package: str, reason: str) -> None:
    with pytest.raises(ManifestError, match=reason):
        ensure(package)


def test_the_models_of_a_package_are_fetched_into_a_directory_of_its_own(
    site: Path, small: SmallModel, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", small.mirror)
    monkeypatch.setenv("HEIMDALL_SOURCES", "mirror")
    monkeypatch.delenv("HEIMDALL_FETCH", raising=False)
    small.write_manifest(site / "some_space" / "inner" / "model_manifest.json")
    directory = ensure("some_space.inner")
    small.assert_tree(directory)
    assert directory.is_relative_to(models_dir / "packages" / "some_space.inner")
    assert [path.name for path in models_dir.iterdir()] == ["packages"]
    assert ensure("some_space.inner", "small", "standard") == directory


def test_prune_judges_the_models_of_packages_too(
    site: Path,
    small: SmallModel,
    manifest_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", small.mirror)
    monkeypatch.setenv("HEIMDALL_SOURCES", "mirror")
    monkeypatch.delenv("HEIMDALL_FETCH", raising=False)
    manifest = small.write_manifest(site / "some_space" / "inner" / "model_manifest.json")
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
    small.assert_tree(own)
