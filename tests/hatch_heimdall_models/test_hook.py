"""The hook in hatchling's hands, in this process, on a small project with a `src` layout and a model in its package."""

from __future__ import annotations

import json
import sys
import tarfile
import tempfile
import zipfile
from functools import partial
from pathlib import Path
from unittest.mock import Mock

import pytest
from hatchling.builders.config import BuilderConfig

from hatch_heimdall_models.hook import place_in_archive
from tests.support.capabilities import needs_links
from tests.support.hook_project import (
    ASSET,
    BUILD,
    HOOK,
    MANIFEST,
    MODELS,
    TABLE,
    HookProject,
    contents,
)
from tests.support.manifests import FILES, LARGE, write_models

targets = pytest.mark.parametrize("target", ["wheel", "sdist"])


def test_a_wheel_has_the_manifest_at_its_place_and_no_model(sample: HookProject) -> None:
    assert contents(sample.build("wheel")) == {
        "sample/__init__.py": b"",
        "sample/manifest.json": MANIFEST.dumps().encode(),
    }


def test_a_place_in_the_archive_is_posix_where_hatchling_maps_paths_with_backslashes() -> None:
    config = Mock(sources={"src\\": ""})
    config.get_distribution_path = partial(BuilderConfig.get_distribution_path, config)
    place = place_in_archive(config, "src/sample/manifest.json", separator="\\")
    assert place == "sample/manifest.json"


def test_an_sdist_has_the_manifest_the_lock_and_no_model(sample: HookProject) -> None:
    packed = contents(sample.build("sdist"))
    assert packed.keys() == {
        "pyproject.toml",
        "models.lock.json",
        "src/sample/__init__.py",
        "src/sample/manifest.json",
    }
    assert (
        packed["src/sample/manifest.json"]
        == packed["models.lock.json"]
        == MANIFEST.dumps().encode()
    )


def test_the_build_says_what_it_pinned(
    sample: HookProject, capsys: pytest.CaptureFixture[str]
) -> None:
    sample.build("wheel")
    assert (
        f"models.lock.json pins 3 files of 0.1 MB, checked against {MODELS}"
        in capsys.readouterr().err
    )


def test_a_manifest_left_in_the_tree_is_replaced(sample: HookProject) -> None:
    (sample.root / "src/sample/manifest.json").write_text("stale")
    assert contents(sample.build("wheel"))["sample/manifest.json"] == MANIFEST.dumps().encode()
    assert contents(sample.build("sdist"))["src/sample/manifest.json"] == MANIFEST.dumps().encode()


def test_an_editable_wheel_has_neither(sample: HookProject) -> None:
    sample.configure(build=f'{BUILD}\ndev-mode-dirs = ["src"]')
    sample.root.joinpath("models.lock.json").unlink()
    assert contents(sample.build("wheel", "editable")).keys() == {"_sample.pth"}


