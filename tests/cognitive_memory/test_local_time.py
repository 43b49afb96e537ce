from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognitive_memory.core.local_time import local_time, parse_span

pytestmark = pytest.mark.skipif(not hasattr(time, "tzset"), reason="one zone per process there")


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
        time.tzset()
        yield
    time.tzset()


NOW = datetime(2026, 11, 27, 10, 30, tzinfo=UTC)  # a Friday


@pytest.mark.parametrize(
    ("said", "since", "until"),
    [
        ("today", "2026-11-27 00:00", "2026-11-28 00:00"),
        ("Yesterday", "2026-11-26 00:00", "2026-11-27 00:00"),
        ("last week", "2026-11-16 00:00", "2026-11-23 00:00"),
        ("last_week", "2026-11-16 00:00", "2026-11-23 00:00"),
        ("this week", "2026-11-23 00:00", "2026-11-30 00:00"),
        ("last month", "2026-10-01 00:00", "2026-11-01 00:00"),
        ("this month", "2026-11-01 00:00", "2026-12-01 00:00"),
        ("last year", "2025-01-01 00:00", "2026-01-01 00:00"),
        ("past week", "2026-11-20 00:00", "2026-11-28 00:00"),
        ("the last 3 days", "2026-11-24 00:00", "2026-11-28 00:00"),
        ("last 2 hours", "2026-11-27 09:30", "2026-11-27 11:30"),
        ("3 days ago", "2026-11-24 00:00", "2026-11-25 00:00"),
        ("a week ago", "2026-11-20 00:00", "2026-11-21 00:00"),
        ("monday", "2026-11-23 00:00", "2026-11-24 00:00"),
        ("last friday", "2026-11-20 00:00", "2026-11-21 00:00"),
        ("2026-01-31", "2026-01-31 00:00", "2026-02-01 00:00"),
        ("2026-01", "2026-01-01 00:00", "2026-02-01 00:00"),
        ("2025-12", "2025-12-01 00:00", "2026-01-01 00:00"),
        ("2026", "2026-01-01 00:00", "2027-01-01 00:00"),
        ("2026-01-31T12:00", "2026-01-31 12:00", "2026-01-31 12:00"),
        ("2026-01-31T12:00:00Z", "2026-01-31 13:00", "2026-01-31 13:00"),
        ("now", "2026-11-27 11:30", "2026-11-27 11:30"),
    ],
)
def test_what_people_say(said: str, since: str, until: str) -> None:
    span = parse_span(said, NOW)
    assert (local_time(span.since), local_time(span.until)) == (since, until)
    assert span.since.tzinfo
    assert span.until.tzinfo


def test_a_day_on_which_clocks_are_changed() -> None:
    span = parse_span("2026-10-25")
    assert span.until - span.since == timedelta(hours=25)


@pytest.mark.parametrize(
    "said",
    ["", "someday", "2024-13-01", "2026-13", "0001-01-01", "9999-12-31", "9999", "last 9999 years"],
)
def test_what_is_no_time_names_the_forms(said: str) -> None:
    with pytest.raises(ValueError, match="yesterday"):
        parse_span(said, NOW)


@given(st.text(max_size=30) | st.from_regex(r"(last|this) \d{0,5} ?(day|year)s?", fullmatch=True))
def test_any_text_is_a_span_or_refused(said: str) -> None:
    try:
        span = parse_span(said)
    except ValueError:
        return
    assert span.since <= span.until
