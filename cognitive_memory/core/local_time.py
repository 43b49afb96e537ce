"""Times as people say and read them, in this machine's time zone."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

FORMS = (
    '2026-01-31, 2026-01, 2026-01-31T12:00, "31 January 2026", "today", "yesterday", "last week", '
    '"3 days ago"'
)
"""Some of what `parse_span` understands."""

_FIRST_YEAR, _LAST_YEAR = 1900, 9998  # those around them are out of range in some time zone
_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()  # noqa: SIM905
_MONTH = re.compile(r"(\d{4})(?:-(\d\d?))?")
_UNIT = r"(hour|day|week|month|year)s?"
_LAST = re.compile(rf"(?:the )?(this|current|last|past|previous|recent) (?:(\d{{1,4}}) )?{_UNIT}")
_AGO = re.compile(rf"(a|an|one|\d{{1,4}}) {_UNIT} ago")
_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}
_MONTHS = {
    month: number
    for number, names in enumerate(
        (
            *("january|jan", "february|feb", "march|mar", "april|apr", "may", "june|jun"),
            *("july|jul", "august|aug", "september|sep|sept", "october|oct", "november|nov"),
            "december|dec",
        ),
        start=1,
    )
    for month in names.split("|")
}
_MONTH_NAME = "|".join(_MONTHS)
_NAMED = re.compile(
    rf"(?:(\d\d?)(?:st|nd|rd|th)? (?:of )?)?({_MONTH_NAME})(?: (\d\d?)(?:st|nd|rd|th)?)?,? (\d{{4}})"
)
_RELATIVE_DAYS = {"today": 0, "yesterday": -1, "day before yesterday": -2, "tomorrow": 1}


class Span(NamedTuple):
    """A span of time, both ends with a time zone.

    Attributes:
        since: its first moment.
        until: the first moment after it; `since` itself where a single moment was meant.
    """

    since: datetime
    until: datetime


def parse_span(text: str, now: datetime | None = None) -> Span:
    """The span that a text names: a day, month or year counts as a whole, a week from Monday on.

    Args:
        text: as `FORMS` shows; a date or time as ISO 8601 has it, without an offset of this
            machine's zone.
        now: when it is said; default: this moment.

    Raises:
        ValueError: it is none of these, or of a year that no memory has.

    >>> span = parse_span("yesterday", datetime(2026, 3, 1, 9))
    >>> span.since.isoformat()[:10], span.until.isoformat()[:10]
    ('2026-02-28', '2026-03-01')
    """
    now = (now or datetime.now()).astimezone()
    said = " ".join(text.replace("_", " ").lower().split())
    with suppress(ValueError, OverflowError, OSError):  # of days and years that there are not
        span = _in_words(said, now) or _in_numbers(text.strip())
        if span and all(_FIRST_YEAR <= end.year <= _LAST_YEAR for end in (span.since, span.until)):
            return span
    raise ValueError(f"expected a time from {_FIRST_YEAR} to {_LAST_YEAR} as {FORMS}")


_SAID = re.compile(
    r"\b(?:(?P<side>before|until|since|after|in|during) )?(?P<time>"
    r"\d{4}-\d\d-\d\d|\d{4}-\d\d|"
    rf"(?:\d\d?(?:st|nd|rd|th)? (?:of )?)?(?:{_MONTH_NAME})(?: \d\d?(?:st|nd|rd|th)?)?,? \d{{4}}|"
    r"today|yesterday|day before yesterday|"
    r"(?:this|last|past) (?:\d{1,4} )?(?:day|week|month|year)s?|"
    r"(?:a|an|one|\d{1,4}) (?:hour|day|week|month|year)s? ago|"
    rf"last (?:{'|'.join(_WEEKDAYS)})|"
    r"(?P<year>(?:19|20)\d\d))(?![\w-]|\.\d)"
)


def spans_in(question: str, now: datetime | None = None) -> list[Span]:
    """The spans of time that a question names, in the order of its words.

    A year counts only behind "in", "since" and their like, since "2023" alone may be anything. What
    is before a time has no beginning, what is since or after it has no end.

    >>> [span.since.year for span in spans_in("what did we decide in May 2023, and since 2025-01")]
    [2023, 2025]
    >>> spans_in("why is there a limit of 2000 rows")
    []
    """
    spans = []
    said = " ".join(question.lower().split())
    for match in _SAID.finditer(said):
        side = match["side"]
        if match["year"] and side is None:
            continue
        with suppress(ValueError):
            span = parse_span(match["time"], now)
            if side in {"before", "until"}:
                end = span.since if side == "before" else span.until
                span = Span(_midnight(date(_FIRST_YEAR, 1, 1)), end)
            elif side in {"since", "after"}:
                begin = span.since if side == "since" else span.until
                span = Span(begin, _midnight(date(_LAST_YEAR, 12, 31)))
            spans.append(span)
    return spans


def local_time(moment: datetime) -> str:
    """A moment in this machine's zone, to the minute.

    >>> local_time(datetime(2026, 1, 31, 12, 0, 59).astimezone())
    '2026-01-31 12:00'
    """
    try:
        return moment.astimezone().strftime("%Y-%m-%d %H:%M")
    except (OverflowError, OSError, ValueError):  # of a year that is out of range here
        return moment.isoformat(" ", "minutes")


def _in_words(said: str, now: datetime) -> Span | None:
    today = now.date()
    if said == "now":
        return Span(now.astimezone(), now.astimezone())
    if said in _RELATIVE_DAYS:
        return _days(today + timedelta(_RELATIVE_DAYS[said]), 1)
    weekday = said.removeprefix("last ").removeprefix("on ")
    if weekday in _WEEKDAYS:
        back = (today.weekday() - _WEEKDAYS.index(weekday)) % 7 or 7
        return _days(today - timedelta(back), 1)
    if match := _LAST.fullmatch(said):
        return _last(match, today, now)
    if (match := _NAMED.fullmatch(said)) and not (match[1] and match[3]):
        month, day = _MONTHS[match[2]], match[1] or match[3]
        year = int(match[4])
        return _days(date(year, month, int(day)), 1) if day else _month(year, month)
    if match := _AGO.fullmatch(said):
        number = int(match[1]) if match[1].isdigit() else 1
        if match[2] == "hour":
            moment = (now - timedelta(hours=number)).astimezone()
            return Span(moment, moment)
        return _days(today - timedelta(number * _DAYS[match[2]]), 1)
    return None


def _last(match: re.Match[str], today: date, now: datetime) -> Span:
    """This or the last day, week, month, year; or so many up to now."""
    which, number, unit = match.groups()
    if number or unit == "hour" or which in {"past", "recent"}:
        count = int(number or 1)
        if unit == "hour":
            return Span((now - timedelta(hours=count)).astimezone(), now.astimezone())
        return Span(_midnight(today - timedelta(count * _DAYS[unit])), _midnight(today, 1))
    before = which not in {"this", "current"}
    if unit in {"day", "week"}:
        first = today if unit == "day" else today - timedelta(today.weekday())
        return _days(first - timedelta(_DAYS[unit] * before), _DAYS[unit])
    if unit == "month":
        first = today.replace(day=1)
        return _month(*_month_of((first - timedelta(before)).isoformat()[:7]))
    return _month(today.year - before, None)


def _in_numbers(text: str) -> Span | None:
    if match := _MONTH.fullmatch(text):
        return _month(*_month_of(match[0]))
    try:
        return _days(date.fromisoformat(text), 1)
    except ValueError:  # no day
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else _aware(moment)
        return Span(moment, moment)


def _month_of(text: str) -> tuple[int, int | None]:
    year, _, month = text.partition("-")
    return int(year), int(month) if month else None


def _month(year: int, month: int | None) -> Span:
    """A month, or a whole year."""
    first = date(year, month or 1, 1)
    following = date(year + 1, 1, 1) if month in {None, 12} else date(year, (month or 1) + 1, 1)
    return Span(_midnight(first), _midnight(following))


def _days(first: date, number: int) -> Span:
    return Span(_midnight(first), _midnight(first, number))


def _midnight(day: date, later: int = 0) -> datetime:
    # By the calendar, not by hours: a day of which the clocks are changed has 23 or 25.
    return _aware(datetime.combine(day + timedelta(later), time()))


def _aware(moment: datetime) -> datetime:
    try:
        return moment.astimezone()
    except OSError:  # Windows knows no zone before 1970 and after 3000
        return moment.replace(tzinfo=datetime.now().astimezone().tzinfo)
