from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cognitive_memory.core.local_time import local_time, parse_span, spans_in
from tests.support.capabilities import needs_zones


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
        time.tzset()
        yield
    time.tzset()


pytestmark = needs_zones
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
        ("May 2023", "2023-05-01 00:00", "2023-06-01 00:00"),
        ("dec 2023", "2023-12-01 00:00", "2024-01-01 00:00"),
        ("8 May, 2023", "2023-05-08 00:00", "2023-05-09 00:00"),
        ("October 13th, 2023", "2023-10-13 00:00", "2023-10-14 00:00"),
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
    [
        "",
        "someday",
        "2024-13-01",
        "2026-13",
        "0001-01-01",
        "9999-12-31",
        "9999",
        "last 9999 years",
        "31 June 2023",
        "8 May 9 2023",
    ],
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


def test_today_is_that_of_this_zone() -> None:
    late = datetime(2026, 11, 26, 23, 30, tzinfo=UTC)  # half past midnight in Berlin
    assert local_time(parse_span("today", late).since) == "2026-11-27 00:00"


@pytest.mark.parametrize(
    ("question", "since", "until"),
    [
        ("What did we decide last week?", "2026-11-16 00:00", "2026-11-23 00:00"),
        (
            "which painting did she show on October 13, 2023?",
            "2023-10-13 00:00",
            "2023-10-14 00:00",
        ),
        ("What broke in May 2023, and why", "2023-05-01 00:00", "2023-06-01 00:00"),
        ("what was new in 2023?", "2023-01-01 00:00", "2024-01-01 00:00"),
        ("Why did CI fail\nyesterday", "2026-11-26 00:00", "2026-11-27 00:00"),
        ("the API before 2024-03", "1900-01-01 00:00", "2024-03-01 00:00"),
        ("all that changed since last month", "2026-10-01 00:00", "9998-12-31 00:00"),
        ("and after May 2023", "2023-06-01 00:00", "9998-12-31 00:00"),
        ("the day before yesterday", "2026-11-25 00:00", "2026-11-26 00:00"),
    ],
)
def test_the_time_that_a_question_names(question: str, since: str, until: str) -> None:
    (span,) = spans_in(question, NOW)
    assert (local_time(span.since), local_time(span.until)) == (since, until)


@pytest.mark.parametrize(
    "question",
    [
        "why is there a limit of 2000 rows",
        "may we remove it",
        "which is the last migration",
        "in 2023.1 something broke",
        "what is CVE-2024-12345",
        "in python 3.12",
        "on 31 June 2023",
    ],
)
def test_questions_that_name_no_time(question: str) -> None:
    assert spans_in(question, NOW) == []


class OnWindows(datetime):
    """Windows tells the zone of no other years."""

    def astimezone(self, tz: tzinfo | None = None) -> OnWindows:
        if self.tzinfo is None and not 1970 < self.year < 3000:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return super().astimezone(tz)


def test_where_the_zone_of_far_years_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cognitive_memory.core.local_time.datetime", OnWindows)
    assert [span.since.year for span in spans_in("since 2025, or before 2020")] == [2025, 1900]
    assert parse_span("1969-07-20T20:17").since.isoformat()[:16] == "1969-07-20T20:17"


@given(st.text(), st.sampled_from(["2023-05-08", "may 2023", "yesterday", "3 days ago"]), st.text())
def test_a_time_is_found_wherever_it_stands(before: str, said: str, after: str) -> None:
    spans = spans_in(f"{before} . {said} . {after}", NOW)
    assert parse_span(said, NOW) in spans


@given(
    st.text()
    | st.lists(
        st.sampled_from(["before", "in", "may", "2023", "31", "last", ",", "day", "9999", "ago"])
    )
)
def test_any_question_is_read(question: str | list[str]) -> None:
    text = question if isinstance(question, str) else " ".join(question)
    assert all(span.since <= span.until for span in spans_in(text))
