from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatch_heimdall_models.config import HookConfig, ModelConfig, parse_config
from hatch_heimdall_models.errors import ModelBuildError

WHERE = "tool.hatch.build.hooks.custom"
MINIMAL: dict[str, Any] = {
    "models-dir": "pkg/models",
    "manifest": "pkg/manifest.json",
    "repository": "me/mine",
}
MODEL: dict[str, Any] = {"name": "a", "license": "MIT", "upstream": "https://example.org/a"}
FULL_MODEL = {
    **MODEL,
    "variant": "small",
    "marker": "sys_platform == 'linux'",
    "files": ["small/*"],
    "asset": "a-{tag}-linux.zip",
    "license-files": ["LICENSES/a.txt"],
}

HATCH_KEYS = {
    "dependencies": [],
    "require-runtime-dependencies": True,
    "require-runtime-features": [],
    "enable-by-default": False,
    "path": "hook.py",
}


def _problems(table: dict[str, Any]) -> list[str]:
    with pytest.raises(ModelBuildError) as caught:
        parse_config(table, where=WHERE)
    assert caught.value.subject == "pyproject.toml"
    return list(caught.value.problems)


def test_defaults() -> None:
    assert parse_config(MINIMAL, where=WHERE) == HookConfig(
        models_dir="pkg/models",
        manifest="pkg/manifest.json",
        repository="me/mine",
        lock="models.lock.json",
        tag=None,
        max_wheel_size=None,
        sbom=False,
        models=(),
    )


def test_everything_given_and_hatch_own_keys_beside_it() -> None:
    table = {
        **MINIMAL,
        "models-dir": "pkg/models/",
        "lock": "locks/a.json",
        "tag": "models-{version}-x",
        "max-wheel-size": 1000,
        "sbom": True,
        "models": [MODEL, FULL_MODEL],
        **HATCH_KEYS,
    }
    assert parse_config(table, where=WHERE) == HookConfig(
        "pkg/models",
        "pkg/manifest.json",
        "me/mine",
        "locks/a.json",
        "models-{version}-x",
        1000,
        sbom=True,
        models=(
            ModelConfig("a", "MIT", "https://example.org/a"),
            ModelConfig(
                "a",
                "MIT",
                "https://example.org/a",
                variant="small",
                marker="sys_platform == 'linux'",
                files=("small/*",),
                asset="a-{tag}-linux.zip",
                license_files=("LICENSES/a.txt",),
            ),
        ),
    )


def test_a_licence_is_spelt_as_spdx_has_it() -> None:
    model = {"name": "a", "license": "apache-2.0 or MIT", "upstream": "here"}
    config = parse_config({**MINIMAL, "models": [model]}, where=WHERE)
    assert config.models[0].license == "Apache-2.0 OR MIT"


def test_tags_and_asset_names() -> None:
    config = parse_config(MINIMAL, where=WHERE)
    assert (config.demanded_tag("1.0"), config.next_tag) == (None, "v{version}")
    config = parse_config({**MINIMAL, "tag": "models-{version}"}, where=WHERE)
    assert (config.demanded_tag("1.0"), config.next_tag) == ("models-1.0", "models-{version}")
    model = ModelConfig("a", "MIT", "here")
    assert model.asset_name("v1") == "a-v1.zip"
    assert replace(model, variant="small").asset_name("v1") == "a-small-v1.zip"
    assert replace(model, variant="small", asset="x-{tag}-y.zip").asset_name("v1") == "x-v1-y.zip"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"name": ""}, "name: expected a name of letters, digits, '.', '_' and '-', found ''"),
        (
            {"license": None},
            "license: expected the SPDX expression of the model's licence, found None",
        ),
        (
            {"variant": "a b"},
            "variant: expected a name of letters, digits, '.', '_' and '-', found 'a b'",
        ),
        ({"marker": 3}, "marker: expected a PEP 508 environment marker, found 3"),
        ({"files": "*"}, "files: expected an array of strings, found '*'"),
        ({"files": [""]}, "files: expected an array of strings, found ['']"),
        (
            {"asset": "{version}.zip"},
            "asset: expected the name of a zip in which only {tag} stands in braces, or a name that ends in {file}, found",
        ),
        (
            {"asset": "../{tag}.zip"},
            "asset: expected the name of a zip in which only {tag} stands in braces, or a name that ends in {file}, found",
        ),
        ({"license-files": ["../x"]}, "license-files: expected relative paths, but"),
        ({"licence": "MIT"}, "licence: unknown key; did you mean 'license'?"),
    ],
)
def test_mistakes_in_a_model_are_named_with_its_place(
    changes: dict[str, Any], problem: str
) -> None:
    (found,) = _problems(
        {**MINIMAL, "models": [{**MODEL, "variant": "other"}, {**MODEL, **changes}]}
    )
    assert found.startswith(f"{WHERE}.models[1].{problem}")