@targets
def test_a_wrong_table_is_explained_without_a_traceback(
    sample: HookProject, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sample.configure(hooks=f"{TABLE}model-dir = 'x'\nmax-wheel-size = 0\n")
    sample.fail(target)
    assert capsys.readouterr().err == (
        "hatch-heimdall-models: error: pyproject.toml: 2 problems\n"
        "  - tool.hatch.build.hooks.heimdall-models.max-wheel-size: expected a positive number of bytes or a text such "
        "as '300 KB', in B, KB, MB, GB (powers of 1000), KiB, MiB or GiB (of 1024), found 0\n"
        "  - tool.hatch.build.hooks.heimdall-models.model-dir: unknown key; did you mean 'models-dir'?\n"
    )


def test_a_table_of_one_target_is_refused(
    sample: HookProject, capsys: pytest.CaptureFixture[str]
) -> None:
    sample.configure(
        hooks="", wheel=f"[tool.hatch.build.targets.wheel.hooks.heimdall-models]\n{HOOK}"
    )
    sample.fail("wheel")
    assert (
        "tool.hatch.build.targets.wheel.hooks.heimdall-models: must stand under tool.hatch.build.hooks.heimdall-models"
        in capsys.readouterr().err
    )


@targets
def test_models_that_differ_from_the_lock_stop_the_build(
    sample: HookProject, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_models(sample.root / MODELS, {"model.safetensors": LARGE + b"x"})
    sample.fail(target)
    assert "model.safetensors: pinned is sha256 " in capsys.readouterr().err


SHIPS = {
    "no exclude": {"build": ""},
    "an exclude that leaks nested folders": {"build": f'exclude = ["/{MODELS}/*.safetensors"]'},
    "artifacts beat the exclude": {"build": f'{BUILD}\nartifacts = ["*.safetensors"]'},
    "forced under another name": {
        "build": f'{BUILD}\n[tool.hatch.build.force-include]\n"{MODELS}/model.safetensors" = "sample/weights.bin"'
    },
    "the folder forced to another place": {
        "build": f'{BUILD}\n[tool.hatch.build.force-include]\n"{MODELS}" = "sample/weights"'
    },
    "a target's exclude replaces the global one": {
        "wheel": 'exclude = ["/x"]',
        "sdist": 'exclude = ["/x"]',
    },
    "a target forces it": {
        target: f'[tool.hatch.build.targets.{target}.force-include]\n"{MODELS}/model.safetensors" = "w.bin"'
        for target in ("wheel", "sdist")
    },
    "as a licence": {"project": f'license-files = ["{MODELS}/*"]'},
    "its release asset": {"asset": "src/sample/asset.zip"},
}
LINKED = pytest.param({"link": "src/sample/weights.bin"}, marks=needs_links, id="a link beside it")


@targets
@pytest.mark.parametrize(
    "build", [LINKED, *(pytest.param(build, id=name) for name, build in SHIPS.items())]
)
def test_an_archive_with_a_model_is_removed(
    sample: HookProject, target: str, build: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    options = dict(build)
    if link := options.pop("link", None):
        (sample.root / link).symlink_to(sample.root / MODELS / "model.safetensors")
    if asset := options.pop("asset", None):
        sample.root.joinpath(asset).write_bytes(ASSET)
    sample.configure(**options)
    sample.fail(target)
    assert "was removed from" in capsys.readouterr().err


WHEEL_SHIPS = {
    "shared data": f'[tool.hatch.build.targets.wheel.shared-data]\n"{MODELS}/model.safetensors" = "share/w.bin"',
    "extra metadata": f'[tool.hatch.build.targets.wheel.extra-metadata]\n"{MODELS}/model.safetensors" = "w.bin"',
    "a bill": f'sbom-files = ["{MODELS}/model.safetensors"]',
}


@pytest.mark.parametrize("wheel", WHEEL_SHIPS.values(), ids=WHEEL_SHIPS)
def test_the_side_doors_of_a_wheel(
    sample: HookProject, wheel: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sample.configure(wheel=wheel)
    sample.fail("wheel")
    assert "which is the model's model.safetensors" in capsys.readouterr().err


@targets
@pytest.mark.parametrize(
    "option",
    ['only-include = ["src/sample"]', 'include = ["/src/sample/**"]', 'packages = ["src"]'],
)
def test_selections_do_not_beat_the_exclude(sample: HookProject, target: str, option: str) -> None:
    sample.configure(build=f"{BUILD}\n{option}")
    (sample.root / MODELS / "deeply" / "nested").mkdir(parents=True)
    assert not any("models/" in name for name in contents(sample.build(target)))


@targets
def test_a_build_folder_with_release_assets_is_not_packed(sample: HookProject, target: str) -> None:
    asset = sample.root / "dist" / "models" / "v1" / "models-v0.1.0.zip"
    asset.parent.mkdir(parents=True)
    asset.write_bytes(ASSET)
    sample.root.joinpath(".gitignore").unlink(missing_ok=True)
    assert not any(name.endswith(".zip") for name in contents(sample.build(target)))


@targets
def test_a_negation_in_gitignore_does_not_beat_the_exclude(
    sample: HookProject, target: str
) -> None:
    sample.root.joinpath(".gitignore").write_text(
        f"/dist\n!/{MODELS}\n!/{MODELS}/**\n!*.safetensors\n"
    )
    assert not any("models/" in name for name in contents(sample.build(target)))


@targets
def test_another_hook_that_packs_a_model(
    sample: HookProject, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sample.add_hook(
        initialize=f"build_data['force_include']['{MODELS}/model.safetensors'] = 'sample/x.bin'"
    )
    sample.fail(target)
    assert "carries sample/x.bin, which is the model's model.safetensors" in capsys.readouterr().err


@targets
def test_another_hook_that_drops_the_manifest(
    sample: HookProject, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sample.add_hook(initialize="build_data['force_include'].clear()")
    sample.fail(target)
    assert "sample/manifest.json" in capsys.readouterr().err


@targets
def test_an_archive_that_can_not_be_checked_is_removed_too(
    sample: HookProject, target: str
) -> None:
    sample.add_hook(finalize="open(artifact_path, 'wb').close()", first=True)
    with pytest.raises((zipfile.BadZipFile, tarfile.ReadError)):
        sample.build(target)
    assert list(sample.dist.iterdir()) == []


def test_a_wheel_that_is_too_large(sample: HookProject, capsys: pytest.CaptureFixture[str]) -> None:
    sample.configure(hooks=f'{TABLE}max-wheel-size = "1 KB"')
    sample.fail("wheel")
    assert "more than max-wheel-size allows (1000)" in capsys.readouterr().err


@targets
def test_without_models_the_archive_is_the_same(sample: HookProject, target: str) -> None:
    with_models = sample.build(target).read_bytes()
    for path in FILES:
        (sample.root / MODELS / path).unlink()
    assert sample.build(target).read_bytes() == with_models


@targets
def test_a_switched_off_hook_leaves_the_exclude(
    sample: HookProject, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HATCH_BUILD_NO_HOOKS", "1")
    assert not any(
        "models/" in name or "manifest" in name for name in contents(sample.build(target))
    )


@targets
def test_nothing_stays_behind(sample: HookProject, target: str) -> None:
    before = sorted(sample.root.rglob("*"))
    sample.build(target)
    assert list(Path(tempfile.gettempdir()).iterdir()) == []
    assert sorted(sample.root.rglob("*")) == before


def test_nothing_stays_behind_when_only_hooks_run(sample: HookProject) -> None:
    with pytest.raises(StopIteration):
        sample.build("wheel", hooks_only=True)
    assert list(Path(tempfile.gettempdir()).iterdir()) == []


def test_a_temporary_directory_inside_the_project_is_not_used(
    sample: HookProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Hatchling replaces a file of the tree by a forced one only if that one comes from outside.
    (sample.root / "src/sample/manifest.json").write_text("stale")
    sample.root.joinpath(".gitignore").write_text("/scratch\n")
    expected = sample.build("sdist").read_bytes()
    inside = sample.root / "scratch"
    inside.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(inside))
    assert sample.build("sdist").read_bytes() == expected
    assert sorted(path.name for path in sample.root.parent.iterdir()) == [
        "dist",
        "project",
        "scratch",
    ]


def _use_hatch_toml(root: Path) -> None:
    """Move everything about builds to `hatch.toml`."""
    head, _, build = (root / "pyproject.toml").read_text().partition("[tool.hatch.build]")
    (root / "pyproject.toml").write_text(head)
    (root / "hatch.toml").write_text(f"[build]{build}".replace("[tool.hatch.", "["))


def test_hatch_toml_is_read_and_named(
    sample: HookProject, capsys: pytest.CaptureFixture[str]
) -> None:
    _use_hatch_toml(sample.root)
    assert set(contents(sample.build("wheel"))) == {"sample/__init__.py", "sample/manifest.json"}
    sample.configure(build="", hooks=f"{TABLE}model-dir = 'x'")
    _use_hatch_toml(sample.root)
    next(sample.dist.iterdir()).unlink()
    sample.fail("wheel")
    assert capsys.readouterr().err.endswith(
        "error: hatch.toml: build.hooks.heimdall-models.model-dir: unknown key; did you mean 'models-dir'?\n"
    )
    sample.configure(build="")
    _use_hatch_toml(sample.root)
    sample.fail("wheel")
    assert (
        f'build.exclude (or the target\'s own exclude, which replaces it) lacks "/{MODELS}/**"'
        in (capsys.readouterr().err.replace("tool.hatch.", "WRONG"))
    )
    sample.configure(
        hooks="", wheel=f"[tool.hatch.build.targets.wheel.hooks.heimdall-models]\n{HOOK}"
    )
    _use_hatch_toml(sample.root)
    sample.fail("wheel")
    shown = capsys.readouterr().err
    assert (
        "hatch.toml: build.targets.wheel.hooks.heimdall-models: must stand under build.hooks."
        in shown
    )


@targets
def test_a_demanded_tag_that_is_not_pinned(
    sample: HookProject, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sample.configure(hooks=f'{TABLE}tag = "v{{version}}"')
    sample.fail(target)
    assert "under the tag 'v0.1.0', but the hook's 'tag' demands 'v1.0'" in capsys.readouterr().err


@targets
def test_the_licence_of_a_model_has_to_be_carried(
    sample: HookProject, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (sample.root / "LICENSES").mkdir()
    (sample.root / "LICENSES" / "model.txt").write_text("free")
    model = """[[tool.hatch.build.hooks.heimdall-models.models]]
name = "some-model"
license = "MIT"
upstream = "here"
license-files = ["LICENSES/model.txt"]
"""
    hooks = f"{TABLE}{model}"
    sample.configure(hooks=hooks)
    sample.fail(target)
    assert "project.license-files: does not match LICENSES/model.txt" in capsys.readouterr().err
    sample.configure(hooks=hooks, project='license-files = ["LICENSES/*"]')
    archive = sample.build(target)
    if target == "wheel":
        with zipfile.ZipFile(archive) as wheel:
            assert wheel.read("sample-1.0.dist-info/licenses/LICENSES/model.txt") == b"free"


@targets
def test_a_bill_is_in_the_wheel_alone(sample: HookProject, target: str) -> None:
    pytest.importorskip("cyclonedx", reason="needs cyclonedx-python-lib")
    sample.configure(hooks=f"{TABLE}sbom = true")
    archive = sample.build(target)
    if target == "sdist":
        assert not any("cdx" in name for name in contents(archive))
        return
    with zipfile.ZipFile(archive) as wheel:
        bill = json.loads(wheel.read("sample-1.0.dist-info/sboms/models.cdx.json"))
    assert bill["metadata"]["component"]["name"] == "sample"
    first = archive.read_bytes()
    assert sample.build(target).read_bytes() == first


def test_a_project_without_a_bill_does_not_load_its_library(
    sample: HookProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cyclonedx", None)
    assert "sample/manifest.json" in contents(sample.build("wheel"))
