"""The hook in hatchling's hands, in this process, on a small project with a `src` layout and a model in its package."""

from __future__ import annotations

import hashlib
import json
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder
from hatchling.plugin.manager import PluginManager

from hatch_heimdall_models import plugin
from tests.support.manifests import FILES, LARGE, manifest_of, write_models

ASSET = b"asset" * 1000
_MODEL = manifest_of().models[0]
_PINNED = replace(_MODEL.asset, sha256=hashlib.sha256(ASSET).hexdigest(), size=len(ASSET))
MANIFEST = replace(manifest_of(distribution="sample", repository="me/sample"), models=(replace(_MODEL, asset=_PINNED),))
MODELS = "src/sample/models"
HOOK = f"""\
models-dir = "{MODELS}"
manifest = "src/sample/manifest.json"
repository = "me/sample"
"""
BUILD = f'exclude = ["/{MODELS}/**"]'
OTHER_HOOK = """
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

class Hook(BuildHookInterface):
    def initialize(self, version, build_data):
        {initialize}

    def finalize(self, version, build_data, artifact_path):
        {finalize}
"""

targets = pytest.mark.parametrize("target", ["wheel", "sdist"])


class Sample:
    """A project in a folder, and the builds of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.dist = root.parent / "dist"
        self.configure()
        write_models(root / MODELS)
        (root / "src/sample/__init__.py").write_text("")
        (root / "models.lock.json").write_text(MANIFEST.dumps(), encoding="utf-8")

    def configure(
        self,
        *,
        build: str = BUILD,
        hooks: str = f"[tool.hatch.build.hooks.heimdall-models]\n{HOOK}",
        wheel: str = "",
        sdist: str = "",
        project: str = "",
    ) -> None:
        self.root.joinpath("pyproject.toml").write_text(
            '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
            f'[project]\nname = "sample"\nversion = "1.0"\n{project}\n'
            f"[tool.hatch.build]\n{build}\n{hooks}\n"
            f'[tool.hatch.build.targets.wheel]\npackages = ["src/sample"]\n{wheel}\n'
            f"[tool.hatch.build.targets.sdist]\n{sdist}\n"
        )

    def add_hook(self, *, initialize: str = "pass", finalize: str = "pass", first: bool = False) -> None:
        """Have another hook run before or after ours."""
        self.root.joinpath("hatch_build.py").write_text(OTHER_HOOK.format(initialize=initialize, finalize=finalize))
        ours, other = f"[tool.hatch.build.hooks.heimdall-models]\n{HOOK}", "[tool.hatch.build.hooks.custom]\n"
        self.configure(hooks=other + ours if first else ours + other)

    def build(self, target: str, version: str = "standard", **options: Any) -> Path:
        manager = PluginManager()
        manager.build_hook.collect(include_third_party=False)
        manager.manager.register(plugin)
        builder = {"wheel": WheelBuilder, "sdist": SdistBuilder}[target](str(self.root), plugin_manager=manager)
        artifacts = builder.build(directory=str(self.dist), versions=[version], **options)
        return Path(next(artifacts))

    def fail(self, target: str) -> None:
        """Build, and see that it stops as hatchling itself does when it aborts, with nothing left to be published."""
        with pytest.raises(SystemExit) as caught:
            self.build(target)
        assert caught.value.code == 1
        assert list(self.dist.iterdir()) == []


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sample:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    root = tmp_path / "project"
    (root / "src/sample").mkdir(parents=True)
    return Sample(root)


def _contents(archive: Path) -> dict[str, bytes]:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return {name: wheel.read(name) for name in wheel.namelist() if ".dist-info/" not in name}
    with tarfile.open(archive) as sdist:
        streams = {member.name.partition("/")[2]: sdist.extractfile(member) for member in sdist}
        return {name: stream.read() for name, stream in streams.items() if stream and name != "PKG-INFO"}


def test_a_wheel_has_the_manifest_at_its_place_and_no_model(sample: Sample) -> None:
    assert _contents(sample.build("wheel")) == {
        "sample/__init__.py": b"",
        "sample/manifest.json": MANIFEST.dumps().encode(),
    }


def test_an_sdist_has_the_manifest_the_lock_and_no_model(sample: Sample) -> None:
    contents = _contents(sample.build("sdist"))
    assert contents.keys() == {
        "pyproject.toml",
        "models.lock.json",
        "src/sample/__init__.py",
        "src/sample/manifest.json",
    }
    assert contents["src/sample/manifest.json"] == contents["models.lock.json"] == MANIFEST.dumps().encode()


def test_the_build_says_what_it_pinned(sample: Sample, capsys: pytest.CaptureFixture[str]) -> None:
    sample.build("wheel")
    assert f"models.lock.json pins 3 files of 0.1 MB, checked against {MODELS}" in capsys.readouterr().err


def test_a_manifest_left_in_the_tree_is_replaced(sample: Sample) -> None:
    (sample.root / "src/sample/manifest.json").write_text("stale")
    assert _contents(sample.build("wheel"))["sample/manifest.json"] == MANIFEST.dumps().encode()
    assert _contents(sample.build("sdist"))["src/sample/manifest.json"] == MANIFEST.dumps().encode()


def test_an_editable_wheel_has_neither(sample: Sample) -> None:
    sample.configure(build=f'{BUILD}\ndev-mode-dirs = ["src"]')
    sample.root.joinpath("models.lock.json").unlink()
    assert _contents(sample.build("wheel", "editable")).keys() == {"_sample.pth"}


@targets
def test_a_wrong_table_is_explained_without_a_traceback(
    sample: Sample, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sample.configure(hooks=f"[tool.hatch.build.hooks.heimdall-models]\n{HOOK}model-dir = 'x'\nmax-wheel-size = 0\n")
    sample.fail(target)
    assert capsys.readouterr().err == (
        "heimdall-models: error: pyproject.toml: 2 problems\n"
        "  - tool.hatch.build.hooks.heimdall-models.max-wheel-size: expected a positive number of bytes or a text such "
        "as '300 KB', in B, KB, MB, GB (powers of 1000), KiB, MiB or GiB (of 1024), found the integer 0\n"
        "  - tool.hatch.build.hooks.heimdall-models.model-dir: unknown key; did you mean 'models-dir'?\n"
    )


def test_a_table_of_one_target_is_refused(sample: Sample, capsys: pytest.CaptureFixture[str]) -> None:
    sample.configure(hooks="", wheel=f"[tool.hatch.build.targets.wheel.hooks.heimdall-models]\n{HOOK}")
    sample.fail("wheel")
    assert (
        "tool.hatch.build.targets.wheel.hooks.heimdall-models: must stand under tool.hatch.build.hooks.heimdall-models"
        in capsys.readouterr().err
    )


@targets
def test_models_that_differ_from_the_lock_stop_the_build(
    sample: Sample, target: str, capsys: pytest.CaptureFixture[str]
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
    "a target's exclude replaces the global one": {"wheel": 'exclude = ["/x"]', "sdist": 'exclude = ["/x"]'},
    "a target forces it": {
        target: f'[tool.hatch.build.targets.{target}.force-include]\n"{MODELS}/model.safetensors" = "w.bin"'
        for target in ("wheel", "sdist")
    },
    "as a licence": {"project": f'license-files = ["{MODELS}/*"]'},
    "a link beside it": {"link": "src/sample/weights.bin"},
    "its release asset": {"asset": "src/sample/asset.zip"},
}


@targets
@pytest.mark.parametrize("build", SHIPS.values(), ids=SHIPS)
def test_an_archive_with_a_model_is_removed(
    sample: Sample, target: str, build: dict[str, str], capsys: pytest.CaptureFixture[str]
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
def test_the_side_doors_of_a_wheel(sample: Sample, wheel: str, capsys: pytest.CaptureFixture[str]) -> None:
    sample.configure(wheel=wheel)
    sample.fail("wheel")
    assert "which is the model's model.safetensors" in capsys.readouterr().err


@targets
@pytest.mark.parametrize(
    "option", ['only-include = ["src/sample"]', 'include = ["/src/sample/**"]', 'packages = ["src"]']
)
def test_selections_do_not_beat_the_exclude(sample: Sample, target: str, option: str) -> None:
    sample.configure(build=f"{BUILD}\n{option}")
    (sample.root / MODELS / "deeply" / "nested").mkdir(parents=True)
    assert not any("models/" in name for name in _contents(sample.build(target)))


@targets
def test_a_build_folder_with_release_assets_is_not_packed(sample: Sample, target: str) -> None:
    asset = sample.root / "dist" / "models" / "v1" / "models-v0.1.0.zip"
    asset.parent.mkdir(parents=True)
    asset.write_bytes(ASSET)
    sample.root.joinpath(".gitignore").unlink(missing_ok=True)
    assert not any(name.endswith(".zip") for name in _contents(sample.build(target)))


def test_the_missing_exclude_is_named(sample: Sample, capsys: pytest.CaptureFixture[str]) -> None:
    sample.configure(build="")
    sample.fail("wheel")
    assert f'lacks "/{MODELS}/**"' in capsys.readouterr().err


@targets
def test_a_negation_in_gitignore_does_not_beat_the_exclude(sample: Sample, target: str) -> None:
    sample.root.joinpath(".gitignore").write_text(f"/dist\n!/{MODELS}\n!/{MODELS}/**\n!*.safetensors\n")
    assert not any("models/" in name for name in _contents(sample.build(target)))


@targets
def test_another_hook_that_packs_a_model(sample: Sample, target: str, capsys: pytest.CaptureFixture[str]) -> None:
    sample.add_hook(initialize=f"build_data['force_include']['{MODELS}/model.safetensors'] = 'sample/x.bin'")
    sample.fail(target)
    assert "carries sample/x.bin, which is the model's model.safetensors" in capsys.readouterr().err


@targets
def test_another_hook_that_drops_the_manifest(sample: Sample, target: str, capsys: pytest.CaptureFixture[str]) -> None:
    sample.add_hook(initialize="build_data['force_include'].clear()")
    sample.fail(target)
    assert "sample/manifest.json" in capsys.readouterr().err


@targets
def test_an_archive_that_can_not_be_checked_is_removed_too(sample: Sample, target: str) -> None:
    sample.add_hook(finalize="open(artifact_path, 'wb').close()", first=True)
    with pytest.raises((zipfile.BadZipFile, tarfile.ReadError)):
        sample.build(target)
    assert list(sample.dist.iterdir()) == []


def test_a_wheel_that_is_too_large(sample: Sample, capsys: pytest.CaptureFixture[str]) -> None:
    sample.configure(hooks=f'[tool.hatch.build.hooks.heimdall-models]\n{HOOK}max-wheel-size = "1 KB"')
    sample.fail("wheel")
    assert "more than max-wheel-size allows (1000)" in capsys.readouterr().err


@targets
def test_without_models_the_archive_is_the_same(sample: Sample, target: str) -> None:
    with_models = sample.build(target).read_bytes()
    for path in FILES:
        (sample.root / MODELS / path).unlink()
    assert sample.build(target).read_bytes() == with_models


@targets
def test_a_switched_off_hook_leaves_the_exclude(sample: Sample, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HATCH_BUILD_NO_HOOKS", "1")
    assert not any("models/" in name or "manifest" in name for name in _contents(sample.build(target)))


@targets
def test_nothing_stays_behind(sample: Sample, target: str) -> None:
    before = sorted(sample.root.rglob("*"))
    sample.build(target)
    assert list(Path(tempfile.gettempdir()).iterdir()) == []
    assert sorted(sample.root.rglob("*")) == before


def test_nothing_stays_behind_when_only_hooks_run(sample: Sample) -> None:
    with pytest.raises(StopIteration):
        sample.build("wheel", hooks_only=True)
    assert list(Path(tempfile.gettempdir()).iterdir()) == []


def test_a_temporary_directory_inside_the_project_is_not_used(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    # Hatchling replaces a file of the tree by a forced one only if that one comes from outside.
    (sample.root / "src/sample/manifest.json").write_text("stale")
    sample.root.joinpath(".gitignore").write_text("/scratch\n")
    expected = sample.build("sdist").read_bytes()
    inside = sample.root / "scratch"
    inside.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(inside))
    assert sample.build("sdist").read_bytes() == expected
    assert sorted(path.name for path in sample.root.parent.iterdir()) == ["dist", "project", "scratch"]


def _use_hatch_toml(root: Path) -> None:
    """Move everything about builds to `hatch.toml`."""
    head, _, build = (root / "pyproject.toml").read_text().partition("[tool.hatch.build]")
    (root / "pyproject.toml").write_text(head)
    (root / "hatch.toml").write_text(f"[build]{build}".replace("[tool.hatch.", "["))


def test_hatch_toml_is_read_and_named(sample: Sample, capsys: pytest.CaptureFixture[str]) -> None:
    _use_hatch_toml(sample.root)
    assert set(_contents(sample.build("wheel"))) == {"sample/__init__.py", "sample/manifest.json"}
    sample.configure(build="", hooks=f"[tool.hatch.build.hooks.heimdall-models]\n{HOOK}model-dir = 'x'")
    _use_hatch_toml(sample.root)
    next(sample.dist.iterdir()).unlink()
    sample.fail("wheel")
    assert capsys.readouterr().err.endswith(
        "error: hatch.toml: build.hooks.heimdall-models.model-dir: unknown key; did you mean 'models-dir'?\n"
    )
    sample.configure(build="")
    _use_hatch_toml(sample.root)
    sample.fail("wheel")
    assert f'build.exclude (or the target\'s own exclude, which replaces it) lacks "/{MODELS}/**"' in (
        capsys.readouterr().err.replace("tool.hatch.", "WRONG")
    )
    sample.configure(hooks="", wheel=f"[tool.hatch.build.targets.wheel.hooks.heimdall-models]\n{HOOK}")
    _use_hatch_toml(sample.root)
    sample.fail("wheel")
    shown = capsys.readouterr().err
    assert "hatch.toml: build.targets.wheel.hooks.heimdall-models: must stand under build.hooks." in shown


@targets
def test_a_demanded_tag_that_is_not_pinned(sample: Sample, target: str, capsys: pytest.CaptureFixture[str]) -> None:
    sample.configure(hooks=f'[tool.hatch.build.hooks.heimdall-models]\n{HOOK}tag = "v{{version}}"')
    sample.fail(target)
    assert "under the tag 'v0.1.0', but the hook's 'tag' demands 'v1.0'" in capsys.readouterr().err


@targets
def test_the_licence_of_a_model_has_to_be_carried(
    sample: Sample, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (sample.root / "LICENSES").mkdir()
    (sample.root / "LICENSES" / "model.txt").write_text("free")
    model = """[[tool.hatch.build.hooks.heimdall-models.models]]
