from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatch_heimdall_models.config import HookConfig, parse_config
from hatch_heimdall_models.errors import ModelBuildError

WHERE = "tool.hatch.build.hooks.custom"
MINIMAL: dict[str, Any] = {"models-dir": "pkg/models", "manifest": "pkg/manifest.json", "repository": "me/mine"}

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
        tag="v{version}",
        max_wheel_size=None,
    )


def test_everything_given_and_hatch_own_keys_beside_it() -> None:
    table = {
        **MINIMAL,
        "models-dir": "pkg/models/",
        "lock": "locks/a.json",
        "tag": "models-{version}-x",
        "max-wheel-size": 1000,
        **HATCH_KEYS,
    }
    assert parse_config(table, where=WHERE) == HookConfig(
        "pkg/models", "pkg/manifest.json", "me/mine", "locks/a.json", "models-{version}-x", 1000
    )


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
    assert parse_config({**MINIMAL, "max-wheel-size": given_size}, where=WHERE).max_wheel_size == size


@pytest.mark.parametrize(
    "value", [0, -1, True, 1.5, "", "300", "KB", "-1 KB", "0 KB", "0.1 B", "1 TB", "1  KB", "9" * 400 + "GB", []]
)
def test_sizes_that_are_refused(value: object) -> None:
    (problem,) = _problems({**MINIMAL, "max-wheel-size": value})
    assert problem.startswith(f"{WHERE}.max-wheel-size: expected a positive number of bytes or a text such as '300 KB'")
    assert problem.endswith(f" {value!r}")


@pytest.mark.parametrize("tag", ["v{version}", "{version}", "models-1", "1.0+x"])
def test_tags(tag: str) -> None:
    assert parse_config({**MINIMAL, "tag": tag}, where=WHERE).tag == tag


@pytest.mark.parametrize("tag", ["", "{versoin}", "v{version}{version}", "a b", "-x", "{}", "a/b", 3])
def test_tags_that_are_refused(tag: object) -> None:
    (problem,) = _problems({**MINIMAL, "tag": tag})
    assert problem.startswith(f"{WHERE}.tag: expected a tag's name in which only {{version}} stands in braces, found")


@pytest.mark.parametrize("path", ["", "/abs", "../out", "a/../b", "a\\b", "C:/x", "./a", 3, ["a"], None])
@pytest.mark.parametrize("key", ["models-dir", "manifest", "lock"])
def test_paths_that_are_refused(key: str, path: object) -> None:
    (problem,) = _problems({**MINIMAL, key: path})
    assert problem.startswith(f"{WHERE}.{key}: expected a path ")
    assert repr(path) in problem


@pytest.mark.parametrize("key", ["manifest", "lock"])
def test_nothing_to_be_packed_may_lie_among_the_models(key: str) -> None:
    (problem,) = _problems({**MINIMAL, key: "pkg/models/x.json"})
    assert problem.startswith(f"{WHERE}.{key}: 'pkg/models/x.json' lies in models-dir")
    assert parse_config({**MINIMAL, key: "pkg/models-x.json"}, where=WHERE)


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
    assert _problems({**MINIMAL, typo: "x"}) == [f"{WHERE}.{typo}: unknown key; did you mean {meant!r}?"]


def test_a_key_near_to_nothing() -> None:
    assert _problems({**MINIMAL, "zzz": 1}) == [
        f"{WHERE}.zzz: unknown key; allowed are models-dir, manifest, repository, lock, tag, max-wheel-size"
    ]


def test_all_problems_at_once_in_a_fixed_order() -> None:
    table = {"models_dir": "x", "repository": "mine", "lock": 3, "tag": "{x}", "max-wheel-size": "big"}
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
    assert problems[0] == f"{WHERE}.models-dir: expected a path relative to the project's root, but it is missing"
    assert problems[2] == (
        f"{WHERE}.repository: expected 'owner/name' of a repository on GitHub, found the string 'mine'"
    )
    assert "found the integer 3" in problems[3]


_toml = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
_keys = st.sampled_from([*MINIMAL, "lock", "tag", "max-wheel-size", *HATCH_KEYS]) | st.text(max_size=12)


@given(st.dictionaries(_keys, _toml, max_size=6))
def test_any_table_gives_a_configuration_or_named_problems(changes: dict[str, Any]) -> None:
    problems: tuple[str, ...] = ()
    try:
        parse_config({**MINIMAL, **changes}, where=WHERE)
    except ModelBuildError as error:
        problems = error.problems
    assert all(problem.startswith(f"{WHERE}.") for problem in problems)
    unknown = changes.keys() - {*MINIMAL, "lock", "tag", "max-wheel-size", *HATCH_KEYS}
    assert sum("unknown key; " in problem for problem in problems) >= len(unknown)


def test_a_key_that_is_not_bare_is_quoted() -> None:
    (problem,) = _problems({**MINIMAL, "a\nb": 1})
    assert problem.startswith(f'{WHERE}."a\\nb": unknown key')
