"""What the vendored module fetches, from whom, and what it never takes for the model."""

from __future__ import annotations

import os
import shutil
import urllib.request
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from hatch_heimdall_models.manifest import Asset
from hatch_heimdall_models.vendored.ensure import ModelError, ensure
from tests.support.faults import CutAfter, Fault, Instead, WrongBytes
from tests.support.http_proxy import http_proxy
from tests.support.servers import github, plain_mirror
from tests.support.small_model import SmallModel
from tests.support.vendored_package import VendoredPackage


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
    assert list(here.home.rglob("*.part")) == []
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


def test_too_little_room_is_said_before_the_first_byte(
    here: VendoredPackage, model: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 0))
    with plain_mirror(model.directory) as server:
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", server.url)
        with pytest.raises(ModelError, match="bytes are needed, 0 are free"):
            ensure()
        assert server.requests.settled() == []


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, None])
def test_members_are_read_by_their_name_alone(
    mirrored: VendoredPackage, model: SmallModel, method: int | None
) -> None:
    if method is None:
        model.asset_path.write_bytes(b"no zip")
    else:
        with zipfile.ZipFile(model.asset_path, "w", method) as archive:
            archive.writestr("../../escaped", "x")
            archive.writestr("/escaped", "x")
            for path, content in model.files.items():
                archive.writestr(f"models/{path}", content)
    model.write_manifest(mirrored.package / "model_manifest.json")
    if method == zipfile.ZIP_DEFLATED:
        model.assert_tree(ensure())
        assert not list(mirrored.root.parent.rglob("escaped"))
    else:
        with pytest.raises(ModelError, match=r"is not a sound zip|is compressed by method 12"):
            ensure()


def test_a_zip_that_lacks_a_file(mirrored: VendoredPackage, model: SmallModel) -> None:
    with zipfile.ZipFile(model.asset_path, "w") as archive:
        archive.writestr("models/else", "x")
    model.write_manifest(mirrored.package / "model_manifest.json")
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
    mirrored: VendoredPackage, model: SmallModel
) -> None:
    model.files["again.safetensors"] = model.files["model.safetensors"]
    del model.files["tokenizer/tokenizer.json"]
    asset = model.directory / model.tag / "weights"
    asset.write_bytes(model.files["model.safetensors"])
    single = replace(model.manifest.models[0], asset=Asset.of_file(model.tag, asset))
    manifest = replace(model.manifest, models=(single,))
    (mirrored.package / "model_manifest.json").write_text(manifest.dumps(), encoding="utf-8")
    model.assert_tree(Path(ensure()))


def test_bytes_are_on_the_disk_before_the_first_of_them_has_a_name(
    mirrored: VendoredPackage, model: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = []
    for name in ("fsync", "replace"):

        def seen(*arguments: object, name: str = name, call: object = getattr(os, name)) -> None:
            events.append(name)
            call(*arguments)  # type: ignore[operator]

        monkeypatch.setattr(os, name, seen)
    model.assert_tree(Path(ensure()))
    assert events == [*["fsync"] * 2, *["replace"] * 2] * 2
