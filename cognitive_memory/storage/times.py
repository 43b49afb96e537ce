"""Moments as SQLite keeps them: whole microseconds since 1970-01-01 UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """A moment with a time zone as a number; exact."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(microseconds: int) -> datetime:
    """The moment of a number, in UTC; exact."""
    return _EPOCH + microseconds * _MICROSECOND


def now() -> int:
    """This moment as a number."""
    return microseconds(datetime.now(UTC))
