"""`publish`, with the real gh and the stand-in over TLS: the whole way, what it refuses, what it never does."""

from __future__ import annotations

import dataclasses
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.manifest import Asset
from release.__main__ import main
from release.assets import SUMS_NAME
from release.checkout import Checkout
from release.publish import publish
from tests.support.faults import Fault, FaultyGitHub, WrongBytes
from tests.support.github_cli import TOKEN, writable_github
from tests.support.github_releases import Release, Releases
from tests.support.release_checkout import (
    CONTENT,
    NAME,
    REPOSITORY,
    SHA256,
    SUMS,
    TAG,
    commit,
    git,
    make_checkout,
    manifest,
)
from tests.support.sigstore_instance import SigstoreInstance

pytestmark = pytest.mark.slow


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return make_checkout(tmp_path / "checkout")


class Site:
    """The stand-in, its releases, and a way to publish to it."""

    def __init__(
        self, checkout: Checkout, server: FaultyGitHub, releases: Releases, published: Path
    ) -> None:
        self.checkout, self.server, self.releases, self.published = (
            checkout,
            server,
            releases,
            published,
        )

    def publish(self, attestation: Path | None = None, *, dry_run: bool = False) -> str:
        said: list[str] = []
        publish(self.checkout, TAG, said.append, attestation=attestation, dry_run=dry_run)
        return "\n".join(said)

    def refusal(self) -> str:
        """What publishing fails with, having changed nothing."""
        self.server.requests.clear()
        before = self.state()
        with pytest.raises(ModelBuildError) as caught:
            self.publish()
        assert self.state() == before
        assert {record.method for record in self.server.requests.settled()} <= {"GET"}
        return str(caught.value)

    def draft(self, **assets: bytes) -> Release:
        """A draft made by somebody before."""
        head = git(self.checkout.root, "rev-parse", "HEAD")
        release = self.releases.create(tag=TAG, name="", notes="", target=head, draft=True)
        for name, content in assets.items():
            self.releases.add_asset(
                release, {"model": NAME, "sums": SUMS_NAME}.get(name, name), content
            )
        return release

    def state(self) -> list[object]:
        return [dataclasses.asdict(release) for release in self.releases.all()]

    def is_complete(self) -> bool:
        (release,) = self.releases.all()
        files = {path.name: path.read_bytes() for path in (self.published / TAG).iterdir()}
        return (
            not release.draft
            and len(release.assets) == 2
            and files == {NAME: CONTENT, SUMS_NAME: SUMS}
        )


