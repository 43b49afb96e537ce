"""Three projects that are not heimdall, each with models in its package, as their maintainers would have them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def _noise(size: int, seed: int) -> bytes:
    return random.Random(seed).randbytes(size)


@dataclass(frozen=True)
class Sample:
    """A project.

    Attributes:
        name: of its distribution.
        package: its import name.
        folder: the package's folder in the tree.
        models_dir: the models' folder in the tree.
        models: the models' files below it.
        tables: the models' tables in the hook's configuration.
        wheel: what else the wheel target is told.
        modules: Python files of the package.
    """

    name: str
    package: str
    folder: str
    models_dir: str
    models: Mapping[str, bytes]
    tables: str
    wheel: str
    modules: tuple[str, ...] = ("__init__.py",)

    @property
    def manifest(self) -> str:
        return f"{self.folder}/model_manifest.json"

    def pyproject(
        self, *, build: str | None = None, hook: str = "", project: str = "", wheel: str = ""
    ) -> str:
        exclude = f'exclude = ["/{self.models_dir}/**"]'
        return f"""\
[build-system]
requires = ["hatchling", "hatch-heimdall-models"]
build-backend = "hatchling.build"

[project]
name = "{self.name}"
version = "1.2.0"
license-files = ["LICENSES/*"]
{project}

[tool.hatch.build]
{exclude if build is None else build}

[tool.hatch.build.hooks.heimdall-models]
models-dir = "{self.models_dir}"
manifest = "{self.manifest}"
repository = "someone/{self.name}"
{hook}
{self.tables}
[tool.hatch.build.targets.wheel]
{self.wheel}
{wheel}
"""

    def write(self, root: Path, **options: str) -> None:
        """Write the tree, without a lock."""
        texts = {
            "pyproject.toml": self.pyproject(**options),
            ".gitignore": "/dist\n",
            "LICENSES/model.txt": "Do what you like with the model.\n",
            **{f"{self.folder}/{name}": f'"""{name}"""\n' for name in self.modules},
        }
        files = {path: text.encode() for path, text in texts.items()}
        files |= {f"{self.models_dir}/{path}": content for path, content in self.models.items()}
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)

    @property
    def wheel_files(self) -> list[str]:
        """What the wheel has to hold, without its metadata."""
        package = self.package.replace(".", "/")
        return sorted(f"{package}/{name}" for name in (*self.modules, "model_manifest.json"))

    @property
    def sdist_files(self) -> list[str]:
        """What the sdist has to hold, below its folder."""
        tree = [f"{self.folder}/{name}" for name in self.modules]
        own = [
            ".gitignore",
            "LICENSES/model.txt",
            "PKG-INFO",
            "models.lock.json",
            "pyproject.toml",
            self.manifest,
        ]
        return sorted([*tree, *own])


SRC = Sample(
    name="iris-sorter",
    package="iris_sorter",
    folder="src/iris_sorter",
    models_dir="src/iris_sorter/models",
    models={"iris.joblib": _noise(180_000, 1), "classes.json": b'["setosa", "virginica"]\n'},
    tables="""
[[tool.hatch.build.hooks.heimdall-models.models]]
name = "iris"
license = "BSD-3-Clause"
upstream = "https://example.org/iris"
license-files = ["LICENSES/model.txt"]
""",
    wheel='packages = ["src/iris_sorter"]',
)
"""A src layout with a model of the size that scikit-learn makes."""

FLAT = Sample(
    name="two.tongues",
    package="two_tongues",
    folder="two_tongues",
    models_dir="two_tongues/weights",
    models={
        "english/en.bin": _noise(90_000, 2),
        "german/de.bin": _noise(70_000, 3),
        "german/words.txt": b"ja\n",
    },
    tables="""
[[tool.hatch.build.hooks.heimdall-models.models]]
name = "english"
license = "MIT"
upstream = "trained here"
files = ["english/*"]

[[tool.hatch.build.hooks.heimdall-models.models]]
name = "german"
license = "MIT"
upstream = "trained here"
files = ["german/*"]
marker = "sys_platform == 'nowhere'"
asset = "deutsch-{tag}.zip"
""",
    wheel='packages = ["two_tongues"]',
    modules=("__init__.py", "weights.py"),
)
"""A flat layout with two models, one of which is not for the machines that tests run on."""

NAMESPACE = Sample(
    name="acme-vision",
    package="acme.vision",
    folder="acme/vision",
    models_dir="acme/vision/models",
    models={"eyes/deep/net.onnx": _noise(120_000, 4)},
    tables="""
[[tool.hatch.build.hooks.heimdall-models.models]]
name = "eyes"
license = "Apache-2.0"
upstream = "https://example.org/eyes"
""",
    wheel='packages = ["acme"]',
)
"""A package in a namespace that it shares with others."""

SAMPLES = (SRC, FLAT, NAMESPACE)
