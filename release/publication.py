"""What is still to be done for a release to be published: decided here, without doing any of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.manifest import Asset
from release.beside import attestation_name
from release.github_release import RemoteAsset, RemoteRelease


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps that are left, in this order.

    Attributes:
        create: make the draft.
        discard: names of assets whose upload broke off.
        upload: what is not there yet.
        publish: make the draft public.
    """

    create: bool
    discard: tuple[str, ...]
    upload: tuple[Asset, ...]
    publish: bool

    def lines(self, tag: str) -> list[str]:
        """The steps for people, a sentence each."""
        steps = [f"create a draft of the release {tag}"] if self.create else []
        steps += [f"delete {name}, whose upload broke off" for name in self.discard]
        steps += [
            f"upload {asset.name} ({asset.size} bytes, sha256 {asset.sha256})"
            for asset in self.upload
        ]
        if self.publish:
            steps += ["download every asset and compare", f"publish the release {tag}"]
        return [*steps, "download every asset from its public URL and compare"]


def plan_publication(
    tag: str,
    releases: Sequence[RemoteRelease],
    wanted: Sequence[Asset],
    beside: Sequence[Asset] = (),
) -> Plan:
    """What is left to do.

    Args:
        tag: of the release.
        releases: what GitHub has of this tag.
        wanted: all that the release is to have.
        beside: attestations of these files that a draft is to have, too. One that is there already stays: no two runs
            make the same.

    Raises:
        ModelBuildError: if it can't become that release without replacing or removing something
            that is there.
    """
    if not releases:
        return Plan(create=True, discard=(), upload=(*wanted, *beside), publish=True)
    if len(releases) > 1:
        pages = ", ".join(
            f"{release.page} ({'draft' if release.draft else 'published'})" for release in releases
        )
        problem = f"there are {len(releases)} of this tag: delete all but one by hand, then run this again: {pages}"
        raise ModelBuildError(f"release {tag}", [problem])
    (release,) = releases
    there = {asset.name: asset for asset in release.assets}
    problems = list(_differences(tag, release, there.values(), wanted))
    missing = tuple(
        asset for asset in wanted if asset.name not in there or not there[asset.name].whole
    )
    if not release.draft:
        problems += [
            f"is published without {asset.name}, and what is published is not changed: release a new version"
            for asset in missing
        ]
    if problems:
        raise ModelBuildError(f"release {tag} at {release.page}", problems)
    if release.draft:
        missing += tuple(
            asset for asset in beside if asset.name not in there or not there[asset.name].whole
        )
    discard = tuple(name for name in there if release.draft and not there[name].whole)
    return Plan(create=False, discard=discard, upload=missing, publish=release.draft)


def _differences(
    tag: str, release: RemoteRelease, there: Iterable[RemoteAsset], wanted: Sequence[Asset]
) -> Iterable[str]:
    pinned = {asset.name: asset for asset in wanted}
    way_out = (
        f"'gh release delete-asset {tag} NAME'" if release.draft else "no way but a new version"
    )
    attestations = set(map(attestation_name, wanted))
    for asset in there:
        mine = pinned.get(asset.name)
        if asset.name in attestations:
            continue
        if mine is None:
            yield f"has {asset.name}, which is no part of it; if nobody wants that, {way_out} removes it"
        elif asset.whole and (asset.size, asset.sha256 or mine.sha256) != (mine.size, mine.sha256):
            yield (
                f"has other bytes as {asset.name}: {asset.size} bytes, sha256 {asset.sha256 or 'unknown'}, expected "
                f"{mine.size} bytes, sha256 {mine.sha256}; an asset is never replaced: if nobody wants that one, "
                f"{way_out} removes it"
            )
