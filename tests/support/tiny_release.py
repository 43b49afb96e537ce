"""A whole release in small: wheels with a tiny model in a folder that pip takes for its index, and the recipe for them."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import random
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from release.recipe import Graph, HubSource, ModelSet, Recipe, UpstreamFile, WheelSource
from tests.support import tiny_bert

REVISION = "0123456789abcdef0123456789abcdef01234567"
PATHS = {
    "config.json": None,
    "model.safetensors": "model.safetensors",
    "tokenizer.json": "tokenizer/tokenizer.json",
    "special_tokens_map.json": "tokenizer/special_tokens_map.json",
}


@dataclass(frozen=True)
class TinyRelease:
    """Attributes: what upstream has, its recipe, and the folder of wheels that pip looks into."""

    files: Mapping[str, bytes]
    recipe: Recipe
    wheels: Path

    def write_recipe(self, path: Path) -> Path:
        path.write_text(recipe_text(self.recipe), encoding="utf-8")
        return path


def make_tiny_release(wheels: Path) -> TinyRelease:
    """Write two wheels: the first with the files, the second with a zip of them."""
    files = {
        "config.json": tiny_bert.config_bytes(),
        "model.safetensors": tiny_bert.weights_bytes(),
        "tokenizer.json": b'{"model": "tiny", "padding": "'
        + random.Random(1).randbytes(35_000).hex().encode()
        + b'"}',
        "special_tokens_map.json": b"{}",
    }
    wheels.mkdir()
    first = add_wheel(
        wheels,
        "tiny-model",
        "1.0",
        {f"tiny_model/files/{name}": data for name, data in files.items()},
    )
    second = add_wheel(wheels, "tiny-zip", "2.0", {"tiny_zip/inner.zip": zip_bytes(files)})
    recipe = Recipe(
        name="tiny-bert",
        license="Apache-2.0",
        repository="https://models.example/owner/tiny-bert",
        revision=REVISION,
        files=tuple(
            UpstreamFile(name, hashlib.sha256(files[name]).hexdigest(), len(files[name]), path)
            for name, path in PATHS.items()
        ),
        sources=(
            WheelSource("tiny-model", "1.0", first, "tiny_model/files/"),
            WheelSource("tiny-zip", "2.0", second, "", archive="tiny_zip/inner.zip"),
        ),
        sets=(ModelSet("standard", "`$graph` was added.", (_graph("standard", "float32"),)),),
    )
    return TinyRelease(files, recipe, wheels)


def _graph(variant: str, builder: str) -> Graph:
    return Graph(variant, builder, {"path": "tiny-bert.onnx", "purpose": "tests"})


COMPACT = ModelSet(
    "compact", "`$graph` was made.", (_graph("compact", "int8-weights"),), holds_weights=True
)
"""Another set, for recipes that are to have two."""


def add_wheel(folder: Path, project: str, version: str, members: Mapping[str, bytes]) -> str:
    """Write a wheel that pip accepts; its sha256."""
    name = project.replace("-", "_")
    information = f"{name}-{version}.dist-info"
    content = zip_bytes(
        {
            **members,
            f"{information}/METADATA": f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n".encode(),
            f"{information}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{information}/RECORD": b"",
        }
    )
    (folder / f"{name}-{version}-py3-none-any.whl").write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def zip_bytes(members: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def recipe_text(recipe: Recipe) -> str:
    """The recipe as TOML."""
    kinds = {HubSource: "huggingface", WheelSource: "wheel"}
    document = {
        "model": {"name": recipe.name, "license": recipe.license},
        "upstream": {"repository": recipe.repository, "revision": recipe.revision},
        "files": [_table(file) for file in recipe.files],
        "sources": [
            {"kind": kinds[type(source)], **_table(source, "prefix")} for source in recipe.sources
        ],
        "sets": [
            {
                **_table(one),
                "graphs": {
                    graph.variant: {"builder": graph.builder, **graph.run} for graph in one.graphs
                },
            }
            for one in recipe.sets
        ],
    }
    return tomli_w.dumps(document)


def _table(holder: Any, *needed: str) -> dict[str, Any]:
    """A value's fields, without those that say nothing."""
    values = {field.name: getattr(holder, field.name) for field in dataclasses.fields(holder)}
    return {name: value for name, value in values.items() if value or name in needed}
