"""A small project with a `src` layout and a model in its package, built by hatchling in this process."""

from __future__ import annotations

import hashlib
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder
from hatchling.plugin.manager import PluginManager

from hatch_heimdall_models import plugin
from tests.support.manifests import manifest_of, write_models

ASSET = b"asset" * 1000
MODEL = manifest_of().models[0]
PINNED = replace(MODEL.asset, sha256=hashlib.sha256(ASSET).hexdigest(), size=len(ASSET))
MANIFEST = replace(
    manifest_of(distribution="sample", repository="me/sample"),
    models=(replace(MODEL, asset=PINNED),),
)
MODELS = "src/sample/models"
HOOK = f"""\
models-dir = "{MODELS}"
manifest = "src/sample/manifest.json"
repository = "me/sample"
"""
TABLE = f"[tool.hatch.build.hooks.heimdall-models]\n{HOOK}"
BUILD = f'exclude = ["/{MODELS}/**"]'
OTHER_HOOK = """
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

class Hook(BuildHookInterface):
    def initialize(self, version, build_data):
        {initialize}

    def finalize(self, version, build_data, artifact_path):
        {finalize}
"""


class HookProject:
    """A project in a folder, and the builds of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.dist = root.parent / "dist"
        self.configure()
        write_models(root / MODELS)
        (root / "src/sample/__init__.py").write_text("")
        (root / "models.lock.json").write_text(MANIFEST.dumps(), "utf-8", newline="\n")

    def configure(
        self,
        *,
        build: str = BUILD,
        hooks: str = TABLE,
        wheel: str = "",
        sdist: str = "",
        project: str = "",
    ) -> None:
        self.root.joinpath("pyproject.toml").write_text(
            '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
            f'[project]\nname = "sample"\nversion = "1.0"\n{project}\n'
            f"[tool.hatch.build]\n{build}\n{hooks}\n"
            f'[tool.hatch.build.targets.wheel]\npackages = ["src/sample"]\n{wheel}\n'
            f"[tool.hatch.build.targets.sdist]\n{sdist}\n"
        )

    def add_hook(
        self, *, initialize: str = "pass", finalize: str = "pass", first: bool = False
    ) -> None:
        """Have another hook run before or after ours."""
        self.root.joinpath("hatch_build.py").write_text(
            OTHER_HOOK.format(initialize=initialize, finalize=finalize)
        )
        other = "[tool.hatch.build.hooks.custom]\n"
        self.configure(hooks=other + TABLE if first else TABLE + other)

    def build(self, target: str, version: str = "standard", **options: Any) -> Path:
        manager = PluginManager()
        manager.build_hook.collect(include_third_party=False)
        manager.manager.register(plugin)
        builder = {"wheel": WheelBuilder, "sdist": SdistBuilder}[target](
            str(self.root), plugin_manager=manager
        )
        artifacts = builder.build(directory=str(self.dist), versions=[version], **options)
        return Path(next(artifacts))

    def fail(self, target: str) -> None:
        """Build, and see that it stops as hatchling itself does when it aborts, with nothing left to be published."""
        with pytest.raises(SystemExit) as caught:
            self.build(target)
        assert caught.value.code == 1
        assert list(self.dist.iterdir()) == []


def contents(archive: Path) -> dict[str, bytes]:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return {
                name: wheel.read(name) for name in wheel.namelist() if ".dist-info/" not in name
            }
    with tarfile.open(archive) as sdist:
        streams = {member.name.partition("/")[2]: sdist.extractfile(member) for member in sdist}
        return {
            name: stream.read() for name, stream in streams.items() if stream and name != "PKG-INFO"
        }
