"""Which files are read, and how: decided by their names, as `languages.toml` lists them."""

from __future__ import annotations

import tomllib
from enum import StrEnum
from importlib import resources
from pathlib import PurePosixPath

_TABLES: dict[str, dict[str, str]] = {
    table: {word: value for value, words in rows.items() for word in words.split()}
    for table, rows in tomllib.loads(
        resources.files(__package__).joinpath("languages.toml").read_text(encoding="utf-8")
    ).items()
}
"""The tables of the file, from an ending or a name to what it stands for."""


class Kind(StrEnum):
    """How a file is read."""

    MARKDOWN = "markdown"
    TEXT = "text"
    PYTHON = "python"
    CODE = "code"


def kind_of(name: str) -> Kind | None:
    """How a file of that name is read; None: it is not loaded unless it is asked for by its own name."""
    path = PurePosixPath(name.lower())
    suffix = path.suffix[1:]
    if kind := _TABLES["endings"].get(suffix) or _TABLES["names"].get("" if suffix else path.stem):
        return Kind(kind)
    return Kind.CODE if language_of(name) else None


def language_of(name: str) -> str | None:
    """The alias of the Pygments lexer for source code of that name; None: no language that is read."""
    path = PurePosixPath(name.lower())
    return _TABLES["code"].get(path.suffix[1:]) or _TABLES["code_names"].get(path.name)
