from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.manifest import loads
from tests.support.manifests import manifest_of, manifests

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.slow
@given(manifests())
def test_what_was_written_is_read_again(manifest: Any) -> None:
    text = manifest.dumps()
    assert loads(text, subject="x") == manifest
    assert loads(text, subject="x").dumps() == text


def test_canonical_text_is_sorted_utf8_with_lf_and_no_empty_keys() -> None:
    text = manifest_of({"größe.bin": b"x"}).dumps()
    document = json.loads(text)
    assert text.endswith("}\n")
    assert "\r" not in text
    assert "größe.bin" in text
    assert text == json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    assert document["schema"] == 1
    assert set(document["models"][0]["files"][0]) == {"path", "sha256", "size", "inline"}
    assert "marker" not in document["models"][0]


def test_files_are_written_in_the_order_of_their_paths() -> None:
    manifest = manifest_of()
    model = manifest.models[0]
    shuffled = type(model)(
        model.name,
        model.variant,
        model.license,
        model.upstream,
        model.asset,
        tuple(reversed(model.files)),
    )
    other = type(manifest)(
        manifest.distribution, manifest.repository, manifest.default, (shuffled,)
    )
    assert other.dumps() == manifest.dumps()


def test_unknown_keys_are_ignored() -> None:
    document = json.loads(manifest_of().dumps())
    document["later"] = document["models"][0]["later"] = document["models"][0]["files"][0][
        "later"
    ] = {"a": 1}
    assert loads(json.dumps(document), subject="x") == manifest_of()


@pytest.mark.parametrize("text", ["", "{", "[1", "nul", "[" * 100_000])
def test_text_that_is_no_json(text: str) -> None:
    with pytest.raises(ModelBuildError, match="is not JSON"):
        loads(text, subject="x")


@pytest.mark.parametrize("schema", [None, 0, 2, "1", True, 1.0])
def test_another_schema(schema: object) -> None:
    with pytest.raises(ModelBuildError, match=r"schema: expected 1, (found|but it is missing)"):
        loads(json.dumps({"schema": schema}), subject="x")


def _set(*path: Any, to: object) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        for key in path[:-1]:
            document = document[key]
        document[path[-1]] = to

    return change


def _add_again(*path: Any) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        for key in path:
            document = document[key]
        document.append(document[0])

    return change


FILE = ("models", 0, "files", 0)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (_set("repository", to="no-owner"), "repository: expected a string of the form"),
        (_set("default", to="another"), "default: 'another' is none of the models (some-model)"),
        (_set("models", to=[]), "models: expected an array of objects, at least one, found []"),
        (_set("models", to=["x"]), "models: expected an array of objects, found ['x']"),
        (_set("models", 0, "asset", to=None), "models[0].asset: expected an object, found None"),
        (
            _set("models", 0, "asset", "sha256", to="A" * 64),
            "models[0].asset.sha256: expected a string of the form",
        ),
        (_set("models", 0, "license", to=""), "models[0].license: expected a string, found ''"),
        (_set("models", 0, "marker", to=3), "models[0].marker: expected a string, found 3"),
        (
            _set(*FILE, "size", to=True),
            "models[0].files[0].size: expected a positive number of bytes, found True",
        ),
        (_set(*FILE, "size", to=0), "models[0].files[0].size: expected a positive number"),
        (
            _set(*FILE, "also", to="https://x"),
            "models[0].files[0].also: expected an array of strings",
        ),
        (
            _set(*FILE, "path", to="../x"),
            "models[0].files[0].path: expected a relative path, but '../x' has a '.' or '..' component",
        ),
        (_set(*FILE, "path", to="MODEL_config.JSON"), "are one file where case does not count"),
        (_set("models", 0, "license", to="\ud800"), "has text that is not Unicode"),
        (
            _set("models", 0, "files", 1, "inline", to="%"),
            "models[0].files[1].inline: is not base64 of zlib",
        ),
        (
            _set("models", 0, "files", 1, "inline", to="eJwDAAAAAAE="),
            "does not have the pinned size and sha256",
        ),
        (
            _add_again("models"),
            "models[1]: some-model standard is there twice with the same marker",
        ),
        (
            _set("models", 0, "graphs", to={"fast": 1}),
            "models[0].graphs.fast: expected an object, found 1",
        ),
        (
            _set("models", 0, "graphs", to={"fast": {"path": "absent.onnx"}}),
            "models[0].graphs.fast.path: expected one of the files, found 'absent.onnx'",
        ),
        (
            _set("models", 0, "graphs", to={"../fast": {"path": "model_config.json"}}),
            'models[0].graphs."../fast": must have a name of the form',
        ),
        (_add_again("models", 0, "files"), "are one file where case does not count"),
    ],
)
def test_each_problem_is_named_with_its_place(change: Callable[[Any], None], problem: str) -> None:
    document = json.loads(manifest_of().dumps())
    change(document)
    with pytest.raises(ModelBuildError) as caught:
        loads(json.dumps(document), subject="the.lock")
    assert str(caught.value).startswith("the.lock: ")
    assert problem in str(caught.value)


def test_all_problems_are_named_at_once() -> None:
    document = json.loads(manifest_of().dumps())
    del document["distribution"]
    document["models"][0]["asset"]["size"] = -1
    document["models"][0]["files"][2]["sha256"] = "short"
    with pytest.raises(ModelBuildError) as caught:
        loads(json.dumps(document), subject="x")
    assert len(caught.value.problems) == 3
