"""Which files are read, and how: decided by their names, as `languages.toml` lists them."""

from __future__ import annotations

import re
import tomllib
from enum import StrEnum
from functools import cache
from importlib import resources
from pathlib import PurePosixPath
from typing import Any, NamedTuple

_TABLES: dict[str, dict[str, Any]] = tomllib.loads(
    resources.files(__package__).joinpath("languages.toml").read_text(encoding="utf-8")
)


def _inverted(rows: dict[str, str]) -> dict[str, str]:
    """From an ending or a name to what it stands for."""
    return {word: value for value, words in rows.items() for word in words.split()}


_ENDINGS = _inverted(_TABLES["endings"])
_NAMES = _inverted(_TABLES["names"])
_CODE = _inverted({language: row["files"] for language, row in _TABLES["code"].items()})
_STEMS = _inverted({language: row.get("stems", "") for language, row in _TABLES["code"].items()})


class Kind(StrEnum):
    """How a file is read."""

    MARKDOWN = "markdown"
    RESTRUCTUREDTEXT = "restructuredtext"
    ASCIIDOC = "asciidoc"
    ORG = "org"
    HTML = "html"
    NOTEBOOK = "notebook"
    DOCX = "docx"
    PDF = "pdf"
    TEXT = "text"
    PYTHON = "python"
    CODE = "code"


def kind_of(name: str) -> Kind | None:
    """How a file of that name is read; None: it is not loaded unless it is asked for by its own name."""
    path = PurePosixPath(name.lower())
    suffix = path.suffix[1:]
    if kind := _ENDINGS.get(suffix) or _NAMES.get("" if suffix else path.stem):
        return Kind(kind)
    return Kind.CODE if language_of(name) else None


def language_of(name: str) -> str | None:
    """The table's name of the language of source code in a file of that name; None: none that is read."""
    path = PurePosixPath(name.lower())
    # Such as Dockerfile.dev
    return _CODE.get(path.suffix[1:] or path.name) or _STEMS.get(path.stem)


@cache
def comment_pattern(language: str) -> re.Pattern[str]:
    """What finds a language's comments: the group `comment`, where it is one, and what is no comment but looks so.

    Raises:
        KeyError: the table does not have that language.
    """
    row, forms = _TABLES["code"][language], _TABLES["forms"]
    comments, passed = (
        "|".join(forms[name] for name in row[column].split()) for column in ("comments", "passed")
    )
    # The first line of a script is for the system.
    pattern = rf"\A#![^\n]*|(?P<comment>{comments})" + (passed and f"|{passed}")
    return re.compile(pattern, re.DOTALL | re.MULTILINE)


class Marks(NamedTuple):
    """What comments begin with: those that end with their line, and those that have an end of their own."""

    line: re.Pattern[str] | None
    block: re.Pattern[str] | None


@cache
def comment_marks(language: str) -> Marks:
    """What is no part of what a language's comments say.

    Raises:
        KeyError: the table does not have that language.
    """
    forms = _TABLES["code"][language]["comments"].split()
    line, block = (
        "|".join(_TABLES[table][name] for name in forms if name in _TABLES[table])
        for table in ("line-marks", "block-marks")
    )
    return Marks(re.compile(line) if line else None, re.compile(block) if block else None)
