"""What the release tools need to know of the project: its `pyproject.toml`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hatch_heimdall_models.files import read_text
from hatch_heimdall_models.reader import read_toml

ROOT = Path(__file__).resolve().parent.parent
"""The checkout."""
MODELS = ROOT / "cognitive_memory" / "data" / "models"
"""Where `build` writes the model; `models-dir` of the build hook."""
ASSETS = ROOT / "dist" / "models"
"""Where `pack` writes assets, one folder per tag: as a mirror has them."""
CACHE = ROOT / ".cache" / "release"
"""Downloads, kept between runs."""
RECIPE = ROOT / "release" / "recipe.toml"
LOCK = ROOT / "models.lock.json"
LICENSE = ROOT / "LICENSE"


@dataclass(frozen=True, slots=True)
class Project:
    """The project as its `pyproject.toml` has it.

    Attributes:
        name: of the distribution.
        version: of the distribution.
        repository: `owner/name` of the repository whose releases hold the assets.
    """

    name: str
    version: str
    repository: str

    @property
    def tag(self) -> str:
        """The tag of this version's release."""
        return f"v{self.version}"


def read_project(path: Path = ROOT / "pyproject.toml") -> Project:
    """Read the project's name, version and repository.

    Raises:
        ModelBuildError: if the file can't be read, or naming every key that is missing, with its
            TOML path.
    """
    reader = read_toml(read_text(path), subject=str(path))
    hook = reader.inner("tool").inner("hatch").inner("build").inner("hooks").inner("custom")
    project = reader.inner("project")
    values = Project(project.text("name"), project.text("version"), hook.text("repository"))
    reader.raise_problems(str(path))
    return values
