"""Seven packages, one on each build backend, with a model in them: as they were, and converted as the README says."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.front_ends import make_venv, run
from tests.support.wheelhouse import BACKENDS, ROOT

REPOSITORY = "someone/seven"
LABELS = b"one\ntwo\nthree\nfour\nfive\nsix\nseven\n"
_CODE = '''\
"""A package with a model."""

import zlib
from pathlib import Path

{imports}


def answer(question: str) -> str:
    """What the model says."""
    directory = {directory}
    number = zlib.crc32((directory / "weights.bin").read_bytes() + question.encode())
    labels = (directory / "labels" / "names.txt").read_text().split()
    return labels[number % len(labels)]
'''
_BUILD = """
import importlib, os, sys, tarfile
backend, dist = importlib.import_module(sys.argv[1]), sys.argv[2]
backend.build_wheel(dist + "/from-tree")
sdist = backend.build_sdist(dist)
with tarfile.open(dist + "/" + sdist) as archive:
    archive.extractall(dist + "/unpacked", filter="data")
os.chdir(dist + "/unpacked/" + os.listdir(dist + "/unpacked")[0])
backend.build_wheel(dist)
"""


@dataclass(frozen=True)
class Backend:
    """A build backend, and what a package on it says to keep its model out of wheel and sdist.

    Attributes:
        name: of its distribution.
        module: its PEP 517 module.
        options: the tables of `pyproject.toml` that say it; `NAME` stands for the package.
        before: the tables that such a package has anyway.
        files: other files that say it, by path.
    """

    name: str
    module: str
    options: str
    before: str = ""
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def package(self) -> str:
        """The import name of the package that is built by it."""
        return f"on_{self.name.replace('-', '_')}"

    @property
    def models_dir(self) -> str:
        # flit packs every file of a package.
        return "models" if self.name == "flit-core" else f"src/{self.package}/models"

    @property
    def models(self) -> dict[str, bytes]:
        return {
            "weights.bin": random.Random(self.name).randbytes(100_000),
            "labels/names.txt": LABELS,
        }

    def write_original(self, root: Path) -> None:
        """The package as it was, with its model inside."""
        up = "../" * (2 if self.models_dir == "models" else 0)
        here = f'Path(__file__).parent / "{up}models"'
        self._write(root, _CODE.format(imports="", directory=here), "")
        for path, content in self.models.items():
            target = root / self.models_dir / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)

    def convert(self, root: Path) -> None:
        """The same tree without its model in the package."""
        table = f"""
[tool.heimdall-models]
models-dir = "{self.models_dir}"
manifest = "src/{self.package}/model_manifest.json"
repository = "{REPOSITORY}"
max-wheel-size = "50 KB"

[[tool.heimdall-models.models]]
name = "{self.name}"
license = "MIT"
upstream = "made here"
"""
        imports = "from heimdall_models import ensure"
        code = _CODE.format(imports=imports, directory=f'ensure("{self.package}")')
        self._write(root, code, self.options.replace("NAME", self.package) + table)
        # The same without a dependency, by the vendored file.
        (root / f"src/{self.package}/alone.py").write_text(
            _CODE.format(imports="from ._models import ensure", directory="ensure()")
        )
        for path, text in self.files.items():
            (root / path).write_text(text.replace("NAME", self.package))

    def _write(self, root: Path, code: str, tables: str) -> None:
        (root / f"src/{self.package}").mkdir(parents=True, exist_ok=True)
        (root / f"src/{self.package}/__init__.py").write_text(code)
        requirement = next(
            (text for text in BACKENDS if text.startswith(f"{self.name}>")), self.name
        )
        (root / "pyproject.toml").write_text(
            f'[build-system]\nrequires = ["{requirement}"]\nbuild-backend = "{self.module}"\n\n'
            f'[project]\nname = "{self.package}"\nversion = "1.0.0"\ndescription = "It has a model."\n'
            'requires-python = ">=3.10"\ndependencies = ["heimdall-models"]\n\n'
            f"{self.before.replace('NAME', self.package)}\n{tables}"
        )


SEVEN = (
    Backend(
        "hatchling",
        "hatchling.build",
        '[tool.hatch.build]\nexclude = ["/src/NAME/models/**"]\n',
        '[tool.hatch.build.targets.wheel]\npackages = ["src/NAME"]\n',
    ),
    Backend(
        "setuptools",
        "setuptools.build_meta",
        '[tool.setuptools.package-data]\nNAME = ["model_manifest.json"]\n',
        files={"MANIFEST.in": "prune src/NAME/models\n"},
    ),
    Backend("flit-core", "flit_core.buildapi", '[tool.flit.sdist]\nexclude = ["models/"]\n'),
    Backend("pdm-backend", "pdm.backend", '[tool.pdm.build]\nexcludes = ["src/NAME/models"]\n'),
    Backend(
        "poetry-core",
        "poetry.core.masonry.api",
        '[tool.poetry]\nexclude = ["src/NAME/models/**"]\n',
    ),
    Backend(
        "uv-build",
        "uv_build",
        '[tool.uv.build-backend]\nsource-exclude = ["src/NAME/models/**"]\n'
        'wheel-exclude = ["src/NAME/models/**"]\n',
    ),
    Backend(
        "scikit-build-core",
        "scikit_build_core.build",
        'wheel.exclude = ["NAME/models/**"]\n'
        '[tool.scikit-build.sdist]\nexclude = ["src/NAME/models/**", "dist/**"]\n',
        '[tool.scikit-build]\nwheel.cmake = false\nwheel.packages = ["src/NAME"]\n',
    ),
)


def make_builder(folder: Path) -> Path:
    """The Python of an environment that has all seven backends."""
    python = make_venv(folder) / "bin" / "python"
    install(python, ["hatchling", *BACKENDS], folder)
    return python


def install(python: Path, requirements: Sequence[object], cwd: Path, **variables: str) -> None:
    """Install with uv from the wheelhouse."""
    command = ["-m", "uv", "pip", "install", "--quiet", "--python", python, *requirements]
    run(*command, cwd=cwd, variables=variables)


def build(backend: Backend, builder: Path, root: Path, dist: Path) -> list[Path]:
    """The sdist, the wheel that comes from it, and the wheel straight from the tree."""
    (dist / "from-tree").mkdir(parents=True)
    command = [str(builder), "-c", _BUILD, backend.module, str(dist)]
    # Some backends are programs beside that Python.
    path = os.pathsep.join([str(builder.parent), os.environ["PATH"]])
    done = subprocess.run(
        command,
        cwd=root,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [*dist.glob("*.tar.gz"), *dist.glob("*.whl"), *dist.glob("from-tree/*.whl")]


def build_resolver(dist: Path) -> Path:
    """The wheel of `heimdall-models`."""
    command = ["-m", "build", "--no-isolation", "--wheel", ROOT / "heimdall/models", "--outdir"]
    run(*command, dist, cwd=dist.parent)
    (wheel,) = dist.glob("*.whl")
    return wheel
