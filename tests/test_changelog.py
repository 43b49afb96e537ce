"""The changelog speaks of the version that is built."""

from __future__ import annotations

from tests.support.changelog import newest, version


def test_the_first_entry_is_of_this_version() -> None:
    assert newest()[0] == version()