@pytest.fixture
def site(checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with writable_github(tmp_path, monkeypatch, repository=REPOSITORY, immutable=True) as (
        server,
        releases,
    ):
        yield Site(checkout, server, releases, tmp_path / "published")


def test_a_release_is_made_whole_before_it_is_public(site: Site) -> None:
    said = site.publish()
    assert site.is_complete()
    (release,) = site.releases.all()
    assert release.immutable
    assert "could still be changed" not in said
    assert (release.tag, release.name) == (TAG, TAG)
    assert site.releases.tags == {TAG: git(site.checkout.root, "rev-parse", "HEAD")}
    assert said.splitlines()[-1] == f"{TAG} is published and complete"
    records = site.server.requests.settled()
    published = [record.method for record in records].index("PATCH")
    downloads = [
        number for number, record in enumerate(records) if "/releases/assets/" in record.path
    ]
    public = [
        number for number, record in enumerate(records) if "/releases/download/" in record.path
    ]
    assert len(downloads) == len(public) == 2
    assert max(downloads) < published < min(public)


def test_an_attestation_is_published_beside_what_it_is_about(site: Site, tmp_path: Path) -> None:
    sigstore = SigstoreInstance()
    attestation, name = tmp_path / "attestation.json", f"{NAME}.sigstore.json"
    attestation.write_bytes(sigstore.attest(SHA256, repository=REPOSITORY, tag=TAG))
    said = site.publish(attestation)
    assert "has no attestation" not in said
    assert f"{site.server.download_url(TAG, name)} has the pinned bytes" in said
    assert (site.published / TAG / name).read_bytes() == attestation.read_bytes()
    attestation.write_bytes(sigstore.attest(SHA256, repository=REPOSITORY, tag=TAG))
    before = site.state()
    site.publish(attestation)
    assert site.state() == before


def test_a_release_that_is_not_immutable_is_told(
    checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writable_github(tmp_path, monkeypatch, repository=REPOSITORY) as (server, releases):
        site = Site(checkout, server, releases, tmp_path / "published")
        assert "could still be changed: turn on immutable releases" in site.publish()


def test_users_are_asked_for_without_credentials(site: Site) -> None:
    site.publish()
    records = site.server.requests.settled()
    assert not any(record.authorized for record in records if not record.path.startswith("/api/"))
    assert all(record.authorized for record in records if record.path.startswith("/api/"))


def test_a_second_run_changes_nothing_and_compares_again(site: Site) -> None:
    site.publish()
    before = site.state()
    site.server.requests.clear()
    assert f"{site.server.download_url(TAG, NAME)} has the pinned bytes" in site.publish()
    assert site.state() == before
    assert {record.method for record in site.server.requests.settled()} == {"GET"}


def test_a_dry_run_says_every_step_and_takes_none(site: Site) -> None:
    said = site.publish(dry_run=True)
    for step in (
        "create a draft",
        f"upload {NAME}",
        f"upload {SUMS_NAME}",
        f"publish the release {TAG}",
    ):
        assert f"  - {step}" in said
    assert site.releases.all() == []
    assert {record.method for record in site.server.requests.settled()} == {"GET"}


def test_a_dry_run_says_what_is_left(site: Site) -> None:
    draft = site.draft(model=CONTENT)
    site.releases.add_asset(draft, SUMS_NAME, b"", whole=False)
    said = site.publish(dry_run=True)
    assert "create" not in said
    assert f"upload {NAME}" not in said
    assert f"delete {SUMS_NAME}, whose upload broke off" in said
    site.publish()
    assert "create" not in site.publish(dry_run=True)
    assert "upload" not in site.publish(dry_run=True)


def test_what_is_there_of_a_draft_is_kept(site: Site) -> None:
    (kept,) = site.draft(model=CONTENT).assets
    site.publish()
    assert site.is_complete()
    assert kept in site.releases.all()[0].assets


def test_a_draft_of_an_earlier_commit_is_published_at_this_one(site: Site) -> None:
    site.draft(model=CONTENT, sums=SUMS)
    (site.checkout.root / "later").write_text("")
    head = commit(site.checkout.root)
    site.publish()
    assert site.releases.tags == {TAG: head}


def test_an_upload_that_broke_off_is_made_again(site: Site) -> None:
    site.releases.add_asset(site.draft(), NAME, b"", whole=False)
    site.publish()
    assert site.is_complete()


def test_other_bytes_are_never_replaced(site: Site) -> None:
    site.draft(model=CONTENT[::-1], sums=SUMS)
    message = site.refusal()
    assert f"has other bytes as {NAME}" in message
    assert f"gh release delete-asset {TAG} NAME" in message


def test_other_bytes_that_are_published_need_a_new_version(site: Site) -> None:
    site.releases.publish(site.draft(model=CONTENT[::-1], sums=SUMS))
    assert "no way but a new version" in site.refusal()


def test_a_published_release_is_not_completed(site: Site) -> None:
    site.releases.publish(site.draft(model=CONTENT))
    assert f"is published without {SUMS_NAME}" in site.refusal()


def test_a_stranger_among_the_assets_is_refused(site: Site) -> None:
    site.draft(notes=b"x")
    assert "has notes, which is no part of it" in site.refusal()


def test_two_drafts_of_one_tag_are_refused(site: Site) -> None:
    site.draft()
    site.draft()
    assert "there are 2 of this tag" in site.refusal()


def test_other_releases_are_no_obstacle(site: Site) -> None:
    site.releases.create(tag="v0.9.0", name="", notes="", target="main", draft=True)
    site.publish()
    assert {release.tag: release.draft for release in site.releases.all()} == {
        TAG: False,
        "v0.9.0": True,
    }


def test_bytes_that_change_on_the_way_never_become_public(site: Site) -> None:
    site.server.faults.add(Fault(WrongBytes(10), path="*/releases/assets/*", turns={1}))
    with pytest.raises(ModelBuildError, match=r"came back as other bytes.*nothing is public yet"):
        site.publish()
    assert site.releases.all()[0].draft
    assert not list(site.published.iterdir())
    site.publish()
    assert site.is_complete()


def test_wrong_bytes_at_the_public_url_are_an_error(site: Site) -> None:
    site.publish()
    site.server.faults.add(Fault(WrongBytes(10), host="assets"))
    with pytest.raises(ModelBuildError, match=f"{NAME}: expected sha256"):
        site.publish()


def test_a_tag_of_another_commit_is_refused(site: Site) -> None:
    site.releases.tags[TAG] = "0" * 40
    assert f"names commit {'0' * 40}" in site.refusal()


def test_a_wrong_token_is_told(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GH_ENTERPRISE_TOKEN", f"{TOKEN}x")
    assert "Bad credentials" in site.refusal()


def test_what_is_not_committed_is_not_released(site: Site) -> None:
    (site.checkout.root / "new.py").write_text("")
    (site.checkout.root / "pyproject.toml").write_text(
        (site.checkout.root / "pyproject.toml").read_text().replace("1.0.0", "1.0.1")
    )
    message = site.refusal()
    assert "commit or remove" in message
    assert "new.py" in message
    assert "its version is 1.0.1, so its tag is v1.0.1, not v1.0.0" in message


def test_what_is_no_git_checkout_is_refused(site: Site) -> None:
    shutil.rmtree(site.checkout.root / ".git")
    assert "git status: fatal: not a git repository" in site.refusal()


def test_a_local_tag_of_another_commit_is_refused(site: Site) -> None:
    git(site.checkout.root, "tag", TAG)
    (site.checkout.root / "later").write_text("")
    commit(site.checkout.root)
    assert f"the tag {TAG} names commit" in site.refusal()


def test_an_annotated_tag_is_followed_to_its_commit(site: Site) -> None:
    identity = ("-c", "user.name=Maintainer", "-c", "user.email=m@example.org")
    git(site.checkout.root, *identity, "tag", "--annotate", "--message", "x", TAG)
    site.publish()
    assert site.is_complete()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (NAME, b"other", "pinned is sha256"),
        (NAME, None, f"{NAME} is not there"),
        (SUMS_NAME, b"other", f"{SUMS_NAME} does not list exactly"),
        (SUMS_NAME, None, f"{SUMS_NAME} does not list exactly"),
    ],
)
def test_assets_that_are_not_the_pinned_ones_are_refused(
    site: Site, name: str, content: bytes | None, message: str
) -> None:
    path = site.checkout.assets_dir(TAG) / name
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert message in site.refusal()


def test_a_release_with_an_older_model_has_nothing_to_upload(site: Site) -> None:
    old = Asset("v0.9.0", "heimdall-models-v0.9.0.zip", "0" * 64, 1)
    (site.checkout.root / "models.lock.json").write_text(manifest(old).dumps(), encoding="utf-8")
    commit(site.checkout.root)
    said = site.publish()
    assert said.startswith(
        f"nothing to upload for {TAG}: the lock pins v0.9.0/heimdall-models-v0.9.0.zip"
    )
    assert site.server.requests.settled() == []


def test_the_command_says_errors_and_exits_with_2(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--checkout", str(site.checkout.root)]
    assert main(["publish", "--tag", "v9", *where]) == 2
    assert "not v9" in capsys.readouterr().err
    assert main(["publish", "--tag", TAG, *where]) == 0
    assert site.is_complete()


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_without_gh_it_is_told_where_to_get_it(
    checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_git = tmp_path / "bin"
    only_git.mkdir()
    (only_git / "git").symlink_to(str(shutil.which("git")))
    monkeypatch.setenv("PATH", str(only_git))
    with pytest.raises(ModelBuildError, match="gh: is not installed: get it from"):
        publish(checkout, TAG, lambda _: None)
