"""Releases as GitHub's API keeps them: drafts, assets that are on their way up, publication, immutability."""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

UPLOADED = "uploaded"
STARTER = "starter"
"""The state of an asset whose upload broke off; it keeps its name taken until it is deleted."""


class Refused(Exception):  # noqa: N818 - a refusal is an answer here, not a failure
    """The API says no.

    Attributes:
        status: the HTTP status.
        code: GitHub's word for the reason, for example `already_exists`; may be empty.
    """

    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass
class ReleaseAsset:
    """One file of a release."""

    number: int
    name: str
    size: int
    state: str
    sha256: str


@dataclass
class Release:
    """One release.

    Attributes:
        number: its id.
        target: the commit that its tag will name, if there is no such tag yet.
        draft: whether only those who may write to the repository see it.
        immutable: whether nothing of it can be changed any more.
    """

    number: int
    tag: str
    name: str
    notes: str
    target: str
    draft: bool = True
    prerelease: bool = False
    immutable: bool = False
    assets: dict[int, ReleaseAsset] = field(default_factory=dict)


class Releases:
    """The releases of a repository. Threads may share it.

    Args:
        published: the directory of the web host: has `<tag>/<asset>` for what everybody may download.
        drafts: a directory for assets that only those see who may write.
        immutable: whether releases become immutable when they are published, as a repository can be set to.
        tags: the repository's tags and their commits.
    """

    def __init__(
        self,
        published: Path,
        drafts: Path,
        *,
        immutable: bool = False,
        tags: dict[str, str] | None = None,
    ) -> None:
        self.tags = dict(tags or {})
        self._published = published
        self._drafts = drafts
        self._immutable = immutable
        self._lock = threading.RLock()
        self._releases: dict[int, Release] = {}
        self._last_number = 0

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let nothing change while the block lasts."""
        with self._lock:
            yield

    def all(self) -> list[Release]:
        """Every release, the newest first, as the API lists them."""
        return sorted(self._releases.values(), key=lambda release: -release.number)

    def get(self, number: int) -> Release:
        """The release of this id.

        Raises:
            Refused: there is none.
        """
        if number not in self._releases:
            raise Refused(404, "Not Found")
        return self._releases[number]

    def asset(self, number: int) -> tuple[Release, ReleaseAsset]:
        """The asset of this id, and its release.

        Raises:
            Refused: there is none.
        """
        for release in self._releases.values():
            if number in release.assets:
                return release, release.assets[number]
        raise Refused(404, "Not Found")

    def file(self, release: Release, asset: ReleaseAsset) -> Path:
        """Where the bytes are."""
        folder = (
            self._drafts / str(release.number) if release.draft else self._published / release.tag
        )
        return folder / asset.name

    def create(self, *, tag: str, name: str, notes: str, target: str, draft: bool) -> Release:
        """Make a release. Several drafts may have one tag, as on GitHub.

        Raises:
            Refused: a published release has the tag.
        """
        with self._lock:
            if any(release.tag == tag and not release.draft for release in self._releases.values()):
                raise Refused(422, "Validation Failed", "already_exists")
            release = Release(self._number(), tag, name, notes, target)
            self._releases[release.number] = release
            if not draft:
                self.publish(release)
            return release

    def add_asset(
        self, release: Release, name: str, content: bytes, *, whole: bool = True
    ) -> ReleaseAsset:
        """Take an upload; one that is not whole leaves an asset that can only be deleted.

        Raises:
            Refused: the name is taken, or the release immutable.
        """
        with self._lock:
            self._require_mutable(release, "upload assets to")
            if any(asset.name == name for asset in release.assets.values()):
                raise Refused(422, "Validation Failed", "already_exists")
            state, size = (UPLOADED, len(content)) if whole else (STARTER, 0)
            asset = ReleaseAsset(
                self._number(), name, size, state, hashlib.sha256(content).hexdigest()
            )
            release.assets[asset.number] = asset
            path = self.file(release, asset)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if whole else b"")
            return asset

    def delete_asset(self, number: int) -> None:
        """Forget an asset.

        Raises:
            Refused: there is none, or its release is immutable.
        """
        with self._lock:
            release, asset = self.asset(number)
            self._require_mutable(release, "delete assets of")
            self.file(release, asset).unlink()
            del release.assets[number]

    def publish(self, release: Release) -> None:
        """Show it to everybody, and make its tag if there is none.

        Raises:
            Refused: another release with the tag is published already.
        """
        with self._lock:
            if not release.draft:
                return
            if any(
                other.tag == release.tag and not other.draft for other in self._releases.values()
            ):
                raise Refused(422, "Validation Failed", "already_exists")
            self.tags.setdefault(release.tag, release.target)
            target = self._published / release.tag
            target.mkdir(parents=True, exist_ok=True)
            for asset in release.assets.values():
                if asset.state == UPLOADED:
                    shutil.move(self.file(release, asset), target / asset.name)
            release.draft = False
            release.immutable = self._immutable

    def _number(self) -> int:
        self._last_number += 1
        return self._last_number

    @staticmethod
    def _require_mutable(release: Release, action: str) -> None:
        if release.immutable:
            raise Refused(422, f"Cannot {action} an immutable release.")
