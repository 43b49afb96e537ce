"""The hook's table in `pyproject.toml`: checked as a whole, so that a maintainer sees every mistake at once."""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.manifest import REPOSITORY_FORM, path_problem

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_LOCK = "models.lock.json"
DEFAULT_TAG = "v{version}"

_OWN_KEYS = ("models-dir", "manifest", "repository", "lock", "tag", "max-wheel-size")
_HATCH_KEYS = ("dependencies", "require-runtime-dependencies", "require-runtime-features", "enable-by-default", "path")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_TAG = re.compile(r"(?=[A-Za-z0-9{])[A-Za-z0-9._+-]*(\{version\}[A-Za-z0-9._+-]*)?")
_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,3})?) ?([a-z]+)", re.ASCII | re.IGNORECASE)
_UNITS = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
_TOML_TYPES = {bool: "boolean", int: "integer", float: "float", str: "string", list: "array", dict: "table"}


@dataclass(frozen=True, slots=True)
class HookConfig:
    """What the hook was told. Paths are relative to the project's root, POSIX.

    Attributes:
        models_dir: the folder whose files are pinned and never packed.
        manifest: where the manifest goes in wheel and sdist.
        repository: `owner/name` of the repository whose releases hold the assets.
        lock: the committed file that holds the pins.
        tag: the tag that the next release's assets get, with `{version}` standing for the project's version. A build
            doesn't need it: what is pinned may lie under an older tag.
        max_wheel_size: bytes that the finished wheel may have at most; None for any number.
    """

    models_dir: str
    manifest: str
    repository: str
    lock: str = DEFAULT_LOCK
    tag: str = DEFAULT_TAG
    max_wheel_size: int | None = None


def parse_config(table: Mapping[str, object], *, where: str) -> HookConfig:
    """Check a hook's table and give its values.

    Args:
        table: the table as TOML gives it.
        where: the table's full TOML path, for messages, for example `tool.hatch.build.hooks.custom`.

    Raises:
        ModelBuildError: naming every problem with its full TOML path, what was found and what is allowed.
    """
    reader = _Reader(table, where)
    config = HookConfig(
        models_dir=reader.path("models-dir"),
        manifest=reader.path("manifest"),
        repository=reader.text("repository", REPOSITORY_FORM, "'owner/name' of a repository on GitHub"),
        lock=reader.path("lock", DEFAULT_LOCK),
        tag=reader.text("tag", _TAG, "a tag's name in which only {version} stands in braces", DEFAULT_TAG),
        max_wheel_size=reader.size("max-wheel-size"),
    )
    reader.unknown_keys()
    for key, path in (("manifest", config.manifest), ("lock", config.lock)):
        if config.models_dir and f"{path}/".startswith(f"{config.models_dir}/"):
            reader.complain(key, f"{path!r} lies in models-dir, of which no file is ever packed: choose another place")
    if reader.problems:
        raise ModelBuildError("pyproject.toml", reader.problems)
    return config


class _Reader:
    """Collects problems; a value that has one comes back as a stand-in."""

    def __init__(self, table: Mapping[str, object], where: str) -> None:
        self.table = table
        self.where = where
        self.problems: list[str] = []

    def complain(self, key: str, problem: str) -> None:
        name = key if _BARE_KEY.fullmatch(key) else json.dumps(key)
        self.problems.append(f"{self.where}.{name}: {problem}")

    def text(self, key: str, form: re.Pattern[str], expected: str, default: str | None = None) -> str:
        value = self.table.get(key, default)
        if isinstance(value, str) and value and form.fullmatch(value):
            return value
        self.complain(key, f"expected {expected}, {self.found(key)}")
        return ""

    def path(self, key: str, default: str | None = None) -> str:
        value = self.table.get(key, default)
        if not isinstance(value, str):
            self.complain(key, f"expected a path relative to the project's root, {self.found(key)}")
            return ""
        # A trailing slash is how many people mark a folder; it means nothing here.
        path = value.removesuffix("/")
        if problem := path_problem(path):
            self.complain(key, f"expected a path inside the project, relative to its root, but {value!r} {problem}")
            return ""
        return path

    def size(self, key: str) -> int | None:
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
                key, f"expected a positive number of bytes or a text such as '300 KB', in {units}, {self.found(key)}"
            )
        return size

    def unknown_keys(self) -> None:
        known = (*_OWN_KEYS, *_HATCH_KEYS)
        for key in self.table:
            if key not in known:
                near = difflib.get_close_matches(key.lower().replace("_", "-"), known, n=1, cutoff=0.5)
                hint = f"did you mean {near[0]!r}?" if near else f"allowed are {', '.join(_OWN_KEYS)}"
                self.complain(key, f"unknown key; {hint}")

    def found(self, key: str) -> str:
        if key not in self.table:
            return "but it is missing"
        value = self.table[key]
        kind = _TOML_TYPES.get(type(value), "value")
        return f"found the {kind} {value!r}"
