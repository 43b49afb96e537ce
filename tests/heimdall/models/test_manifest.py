from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatch_heimdall_models.manifest import Asset, Manifest, Model
from heimdall.models.errors import ManifestError
from heimdall.models.manifest import PinnedModel, read_model
from heimdall.models.package import Package
from heimdall.models.pin_rules import model_path_problem
from tests.support.manifests import pin_of

_NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789_-", min_size=1, max_size=8).filter(
    lambda name: name[0] not in "-_"
)
_FILES = st.dictionaries(
    st.lists(_NAMES, min_size=1, max_size=3)
    .map("/".join)
    .filter(lambda path: model_path_problem(path) is None),
    st.binary(min_size=1, max_size=100),
    min_size=1,
    max_size=5,
).filter(lambda files: not any(f"{path}/" in f"{other}/" for path, other in permutations(files, 2)))
"""As a folder has them: none is a file and a folder."""


@given(files=_FILES, also=st.lists(st.text(max_size=10), max_size=2), name=_NAMES)
def test_it_reads_what_the_build_hook_writes(
    files: dict[str, bytes], also: list[str], name: str, tmp_path: Path
) -> None:
    model = Model(
        name=name,
        variant="standard",
        license="MIT",
        upstream="https://example.org/a/b",
        asset=Asset("v1", "asset.zip", "0" * 64, 7),
        files=tuple(pin_of(path, content, tuple(also)) for path, content in files.items()),
    )
    path = tmp_path / "manifest.json"
    path.write_text(Manifest("some-dist", "owner/name", name, (model,)).dumps(), encoding="utf-8")
    pinned = read_model(Package("heimdall", str(path)))
    assert {file.path: file.content for file in pinned.files} == files
    assert {file.also for file in pinned.files} == {tuple(also)}
    assert (pinned.name, pinned.variant, pinned.repository) == (name, "standard", "owner/name")
    (asset,) = pinned.assets
    assert (asset.tag, asset.name, asset.size) == ("v1", "asset.zip", 7)


_KEYS = st.sampled_from(
    ["schema", "models", "default", "files", "name", "variant", "asset", "repository"]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(document=_JSON)
def test_anything_else_is_a_manifest_error(document: Any, tmp_path: Path) -> None:
    if isinstance(document, dict):
        document = {**document, "schema": 1}
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(ManifestError, match=r"manifest\.json"):
        read_model(Package("heimdall", str(path)))


@pytest.mark.parametrize(
    "path",
    ["../x", "/x", "a/../b", "a//b", ".", "..", "a\\b", "C:x", "", "a/\0", "a/b\n", "x/", "a:b"],
)
def test_paths_that_escape_are_refused(path: str, manifest_path: Path) -> None:
    document = json.loads(manifest_path.read_text())
    document["models"][0]["files"][0]["path"] = path
    manifest_path.write_text(json.dumps(document))
    with pytest.raises(ManifestError, match="can't be a file's path"):
        read_model(Package("heimdall", str(manifest_path)))


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        (("models", 0, "files", 0, "sha256"), "A" * 64, "no sha256"),
        (("models", 0, "files", 0, "size"), 0, "no size"),
        (("models", 0, "files", 0, "size"), True, "no size"),
        (("models", 0, "files", 0, "inline"), "!", "not base64"),
        (("models", 0, "files", 0, "inline"), "eNoDAAAAAAE=", "does not have its pinned sha256"),
        (("models", 0, "files"), [], "needs files"),
        (("models", 0, "asset", "tag"), "../v1", "can't be part"),
        (("models", 0, "asset"), None, "damaged"),
        (("repository",), "owner/../x", "can't be part"),
        (("schema",), 2, "schema 2.*upgrade"),
        (("schema",), None, "schema None.*reinstall"),
        (("default",), "unknown", "pins no .*; it pins small"),
    ],
)
def test_each_mistake_is_named(
    keys: tuple[Any, ...], value: object, message: str, manifest_path: Path
) -> None:
    document = json.loads(manifest_path.read_text())
    holder = document
    for key in keys[:-1]:
        holder = holder[key]
    holder[keys[-1]] = value
    manifest_path.write_text(json.dumps(document))
    with pytest.raises(ManifestError, match=message) as caught:
        read_model(Package("heimdall", str(manifest_path)))
    assert caught.value.path == str(manifest_path)


def test_names_that_differ_in_case_alone_are_refused(manifest_path: Path) -> None:
    document = json.loads(manifest_path.read_text())
    files = document["models"][0]["files"]
    files.append({**files[0], "path": files[0]["path"].upper()})
    manifest_path.write_text(json.dumps(document))
    with pytest.raises(ManifestError, match="where case does not count"):
        read_model(Package("heimdall", str(manifest_path)))


def test_unknown_keys_are_ignored(manifest_path: Path, pinned: PinnedModel) -> None:
    document = json.loads(manifest_path.read_text())
    document["future"] = document["models"][0]["future"] = document["models"][0]["files"][0][
        "future"
    ] = [1]
    manifest_path.write_text(json.dumps(document))
    assert read_model(Package("heimdall", str(manifest_path))).files == pinned.files


def test_a_missing_or_unreadable_manifest_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"is missing.*reinstall"):
        read_model(Package("heimdall", str(tmp_path / "none.json")))
    (tmp_path / "broken.json").write_bytes(b"\xff")
    with pytest.raises(ManifestError, match=r"can't be read.*reinstall"):
        read_model(Package("heimdall", str(tmp_path / "broken.json")))
