"""The calendar day that cards, forms and counters mean: the one in Viet Nam."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

VIETNAM = timezone(timedelta(hours=7), "ICT")
"""Indochina Time has no summer time."""


def vietnam_date(moment: datetime) -> date:
    """The day in Viet Nam at a moment with its zone; UTC is a day behind until seven in the morning."""
    return moment.astimezone(VIETNAM).date()
