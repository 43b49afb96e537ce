"""Tables whose every mistake is named, and paths that stay inside."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatch_heimdall_models.errors import ModelBuildError
from hatch_heimdall_models.pin_rules import path_problem
from hatch_heimdall_models.reader import Reader, read_json
from tests.support.manifests import FILES


def test_inner_tables_share_the_problems_and_name_their_place() -> None:
    reader = Reader({"outer": {"entries": [{"size": 0}, {"size": 3, "sise": 1}]}}, "tool.x")
    sizes = []
    for entry in reader.inner("outer").each("entries"):
        sizes.append(entry.positive("size"))
        entry.refuse_unknown_keys()
    assert sizes == [0, 3]
    assert reader.problems == [
        "tool.x.outer.entries[0].size: expected a positive number of bytes, found 0",
        "tool.x.outer.entries[1].sise: unknown key; did you mean 'size'?",
    ]


def test_what_is_missing_in_a_missing_table_is_named_and_in_a_wrong_one_only_that() -> None:
    reader = Reader({"wrong": 3})
    for key in ("missing", "wrong"):
        assert reader.inner(key).text("name") == ""
    assert reader.problems == [
        "missing.name: expected a string, but it is missing",
        "wrong: expected a table, found 3",
    ]


def test_json_has_objects() -> None:
    reader = read_json('{"a": null}', subject="x")
    reader.inner("a")
    assert list(reader.each("b", required=True)) == []
    with pytest.raises(ModelBuildError) as caught:
        reader.raise_problems("the.lock")
    assert caught.value.problems == (
        "a: expected an object, found None",
        "b: expected an array of objects, at least one, but it is missing",
    )
    with pytest.raises(ModelBuildError, match="must be a JSON object"):
        read_json("[]", subject="x")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/x",
        "a//b",
        "a/",
        "a\\b",
        "C:x",
        "./a",
        "a/../b",
        "..",
        "a\x00b",
        "a\nb",
        "a\x7f",
        "a.",
        "b ",
        "a./b",
    ],
)
def test_paths_that_are_refused(path: str) -> None:
    assert path_problem(path)


@pytest.mark.parametrize("path", [*FILES, ".hidden", "a/.b/c", "with space.bin", "größe/模型.onnx"])
def test_paths_that_are_allowed(path: str) -> None:
    assert path_problem(path) is None


@given(st.text())
def test_no_allowed_path_leaves_the_directory(path: str) -> None:
    if path_problem(path) is None:
        assert not path.startswith("/")
        assert not {"", ".", ".."} & set(path.split("/"))
