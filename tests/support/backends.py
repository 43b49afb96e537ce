"""Seven packages, one on each build backend, with a model in them: as they were, and converted as the README says."""

from __future__ import annotations

import os
import random
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
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
    """A build backend, and what a package on it says to keep its model out of wheel and sdist, which is in the README.

    Attributes:
        name: of its distribution.
        module: its PEP 517 module.
        before: the tables that such a package has anyway; `my_package` stands for the package.
    """

    name: str
    module: str
    before: str = ""

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
        table = blocks_of_the_readme("**1. Say what the model is**")["toml"]
        for old, new in {
            'models-dir = "src/my_package/models"': f'models-dir = "{self.models_dir}"',
            "my-name/my-repository": REPOSITORY,
            'name = "net"': f'name = "{self.name}"',
            'license-files = ["LICENSES/net.txt"]': "",
        }.items():
            assert old in table
            table = table.replace(old, new)
        imports = "from heimdall_models import ensure"
        code = _CODE.format(imports=imports, directory=f'ensure("{self.package}")')
        told = blocks_of_the_readme(f"<summary>{self.name}</summary>")
        self._write(root, code, self._own(table), told["toml"])
        if "text" in told:
            (root / "MANIFEST.in").write_text(self._own(told["text"]))
        # The same without a dependency, by the vendored file.
        (root / f"src/{self.package}/alone.py").write_text(
            _CODE.format(imports="from ._models import ensure", directory="ensure()")
        )

    def _own(self, text: str) -> str:
        return text.replace("my_package", self.package)

    def _write(self, root: Path, code: str, table: str, options: str = "") -> None:
        (root / f"src/{self.package}").mkdir(parents=True, exist_ok=True)
        (root / f"src/{self.package}/__init__.py").write_text(code)
        requirement = next(
            (text for text in BACKENDS if text.startswith(f"{self.name}>")), self.name
        )
        (root / "pyproject.toml").write_text(
            f'[build-system]\nrequires = ["{requirement}"]\nbuild-backend = "{self.module}"\n\n'
            f'[project]\nname = "{self.package}"\nversion = "1.0.0"\ndescription = "It has a model."\n'
            'requires-python = ">=3.10"\ndependencies = ["heimdall-models"]\n\n'
            f"{self._own(_joined(self.before, options))}\n{table}"
        )


def _joined(before: str, options: str) -> str:
    """Both, with the keys of a table that both have under one header."""
    header = options.partition("\n")[0]
    if header and header in before:
        return before.replace(f"{header}\n", options)
    return f"{before}\n{options}"


def blocks_of_the_readme(title: str) -> dict[str, str]:
    """The code blocks by their languages, from a line that contains the title to the next title."""
    text = (ROOT / "hatch_heimdall_models" / "README.md").read_text(encoding="utf-8")
    _, found, rest = text.partition(title)
    assert found, title
    section = re.split(r"<summary>|^#|^\*\*\d", rest, maxsplit=1, flags=re.MULTILINE)[0]
    return dict(re.findall(r"```(\w+)\n(.*?)```", section, re.DOTALL))


SEVEN = (
    Backend(
        "hatchling",
        "hatchling.build",
        '[tool.hatch.build.targets.wheel]\npackages = ["src/my_package"]\n',
    ),
    Backend("setuptools", "setuptools.build_meta"),
    Backend("flit-core", "flit_core.buildapi"),
    Backend("pdm-backend", "pdm.backend"),
    Backend("poetry-core", "poetry.core.masonry.api"),
    Backend("uv-build", "uv_build"),
    Backend(
        "scikit-build-core",
        "scikit_build_core.build",
        '[tool.scikit-build]\nwheel.cmake = false\nwheel.packages = ["src/my_package"]\n',
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
        encoding="utf-8",
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
