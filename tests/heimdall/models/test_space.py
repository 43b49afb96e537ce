from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from heimdall.models.space import NoSpaceError, require_space


def test_what_fits_fits(tmp_path: Path) -> None:
    require_space(tmp_path, 1)


def test_too_much_says_how_much_is_missing_where(tmp_path: Path) -> None:
    with pytest.raises(
        NoSpaceError, match=r"make room for .* MB more, or set HEIMDALL_DATA_DIR"
    ) as caught:
        require_space(tmp_path, 1 << 60)
    assert str(tmp_path) in str(caught.value)
    assert caught.value.needed > 1 << 60 > caught.value.free


def test_a_directory_that_can_not_be_asked_is_left_to_the_write(tmp_path: Path) -> None:
    require_space(tmp_path / "none", 1 << 60)


def test_it_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(NoSpaceError("/x", 5, 3)))  # noqa: S301
    assert (error.directory, error.needed, error.free) == ("/x", 5, 3)
