"""Manifests for tests: a small one of given files, and a hypothesis strategy for any valid one."""

from __future__ import annotations

import base64
import hashlib
import random
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from hatch_heimdall_models.manifest import Asset, Manifest, Model, ModelFile
from hatch_heimdall_models.pin_rules import clashes, model_path_problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SMALL = 64 * 1024
"""Files of up to this many bytes travel inside the manifests of tests."""
LARGE = random.Random(0).randbytes(SMALL + 256)
"""Content that is too large to travel inside a manifest, also when it is compressed."""

FILES: Mapping[str, bytes] = {
    "model.safetensors": LARGE,
    "model_config.json": b'{"embedding_dimension": 384}\n',
    "tokenizer/tokenizer.json": LARGE[::-1],
}
"""A small stand-in for a model: two large files, one of them in a folder, and a small one."""


def pin_of(path: str, content: bytes, also: tuple[str, ...] = ()) -> ModelFile:
    """The pin of a file; a small one travels inside."""
    inline = base64.b64encode(zlib.compress(content)).decode() if len(content) <= SMALL else None
    return ModelFile(path, hashlib.sha256(content).hexdigest(), len(content), also, inline)


def write_models(directory: Path, files: Mapping[str, bytes] = FILES) -> None:
    """Write model files below `directory`."""
    for path, content in files.items():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def manifest_of(
    files: Mapping[str, bytes] = FILES,
    *,
    distribution: str = "heimdall-mcp",
    repository: str = "lcbcFoo/heimdall-mcp-server",
) -> Manifest:
    """A manifest that pins `files` as one model, in an asset under an old tag."""
    model = Model(
        name="some-model",
        variant="standard",
        license="Apache-2.0",
        upstream="https://example.org/some-model",
        asset=Asset("v0.1.0", "models-v0.1.0.zip", "0" * 64, 1234),
        files=tuple(pin_of(path, content) for path, content in sorted(files.items())),
    )
    return Manifest(distribution, repository, model.name, (model,))


MARKERS = ("sys_platform == 'linux'", "python_version >= '3.10' and os_name != 'nt'")

_text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
_names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,10}", fullmatch=True)
_digests = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)
_sizes = st.integers(1, 10**12)
_paths = _text.filter(lambda path: model_path_problem(path) is None)
_assets = st.builds(Asset, tag=_names, name=_names, sha256=_digests, size=_sizes)


@st.composite
def _files(draw: st.DrawFn) -> ModelFile:
    path, also = draw(_paths), tuple(draw(st.lists(_text, max_size=2)))
    if draw(st.booleans()):
        return pin_of(path, draw(st.binary(min_size=1, max_size=40)), also)
    return ModelFile(path, draw(_digests), draw(_sizes), also)


def _sorted_files(files: list[ModelFile]) -> tuple[ModelFile, ...]:
    return tuple(sorted(files, key=lambda file: file.path))


_more = st.fixed_dictionaries(
    {},
    optional={
        "purpose": _text,
        "devices": st.lists(_names, max_size=2),
        "computes_weights": st.booleans(),
        "least_cosine": st.just(0.5),
        "same_vectors_as": st.just("0" * 64),
    },
)


@st.composite
def _with_graphs(draw: st.DrawFn, models: st.SearchStrategy[Model]) -> Model:
    model = draw(models)
    paths = st.sampled_from([file.path for file in model.files])
    graphs = st.builds(lambda path, more: {"path": path, **more}, paths, _more)
    return replace(model, graphs=draw(st.dictionaries(_names, graphs, max_size=2)))


_models = st.builds(
    Model,
    name=_names,
    variant=_names,
    license=_text,
    upstream=_text,
    asset=_assets,
    files=st.lists(_files(), min_size=1, max_size=3, unique_by=lambda file: file.path.casefold())
    .filter(lambda files: not list(clashes(file.path for file in files)))
    .map(_sorted_files),
    marker=st.none() | st.sampled_from(MARKERS),
)


def _served(model: Model) -> set[tuple[str, str, str | None]]:
    return {(model.name, variant, model.marker) for variant in (model.variant, *model.graphs)}


def _each_served_once(models: list[Model]) -> bool:
    served = [_served(model) for model in models]
    return len(set().union(*served)) == sum(map(len, served))


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    """Any valid manifest, its files in canonical order."""
    models = draw(st.lists(_with_graphs(_models), min_size=1, max_size=3).filter(_each_served_once))
    repository = f"{draw(_names)}/{draw(_names)}"
    return Manifest(draw(_names), repository, draw(st.sampled_from(models)).name, tuple(models))
