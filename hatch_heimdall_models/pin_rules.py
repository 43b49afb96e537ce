"""What names, paths and markers a pinned manifest may have: what Windows, macOS and Linux all can store, and a URL can carry.

The build half writes by these rules and the run-time half reads by them. Neither is installed with
the other, so each has this file; a test holds the two copies equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_RESERVED = {".store": "the resolver's own store has", "about": "an asset's documentation has"}
"""Folders of the models directory and of assets that hold no models."""
_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in "123456789")]
)
_LONGEST = 255


def name_problem(name: object) -> str | None:
    """Why `name` can't be one component of a path and of a URL; None when it can."""
    if not isinstance(name, str):
        return "is not a string"
    if not name:
        return "is empty"
    if not name.strip("."):
        return "has a '.' or '..' component"
    if set(name) & set('/\\:*?"<>|'):
        return 'has one of the characters / \\ : * ? " < > |'
    if any(ord(character) < 32 or ord(character) == 127 for character in name):
        return "has a control character"
    if not name.isprintable():
        hidden = next(character for character in name if not character.isprintable())
        return f"has a character that can't be seen (U+{ord(hidden):04X})"
    return None


def path_problem(path: object) -> str | None:
    """Why `path` can't be a relative POSIX path inside some directory, or None when it can.

    >>> path_problem("package/models")
    >>> path_problem("../models")
    "has a '.' or '..' component"
    """
    if not isinstance(path, str):
        return "is not a string"
    parts = path.split("/")
    if "" in parts or "\\" in path or ":" in path:
        return "is not a plain relative POSIX path"
    for part in parts:
        if problem := name_problem(part):
            return problem
        if part != part.rstrip(". "):
            return "has a component that ends in a dot or a space"
        if part.partition(".")[0].rstrip(" ").lower() in _DEVICES:
            return "has a component with the name of a device on Windows"
        if len(part.encode()) > _LONGEST:
            return f"has a component of more than {_LONGEST} bytes"
    return None


def model_path_problem(path: object) -> str | None:
    """The same for the path of a model's file, which may not lie in a folder of ours."""
    problem = path_problem(path)
    if problem is None and (owner := _RESERVED.get(str(path).split("/")[0].casefold())):
        return f"has a name that only {owner}: rename its first component"
    return problem


def clashes(paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each path that can't be stored beside the others, and why: systems differ in which names are the same."""
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    ordered = sorted(paths)
    for path in ordered:
        if (other := files.setdefault(_folded(path), path)) is not path:
            yield path, f"{other!r} and {path!r} are one file where case does not count"
        parts = _folded(path).split("/")
        for length in range(1, len(parts)):
            folders.setdefault("/".join(parts[:length]), path)
    for path in ordered:
        if inside := folders.get(_folded(path)):
            yield path, f"{path!r} can't be a file and the folder of {inside!r}"


def marker_problem(marker: object) -> str | None:
    """Why `marker` is no environment marker that can hold on a machine (PEP 508); None when it is one."""
    from packaging.markers import InvalidMarker, Marker, UndefinedComparison

    if not isinstance(marker, str):
        return "is not a string"
    try:
        Marker(marker).evaluate()
    except (InvalidMarker, UndefinedComparison) as error:
        return f"is no environment marker: {' '.join(str(error).split())}"
    except Exception as error:  # noqa: BLE001 what a name without a value raises differs by release
        return f"can't be evaluated on a machine: {error!r}"
    # Some releases take it for one that never holds.
    if "extra" in marker.replace("==", " ").split():
        return "asks for an extra, which no installed package can see"
    return None


def _folded(path: str) -> str:
    if path.isascii():
        return path.lower()
    from unicodedata import normalize

    # macOS stores one form of an accented letter, Linux both.
    return normalize("NFC", normalize("NFC", path).casefold())