name = "some-model"
license = "MIT"
upstream = "here"
license-files = ["LICENSES/model.txt"]
"""
    hooks = f"[tool.hatch.build.hooks.heimdall-models]\n{HOOK}{model}"
    sample.configure(hooks=hooks)
    sample.fail(target)
    assert "project.license-files: does not match LICENSES/model.txt" in capsys.readouterr().err
    sample.configure(hooks=hooks, project='license-files = ["LICENSES/*"]')
    archive = sample.build(target)
    if target == "wheel":
        with zipfile.ZipFile(archive) as wheel:
            assert wheel.read("sample-1.0.dist-info/licenses/LICENSES/model.txt") == b"free"


@targets
def test_a_bill_is_in_the_wheel_alone(sample: Sample, target: str) -> None:
    pytest.importorskip("cyclonedx", reason="needs cyclonedx-python-lib")
    sample.configure(hooks=f"[tool.hatch.build.hooks.heimdall-models]\n{HOOK}sbom = true")
    archive = sample.build(target)
    if target == "sdist":
        assert not any("cdx" in name for name in _contents(archive))
        return
    with zipfile.ZipFile(archive) as wheel:
        bill = json.loads(wheel.read("sample-1.0.dist-info/sboms/models.cdx.json"))
    assert bill["metadata"]["component"]["name"] == "sample"
    first = archive.read_bytes()
    assert sample.build(target).read_bytes() == first


def test_a_project_without_a_bill_does_not_load_its_library(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cyclonedx", None)
    assert "sample/manifest.json" in _contents(sample.build("wheel"))


URLS = '[tool.hatch.metadata.hooks.heimdall-models.urls]\nHomepage = "https://example.org"\n'


def _project_urls(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read("sample-1.0.dist-info/METADATA").decode()
    return [line.removeprefix("Project-URL: ") for line in text.splitlines() if line.startswith("Project-URL: ")]


def test_the_release_is_among_the_urls(sample: Sample) -> None:
    sample.configure(project='dynamic = ["urls"]', sdist=URLS)
    expected = ["Homepage, https://example.org", "Models, https://github.com/me/sample/releases/tag/v0.1.0"]
    assert _project_urls(sample.build("wheel")) == expected
    (sample.root / "models.lock.json").rename(sample.root / "src/sample/manifest.json")
    assert _project_urls(sample.build("wheel")) == expected


def test_each_release_has_a_url(sample: Sample) -> None:
    other = replace(_MODEL, variant="small", asset=replace(_PINNED, tag="v0.2.0"))
    lock = replace(MANIFEST, models=(*MANIFEST.models, other))
    (sample.root / "models.lock.json").write_text(lock.dumps())
    sample.configure(project='dynamic = ["urls"]', sdist="[tool.hatch.metadata.hooks.heimdall-models]")
    assert _project_urls(sample.build("wheel")) == [
        f"Models {tag}, https://github.com/me/sample/releases/tag/{tag}" for tag in ("v0.1.0", "v0.2.0")
    ]


@pytest.mark.parametrize(
    ("urls", "message"),
    [
        (
            URLS.replace('"https://example.org"', "3"),
            "tool.hatch.metadata.hooks.heimdall-models.urls: expected a table",
        ),
        (URLS, "models.lock.json: is not JSON"),
    ],
)
def test_urls_that_can_not_be_made_are_explained(
    sample: Sample, urls: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (sample.root / "models.lock.json").write_text("{")
    sample.configure(project='dynamic = ["urls"]', sdist=urls)
    with pytest.raises(SystemExit):
        sample.build("wheel")
    assert message in capsys.readouterr().err
