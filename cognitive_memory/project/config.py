"""A project's `.heimdall/config.yaml`: read and checked, and the template that `heimdall project init` writes."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cognitive_memory.project.errors import ProjectConfigError
from cognitive_memory.project.settings import ProjectConfig
from heimdall.models.regular_file import read_regular
from heimdall.models.text import shortened

if TYPE_CHECKING:
    from yaml.nodes import MappingNode, Node

OF_0_3 = frozenset({"qdrant_url", "monitoring", "database", "logging"})
"""Settings that heimdall 0.3 had, and this release has not."""
_MOST_BYTES = 1_000_000
_PLAIN_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str")
)
_T = TypeVar("_T")
_HEAD = """\
# Settings of heimdall-mcp for this project. Each is shown with its default; remove the "# " before one to change it.
# This file may be committed. The memories beside it are not: see .gitignore in this folder.
"""


def read_config(path: Path) -> ProjectConfig:
    """The settings in a file, the defaults if it does not exist or is empty.

    Raises:
        ProjectConfigError: with every mistake in it: unknown keys with the nearest right one, wrong types, keys that
            are there twice, and what is no YAML.
    """
    try:
        content, _ = read_regular(path, _MOST_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return ProjectConfig()
    except OSError as error:
        raise _unusable(path, f"can't be read: {error.strerror or error}") from error
    if len(content) > _MOST_BYTES:
        raise _unusable(path, f"has more than the {_MOST_BYTES:,} bytes that settings may have")
    if (unchanged := _as_written(content)) is not None:
        return unchanged
    document = _compose(path, content)
    mistakes: list[tuple[int, str]] = []
    config = ProjectConfig() if document is None else _read(ProjectConfig, document, "", mistakes)
    if mistakes:
        raise ProjectConfigError(path, tuple(sorted(mistakes)))
    return config


def template(project_id: str) -> str:
    """The text of a new file: the project's id, and every other setting as a comment with its default."""
    lines = [_HEAD.rstrip("\n"), *_describe(ProjectConfig, "", {"project_id": project_id})]
    return "\n".join(lines) + "\n"


def _as_written(content: bytes) -> ProjectConfig | None:
    """The settings in a file that nobody changed since `template` made it, without what reads YAML: that loads as long as a search takes."""
    found = re.search(
        rb"^project_id: ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$", content, re.MULTILINE
    )
    if found is None or template(project_id := found[1].decode()).encode() != content:
        return None
    return ProjectConfig(project_id=project_id)


def _compose(path: Path, content: bytes) -> Node | None:
    import yaml

    try:
        return yaml.compose(content, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "is no YAML"
        raise _unusable(path, f"is no YAML: {problem}", mark.line + 1 if mark else 0) from error
    except yaml.YAMLError as error:  # characters that YAML forbids, bytes that are no text
        raise _unusable(path, f"is no YAML: {str(error).splitlines()[0]}") from error
    except RecursionError as error:
        raise _unusable(path, "is nested too deeply") from error


def _unusable(path: Path, problem: str, line: int = 0) -> ProjectConfigError:
    return ProjectConfigError(path, ((line, problem),))


def _read(kind: type[_T], node: Node, prefix: str, mistakes: list[tuple[int, str]]) -> _T:
    """Read a section, adding to the mistakes; where there are any, the result has defaults."""
    # Not by pydantic, which takes a third of a second to load, and reads values that have lost their lines.
    import yaml

    line = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null":
        return kind()  # a heading with nothing but comments below it
    if not isinstance(node, yaml.MappingNode):
        what = f"{prefix.rstrip('.')}: " if prefix else ""
        mistakes.append(
            (line, f"{what}expected settings, one 'name: value' a line, got {_shown(node)}")
        )
        return kind()
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]  # always a dataclass
    values: dict[str, object] = {}
    for key, line, value in _entries(node, mistakes):
        if key not in fields:
            mistakes.append(
                (line, f"unknown setting {prefix}{key}; {_nearest(key, prefix, list(fields))}")
            )
        elif key in values:
            mistakes.append((line, f"{prefix}{key} is there twice"))
        else:
            values[key] = _value(fields[key], value, f"{prefix}{key}", mistakes)
    return kind(**{key: value for key, value in values.items() if value is not None})


def _entries(node: MappingNode, mistakes: list[tuple[int, str]]) -> Iterator[tuple[str, int, Node]]:
    import yaml

    for key, value in node.value:
        line = key.start_mark.line + 1
        if isinstance(key, yaml.ScalarNode):
            yield key.value, line, value
        else:
            mistakes.append((line, f"expected the name of a setting, got {_shown(key)}"))


def _value(
    field: dataclasses.Field[Any], node: Node, name: str, mistakes: list[tuple[int, str]]
) -> object:
    if "section" in field.metadata:
        return _read(field.metadata["section"], node, f"{name}.", mistakes)
    try:
        value = _plain(node)
        return None if value is None else field.metadata["check"](value)
    except ValueError as error:
        mistakes.append((node.start_mark.line + 1, f"{name}: expected {error}, got {_shown(node)}"))
        return None


def _plain(node: Node) -> object:
    """A scalar, or a list of scalars, as Python has it; whatever is nested deeper stays a node, which no check takes."""
    import yaml

    if isinstance(node, yaml.SequenceNode):
        return [_plain(item) if isinstance(item, yaml.ScalarNode) else item for item in node.value]
    if not isinstance(node, yaml.ScalarNode):
        return node
    try:
        return yaml.SafeLoader("").construct_object(node) if node.tag in _PLAIN_TAGS else node
    except (ValueError, KeyError):  # `!!int ten`, `!!bool perhaps`
        return node


def _shown(node: Node) -> str:
    import yaml

    if isinstance(node, yaml.ScalarNode):
        return repr(shortened(node.value, 60))
    return "a list" if isinstance(node, yaml.SequenceNode) else "settings"


def _nearest(key: str, prefix: str, names: list[str]) -> str:
    if not prefix and key in OF_0_3:
        return (
            "heimdall 0.3 had it; 'heimdall migrate' keeps such settings aside and makes new ones"
        )
    import difflib

    near = difflib.get_close_matches(key, names, n=1)
    return (
        f"did you mean {prefix}{near[0]}?"
        if near
        else f"there are {', '.join(prefix + name for name in names)}"
    )


def _describe(kind: type, indent: str, given: dict[str, object]) -> Iterator[str]:
    for field in dataclasses.fields(kind):
        yield ""
        yield f"{indent}# {field.metadata['comment']}"
        if "section" in field.metadata:
            yield f"{indent}{field.name}:"
            yield from _describe(field.metadata["section"], f"{indent}  ", {})
        elif field.name in given:
            yield f"{indent}{field.name}: {given[field.name]}"
        else:
            default = list(field.default) if isinstance(field.default, tuple) else field.default
            yield f"{indent}# {field.name}: {json.dumps(default)}"