def test_models_are_told_apart() -> None:
    marked = {**MODEL, "marker": "sys_platform == 'linux'"}
    assert _problems({**MINIMAL, "models": [MODEL, MODEL]}) == [
        f"{WHERE}.models[1]: has the name, variant and marker of models[0]"
    ]
    assert _problems({**MINIMAL, "models": [MODEL, marked]}) == [
        f"{WHERE}.models[1].asset: has the name of the asset of models[0], 'a-{{tag}}.zip'"
    ]
    assert (
        parse_config({**MINIMAL, "models": [MODEL, {**marked, "asset": "b.zip"}]}, where=WHERE)
        .models[1]
        .asset
    )


def test_the_file_that_has_the_table_is_named() -> None:
    with pytest.raises(ModelBuildError) as caught:
        parse_config({}, where="build.hooks.x", subject="hatch.toml")
    assert caught.value.subject == "hatch.toml"
    assert all(problem.startswith("build.hooks.x.") for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("given_size", "size"),
    [
        (1, 1),
        ("1 B", 1),
        ("300 KB", 300_000),
        ("300kb", 300_000),
        ("1.5 MB", 1_500_000),
        ("2 GB", 2 * 10**9),
        ("1 KiB", 1024),
        ("0.5 MiB", 2**19),
        ("1GiB", 2**30),
    ],
)
def test_sizes(given_size: object, size: int) -> None:
    assert (
        parse_config({**MINIMAL, "max-wheel-size": given_size}, where=WHERE).max_wheel_size == size
    )


@pytest.mark.parametrize("tag", ["v{version}", "{version}", "models-1", "1.0+x"])
def test_tags(tag: str) -> None:
    assert parse_config({**MINIMAL, "tag": tag}, where=WHERE).tag == tag


SIZES = [0, -1, True, 1.5, "", "300", "KB", "-1 KB", "0 KB", "0.1 B", "1 TB", "1  KB", []]
TAGS = ["", "{versoin}", "v{version}{version}", "a b", "-x", "{}", "a/b", 3]
REFUSED = [
    *(("max-wheel-size", size, "a positive number of bytes or a text such as") for size in SIZES),
    ("max-wheel-size", "9" * 400 + "GB", "a positive number of bytes or a text such as"),
    *(("tag", tag, "a tag's name in which only {version} stands in braces, found") for tag in TAGS),
    *(("sbom", flag, "true or false, found") for flag in ("yes", 1)),
    *(("models", models, "an array of tables, found") for models in ({"name": "a"}, [3], "a")),
]


@pytest.mark.parametrize(("key", "value", "expected"), REFUSED)
def test_values_of_another_form_are_refused(key: str, value: object, expected: str) -> None:
    (problem,) = _problems({**MINIMAL, key: value})
    assert problem.startswith(f"{WHERE}.{key}: expected {expected} ")
    assert problem.endswith(f" {value!r}")


@pytest.mark.parametrize(
    "path", ["", "/abs", "../out", "a/../b", "a\\b", "C:/x", "./a", 3, ["a"], None]
)
@pytest.mark.parametrize("key", ["models-dir", "manifest", "lock"])
def test_paths_that_are_refused(key: str, path: object) -> None:
    (problem,) = _problems({**MINIMAL, key: path})
    assert problem.startswith(f"{WHERE}.{key}: expected a relative path")
    assert repr(path) in problem


