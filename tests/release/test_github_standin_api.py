"""The stand-in's API, as the real gh meets it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from release.gh import Gh, GhError
from tests.support.faults import CutUpload, Fault, FaultyGitHub
from tests.support.github_cli import TOKEN, writable_github
from tests.support.github_releases import STARTER, Releases

pytestmark = pytest.mark.slow

REPOSITORY = "owner/tiny"


class Site:
    def __init__(self, server: FaultyGitHub, releases: Releases, folder: Path) -> None:
        self.server, self.releases, self.gh = server, releases, Gh(REPOSITORY)
        self.file = folder / "model.zip"
        self.file.write_bytes(b"content" * 100)

    def draft(self) -> None:
        self.gh.release(
            "create", "v1", "--draft", "--title", "One", "--notes", "first", "--target", "a" * 40
        )

    def public(self, authority: Path) -> int:
        with urllib3.PoolManager(ca_certs=str(authority)) as pool:
            return pool.request("GET", self.server.download_url("v1", "model.zip")).status


@pytest.fixture
def site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Site]:
    immutable = getattr(request, "param", False)
    with writable_github(tmp_path, monkeypatch, repository=REPOSITORY, immutable=immutable) as (
        server,
        releases,
    ):
        yield Site(server, releases, tmp_path)


def test_a_draft_is_seen_with_the_token_alone(site: Site, tmp_path: Path) -> None:
    site.draft()
    site.gh.release("upload", "v1", str(site.file))
    assert site.public(tmp_path / "authority.pem") == 404
    fields = "name,tagName,isDraft,body,targetCommitish,assets"
    seen = json.loads(site.gh.release("view", "v1", "--json", fields))
    assert {
        name: seen[name] for name in ("name", "tagName", "isDraft", "body", "targetCommitish")
    } == {
        "name": "One",
        "tagName": "v1",
        "isDraft": True,
        "body": "first",
        "targetCommitish": "a" * 40,
    }
    assert [(asset["name"], asset["size"], asset["state"]) for asset in seen["assets"]] == [
        ("model.zip", 700, "uploaded")
    ]
    assert site.releases.tags == {}


def test_an_upload_that_breaks_off_keeps_the_name_until_it_is_deleted(site: Site) -> None:
    site.draft()
    site.server.faults.add(Fault(CutUpload(10), methods={"POST"}, path="/api/uploads/*"))
    with pytest.raises(GhError):
        site.gh.release("upload", "v1", str(site.file))
    site.server.faults.clear()
    (asset,) = site.releases.all()[0].assets.values()
    assert (asset.state, asset.size) == (STARTER, 0)
    with pytest.raises(GhError, match="already exist"):
        site.gh.release("upload", "v1", str(site.file))
    with pytest.raises(GhError):
        site.gh.release("download", "v1", "--pattern", "model.zip")
    site.gh.release("delete-asset", "v1", "model.zip", "--yes")
    site.gh.release("upload", "v1", str(site.file))


@pytest.mark.parametrize("site", [True], indirect=True)
def test_what_is_immutable_stays_as_it_is(site: Site, tmp_path: Path) -> None:
    site.draft()
    site.gh.release("upload", "v1", str(site.file))
    site.gh.release("edit", "v1", "--draft=false")
    other = tmp_path / "other.zip"
    other.write_bytes(b"x")
    for command in (
        ("upload", "v1", str(other)),
        ("upload", "v1", str(site.file), "--clobber"),
        ("delete-asset", "v1", "model.zip", "--yes"),
    ):
        with pytest.raises(GhError, match="immutable release"):
            site.gh.release(*command)
    (page,) = site.gh.get("releases")
    assert [release["immutable"] for release in page] == [True]


def test_a_published_tag_is_taken(site: Site) -> None:
    site.draft()
    site.draft()
    assert len(site.releases.all()) == 2
    site.gh.release("edit", "v1", "--draft=false")
    with pytest.raises(GhError, match="already exists"):
        site.draft()


def test_a_request_without_the_token_is_refused(site: Site, tmp_path: Path) -> None:
    with urllib3.PoolManager(ca_certs=str(tmp_path / "authority.pem")) as pool:
        url = f"{site.server.url}/api/v3/repos/{REPOSITORY}/releases"
        assert pool.request("GET", url).status == 401
        assert pool.request("GET", url, headers={"Authorization": f"token {TOKEN}"}).status == 200
        assert (
            pool.request("GET", f"{url}/7", headers={"Authorization": f"token {TOKEN}"}).status
            == 404
        )
