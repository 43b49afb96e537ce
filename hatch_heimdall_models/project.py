"""The project whose models are pinned: its name, its version, and the table that configures it."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hatch_heimdall_models import toml
from hatch_heimdall_models.config import HATCH_KEYS, TABLE, HookConfig, parse_config
from hatch_heimdall_models.errors import ModelBuildError, reason
from hatch_heimdall_models.manifest import NAME_FORM

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

IN_TREE_TABLE = "custom"
"""The table of a hook that lies in the project's own tree."""
OWN_TABLE = f"tool.{TABLE}"
"""The table that any build backend leaves alone."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table that configures the models.

    Attributes:
        subject: the file that has it.
        where: its full TOML path there.
        values: what it says.
        hooked: whether hatchling's hook writes the manifest; else it has to lie in the tree.
    """

    subject: str
    where: str
    values: Mapping[str, Any]
    hooked: bool

    def parse(self) -> HookConfig:
        """Its values, checked.

        Raises:
            ModelBuildError: naming every problem.
        """
        return parse_config(self.values, where=self.where, subject=self.subject, hooked=self.hooked)


@dataclass(frozen=True, slots=True)
class Project:
    """What a lock needs to know of a project.

    Attributes:
        name: of the distribution.
        version: of the distribution; None where it is dynamic and nobody said it.
        config: the table's values, with at least one model.
    """

    name: str
    version: str | None
    config: HookConfig


def read_project(root: Path, *, name: str | None = None, version: str | None = None) -> Project:
    """Read `pyproject.toml`, and `hatch.toml` if there is one.

    Args:
        root: the project's root.
        name: of the distribution, where `pyproject.toml` does not say it.
        version: of the distribution, where it is dynamic.

    Raises:
        ModelBuildError: naming what is wrong with them.
    """
    table = configured(root)
    config = table.parse()
    if not config.models:
        problem = f"{table.where}.models: expected a table for each model, with name, license and upstream; found none"
        raise ModelBuildError(table.subject, [problem])
    document = _read(root / "pyproject.toml")
    # Poetry had tables of its own before there was [project], and still reads them.
    for metadata in (_table(document, "project"), _table(document, "tool", "poetry")):
        name = name or _text(metadata, "name")
        version = version or _text(metadata, "version")
    if name is None or not NAME_FORM.fullmatch(name):
        found = "there is none" if name is None else f"{name!r} is no distribution's name"
        problem = f"project.name: {found}: say it with --name"
        raise ModelBuildError(str(root / "pyproject.toml"), [problem])
    return Project(name, version, config)


def read_config(root: Path) -> HookConfig:
    """The values of the one table that configures the project's models.

    Raises:
        ModelBuildError: naming every problem.
    """
    return configured(root).parse()


def configured(root: Path) -> Table:
    """The one table that configures the project's models.

    Raises:
        ModelBuildError: if there is none, or two that say something.
    """
    own = _own_table(root)
    subject, where, hooks = build_hooks(root)
    hook = next((name for name in (TABLE, IN_TREE_TABLE) if _is_ours(name, hooks)), None)
    if own is None and hook is None:
        problem = f"{OWN_TABLE}: there is no such table, and no {where}.{TABLE} in {subject}"
        for parent, names in (("tool", _tool(root)), (where, hooks)):
            for near in difflib.get_close_matches(TABLE, names, n=1, cutoff=0.8):
                problem += f"; if {parent}.{near} is it, correct its name"
        raise ModelBuildError("pyproject.toml", [problem])
    values = hooks.get(hook, {}) if hook else {}
    if own is None:
        return Table(subject, f"{where}.{hook}", values, hooked=True)
    if said := sorted(values.keys() - HATCH_KEYS):
        problem = f"{where}.{hook}: {', '.join(said)} can't stand there and in {OWN_TABLE} too: leave it empty"
        raise ModelBuildError(subject, [problem])
    return Table("pyproject.toml", OWN_TABLE, own, hooked=hook is not None)


def build_hooks(root: Path) -> tuple[str, str, dict[str, Any]]:
    """The file that configures the project's build hooks, their table's path in it, and that table.

    A `hatch.toml` beside `pyproject.toml` replaces the latter's tables one by one.
    """
    if (root / "hatch.toml").is_file():
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


def _own_table(root: Path) -> Mapping[str, Any] | None:
    tool = _tool(root)
    if TABLE not in tool:
        return None
    if isinstance(tool[TABLE], dict):
        return tool[TABLE]  # type: ignore[no-any-return]
    raise ModelBuildError(
        "pyproject.toml", [f"{OWN_TABLE}: expected a table, found {tool[TABLE]!r}"]
    )


def _tool(root: Path) -> dict[str, Any]:
    return _table(_read(root / "pyproject.toml"), "tool")


def _is_ours(name: str, hooks: Mapping[str, Any]) -> bool:
    values = hooks.get(name)
    # A custom hook may be anybody's.
    return isinstance(values, dict) and (name == TABLE or "models-dir" in values)


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        if text.startswith("\ufeff"):
            # Build frontends refuse it too, with words about a statement.
            problem = "begins with a byte order mark, which TOML does not allow: save it as UTF-8 without one"
            raise ModelBuildError(str(path), [problem])
        return toml.loads(text)
    except FileNotFoundError:
        problem = "there is no such file: name the project's folder with --project"
        raise ModelBuildError(str(path), [problem]) from None
    except (OSError, UnicodeDecodeError, toml.TOMLDecodeError, RecursionError) as error:
        raise ModelBuildError(str(path), [f"can't be read: {reason(error)}"]) from error


def _table(document: Any, *keys: str) -> dict[str, Any]:
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document if isinstance(document, dict) else {}


def _text(table: Mapping[str, Any], key: str) -> str | None:
    value = table.get(key)
    return value if isinstance(value, str) and value else None
