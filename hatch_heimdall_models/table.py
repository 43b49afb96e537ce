"""Reading a TOML table as a whole, so that a maintainer sees every mistake at once."""

from __future__ import annotations

import difflib
import json
import re
from typing import TYPE_CHECKING

from hatch_heimdall_models.manifest import path_problem

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEY = re.compile(r"[A-Za-z0-9_-]+(\[\d+\](\.[a-z-]+)?)?")
_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,3})?) ?([a-z]+)", re.ASCII | re.IGNORECASE)
_UNITS = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
_TOML_TYPES = {
    bool: "boolean",
    int: "integer",
    float: "float",
    str: "string",
    list: "array",
    dict: "table",
}


class TableReader:
    """Reads values and collects problems; a value that has one comes back as a stand-in.

    Attributes:
        table: as TOML gives it.
        where: its full TOML path.
        problems: every problem so far, each with its full TOML path.
    """

    def __init__(self, table: Mapping[str, object], where: str) -> None:
        self.table = table
        self.where = where
        self.problems: list[str] = []

    def complain(self, key: str, problem: str) -> None:
        """Note a problem of a key."""
        name = key if _KEY.fullmatch(key) else json.dumps(key)
        self.problems.append(f"{self.where}.{name}: {problem}")

    def text(
        self, key: str, form: re.Pattern[str], expected: str, default: str | None = None
    ) -> str:
        """A text of that form, never empty."""
        value = self.table.get(key, default)
        if isinstance(value, str) and value and form.fullmatch(value):
            return value
        self.complain(key, f"expected {expected}, {self.found(key)}")
        return ""

    def path(self, key: str, default: str | None = None) -> str:
        """A path inside the project."""
        value = self.table.get(key, default)
        if not isinstance(value, str):
            self.complain(key, f"expected a path relative to the project's root, {self.found(key)}")
            return ""
        # A trailing slash is how many people mark a folder; it means nothing here.
        path = value.removesuffix("/")
        if problem := path_problem(path):
            self.complain(
                key,
                f"expected a path inside the project, relative to its root, but {value!r} {problem}",
            )
            return ""
        return path

    def paths(self, key: str) -> tuple[str, ...]:
        """Paths inside the project, none by default."""
        values = self.texts(key, ())
        for value in values:
            if problem := path_problem(value):
                self.complain(
                    key,
                    f"expected paths inside the project, relative to its root, but {value!r} {problem}",
                )
        return values

    def paths_by_name(self, key: str, form: re.Pattern[str]) -> dict[str, str]:
        """A table of paths, relative to a folder, by names of that form; empty by default."""
        value = self.table.get(key, {})
        if not isinstance(value, dict):
            self.complain(key, f"expected a table of paths by name, {self.found(key)}")
            return {}
        for name, path in value.items():
            problem = path_problem(path) if isinstance(path, str) else "is not a string"
            if problem or not form.fullmatch(name):
                self.complain(
                    key,
                    f"expected names with relative paths, but {name!r} has {path!r}, which {problem or 'is well'}",
                )
        return {name: path for name, path in value.items() if isinstance(path, str)}

    def texts(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """Texts, none of them empty."""
        value = self.table.get(key, list(default))
        if isinstance(value, list) and all(isinstance(item, str) and item for item in value):
            return tuple(value)
        self.complain(key, f"expected an array of strings, {self.found(key)}")
        return default

    def tables(self, key: str) -> list[Mapping[str, object]]:
        """An array of tables, empty by default."""
        value = self.table.get(key, [])
        if isinstance(value, list) and all(isinstance(item, dict) for item in value):
            return value
        self.complain(
            key, f"expected an array of tables, [[{self.where}.{key}]], {self.found(key)}"
        )
        return []

    def flag(self, key: str) -> bool:
        """True or false, false by default."""
        value = self.table.get(key, False)
        if isinstance(value, bool):
            return value
        self.complain(key, f"expected true or false, {self.found(key)}")
        return False

    def size(self, key: str) -> int | None:
        """A number of bytes, also with a unit."""
        value = self.table.get(key)
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
        match = _SIZE.fullmatch(value) if isinstance(value, str) else None
        unit = _UNITS.get(match[2].lower()) if match else None
        size = int(float(match[1]) * unit) if match and unit else 0
        if size <= 0:
            units = "B, KB, MB, GB (powers of 1000), KiB, MiB or GiB (of 1024)"
            self.complain(
                key,
                f"expected a positive number of bytes or a text such as '300 KB', in {units}, {self.found(key)}",
            )
        return size

    def unknown_keys(self, own: tuple[str, ...], others: tuple[str, ...] = ()) -> None:
        """Note every key that is neither `own`, which messages list, nor one of `others`."""
        known = (*own, *others)
        for key in self.table:
            if key not in known:
                near = difflib.get_close_matches(
                    key.lower().replace("_", "-"), known, n=1, cutoff=0.5
                )
                hint = f"did you mean {near[0]!r}?" if near else f"allowed are {', '.join(own)}"
                self.complain(key, f"unknown key; {hint}")

    def found(self, key: str) -> str:
        """What is there, for messages."""
        if key not in self.table:
            return "but it is missing"
        value = self.table[key]
        kind = _TOML_TYPES.get(type(value), "value")
        return f"found the {kind} {value!r}"
