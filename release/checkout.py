"""The checkout that is released: what git and its files say."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.lock import read_manifest
from hatch_heimdall_models.manifest import Asset, Manifest
from release.assets import SUMS_NAME, pinned_assets, sums_bytes
from release.project import Project, read_project

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Checkout:
    """A checkout of the project.

    Attributes:
        root: its top directory.
    """

    root: Path

    @property
    def project(self) -> Project:
        """The project as `pyproject.toml` has it."""
        return read_project(self.root / "pyproject.toml")

    @property
    def lock(self) -> Manifest:
        """What `models.lock.json` pins."""
        return read_manifest(self.root / "models.lock.json")

    def assets_dir(self, tag: str) -> Path:
        """Where `pack` leaves the assets of a release."""
        return self.root / "dist" / "models" / tag

    def commit(self, tag: str) -> str:
        """The commit to release, which is checked out without changes.

        Raises:
            ModelBuildError: if the version is not the tag's, something is not committed, or the tag
                names another commit already.
        """
        problems = []
        if self.project.tag != tag:
            problems.append(
                f"its version is {self.project.version}, so its tag is {self.project.tag}, not {tag}"
            )
        if changes := self._git("status", "--porcelain").splitlines():
            more = f" and {len(changes) - _SHOWN} more" if len(changes) > _SHOWN else ""
            listed = ", ".join(line[3:] for line in changes[:_SHOWN])
            problems.append(f"is not as it was committed: commit or remove {listed}{more}")
        head = self._git("rev-parse", "HEAD")
        tagged = self._git(
            "for-each-ref", "--format=%(objectname) %(*objectname)", f"refs/tags/{tag}"
        ).split()
        # An annotated tag lists its own object first, and then the commit.
        if tagged and tagged[-1] != head:
            problems.append(f"the tag {tag} names commit {tagged[-1]}, checked out is {head}")
        if problems:
            raise ModelBuildError(str(self.root), problems)
        return head

    def wanted(self, tag: str) -> list[Asset]:
        """The files that the release of this tag is to have: the assets that the lock pins there, and their sums.

        Empty where the lock pins older assets alone.

        Raises:
            ModelBuildError: if a file is missing or differs from its pin.
        """
        pins = pinned_assets(self.lock, tag)
        if not pins:
            return []
        folder = self.assets_dir(tag)
        problems = []
        for pin in pins:
            if not (folder / pin.name).is_file():
                problems.append(f"{pin.name} is not there")
                continue
            asset = Asset.of_file(tag, folder / pin.name)
            if asset != pin:
                problems.append(
                    f"{pin.name}: pinned is sha256 {pin.sha256} ({pin.size} bytes), "
                    f"found {asset.sha256} ({asset.size} bytes)"
                )
        sums = folder / SUMS_NAME
        if not problems and (not sums.is_file() or sums.read_bytes() != sums_bytes(pins)):
            problems.append(f"{SUMS_NAME} does not list exactly what models.lock.json pins")
        if problems:
            advice = "run 'python -m release pack' and 'python -m release lock --check'"
            raise ModelBuildError(str(folder), [*problems, advice])
        return [*pins, Asset.of_file(tag, sums)]

    def _git(self, *arguments: str) -> str:
        try:
            done = subprocess.run(
                ["git", "-C", str(self.root), *arguments],
                capture_output=True,
                text=True,
                errors="replace",
                check=True,
            )
        except FileNotFoundError as error:
            raise ModelBuildError(
                "git", ["is not installed, and a release is made from a commit"]
            ) from error
        except subprocess.CalledProcessError as error:
            raise ModelBuildError(
                str(self.root), [f"git {arguments[0]}: {error.stderr.strip()}"]
            ) from error
        return done.stdout.rstrip()
