"""A sample project in a folder, and the command `lock` run on it."""

from __future__ import annotations

from pathlib import Path

from hatch_heimdall_models.cli import main
from hatch_heimdall_models.lock import read_manifest
from hatch_heimdall_models.manifest import Manifest
from tests.support.samples import SRC, Sample

ASSET = "dist/models/v1.2.0/iris-v1.2.0.zip"


class Locked:
    """A project in a folder, and the command run on it."""

    def __init__(self, root: Path, sample: Sample = SRC) -> None:
        self.root = root
        self.sample = sample
        sample.write(root)

    @property
    def lock(self) -> Manifest:
        return read_manifest(self.root / "models.lock.json")

    def run(self, *arguments: str) -> int:
        return main(["lock", "--project", str(self.root), *arguments])

    def edit(self, old: str, new: str) -> None:
        path = self.root / "pyproject.toml"
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")

    def contents(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in self.root.rglob("*") if path.is_file()}
