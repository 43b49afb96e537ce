"""The pinned manifest, schema 1: value types, strict reading, canonical writing.

`models.lock.json` and the manifest inside a distribution have this one form, and the same bytes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hatch_heimdall_models.errors import ModelBuildError

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = 1
INLINE_LIMIT = 64 * 1024
"""Files of up to this many bytes travel inside the manifest."""

REPOSITORY_FORM = re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+")
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
        inline: the content itself, base64 of zlib, for files of at most `INLINE_LIMIT` bytes.
    """

    path: str
    sha256: str
    size: int
    also: tuple[str, ...] = ()
    inline: str | None = None

    @classmethod
    def of_bytes(cls, path: str, content: bytes, *, also: tuple[str, ...] = ()) -> ModelFile:
        """Pin `content`, carrying it inline when it is small enough."""
        inline = (
            base64.b64encode(zlib.compress(content, 9)).decode()
            if len(content) <= INLINE_LIMIT
            else None
        )
        return cls(path, hashlib.sha256(content).hexdigest(), len(content), also, inline)

    def as_json(self) -> dict[str, Any]:
        """The JSON object, without keys that say nothing."""
        document: dict[str, Any] = {"path": self.path, "sha256": self.sha256, "size": self.size}
        if self.also:
            document["also"] = list(self.also)
        if self.inline is not None:
            document["inline"] = self.inline
        return document


@dataclass(frozen=True, slots=True)
class Asset:
    """A release asset: the zip, below a release's tag, that holds all files of a model."""

    tag: str
    name: str
    sha256: str
    size: int

    def as_json(self) -> dict[str, Any]:
        """The JSON object."""
        return {"tag": self.tag, "name": self.name, "sha256": self.sha256, "size": self.size}


@dataclass(frozen=True, slots=True)
class Model:
    """A model in one variant: where it comes from, its asset and its files.

    Attributes:
        marker: a PEP 508 environment marker that limits the entry to machines it matches.
        graphs: how the files are run, by variant: this one, and others that compute with the same files. Each is a JSON
            object whose `path` names one of the files; what else it says is between the writer and the engine.
    """

    name: str
    variant: str
    license: str
    upstream: str
    asset: Asset
    files: tuple[ModelFile, ...]
    marker: str | None = None
    graphs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The JSON object, files sorted by path."""
        document: dict[str, Any] = {
            "name": self.name,
            "variant": self.variant,
            "license": self.license,
            "upstream": self.upstream,
            "asset": self.asset.as_json(),
            "files": [file.as_json() for file in sorted(self.files, key=lambda file: file.path)],
        }
        if self.marker is not None:
            document["marker"] = self.marker
        if self.graphs:
            document["graphs"] = {name: dict(graph) for name, graph in self.graphs.items()}
        return document


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


def path_problem(path: str) -> str | None:
    """Why `path` can't be a path in a manifest, or None when it can."""
    parts = path.split("/")
    if not path or path.startswith("/") or "\\" in path or ":" in path or "" in parts:
        return "is not a plain relative POSIX path"
    if "." in parts or ".." in parts:
        return "has a '.' or '..' component"
    if any(ord(character) < 32 or ord(character) == 127 for character in path):
        return "has a control character"
    if any(part != part.rstrip(". ") for part in parts):
        return "has a component that ends in a dot or a space"
    return None


