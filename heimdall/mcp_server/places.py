"""The directories that a client names: URIs and paths of both kinds of systems, as text. Pure but for `directory`."""

from __future__ import annotations

import ntpath
import os
import posixpath
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import unquote

VARIABLES: Final = (
    "CLAUDE_PROJECT_DIR",
    "WORKSPACE_FOLDER_PATHS",
    "GEMINI_PROJECT_DIR",
    "QWEN_PROJECT_DIR",
)
"""What clients set to the directories that they work in: Claude Code and those that follow it, Cursor, Gemini CLI, Qwen."""

_DRIVE: Final = re.compile(r"[A-Za-z]:(?=[\\/]|$)")
_HOST: Final = re.compile(r"[\w.$~-]+")
_SEPARATORS: Final = re.compile(r"[,;]" if os.name == "nt" else r"[,;:]")


def path_in(named: str, *, windows: bool = os.name == "nt") -> str | None:
    r"""The absolute path that a `file:` URI names, or that a text is; None if it is none of this machine's.

    Args:
        named: a URI or a path.
        windows: the kind of system whose paths are meant.

    >>> path_in("file:///home/me/a%20project", windows=False)
    '/home/me/a project'
    >>> path_in("file:///c%3A/Users/me", windows=True)
    'c:\\Users\\me'
    >>> path_in("file://server/share/x", windows=True)
    '\\\\server\\share\\x'
    """
    path = named.strip()
    if path[:5].lower() == "file:":
        # Not by a parser of URLs: a question mark or number sign that is not escaped belongs to the name.
        host, path = "", path[5:]
        if path.startswith("//"):
            host, slash, path = path[2:].partition("/")
            path = f"{slash}{path}"
        host, path = unquote(host), unquote(path)
        if _DRIVE.fullmatch(host):  # file://C:/Users, which is common and wrong
            host, path = "", f"{host}{path}"
        if host.lower() not in {"", "localhost"}:
            if not windows or not _HOST.fullmatch(host):
                return None
            path = f"//{host}{path}"
    if windows and path[:1] == "/" and _DRIVE.match(path[1:]):
        path = path[1:]
    if "\0" in path:
        return None
    if not windows:
        return posixpath.normpath(re.sub("^/+", "/", path)) if path.startswith("/") else None
    path = ntpath.normpath(path)
    drive, rest = ntpath.splitdrive(path)
    # "\x" is on the drive of whoever reads it, "C:x" below where that one stands there.
    return path if drive and (rest[:1] == "\\" or drive[:2] == "\\\\") else None


def directory(named: str) -> Path | None:
    """The directory of this machine that a client names, or None."""
    path = path_in(named)
    return Path(path) if path is not None and os.path.isdir(path) else None  # noqa: PTH112 (`Path.is_dir` raises for a name that is too long)


def of_variables(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """The directories that variables name, each once: one a variable, or several with a separator between."""
    found: dict[Path, None] = {}
    for name in VARIABLES:
        value = environment.get(name, "")
        # A directory may have a separator in its name.
        whole = directory(value)
        places = [whole] if whole else map(directory, _SEPARATORS.split(value))
        found |= dict.fromkeys(filter(None, places))
    return tuple(found)
