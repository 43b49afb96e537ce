"""The project whose lock is made, as hatchling sees it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hatchling.metadata.core import ProjectMetadata
from hatchling.plugin.manager import PluginManager

from hatch_heimdall_models.config import TABLE, HookConfig, parse_config
from hatch_heimdall_models.errors import ModelBuildError

if TYPE_CHECKING:
    from pathlib import Path

IN_TREE_TABLE = "custom"
"""The table of a hook that lies in the project's own tree."""


@dataclass(frozen=True, slots=True)
class Project:
    """What a lock needs to know of a project.

    Attributes:
        name: of the distribution.
        version: of the distribution; also one that is worked out by hatchling's plugins.
        config: the hook's configuration, with at least one model.
    """

    name: str
    version: str
    config: HookConfig


def read_project(root: Path) -> Project:
    """Read `pyproject.toml`, and `hatch.toml` if there is one.

    Raises:
        ModelBuildError: naming what is wrong with them.
    """
    if not (root / "pyproject.toml").is_file():
        raise ModelBuildError(
            str(root / "pyproject.toml"), ["there is no such file: name the project's folder"]
        )
    metadata = ProjectMetadata(str(root), PluginManager())
    try:
        name, version = metadata.core.raw_name, metadata.version
    # Whatever hatchling or a version plugin dislikes, it says with exceptions of many kinds.
    except Exception as error:
        raise ModelBuildError(
            str(root / "pyproject.toml"), [f"hatchling can't use it: {error}"]
        ) from error
    subject, where, hooks = build_hooks(root)
    table = next((table for table in (TABLE, IN_TREE_TABLE) if table in hooks), None)
    if table is None:
        raise ModelBuildError(
            subject, [f"{where}.{TABLE}: there is no such table, which configures the build hook"]
        )
    where = f"{where}.{table}"
    config = parse_config(hooks[table], where=where, subject=subject)
    if not config.models:
        problem = f"{where}.models: expected a table for each model, with name, license and upstream; found none"
        raise ModelBuildError(subject, [problem])
    return Project(name, version, config)


def build_hooks(root: Path) -> tuple[str, str, dict[str, Any]]:
    """The file that configures the project's build hooks, their table's path in it, and that table.

    A `hatch.toml` beside `pyproject.toml` replaces the latter's tables one by one.
    """
    own = _read(root / "hatch.toml")
    # As hatchling does it: the whole table counts, not key by key.
    if "build" in own:
        return "hatch.toml", "build.hooks", _table(own, "build", "hooks")
    project = _read(root / "pyproject.toml")
    return (
        "pyproject.toml",
        "tool.hatch.build.hooks",
        _table(project, "tool", "hatch", "build", "hooks"),
    )


def _read(path: Path) -> dict[str, Any]:
    """The document; nothing where there is none, since hatchling says what is wrong with it."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _table(document: Any, *keys: str) -> dict[str, Any]:
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document if isinstance(document, dict) else {}
