"""Each remote source on real servers, through `resolve`, as a user's process would meet it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from heimdall.models.errors import ModelUnavailable
from heimdall.models.fetch import ROUNDS
from heimdall.models.resolver import resolve_in_detail
from heimdall.models.space import NoSpaceError
from tests.support.faults import Fault, FaultyGitHub, Instead, WrongBytes
from tests.support.filesystems import tmpfs
from tests.support.servers import RunningServer, github, plain_mirror
from tests.support.small_model import SmallModel

pytestmark = pytest.mark.slow


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
    small: SmallModel, manifest_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """octokit/core.js#415, mise#10713: a 400 when it did, and an entry of netrc in its place."""
    (home / ".netrc").write_text("default login somebody password else\n")
    (home / ".netrc").chmod(0o600)
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
    stderr = capfd.readouterr().err.replace(os.sep, "/")
    assert f"mirror: {mirror.url}/…/{small.asset_path.name}: wrong bytes" in stderr
    assert "; /nowhere/v1/" in stderr
    assert "can't be read: " in stderr


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
def upstream(small: SmallModel, manifest_path: Path, tmp_path: Path) -> Iterator[RunningServer]:
    """Has each file by itself, where the manifest says."""
    with plain_mirror(small.lay_out(tmp_path / "files")) as server:
        small.also = {path: (f"{server.url}/{path}",) for path in small.files}
        small.write_manifest(manifest_path)
        yield server


def test_single_files_at_urls(
    upstream: RunningServer, small: SmallModel, manifest_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = "model.safetensors"
    small.also = {**small.also, weights: (f"{upstream.url}/gone", f"{upstream.url}/{weights}")}
    small.write_manifest(manifest_path)
    monkeypatch.setenv("HEIMDALL_SOURCES", "huggingface")
    resolution = resolve_in_detail()
    assert resolution.sources == ("huggingface",)
    small.assert_tree(resolution.directory)
    answers = upstream.requests.settled()
    assert 404 in {record.status for record in answers}
    sent = sum(record.sent for record in answers if record.status == 200)
    assert sent == small.remote_size


def test_a_set_that_is_partly_there_is_completed(hub: FaultyGitHub, small: SmallModel) -> None:
    tree = resolve_in_detail().directory
    (tree / "tokenizer/tokenizer.json").write_bytes(b"damaged")
    before = len(hub.requests.settled())
    assert resolve_in_detail().sources == ("github",)
    small.assert_tree(tree)
    assert [record.status for record in hub.requests.settled()[before:]] == [302, 200]


@pytest.mark.usefixtures("upstream")
def test_single_files_are_tried_where_an_archive_does_not_fit(
    small: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The archive and what is in it need 0.8 MB, the files alone 0.4."""
    margin = 1 << 20
    free = margin + small.remote_size + 100_000
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": free})())
    with plain_mirror(small.directory) as mirror:
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", mirror.url)
        monkeypatch.setenv("HEIMDALL_SOURCES", "mirror")
        with pytest.raises(NoSpaceError):
            resolve_in_detail()
        monkeypatch.setenv("HEIMDALL_SOURCES", "mirror,huggingface")
        assert resolve_in_detail().sources == ("huggingface",)


@pytest.mark.usefixtures("upstream")
def test_what_an_archive_took_is_given_to_the_single_files(
    small: SmallModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A filesystem that does not say how full it is: the archive arrives, and there is no room for what is in it."""
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1 << 40})())
    with tmpfs(tmp_path / "small", "size=600k") as disk, plain_mirror(small.directory) as mirror:
        monkeypatch.setenv("HEIMDALL_DATA_DIR", str(disk))
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", mirror.url)
        monkeypatch.setenv("HEIMDALL_SOURCES", "mirror,huggingface")
        assert resolve_in_detail().sources == ("huggingface",)
