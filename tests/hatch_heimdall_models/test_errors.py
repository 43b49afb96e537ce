from __future__ import annotations

import pickle

from hatch_heimdall_models.errors import ModelBuildError


def test_one_problem_is_one_line() -> None:
    assert str(ModelBuildError("a.json", ["is empty"])) == "a.json: is empty"


def test_several_problems_are_a_list() -> None:
    assert (
        str(ModelBuildError("a.json", iter(["one", "two"])))
        == "a.json: 2 problems\n  - one\n  - two"
    )


def test_very_many_problems_are_counted() -> None:
    lines = str(ModelBuildError("models", map(str, range(1200)))).splitlines()
    assert (lines[0], len(lines), lines[-1]) == ("models: 1,200 problems", 22, "  - and 1,180 more")


def test_it_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(ModelBuildError("a.json", ["one", "two"])))  # noqa: S301
    assert (error.subject, error.problems) == ("a.json", ("one", "two"))
