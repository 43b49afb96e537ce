"""Which files are read, and how: decided by their names."""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePosixPath

_SUFFIXES = {
    "markdown": "md markdown mdown mkd mdx mdc qmd",
    "text": "txt text rst adoc asciidoc org",
    "python": "py pyi",
}
_KINDS = {suffix: kind for kind, suffixes in _SUFFIXES.items() for suffix in suffixes.split()}
_NAMES = "readme changes changelog history news contributing hacking install notes todo"
_LANGUAGES = {
    "c": "h",
    "clojure": "cljs cljc",
    "cpp": "cc cxx hh hpp hxx",
    "cuda": "cuh",
    "cython": "pxd",
    "erlang": "erl hrl",
    "fortran": "f95 f03 f08",
    "fsharp": "fs fsi fsx",
    "graphql": "gql",
    "groovy": "gradle",
    "javascript": "mjs cjs",
    "kotlin": "kt kts",
    "objective-c": "m mm",
    "ocaml": "ml mli",
    "perl": "pm",
    "ruby": "rake",
    "typescript": "mts cts",
}
"""Suffixes by Pygments' alias of their language, where they are not aliases themselves."""
_ALIASES = (
    "bash c clj cpp cs cu dart ex exs f90 go graphql groovy hs java jl js jsx lua nix php pl proto "
    "ps1 psm1 pyx r rb rs scala sh sql swift tf ts tsx zig zsh"
)
_CODE = {suffix: suffix for suffix in _ALIASES.split()} | {
    suffix: language for language, suffixes in _LANGUAGES.items() for suffix in suffixes.split()
}
_CODE_NAMES = {
    "makefile": "make",
    "gnumakefile": "make",
    "dockerfile": "docker",
    "containerfile": "docker",
}


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
    if kind := _KINDS.get(suffix):
        return Kind(kind)
    # README and CHANGES without a suffix are text by custom.
    if not suffix and path.stem in _NAMES.split():
        return Kind.TEXT
    return Kind.CODE if language_of(name) else None


def language_of(name: str) -> str | None:
    """The alias of the Pygments lexer for source code of that name; None: no language that is read."""
    path = PurePosixPath(name.lower())
    return _CODE.get(path.suffix[1:]) or _CODE_NAMES.get(path.name)
