"""What is pinned of sample projects, which assets are packed, and what is kept of earlier releases."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from hatch_heimdall_models.asset import read_asset
from hatch_heimdall_models.inventory import take_inventory
from hatch_heimdall_models.lock import differences
from hatch_heimdall_models.manifest import Asset
from tests.support.locked import ASSET, Locked
from tests.support.samples import FLAT, SAMPLES, SRC, Sample


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_models_and_their_assets_are_pinned(tmp_path: Path, sample: Sample) -> None:
    project = Locked(tmp_path / "project", sample)
    assert project.run() == 0
    lock = project.lock
    assert (lock.distribution, lock.repository) == (sample.name, f"someone/{sample.name}")
    assert differences(lock, take_inventory(project.root / sample.models_dir)) == []
    for model in lock.models:
        asset = project.root / "dist/models/v1.2.0" / model.asset.name
        assert hashlib.sha256(asset.read_bytes()).hexdigest() == model.asset.sha256
        assert asset.stat().st_size == model.asset.size
        with zipfile.ZipFile(asset) as archive:
            assert {f"models/{file.path}" for file in model.files} <= set(archive.namelist())
        assert {file.path for file in model.files if file.inline is None} == {
            file.path for file in model.files if len(sample.models[file.path]) > 64 * 1024
        }


def test_each_model_has_its_files_and_what_the_table_says(tmp_path: Path) -> None:
    project = Locked(tmp_path / "project", FLAT)
    project.run()
    english, german = project.lock.models
    assert project.lock.default == "english"
    assert [file.path for file in english.files] == ["english/en.bin"]
    assert [file.path for file in german.files] == ["german/de.bin", "german/words.txt"]
    assert (english.marker, german.marker) == (None, "sys_platform == 'nowhere'")
    assert (english.asset.name, german.asset.name) == ("english-v1.2.0.zip", "deutsch-v1.2.0.zip")
    assert (english.license, english.upstream, english.variant) == (
        "MIT",
        "trained here",
        "standard",
    )


def test_a_variant_in_a_folder_of_its_own_has_the_same_paths(tmp_path: Path) -> None:
    project = Locked(tmp_path / "project", SRC)
    small = project.root / SRC.models_dir / "small"
    for path in SRC.models:
        (small / path).parent.mkdir(parents=True, exist_ok=True)
        (small / path).write_bytes(b"less")
    own_table = 'variant = "compact"\nasset = "less-{tag}.zip"\nlicense = "MIT"\nupstream = "https://example.org"'
    project.edit('repository = "', 'variant-folders = { compact = "small" }\nrepository = "')
    project.edit(
        "[tool.hatch.build.targets.wheel]",
        f'[[tool.hatch.build.hooks.heimdall-models.models]]\nname = "iris"\n{own_table}\n'
        "[tool.hatch.build.targets.wheel]",
    )
    assert project.run() == 0
    compact, standard = project.lock.models
    assert [file.path for file in compact.files] == [file.path for file in standard.files]
    assert {file.size for file in compact.files} == {4}
    assert (
        differences(
            project.lock, take_inventory(project.root / SRC.models_dir), {"compact": "small"}
        )
        == []
    )
    assert read_asset(project.root / "dist/models/v1.2.0/less-v1.2.0.zip") == take_inventory(small)


def test_the_licence_is_in_the_asset(locked: Locked) -> None:
    with zipfile.ZipFile(locked.root / ASSET) as archive:
        assert (
            archive.read("models/about/LICENSES/model.txt") == b"Do what you like with the model.\n"
        )


def test_a_second_run_changes_nothing(locked: Locked, capsys: pytest.CaptureFixture[str]) -> None:
    before = locked.contents()
    assert locked.run() == 0
    assert locked.contents() == before
    assert f"unchanged: {locked.root / 'models.lock.json'}" in capsys.readouterr().out


def test_a_new_version_keeps_the_asset_of_an_unchanged_model(
    locked: Locked, capsys: pytest.CaptureFixture[str]
) -> None:
    before = locked.lock
    (locked.root / ASSET).unlink()
    locked.edit('version = "1.2.0"', 'version = "1.3.0"')
    assert locked.run() == 0
    assert locked.lock == before
    assert "(released before)" in capsys.readouterr().out
    assert not list((locked.root / "dist").rglob("*.zip"))


def test_an_asset_that_went_with_a_cleaned_dist_is_packed_again(
    locked: Locked, capsys: pytest.CaptureFixture[str]
) -> None:
    before = locked.contents()
    shutil.rmtree(locked.root / "dist")
    assert locked.run("--check") == 0
    assert not (locked.root / "dist").exists()
    assert locked.run() == 0
    assert locked.contents() == before
    assert f"{(locked.root / ASSET).as_posix()}, to be uploaded if that release has it not yet" in (
        capsys.readouterr().out
    )


def test_an_asset_that_can_not_be_packed_again_is_left_alone(project: Locked) -> None:
    assert project.run() == 0
    with zipfile.ZipFile(project.root / ASSET, "a") as archive:
        archive.writestr("models/about/MORE", "x")
    (project.root / "models.lock.json").unlink()
    assert project.run() == 0
    before = project.lock
    (project.root / ASSET).unlink()
    assert project.run() == 0
    assert project.lock == before
    assert not (project.root / ASSET).exists()


def test_a_changed_model_gets_an_asset_of_its_own(locked: Locked) -> None:
    before = locked.lock.models[0].asset
    (locked.root / SRC.models_dir / "iris.joblib").write_bytes(b"trained again")
    locked.edit('version = "1.2.0"', 'version = "1.3.0"')
    assert locked.run() == 0
    after = locked.lock.models[0].asset
    assert (after.tag, after.name) == ("v1.3.0", "iris-v1.3.0.zip")
    assert after.sha256 != before.sha256


@pytest.mark.parametrize("how", ["option", "configuration"])
def test_a_demanded_tag_is_pinned(locked: Locked, how: str) -> None:
    if how == "option":
        assert locked.run("--tag", "models-2") == 0
    else:
        locked.edit("manifest = ", 'tag = "models-2"\nmanifest = ')
        assert locked.run() == 0
    asset = locked.lock.models[0].asset
    assert (asset.tag, asset.name) == ("models-2", "iris-models-2.zip")
    assert (locked.root / "dist/models/models-2/iris-models-2.zip").is_file()


def test_a_given_asset_is_pinned_as_it_is(project: Locked, tmp_path: Path) -> None:
    given = tmp_path / "assets" / "v1.2.0" / "iris-v1.2.0.zip"
    given.parent.mkdir(parents=True)
    with zipfile.ZipFile(given, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in SRC.models.items():
            archive.writestr(f"models/{path}", content)
        archive.writestr("models/about/README", "by hand")
    content = given.read_bytes()
    assert project.run("--assets", str(tmp_path / "assets")) == 0
    assert project.lock.models[0].asset.sha256 == hashlib.sha256(content).hexdigest()
    assert given.read_bytes() == content
    # Without it, the lock is still right, since it pins the same files.
    assert project.run("--check") == 0


def test_other_places_and_graphs_that_somebody_added_stay(locked: Locked) -> None:
    lock = locked.lock
    (model,) = lock.models
    places = ("https://example.org/iris.joblib",)
    files = tuple(
        replace(file, also=places) if file.inline is None else file for file in model.files
    )
    graphs = {model.variant: {"path": files[0].path, "engine": "sklearn"}}
    text = replace(lock, models=(replace(model, files=files, graphs=graphs),)).dumps()
    (locked.root / "models.lock.json").write_text(text)
    assert locked.run() == 0
    assert (locked.root / "models.lock.json").read_text() == text


def test_a_stale_asset_is_not_overwritten(
    locked: Locked, capsys: pytest.CaptureFixture[str]
) -> None:
    asset = (locked.root / ASSET).read_bytes()
    (locked.root / SRC.models_dir / "iris.joblib").write_bytes(b"trained again")
    assert locked.run() == 2
    assert (
        "iris (standard): has changed (iris.joblib), but iris-v1.2.0.zip of the release v1.2.0 is locked with "
        "other bytes" in capsys.readouterr().err
    )
    assert (locked.root / ASSET).read_bytes() == asset
    # Even without the asset, which may have been uploaded from another machine.
    (locked.root / ASSET).unlink()
    before = locked.contents()
    assert locked.run() == 2
    assert locked.contents() == before


def test_a_release_that_nobody_has_may_be_pinned_anew(locked: Locked) -> None:
    before = locked.lock.models[0].asset
    (locked.root / SRC.models_dir / "iris.joblib").write_bytes(b"trained again")
    assert locked.run("--check") == 1
    assert locked.run("--replace") == 0
    after = locked.lock.models[0].asset
    assert (after.tag, after.name) == (before.tag, before.name)
    assert Asset.of_file(after.tag, locked.root / ASSET) == after != before


@pytest.mark.parametrize("version", ["1.1.dev1+g0572", "1.1.dev1", "1.0+local"])
@pytest.mark.parametrize("how", ["pyproject", "option"])
def test_a_version_that_is_never_released_names_no_tag(
    project: Locked, version: str, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if how == "pyproject":
        project.edit('version = "1.2.0"', f'version = "{version}"')
    assert project.run(*(["--version", version] if how == "option" else [])) == 2
    assert "is between two releases" in capsys.readouterr().err
    assert project.run("--tag", "v1.1") == 0


def test_a_dynamic_version_is_only_needed_for_a_new_asset(locked: Locked) -> None:
    locked.edit('version = "1.2.0"', 'dynamic = ["version"]')
    assert locked.run() == 0
    (locked.root / SRC.models_dir / "iris.joblib").write_bytes(b"trained again")
    assert locked.run() == 2
    assert locked.run("--check") == 1
    assert locked.run("--version", "1.3.0") == 0
    assert locked.lock.models[0].asset.tag == "v1.3.0"


def test_other_places_come_from_templates(locked: Locked) -> None:
    asset = locked.lock.models[0].asset
    locked.edit(
        'license = "BSD-3-Clause"',
        'license = "BSD-3-Clause"\nalso = ["https://example.org/{path}", "hf://me/iris@1a2b/{path}", '
        '"pypi:x==1#x/{path}"]',
    )
    assert locked.run() == 0
    places = {file.path: file.also for file in locked.lock.models[0].files}
    # What travels inside the manifest is fetched from nowhere.
    assert places == {
        "classes.json": (),
        "iris.joblib": (
            "https://example.org/iris.joblib",
            "https://huggingface.co/me/iris/resolve/1a2b/iris.joblib",
            "pypi:x==1#x/iris.joblib",
        ),
    }
    assert locked.lock.models[0].asset == asset


def test_a_limit_for_what_travels_inside(locked: Locked) -> None:
    locked.edit("repository = ", "inline-limit = 0\nrepository = ")
    assert locked.run() == 0
    assert {file.inline for file in locked.lock.models[0].files} == {None}
