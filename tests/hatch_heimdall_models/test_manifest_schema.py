"""The published JSON Schema and the strict reader agree."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.manifest import loads
from tests.support.manifests import manifest_of, manifests

SCHEMA = json.loads(
    files("hatch_heimdall_models").joinpath("manifest.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = Draft202012Validator(SCHEMA)

# What the schema's description leaves to the reader.
BEYOND_A_SCHEMA = re.compile(
    r"^default: .* is none of the models|is there twice with the same marker$|are one file where case does not count$"
    r"|can't be a file and the folder of|\.marker: |\.path: "
    r"|path: expected one of the files, found ['\"]|inline: is not base64 of zlib"
    r"|inline: its content does not have|^has text that is not Unicode"
)

_scalars = st.none() | st.booleans() | st.integers(-2, 3) | st.just(1.5) | st.text(max_size=8)
_values = (
    _scalars
    | st.sampled_from(
        [
            "a\n",
            "v1\n",
            "a/b",
            "../x",
            "a.",
            "f" * 64,
            "f" * 64 + "\n",
            "/x",
            "x:y",
            [],
            {},
            [1],
            ["x"],
        ]
    )
    | st.lists(_scalars, max_size=2)
    | st.dictionaries(st.sampled_from(["path", "sha256", "size", "x"]), _scalars, max_size=3)
)


def _places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value in a JSON document but the document itself."""
    items = document.items() if isinstance(document, dict) else enumerate(document)
    found = []
    for key, value in items:
        found.append((*path, key))
        if isinstance(value, dict | list):
            found += _places(value, (*path, key))
    return found


@st.composite
def mutilated(draw: st.DrawFn) -> Any:
    """A manifest's JSON document in which one to three values were removed or replaced."""
    document = json.loads(draw(manifests()).dumps())
    for _ in range(draw(st.integers(1, 3))):
        places = _places(document)
        if not places:
            break
        *parents, key = draw(st.sampled_from(places))
        holder = document
        for parent in parents:
            holder = holder[parent]
        if draw(st.booleans()):
            del holder[key]
        else:
            holder[key] = draw(_values)
    return document


def _problems(document: object) -> tuple[str, ...]:
    try:
        loads(json.dumps(document), subject="x")
    except ModelBuildError as error:
        return error.problems
    return ()


def test_the_schema_is_a_valid_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.slow
@given(manifests())
def test_both_accept_what_the_writer_writes(manifest: Any) -> None:
    VALIDATOR.validate(json.loads(manifest.dumps()))


@pytest.mark.slow
@given(mutilated())
def test_both_refuse_the_same(document: Any) -> None:
    problems = _problems(document)
    if VALIDATOR.is_valid(document):
        assert [problem for problem in problems if not BEYOND_A_SCHEMA.search(problem)] == []
    else:
        assert problems


@pytest.mark.parametrize("document", [None, [], "x", 1, {}])
def test_both_refuse_other_documents(document: object) -> None:
    assert _problems(document)
    assert not VALIDATOR.is_valid(document)


@given(st.text(st.sampled_from("ab./\\: \n\x00\x7f")))
def test_both_allow_the_same_paths(path: str) -> None:
    document = json.loads(manifest_of({"model": b"x"}).dumps())
    document["models"][0]["files"][0]["path"] = path
    problems = _problems(document)
    assert VALIDATOR.is_valid(document) == (not problems)
