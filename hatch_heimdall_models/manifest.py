"""The pinned manifest, schema 1: value types, strict reading, canonical writing.

`models.lock.json` and the manifest inside a distribution have this one form, and the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from hatch_heimdall_models.files import sha256_of
from hatch_heimdall_models.pin_rules import clashes, marker_problem, model_path_problem
from hatch_heimdall_models.reader import read_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hatch_heimdall_models.reader import Reader

SCHEMA = 1
REPOSITORY_FORM = re.compile(r"(?!\.+/)[A-Za-z0-9._-]+/(?!\.+$)[A-Za-z0-9._-]+")
"""`owner/name`, as GitHub spells it."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
NAME_FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""Names of distributions, models and variants."""
ASSET_FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
"""Tags and file names of release assets."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model.

    Attributes:
        path: relative POSIX path below the models directory.
        sha256: 64 lower-case hexadecimal digits.
        size: bytes.
        also: other places of the same bytes: a URL, or `pypi:<project>==<version>#<member>`.
        inline: the content itself, base64 of zlib, for small files.
    """

    path: str
    sha256: str
    size: int
    also: tuple[str, ...] = ()
    inline: str | None = None


@dataclass(frozen=True, slots=True)
class Asset:
    """A release asset, below a release's tag.

    One with the sha256 of a model's file is that file; any other is a zip with all files of the model.
    """

    tag: str
    name: str
    sha256: str
    size: int

    @classmethod
    def of_file(cls, tag: str, path: Path) -> Asset:
        """Pin a packed file as an asset of the release of that tag."""
        return cls(tag, path.name, sha256_of(path), path.stat().st_size)


@dataclass(frozen=True, slots=True)
class Model:
    """A model in one variant: where it comes from, its asset and its files.

    Attributes:
        marker: a PEP 508 environment marker that limits the entry to machines it matches.
        further_assets: those beside `asset`, where files are assets themselves. Readers that do not
            know them ask for `asset` alone.
        graphs: how the files are run, by variant: this one, and others that compute with the same
            files. Each is a JSON object whose `path` names one of the files; what else it says is
            between the writer and the engine.
    """

    name: str
    variant: str
    license: str
    upstream: str
    asset: Asset
    files: tuple[ModelFile, ...]
    marker: str | None = None
    graphs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    further_assets: tuple[Asset, ...] = ()

    @property
    def assets(self) -> tuple[Asset, ...]:
        """All of them."""
        return (self.asset, *self.further_assets)

    def as_json(self) -> dict[str, Any]:
        """The JSON object, files sorted by path, without keys that say nothing."""
        files = sorted(self.files, key=attrgetter("path"))
        return {
            **asdict(self, dict_factory=_without_empty),
            "files": [asdict(file, dict_factory=_without_empty) for file in files],
        }


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything a distribution pins.

    Attributes:
        distribution: the project's name on the package index.
        repository: `owner/name` of the repository whose releases hold the assets.
        default: name of the model that is meant when none is asked for.
    """

    distribution: str
    repository: str
    default: str
    models: tuple[Model, ...]

    def dumps(self) -> str:
        """The canonical text: UTF-8, sorted keys, LF; the same value gives the same bytes."""
        document = {
            "schema": SCHEMA,
            "distribution": self.distribution,
            "repository": self.repository,
            "default": self.default,
            "models": [model.as_json() for model in self.models],
        }
        return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _without_empty(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {key: value for key, value in pairs if value not in (None, (), {})}


def loads(text: str, *, subject: str) -> Manifest:
    """Read a manifest or lock strictly; keys that are unknown are those of a later release.

    Args:
        text: the JSON text.
        subject: what the text is, for messages: usually its path.

    Raises:
        ModelBuildError: naming every problem, each with its JSON path.
    """
    reader = read_json(text, subject=subject)
    if type(reader.value("schema")) is not int or reader.value("schema") != SCHEMA:
        reader.expected("schema", str(SCHEMA))
        # What other schemas have by these names is not known.
        reader.raise_problems(subject)
    models = tuple(_models(reader))
    manifest = Manifest(
        distribution=reader.text("distribution", NAME_FORM),
        repository=reader.text("repository", REPOSITORY_FORM),
        default=reader.text("default", NAME_FORM),
        models=models,
    )
    try:
        manifest.dumps().encode()
    except UnicodeEncodeError as error:
        reader.error(None, f"has text that is not Unicode: {error}")
    names = {model.name for model in models}
    if models and manifest.default not in names:
        reader.error(
            "default", f"{manifest.default!r} is none of the models ({', '.join(sorted(names))})"
        )
    reader.raise_problems(subject)
    return manifest


def _models(reader: Reader) -> Iterator[Model]:
    taken: set[tuple[str, str, str | None]] = set()
    for entry in reader.each("models", required=True):
        graphs = entry.inner("graphs")
        model = Model(
            name=entry.text("name", NAME_FORM),
            variant=entry.text("variant", NAME_FORM),
            license=entry.text("license"),
            upstream=entry.text("upstream"),
            asset=_asset(entry.inner("asset")),
            further_assets=tuple(map(_asset, entry.each("further_assets"))),
            files=tuple(_files(entry)),
            marker=entry.optional(entry.text, "marker"),
            graphs={name: graphs.inner(name).table for name in graphs.table},
        )
        for variant in sorted({model.variant, *model.graphs}):
            key = (model.name, variant, model.marker)
            if key in taken:
                entry.error(None, f"{model.name} {variant} is there twice with the same marker")
            taken.add(key)
        if model.marker and (problem := marker_problem(model.marker)):
            entry.error("marker", f"{model.marker!r} {problem}")
        _check_graphs(graphs, [file.path for file in model.files])
        yield model


def _asset(reader: Reader) -> Asset:
    return Asset(
        tag=reader.text("tag", ASSET_FORM),
        name=reader.text("name", ASSET_FORM),
        sha256=reader.text("sha256", _SHA256),
        size=reader.positive("size"),
    )


def _check_graphs(graphs: Reader, paths: list[str]) -> None:
    for name, graph in graphs.table.items():
        if not NAME_FORM.fullmatch(name):
            graphs.error(name, f"must have a name of the form {NAME_FORM.pattern}")
        if isinstance(graph, dict) and graph.get("path") not in paths:
            graphs.inner(name).expected("path", "one of the files")


def _files(entry: Reader) -> Iterator[ModelFile]:
    items: dict[str, Reader] = {}
    paths = []
    for item in entry.each("files", required=True):
        path = item.path("path")
        if path and (problem := model_path_problem(path)):
            item.error("path", f"{path!r} {problem}")
        items[path] = item
        paths.append(path)
        file = ModelFile(
            path=path,
            sha256=item.text("sha256", _SHA256),
            size=item.positive("size"),
            also=item.texts("also"),
            inline=item.optional(item.text, "inline"),
        )
        if file.inline and (problem := _inline_problem(file)):
            item.error("inline", problem)
        yield file
    for path, problem in clashes(filter(None, paths)):
        items[path].error("path", problem)


def _inline_problem(file: ModelFile) -> str | None:
    try:
        compressed = base64.b64decode(file.inline or "", validate=True)
        # No more than the file has, so that a small text can't fill the memory.
        content = zlib.decompressobj().decompress(compressed, file.size + 1)
    except (zlib.error, ValueError) as error:
        return f"is not base64 of zlib: {error}"
    if (len(content), hashlib.sha256(content).hexdigest()) != (file.size, file.sha256):
        return "its content does not have the pinned size and sha256"
    return None
