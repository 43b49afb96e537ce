"""The steps of a tiny release, each in its folder below one of the test's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from hatch_heimdall_models.manifest import Manifest
from release.build import build_model
from release.lock import make_lock
from release.pack import Packed, pack_models
from release.project import Project
from tests.support.tiny_release import TinyRelease


@dataclass
class Bench:
    folder: Path
    tiny: TinyRelease
    project: Project = field(default_factory=lambda: Project("tiny-dist", "1.0.0", "owner/tiny"))

    @property
    def models(self) -> Path:
        return self.folder / "models"

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    @property
    def assets(self) -> Path:
        return self.folder / "assets"

    @property
    def license(self) -> Path:
        path = self.folder / "LICENSE"
        if not path.exists():
            path.write_text("licence text")
        return path

    def build(self) -> list[str]:
        return build_model(self.tiny.recipe, self.models, self.cache, lambda _: None)

    def content(self) -> dict[str, bytes]:
        """What lies in the model's directory."""
        files = (path for path in self.models.rglob("*") if path.is_file())
        return {path.relative_to(self.models).as_posix(): path.read_bytes() for path in files}

    def pack(self, tag: str = "v1.0.0") -> Packed:
        return self.pack_all(tag)[0]

    def pack_all(self, tag: str = "v1.0.0") -> tuple[Packed, ...]:
        return pack_models(
            self.tiny.recipe,
            self.models,
            self.assets,
            tag=tag,
            repository=self.project.repository,
            license_file=self.license,
        )

    def lock(self, tag: str = "v1.0.0", old: Manifest | None = None) -> Manifest:
        return make_lock(
            self.tiny.recipe, self.project, self.models, self.assets / tag, tag=tag, old=old
        )
