"""Moments as they are stored and shown: UTC, RFC 3339, one width, so that text order is time order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from verification.errors import FieldsRefused

Clock = Callable[[], datetime]
"""Gives the present moment with its zone."""


def rfc3339(moment: datetime) -> str:
    """The moment in UTC with microseconds and ``Z``."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse_moment(text: str) -> datetime:
    """The moment that :func:`rfc3339` wrote."""
    return datetime.fromisoformat(text)


def moment_in(field: str, text: str) -> str:
    """A moment that somebody wrote, with its zone, as it is kept; raises FieldsRefused naming the field."""
    try:
        moment = parse_moment(text)
        if moment.tzinfo is not None:
            return rfc3339(moment)
    # The first and the last hours of all years have no name in UTC, where a zone lies between.
    except (ValueError, OverflowError):
        pass
    raise FieldsRefused({field: "FIELD_DATE"})


def utc_now() -> datetime:
    """The clock of a running program."""
    return datetime.now(UTC)
