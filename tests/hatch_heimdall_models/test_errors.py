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


def test_it_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(ModelBuildError("a.json", ["one", "two"])))  # noqa: S301
    assert (error.subject, error.problems) == ("a.json", ("one", "two"))
