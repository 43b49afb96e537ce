"""Times as files and git have them."""

from __future__ import annotations

from datetime import UTC, datetime


def moment_at(seconds: float | str) -> datetime | None:
    """The moment so many seconds after 1970 in UTC; None for what is no number, or in no calendar (the year 20000)."""
    try:
        return datetime.fromtimestamp(float(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None
