"""Mirrors as companies have them, through `resolve`, on real servers."""

from __future__ import annotations

import base64
import ntpath
from pathlib import Path

import pytest

from heimdall.models.errors import ModelUnavailable
from heimdall.models.resolver import resolve_in_detail
from heimdall.models.secrets import redact_message
from heimdall.models.sources import mirror as mirror_module
from tests.support.faults import Fault, Instead
from tests.support.raw_server import raw_server
from tests.support.servers import plain_mirror
from tests.support.small_model import SmallModel

pytestmark = pytest.mark.slow

SECRET = "hunter2"
BASIC = "Basic " + base64.b64encode(f"me:{SECRET}".encode()).decode()


@pytest.fixture(autouse=True)
def _mirror_only(manifest_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEIMDALL_SOURCES", "mirror")
    monkeypatch.delenv("NETRC", raising=False)


@pytest.fixture
def by_owner(small: SmallModel) -> Path:
    """The asset at `<owner>/<repo>/<tag>/<asset>`."""
    folder = small.directory / "by-owner"
    place = folder / "owner" / "repository" / small.tag
    place.mkdir(parents=True)
    small.asset_path.rename(place / small.asset_path.name)
    return folder


def test_the_layout_of_many_projects_comes_first(
    by_owner: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with plain_mirror(by_owner) as server:
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", server.url)
        assert resolve_in_detail().sources == ("mirror",)
        assert [record.status for record in server.requests.settled()] == [200]


def test_the_other_layout_costs_one_request(
    small: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    with plain_mirror(small.directory) as server:
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", server.url)
        assert resolve_in_detail().sources == ("mirror",)
        assert [record.status for record in server.requests.settled()] == [404, 200]


def test_a_busy_mirror_is_not_asked_twice_a_round(
    small: SmallModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heimdall.models.fetch.ROUNDS", 1)
    with plain_mirror(small.directory, faults=[Fault(Instead(503))]) as server:
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", server.url)
        with pytest.raises(ModelUnavailable, match="answered 503"):
            resolve_in_detail()
        assert len(server.requests.settled()) == 1


def test_both_places_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    for prefix in ((tmp_path / "empty").as_uri(), "http"):
        with plain_mirror(tmp_path / "empty") as server:
            monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", server.url if prefix == "http" else prefix)
            with pytest.raises(ModelUnavailable) as told:
                resolve_in_detail()
        said = str(told.value).replace("\\", "/")
        assert "/owner/repository/v1/models-v1.zip: " in said
        assert "/empty/v1/models-v1.zip: " in said or f"{server.url}/v1/" in said


@pytest.mark.parametrize("folder", ["plain", "by owner"])
def test_a_folder_has_both_layouts_too(
    small: SmallModel, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, folder: str
) -> None:
    root: Path = small.directory if folder == "plain" else request.getfixturevalue("by_owner")
    monkeypatch.setenv(
        "HEIMDALL_MODELS_MIRROR", root.as_uri().replace("file://", "file://localhost")
    )
    assert resolve_in_detail().sources == ("mirror",)


NOT_FOUND = b"HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n"


def heads_of(monkeypatch: pytest.MonkeyPatch, prefix: str = "{url}") -> list[bytes]:
    """What a mirror that has nothing is asked."""
    with raw_server(NOT_FOUND) as server:
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", prefix.format(url=server.url))
        with pytest.raises(ModelUnavailable):
            resolve_in_detail()
        return server.heads


def test_a_signature_goes_behind_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    query = f"sv=2024-11-04&sig=a%2Fb%3D{SECRET}"
    lines = [head.split()[1].decode() for head in heads_of(monkeypatch, f"{{url}}/c/?{query}")]
    assert lines == [
        f"/c/owner/repository/v1/models-v1.zip?{query}",
        f"/c/v1/models-v1.zip?{query}",
    ]


def test_a_signature_is_in_no_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with plain_mirror(tmp_path) as server:
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", f"{server.url}/c?sig={SECRET},file:///nowhere")
        with pytest.raises(ModelUnavailable) as told:
            resolve_in_detail()
    assert SECRET not in str(told.value) + capfd.readouterr().err


@pytest.mark.parametrize("variable", [True, False])
def test_credentials_of_netrc(
    small: SmallModel, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: bool
) -> None:
    path = tmp_path / "netrc" if variable else home / ".netrc"
    path.write_text(f"machine 127.0.0.1 login me password {SECRET}\n")
    if variable:
        monkeypatch.setenv("NETRC", str(path))
    assert all(f"Authorization: {BASIC}".encode() in head for head in heads_of(monkeypatch))


def test_what_the_url_says_comes_before_netrc(
    small: SmallModel, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ".netrc").write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("HEIMDALL_MIRROR_HEADER", "authorization: Bearer other")
    assert all(b"Authorization: Bearer other\r" in head for head in heads_of(monkeypatch))
    with raw_server(NOT_FOUND) as server:
        url = server.url.replace("://", f"://me:{SECRET}@")
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", url)
        with pytest.raises(ModelUnavailable):
            resolve_in_detail()
        assert server.heads
        for head in server.heads:
            assert f"Authorization: {BASIC}\r".encode() in head
            assert head.lower().count(b"authorization:") == 1


def test_a_netrc_that_can_not_be_read_is_told_when_it_may_matter(
    small: SmallModel, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ".netrc").write_text(f"machine 127.0.0.1\nlogin me passwort {SECRET}\n")
    with plain_mirror(small.directory) as server:
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", f"{server.url}/nothing")
        with pytest.raises(
            ModelUnavailable, match=r"\.netrc has no credentials .*\(line 2\)"
        ) as told:
            resolve_in_detail()
        assert SECRET not in str(told.value)
        monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", server.url)
        assert resolve_in_detail().sources == ("mirror",)


def test_a_header_is_for_mirrors_alone_and_never_leaves_their_host(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEIMDALL_MIRROR_HEADER", f"X-JFrog-Art-Api: {SECRET}")
    monkeypatch.setenv("HEIMDALL_SOURCES", "github,mirror")
    with raw_server(NOT_FOUND) as elsewhere:
        away = f"HTTP/1.1 302 x\r\nLocation: {elsewhere.url}/x\r\nContent-Length: 0\r\n\r\n"
        with raw_server(away.encode()) as mirror:
            monkeypatch.setenv("HEIMDALL_GITHUB_URL", elsewhere.url)
            monkeypatch.setenv("HEIMDALL_MODELS_MIRROR", mirror.url)
            with pytest.raises(ModelUnavailable) as told:
                resolve_in_detail()
    assert [f"X-JFrog-Art-Api: {SECRET}".encode() in head for head in mirror.heads] == [True, True]
    assert [SECRET.encode() in head for head in elsewhere.heads] == [False, False, False]
    assert SECRET not in str(told.value) + capfd.readouterr().err


def test_a_header_is_in_no_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEIMDALL_MIRROR_HEADER", f"X-Odd: {SECRET}")
    assert SECRET not in redact_message(f"the server wrote {SECRET} back")


def test_a_share_where_the_system_has_such_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    from nturl2path import url2pathname as windows

    monkeypatch.setattr(mirror_module, "url2pathname", windows)
    monkeypatch.setattr(mirror_module, "Path", ntpath.normpath)
    assert str(mirror_module.path_of("file://server/share/models")) == r"\\server\share\models"
    assert str(mirror_module.path_of("file:///C:/models")) == r"C:\models"
