"""`release publish`: from packed assets to a release that everybody can download.

Every run looks at what GitHub has and does what is left, so that the same command goes on after a
failure at any point. Nothing that was uploaded whole is ever replaced, and nothing becomes public
before it was downloaded and compared.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from rich.filesize import decimal

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.files import sha256_of
from hatch_heimdall_models.manifest import Asset
from release.assets import pinned_assets
from release.beside import SUFFIX, lay_beside
from release.checkout import Checkout
from release.gh import Gh
from release.github_release import RemoteRelease, releases_of
from release.public import fetch_published
from release.publication import Plan, plan_publication


def publish(
    checkout: Checkout,
    tag: str,
    say: Callable[[str], None],
    *,
    attestation: Path | None = None,
    dry_run: bool = False,
) -> None:
    """Publish the release of this tag, or what is left of it to be published.

    Args:
        checkout: what is released; its assets are packed and pinned.
        tag: of the release.
        say: receives a line about each step.
        attestation: of the assets; a copy is published beside each.
        dry_run: only say what would be done.

    Raises:
        ModelBuildError: if checkout, assets or what GitHub has do not fit one another, or a step
            failed.
    """
    commit = checkout.commit(tag)
    wanted = checkout.wanted(tag)
    # A release that leaves the models alone has no assets of its own.
    if not wanted:
        assets = {asset for model in checkout.lock.models for asset in model.assets}
        pinned = sorted(f"{asset.tag}/{asset.name}" for asset in assets)
        say(
            f"nothing to upload for {tag}: the lock pins {', '.join(pinned)}, which was published before"
        )
        return
    project = checkout.project
    notes = f"The model files of {project.name} {project.version}. It fetches and verifies them by itself."
    folder = checkout.assets_dir(tag)
    pins = pinned_assets(checkout.lock, tag)
    beside = lay_beside(attestation, pins, folder) if attestation else []
    gh = Gh(project.repository)
    publication = _Publication(gh, tag, commit, wanted, beside, folder, notes, say)
    publication.run(dry_run=dry_run)


@dataclass(frozen=True)
class _Publication:
    gh: Gh
    tag: str
    commit: str
    wanted: list[Asset]
    beside: list[Asset]
    folder: Path
    notes: str
    say: Callable[[str], None]

    def run(self, *, dry_run: bool) -> None:
        plan = plan_publication(self.tag, self.releases(), self.wanted, self.beside)
        compared = list(dict.fromkeys([*self.wanted, *plan.upload]))
        if dry_run:
            where = f"would, in {self.gh.url}/{self.gh.repository} at commit {self.commit}:"
            self.say("\n".join([where, *(f"  - {line}" for line in plan.lines(self.tag))]))
            return
        self.complete_draft(plan)
        if plan.publish:
            self.compare_draft(compared)
            # With the target, since the draft may have been made before the last commit.
            self.gh.release("edit", self.tag, "--draft=false", "--target", self.commit)
            self.say(f"published {self.tag}")
        # What is there now is looked at again: GitHub is believed, not our own steps.
        releases = self.releases()
        if plan_publication(self.tag, releases, self.wanted).publish:
            raise ModelBuildError(
                f"release {self.tag}", ["is still a draft after it was published: run this again"]
            )
        if not releases[0].immutable:
            self.say(
                f"{self.tag} could still be changed: turn on immutable releases in the repository's settings"
            )
        self.compare_public(compared)
        if not any(asset.name.endswith(SUFFIX) for asset in releases[0].assets):
            self.say(f"{self.tag} has no attestation beside its assets")
        self.say(f"{self.tag} is published and complete")

    def releases(self) -> list[RemoteRelease]:
        """What GitHub has of this tag now."""
        tagged = self.gh.commit_of(self.tag)
        if tagged is not None and tagged != self.commit:
            problem = (
                f"names commit {tagged} on {self.gh.url}, checked out is {self.commit}: check that one out, or release "
                "a new version"
            )
            raise ModelBuildError(f"tag {self.tag}", [problem])
        return releases_of(self.gh, self.tag)

    def complete_draft(self, plan: Plan) -> None:
        """Make the draft, and all of it that is missing."""
        if plan.create:
            what = ("--target", self.commit, "--title", self.tag, "--notes", self.notes)
            self.gh.release("create", self.tag, "--draft", *what)
            self.say(f"created a draft of {self.tag}")
        for name in plan.discard:
            self.gh.release("delete-asset", self.tag, name, "--yes")
            self.say(f"deleted {name}, whose upload had broken off")
        for asset in plan.upload:
            self.say(f"uploading {asset.name} ({decimal(asset.size)})")
            self.gh.release("upload", self.tag, str(self.folder / asset.name))

    def compare_draft(self, assets: Iterable[Asset]) -> None:
        """Download what the draft has, and compare."""
        with tempfile.TemporaryDirectory() as folder:
            for asset in assets:
                self.gh.release("download", self.tag, "--pattern", asset.name, "--dir", folder)
                got = Path(folder, asset.name)
                if (actual := sha256_of(got)) != asset.sha256:
                    problem = (
                        f"came back as other bytes: expected sha256 {asset.sha256}, found {actual} "
                        f"({got.stat().st_size} bytes); nothing is public yet. Run this again; if it stays, "
                        f"'gh release delete-asset {self.tag} {asset.name}' and run it once more"
                    )
                    raise ModelBuildError(asset.name, [problem])
                got.unlink()
                self.say(f"{asset.name} came back unchanged")

    def compare_public(self, assets: Iterable[Asset]) -> None:
        """Download what everybody gets, and compare."""
        with tempfile.TemporaryDirectory() as folder:
            for asset in assets:
                fetch_published(self.gh, asset, Path(folder), self.say)