@pytest.mark.parametrize("key", ["manifest", "lock"])
def test_nothing_to_be_packed_may_lie_among_the_models(key: str) -> None:
    (problem,) = _problems({**MINIMAL, key: "pkg/models/x.json"})
    assert problem.startswith(f"{WHERE}.{key}: 'pkg/models/x.json' lies in models-dir")
    beside = parse_config({**MINIMAL, key: "pkg/models-x.json"}, where=WHERE)
    assert getattr(beside, key) == "pkg/models-x.json"


@pytest.mark.parametrize(
    ("typo", "meant"),
    [
        ("model-dir", "models-dir"),
        ("models_dir", "models-dir"),
        ("Manifest", "manifest"),
        ("repo", "repository"),
        ("max-size", "max-wheel-size"),
        ("dependecies", "dependencies"),
    ],
)
def test_the_nearest_key_is_named(typo: str, meant: str) -> None:
    assert _problems({**MINIMAL, typo: "x"}) == [
        f"{WHERE}.{typo}: unknown key; did you mean {meant!r}?"
    ]


def test_variants_may_have_folders_of_their_own() -> None:
    folders = {"compact": "compact", "tiny": "small/tiny"}
    assert (
        parse_config({**MINIMAL, "variant-folders": folders}, where=WHERE).variant_folders
        == folders
    )


@pytest.mark.parametrize(
    ("folders", "problem"),
    [
        ("compact", ": expected a table, found 'compact'"),
        ({"compact": "../compact"}, "has a '.' or '..' component"),
        ({"compact": 3}, ".compact: expected a relative path, found 3"),
        ({"a b": "c"}, "expected a name of letters"),
        ({"a": "c", "b": "c/d"}, "'c/d' lies in 'c'"),
        ({"a": "c", "b": "c"}, "'c' lies in 'c'"),
    ],
)
def test_folders_that_can_not_be_told_apart_or_lie_elsewhere(folders: object, problem: str) -> None:
    (found,) = _problems({**MINIMAL, "variant-folders": folders})
    assert found.startswith(f"{WHERE}.variant-folders")
    assert problem in found


def test_a_key_near_to_nothing() -> None:
    assert _problems({**MINIMAL, "zzz": 1}) == [
        f"{WHERE}.zzz: unknown key; allowed are models-dir, variant-folders, manifest, repository, lock, tag, inline-limit, max-wheel-size, sbom, models"
    ]


def test_all_problems_at_once_in_a_fixed_order() -> None:
    table = {
        "models_dir": "x",
        "repository": "mine",
        "lock": 3,
        "tag": "{x}",
        "max-wheel-size": "big",
    }
    problems = _problems(table)
    assert [problem.partition(": ")[0].removeprefix(f"{WHERE}.") for problem in problems] == [
        "models-dir",
        "manifest",
        "repository",
        "lock",
        "tag",
        "max-wheel-size",
        "models_dir",
    ]
    assert problems[0] == f"{WHERE}.models-dir: expected a relative path, but it is missing"
    assert problems[2] == (
        f"{WHERE}.repository: expected 'owner/name' of a repository on GitHub, found 'mine'"
    )
    assert "found 3" in problems[3]


_toml = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)
_keys = st.sampled_from(
    [*MINIMAL, "lock", "tag", "max-wheel-size", "sbom", "models", *HATCH_KEYS]
) | st.text(max_size=12)


@given(st.dictionaries(_keys, _toml, max_size=6))
def test_any_table_gives_a_configuration_or_named_problems(changes: dict[str, Any]) -> None:
    problems: tuple[str, ...] = ()
    try:
        parse_config({**MINIMAL, **changes}, where=WHERE)
    except ModelBuildError as error:
        problems = error.problems
    assert all(problem.startswith(f"{WHERE}.") for problem in problems)
    unknown = changes.keys() - {
        *MINIMAL,
        "lock",
        "tag",
        "max-wheel-size",
        "sbom",
        "models",
        *HATCH_KEYS,
    }
    assert sum("unknown key; " in problem for problem in problems) >= len(unknown)


def test_a_key_that_is_not_bare_is_quoted() -> None:
    (problem,) = _problems({**MINIMAL, "a\nb": 1})
    assert problem.startswith(f'{WHERE}."a\\nb": unknown key')
