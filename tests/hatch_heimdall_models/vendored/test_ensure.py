"""The file that `vendor` writes: run by the oldest and the newest Python, and, module by module, in this one."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
import urllib.request
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from hatch_heimdall_models.manifest import Asset
from hatch_heimdall_models.vendored import ensure as vendored
from hatch_heimdall_models.vendored import transfer
from hatch_heimdall_models.vendored.ensure import ModelError, ensure
from tests.support.faults import CutAfter, Drip, Fault, HoldAfter, Instead, WrongBytes
from tests.support.http_proxy import http_proxy
from tests.support.other_user import other_users
from tests.support.pythons import find_python
from tests.support.servers import github, plain_mirror
from tests.support.small_model import SmallModel, noise
from tests.support.vendored_package import VendoredPackage
from tests.support.waiting import wait_until


@pytest.fixture
def model(tmp_path: Path) -> SmallModel:
    return SmallModel(tmp_path / "release")


@pytest.fixture
def package(tmp_path: Path, model: SmallModel) -> VendoredPackage:
    return VendoredPackage.make(tmp_path / "tree", model)


@pytest.fixture
def here(
    package: VendoredPackage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> VendoredPackage:
    """The same in this process, where the module finds the package's files from its own folder."""
    places = {"MANIFEST": "model_manifest.json", "LOCK": "models.lock.json", "MODELS_DIR": "models"}
    for name, place in places.items():
        monkeypatch.setattr(vendored, name, place)
    monkeypatch.setattr(vendored, "__file__", str(package.package / "_models.py"))
    for name in [name for name in os.environ if name.startswith(("HEIMDALL_", "HF_", "XDG_"))]:
        monkeypatch.delenv(name)
    for name, value in package.homes.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    return package


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
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc")
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


def test_a_mirror_has_either_layout(
    here: VendoredPackage, model: SmallModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shutil.copytree(model.directory, tmp_path / "mirror" / "owner" / "repository")
    for number, root in enumerate([tmp_path / "mirror", model.directory]):
        monkeypatch.setenv("HEIMDALL_DATA_DIR", str(tmp_path / f"data {number}"))
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", f"file:///nowhere, {root.as_uri()}")
        model.assert_tree(ensure())


def test_the_next_source_is_asked_when_one_sends_something_else(
    here: VendoredPackage, model: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        plain_mirror(model.directory, faults=[Fault(WrongBytes(), turns={2})]) as bad,
        github(model.directory, repository="owner/repository") as good,
    ):
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", bad.url)
        monkeypatch.setenv("HEIMDALL_GITHUB_URL", good.url)
        model.assert_tree(ensure())


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (WrongBytes(100), "has sha256 "),
        (Instead(200, b"<html>"), "has 6 bytes, expected"),
        (Instead(404, b"<html>"), "HTTP 404"),
        (CutAfter(5000), "ended after 5000 of"),
        (CutAfter(5000, reset=True), "reset"),
        (Instead(302, headers={"Location": "file:///etc/passwd"}), "HTTP 302"),
    ],
)
def test_what_is_not_the_pinned_bytes_is_never_seen(
    here: VendoredPackage,
    model: SmallModel,
    monkeypatch: pytest.MonkeyPatch,
    fault: WrongBytes,
    reason: str,
) -> None:
    with plain_mirror(model.directory, faults=[Fault(fault)]) as server:
        monkeypatch.setenv(
            "HEIMDALL_MODELS_MIRROR", server.url.replace("//", "//me:word@") + "?sig=1"
        )
        monkeypatch.setenv("HEIMDALL_GITHUB_URL", server.url)
        with pytest.raises(ModelError) as caught:
            ensure()
    message = str(caught.value)
    assert reason in message
    assert "word" not in message
    assert "sig" not in message
    assert f"Put {model.asset_path.name} (sha256 " in message
    assert_nothing_half(here)
    assert "model.safetensors" not in {path.name for path in here.home.rglob("*")}


