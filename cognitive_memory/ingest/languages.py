"""Which files are read, and how: decided by their names."""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePosixPath

_SUFFIXES = {
    "markdown": "md markdown mdown mkd mdx mdc qmd",
    "text": "txt text rst adoc asciidoc org",
    "python": "py pyi",
}
_NAMES = {
    "readme",
    "changes",
    "changelog",
    "history",
    "news",
    "contributing",
    "hacking",
    "install",
    "notes",
    "todo",
}
_LANGUAGES = {
    "bash": "sh bash zsh",
    "c": "c h",
    "clojure": "clj cljs cljc",
    "cpp": "cc cpp cxx hh hpp hxx",
    "csharp": "cs",
    "cuda": "cu cuh",
    "cython": "pyx pxd",
    "dart": "dart",
    "elixir": "ex exs",
    "erlang": "erl hrl",
    "fortran": "f90 f95 f03 f08",
    "fsharp": "fs fsi fsx",
    "go": "go",
    "graphql": "graphql gql",
    "groovy": "groovy gradle",
    "haskell": "hs",
    "java": "java",
    "javascript": "js mjs cjs",
    "jsx": "jsx",
    "julia": "jl",
    "kotlin": "kt kts",
    "lua": "lua",
    "nix": "nix",
    "objective-c": "m mm",
    "ocaml": "ml mli",
    "perl": "pl pm",
    "php": "php",
    "powershell": "ps1 psm1",
    "protobuf": "proto",
    "r": "r",
    "ruby": "rb rake",
    "rust": "rs",
    "scala": "scala",
    "sql": "sql",
    "swift": "swift",
    "terraform": "tf",
    "tsx": "tsx",
    "typescript": "ts mts cts",
    "zig": "zig",
}
_CODE = {
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
    for kind, suffixes in _SUFFIXES.items():
        if suffix in suffixes.split():
            return Kind(kind)
    if not suffix and path.stem in _NAMES:
        return Kind.TEXT
    return Kind.CODE if language_of(name) else None


def language_of(name: str) -> str | None:
    """The alias of the Pygments lexer for source code of that name; None: no language that is read."""
    path = PurePosixPath(name.lower())
    return _CODE.get(path.suffix[1:]) or _CODE_NAMES.get(path.name)