def loads(text: str, *, subject: str) -> Manifest:
    """Read a manifest or lock strictly.

    Args:
        text: the JSON text.
        subject: what the text is, for messages: usually its path.

    Raises:
        ModelBuildError: naming every problem, each with its JSON path.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelBuildError(subject, [f"is not JSON: {error}"]) from error
    reader = _Reader()
    manifest = reader.manifest(document)
    if manifest is None or reader.problems:
        raise ModelBuildError(subject, reader.problems)
    return manifest


class _Reader:
    """Collects problems while it builds the values; a value that could not be built is None or a stand-in."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def manifest(self, document: object) -> Manifest | None:
        if not isinstance(document, dict):
            self.problems.append("must be a JSON object")
            return None
        if type(document.get("schema")) is not int or document["schema"] != SCHEMA:
            self.problems.append(f"schema: expected {SCHEMA}, found {document.get('schema')!r}")
            return None
        models = tuple(self.models(document))
        manifest = Manifest(
            distribution=self.text(document, "distribution", NAME_FORM),
            repository=self.text(document, "repository", REPOSITORY_FORM),
            default=self.text(document, "default", NAME_FORM),
            models=models,
        )
        try:
            manifest.dumps().encode()
        except UnicodeEncodeError as error:
            self.problems.append(f"has text that is not Unicode: {error}")
        names = {model.name for model in models}
        if models and manifest.default not in names:
            self.problems.append(
                f"default: {manifest.default!r} is none of the models ({', '.join(sorted(names))})"
            )
        return manifest

    def models(self, document: Mapping[str, Any]) -> Iterator[Model]:
        seen: set[tuple[str, str, str | None]] = set()
        for where, entry in self.objects(document, "models", ""):
            marker = entry.get("marker")
            if marker is not None and not isinstance(marker, str):
                self.problems.append(f"{where}.marker: expected a string, found {marker!r}")
                marker = None
            asset = entry.get("asset")
            if not isinstance(asset, dict):
                self.problems.append(f"{where}.asset: expected an object, found {asset!r}")
                asset = {}
            model = Model(
                name=self.text(entry, "name", NAME_FORM, where),
                variant=self.text(entry, "variant", NAME_FORM, where),
                license=self.text(entry, "license", None, where),
                upstream=self.text(entry, "upstream", None, where),
                asset=Asset(
                    tag=self.text(asset, "tag", ASSET_FORM, f"{where}.asset"),
                    name=self.text(asset, "name", ASSET_FORM, f"{where}.asset"),
                    sha256=self.text(asset, "sha256", _SHA256, f"{where}.asset"),
                    size=self.size(asset, f"{where}.asset"),
                ),
                files=tuple(self.files(entry, where)),
                marker=marker,
                graphs=self.graphs(entry, where),
            )
            for variant in sorted({model.variant, *model.graphs}):
                key = (model.name, variant, model.marker)
                if key in seen:
                    self.problems.append(
                        f"{where}: {model.name} {variant} is there twice with the same marker"
                    )
                seen.add(key)
            self.check_graphs(model, where)
            yield model

    def graphs(self, entry: Mapping[str, Any], where: str) -> dict[str, dict[str, Any]]:
        graphs = entry.get("graphs", {})
        if isinstance(graphs, dict) and all(isinstance(graph, dict) for graph in graphs.values()):
            return graphs
        self.problems.append(f"{where}.graphs: expected an object of objects, found {graphs!r}")
        return {}

    def check_graphs(self, model: Model, where: str) -> None:
        paths = {file.path for file in model.files}
        for name, graph in model.graphs.items():
            if not NAME_FORM.fullmatch(name):
                self.problems.append(
                    f"{where}.graphs: {name!r} must have the form {NAME_FORM.pattern}"
                )
            if graph.get("path") not in paths:
                self.problems.append(
                    f"{where}.graphs.{name}.path: expected one of the files, found {graph.get('path')!r}"
                )

    def files(self, entry: Mapping[str, Any], where: str) -> Iterator[ModelFile]:
        folded: dict[str, str] = {}
        for at, item in self.objects(entry, "files", where):
            path = self.text(item, "path", None, at)
            if problem := path_problem(path):
                self.problems.append(f"{at}.path: {path!r} {problem}")
            if path.casefold() in folded:
                other = folded[path.casefold()]
                self.problems.append(
                    f"{at}.path: {path!r} and {other!r} are one file where case does not count"
                )
            folded.setdefault(path.casefold(), path)
            also = item.get("also", [])
            if not isinstance(also, list) or not all(isinstance(place, str) for place in also):
                self.problems.append(f"{at}.also: expected a list of strings, found {also!r}")
                also = []
            file = ModelFile(
                path=path,
                sha256=self.text(item, "sha256", _SHA256, at),
                size=self.size(item, at),
                also=tuple(also),
                inline=self.text(item, "inline", None, at) if "inline" in item else None,
            )
            if file.inline is not None:
                self.check_inline(file, at)
            yield file

    def check_inline(self, file: ModelFile, at: str) -> None:
        try:
            decompressor = zlib.decompressobj()
            content = decompressor.decompress(
                base64.b64decode(file.inline or "", validate=True), INLINE_LIMIT + 1
            )
        except (binascii.Error, zlib.error, ValueError) as error:
            self.problems.append(f"{at}.inline: is not base64 of zlib: {error}")
            return
        if len(content) != file.size or hashlib.sha256(content).hexdigest() != file.sha256:
            self.problems.append(
                f"{at}.inline: its content does not have the pinned size and sha256"
            )

    def objects(
        self, holder: Mapping[str, Any], key: str, where: str
    ) -> Iterator[tuple[str, Mapping[str, Any]]]:
        path = f"{where}.{key}" if where else key
        values = holder.get(key)
        if not isinstance(values, list) or not values:
            self.problems.append(
                f"{path}: expected a list with at least one object, found {values!r}"
            )
            return
        for index, value in enumerate(values):
            if isinstance(value, dict):
                yield f"{path}[{index}]", value
            else:
                self.problems.append(f"{path}[{index}]: expected an object, found {value!r}")

    def text(
        self, holder: Mapping[str, Any], key: str, form: re.Pattern[str] | None, where: str = ""
    ) -> str:
        value = holder.get(key)
        if isinstance(value, str) and value and (form is None or form.fullmatch(value)):
            return value
        expected = f"a string of the form {form.pattern}" if form else "a string"
        self.problems.append(
            f"{where}{'.' if where else ''}{key}: expected {expected}, found {value!r}"
        )
        return value if isinstance(value, str) else ""

    def size(self, holder: Mapping[str, Any], where: str) -> int:
        value = holder.get("size")
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
        self.problems.append(f"{where}.size: expected a positive number of bytes, found {value!r}")
        return 0