def test_an_interrupted_download_is_begun_again(
    here: VendoredPackage, model: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = [Fault(CutAfter(5000, reset=True), turns={2}), Fault(Instead(503), turns={3})]
    with plain_mirror(model.directory, faults=faults) as server:
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", server.url)
        monkeypatch.setenv("HEIMDALL_GITHUB_URL", "http://127.0.0.1:9")
        model.assert_tree(ensure())


def test_credentials_of_a_mirror_stay_with_it(
    here: VendoredPackage, model: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    with plain_mirror(model.directory) as other:
        location = {"Location": f"{other.url}/v1/{model.asset_path.name}"}
        with plain_mirror(model.directory, faults=[Fault(Instead(302, headers=location))]) as first:
            monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", first.url.replace("//", "//me:p%40ss@"))
            model.assert_tree(ensure())
            (asked,) = first.requests.settled()
        (redirected,) = other.requests.settled()
    assert "authorization" in asked.headers
    assert "authorization" not in redirected.headers


def test_a_proxy_is_used(
    here: VendoredPackage, model: SmallModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with plain_mirror(model.directory) as server, http_proxy() as proxy:
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        # It reads its environment once.
        monkeypatch.setattr(urllib.request, "_opener", None)
        monkeypatch.setenv("http_proxy", f"http://{proxy.host}")
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", server.url)
        model.assert_tree(ensure())
        assert [line.split()[0] for line in proxy.requests()] == ["GET", "GET"]


def test_other_urls_of_a_file_serve_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, here: VendoredPackage, model: SmallModel
) -> None:
    with plain_mirror(tmp_path / "loose") as server:
        for path, content in model.files.items():
            file = tmp_path / "loose" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        model.also = {path: ("pypi:x==1#y", f"{server.url}/{path}") for path in model.files}
        model.write_manifest(here.package / "model_manifest.json")
        monkeypatch.setenv("HEIMDALL_GITHUB_URL", server.url)
        model.assert_tree(ensure())
        asked = [record.path for record in server.requests.settled()]
    # What travels in the manifest is not fetched.
    assert sorted(asked[1:]) == ["/model.safetensors", "/tokenizer/tokenizer.json"]


def test_without_a_network_only_files_are_asked(
    here: VendoredPackage, model: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEIMDALL_OFFLINE", "1")
    with pytest.raises(ModelError, match="the network: not asked, since HEIMDALL_OFFLINE is set"):
        ensure()
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", model.mirror)
    model.assert_tree(ensure())


def test_what_is_damaged_or_gone_is_fetched_again(
    here: VendoredPackage, model: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", model.mirror)
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


def test_variants_and_markers_choose(
    here: VendoredPackage, model: SmallModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", model.mirror)
    manifest = here.package / "model_manifest.json"
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
def test_no_path_leaves_the_directory(
    here: VendoredPackage, model: SmallModel, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", model.mirror)
    manifest = here.package / "model_manifest.json"
    document = json.loads(manifest.read_text())
    document["models"][0]["files"][0]["path"] = path
    manifest.write_text(json.dumps(document))
    with pytest.raises(ModelError, match="is no plain relative path"):
        ensure()
    assert not here.home.exists()


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


def test_too_little_room_is_said_before_the_first_byte(
    here: VendoredPackage, model: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 0))
    with plain_mirror(model.directory) as server:
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", server.url)
        with pytest.raises(ModelError, match="bytes are needed, 0 are free"):
            ensure()
        assert server.requests.settled() == []


def test_a_lock_that_is_held_for_ever_is_not_waited_for_for_ever(
    here: VendoredPackage, model: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", model.mirror)
    monkeypatch.setattr(transfer, "_LOCK_SECONDS", 0.2)
    directory = ensure()
    shutil.rmtree(directory)
    with open(f"{directory}.lock", "ab") as lock:  # noqa: PTH123
        fcntl.flock(lock, fcntl.LOCK_EX)
        model.assert_tree(ensure())


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, None])
def test_members_are_read_by_their_name_alone(
    here: VendoredPackage, model: SmallModel, monkeypatch: pytest.MonkeyPatch, method: int | None
) -> None:
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", model.mirror)
    monkeypatch.setenv("HEIMDALL_OFFLINE", "1")
    if method is None:
        model.asset_path.write_bytes(b"no zip")
    else:
        with zipfile.ZipFile(model.asset_path, "w", method) as archive:
            archive.writestr("../../escaped", "x")
            archive.writestr("/escaped", "x")
            for path, content in model.files.items():
                archive.writestr(f"models/{path}", content)
    model.write_manifest(here.package / "model_manifest.json")
    if method == zipfile.ZIP_DEFLATED:
        model.assert_tree(ensure())
        assert not list(here.root.parent.rglob("escaped"))
    else:
        with pytest.raises(ModelError, match=r"is not a sound zip|is compressed by method 12"):
            ensure()


def test_a_zip_that_lacks_a_file(
    here: VendoredPackage, model: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", model.mirror)
    monkeypatch.setenv("HEIMDALL_OFFLINE", "1")
    with zipfile.ZipFile(model.asset_path, "w") as archive:
        archive.writestr("models/else", "x")
    model.write_manifest(here.package / "model_manifest.json")
    with pytest.raises(ModelError, match=r"lacks the member models/model\.safetensors"):
        ensure()


@pytest.mark.parametrize(
    ("prefix", "reason"),
    [
        ("oci://registry/x", "only https://, http:// and file:// are understood"),
        ("http://[::1", "can't be asked"),
    ],
)
def test_a_mirror_that_is_not_understood(
    here: VendoredPackage, monkeypatch: pytest.MonkeyPatch, prefix: str, reason: str
) -> None:
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", prefix)
    monkeypatch.setenv("HEIMDALL_GITHUB_URL", "http://127.0.0.1:9")
    with pytest.raises(ModelError) as caught:
        ensure()
    assert reason in str(caught.value)


def test_an_asset_that_is_one_of_the_files_comes_as_it_is(
    here: VendoredPackage, model: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    (pinned,) = model.manifest.models
    assets = []
    for name, path in (("weights", "model.safetensors"), ("tokenizer", "tokenizer/tokenizer.json")):
        place = model.directory / model.tag / name
        place.write_bytes(model.files[path])
        assets.append(Asset.of_file(model.tag, place))
    single = replace(pinned, asset=assets[0], further_assets=(assets[1],))
    manifest = replace(model.manifest, models=(single,))
    (here.package / "model_manifest.json").write_text(manifest.dumps(), encoding="utf-8")
    model.asset_path.unlink()
    with github(model.directory, repository="owner/repository") as server:
        monkeypatch.setenv("HEIMDALL_GITHUB_URL", server.url)
        model.assert_tree(Path(ensure()))
        sent = sum(record.sent for record in server.requests.settled() if record.status == 200)
        assert sent == model.remote_size


def test_an_asset_serves_all_files_that_have_its_bytes(
    here: VendoredPackage, model: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.files["again.safetensors"] = model.files["model.safetensors"]
    del model.files["tokenizer/tokenizer.json"]
    asset = model.directory / model.tag / "weights"
    asset.write_bytes(model.files["model.safetensors"])
    single = replace(model.manifest.models[0], asset=Asset.of_file(model.tag, asset))
    manifest = replace(model.manifest, models=(single,))
    (here.package / "model_manifest.json").write_text(manifest.dumps(), encoding="utf-8")
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", model.mirror)
    monkeypatch.setenv("HEIMDALL_OFFLINE", "1")
    model.assert_tree(Path(ensure()))


def test_bytes_are_on_the_disk_before_the_first_of_them_has_a_name(
    here: VendoredPackage, model: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = []
    for name in ("fsync", "replace"):

        def seen(*arguments: object, name: str = name, call: object = getattr(os, name)) -> None:
            events.append(name)
            call(*arguments)  # type: ignore[operator]

        monkeypatch.setattr(os, name, seen)
    monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", model.mirror)
    monkeypatch.setenv("HEIMDALL_OFFLINE", "1")
    model.assert_tree(Path(ensure()))
    assert events == [*["fsync"] * 2, *["replace"] * 2] * 2
