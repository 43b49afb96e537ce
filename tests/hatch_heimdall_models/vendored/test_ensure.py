"""The file that `vendor` writes: run by the oldest and the newest Python, and, module by module, in this one."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from hatch_heimdall_models.vendored import transfer
from hatch_heimdall_models.vendored.ensure import ModelError, ensure
from tests.support.capabilities import needs_proc
from tests.support.faults import Drip, Fault, HoldAfter
from tests.support.other_user import other_users
from tests.support.pythons import find_python
from tests.support.servers import github, plain_mirror
from tests.support.small_model import SmallModel, noise
from tests.support.vendored_package import VendoredPackage
from tests.support.waiting import wait_until


def assert_nothing_half(package: VendoredPackage) -> None:
    assert list(package.home.rglob("*.part")) == []


@pytest.mark.slow
@pytest.mark.parametrize("version", ["3.8", "3.9", "3.13"])
def test_every_python_fetches_once_from_wherever_the_package_is(
    version: str, package: VendoredPackage, model: SmallModel
) -> None:
    python = find_python(version)
    with github(model.directory, repository="owner/repository") as server:
        place, errors = package.run(python=python, HEIMDALL_GITHUB_URL=server.url)
        assert errors == ""
        assert [record.status for record in server.requests.settled()] == [302, 200]
    model.assert_tree(Path(place))
    assert_nothing_half(package)
    # Warm, from a zip, without a network.
    archive = package.zipped()
    assert package.run(python=python, path=archive, HEIMDALL_OFFLINE="1") == (place, "")


@pytest.mark.slow
@needs_proc
def test_a_large_asset_takes_little_memory(tmp_path: Path) -> None:
    model = SmallModel(tmp_path / "release", files={"large.bin": noise(1 << 20) * 100})
    package = VendoredPackage.make(tmp_path / "tree", model)
    code = "app.ensure(); print(open('/proc/self/status').read())"
    with plain_mirror(model.directory) as mirror:
        status, _ = package.run(code, HEIMDALL_MODELS_MIRROR=mirror.url)
    (peak,) = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    assert int(peak) < 50_000  # kilobytes


@pytest.mark.slow
def test_processes_that_start_together_make_one_download(
    package: VendoredPackage, model: SmallModel
) -> None:
    pytest.importorskip("fcntl", reason="without its locks each of them fetches")
    with plain_mirror(model.directory, faults=[Fault(Drip(1_000_000))]) as mirror:
        processes = [package.start(HEIMDALL_MODELS_MIRROR=mirror.url) for _ in range(4)]
        places = {process.communicate(timeout=900) for process in processes}
        assert [record.status for record in mirror.requests.settled()] == [404, 200]
    ((place, errors),) = places
    assert errors == ""
    model.assert_tree(Path(place.strip()))


@pytest.mark.slow
def test_a_killed_process_leaves_nothing_that_harms(
    package: VendoredPackage,
    model: SmallModel,
    here: VendoredPackage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held = HoldAfter(50_000)
    with plain_mirror(model.directory, faults=[Fault(held, turns={2})]) as mirror:
        process = package.start(HEIMDALL_MODELS_MIRROR=mirror.url)
        wait_until(lambda: list(package.cache.glob("*.part")), process)
        process.kill()
        process.communicate()
        held.go.set()
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", mirror.url)
        for part in package.cache.glob("*.part"):
            os.utime(part, (1, 1))
        model.assert_tree(ensure())
    assert_nothing_half(package)


def test_without_a_network_only_files_are_asked(
    here: VendoredPackage, model: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEIMDALL_OFFLINE", "1")
    with pytest.raises(ModelError, match="the network: not asked, since HEIMDALL_OFFLINE is set"):
        ensure()
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", model.mirror)
    model.assert_tree(ensure())


def test_what_is_damaged_or_gone_is_fetched_again(
    mirrored: VendoredPackage, model: SmallModel
) -> None:
    directory = ensure()
    (directory / "model.safetensors").write_bytes(b"cut")
    (directory / "model_config.json").unlink()
    model.assert_tree(ensure())


def test_a_checkout_uses_its_tree_when_it_is_right(
    here: VendoredPackage, model: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEIMDALL_OFFLINE", "1")
    (here.package / "model_manifest.json").rename(here.package / "models.lock.json")
    tree = here.package / "models"
    for path, content in model.files.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_bytes(content)
    assert ensure() == tree
    (tree / "model.safetensors").write_bytes(model.files["model.safetensors"][::-1])
    with (
        pytest.warns(UserWarning, match="model.safetensors is not what"),
        pytest.raises(ModelError),
    ):
        ensure()
    # A folder of that name without any of the files is somebody else's.
    shutil.rmtree(tree)
    tree.mkdir()
    with pytest.raises(ModelError):
        ensure()


def test_variants_and_markers_choose(mirrored: VendoredPackage, model: SmallModel) -> None:
    manifest = mirrored.package / "model_manifest.json"
    document = json.loads(manifest.read_text())
    (entry,) = document["models"]
    document["models"] = [
        {**entry, "marker": "os_name == 'none'", "files": []},
        {**entry, "marker": "python_version >= '3.8'", "graphs": {"fast": {"path": "net.onnx"}}},
        {**entry, "variant": "compact", "files": entry["files"][:1]},
    ]
    manifest.write_text(json.dumps(document))
    model.assert_tree(ensure())
    assert ensure(variant="fast") == ensure("small")
    assert len(list(ensure(variant="compact").rglob("*"))) == 1
    with pytest.raises(ModelError, match=r"pins no small \(huge\) for this machine; it pins"):
        ensure(variant="huge")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"schema": 2}, "has schema 2, not 1: vendor this file again"),
        ({"models": 5}, "is damaged"),
        ({"schema": None}, "has schema None"),
    ],
)
def test_a_manifest_that_can_not_be_used(
    here: VendoredPackage, change: dict[str, object], reason: str
) -> None:
    manifest = here.package / "model_manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), **change}))
    with pytest.raises(ModelError) as caught:
        ensure()
    assert reason in str(caught.value)


@pytest.mark.parametrize("path", ["../up", "/top", "a//b", "a/./b", "c:x", "a\\b", ""])
def test_no_path_leaves_the_directory(mirrored: VendoredPackage, path: str) -> None:
    manifest = mirrored.package / "model_manifest.json"
    document = json.loads(manifest.read_text())
    document["models"][0]["files"][0]["path"] = path
    manifest.write_text(json.dumps(document))
    with pytest.raises(ModelError, match="is no plain relative path"):
        ensure()
    assert not mirrored.home.exists()


def test_a_manifest_that_was_left_out(here: VendoredPackage) -> None:
    (here.package / "model_manifest.json").unlink()
    with pytest.raises(ModelError, match="the package was built or frozen without it"):
        ensure()


@pytest.mark.slow
def test_a_home_of_another_user(package: VendoredPackage, model: SmallModel) -> None:
    user, _ = other_users()
    package.home.mkdir()
    code = "import app\ntry: print(app.ensure())\nexcept app.ModelError as error: print(error)"
    variables = {"HOME": str(package.home), "HEIMDALL_MODELS_MIRROR": model.mirror}
    variables |= {"PATH": os.environ["PATH"], "PYTHONPATH": str(package.root / "src")}
    command = [sys.executable, "-c", code]
    refused = user.run(command, variables).stdout
    assert "Permission denied" in refused
    assert "set HEIMDALL_DATA_DIR to a folder with room that can be written" in refused
    # What an administrator put there is used without writing anything.
    place, _ = package.run(HEIMDALL_MODELS_MIRROR=model.mirror)
    assert user.run(command, variables).stdout.strip() == place


def test_a_home_that_can_not_be_written(here: VendoredPackage) -> None:
    here.home.write_text("a file")
    with pytest.raises(ModelError, match=r"can't keep the model here .* set HEIMDALL_DATA_DIR"):
        ensure()


def test_a_lock_that_is_held_for_ever_is_not_waited_for_for_ever(
    mirrored: VendoredPackage, model: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr(transfer, "_LOCK_SECONDS", 0.2)
    directory = ensure()
    shutil.rmtree(directory)
    with open(f"{directory}.lock", "ab") as lock:  # noqa: PTH123
        fcntl.flock(lock, fcntl.LOCK_EX)
        model.assert_tree(ensure())
