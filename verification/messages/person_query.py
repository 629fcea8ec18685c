"""Asking the population registry about a person: yes or no by attribute, no more."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class LifeStatus(StrEnum):
    """What is known of a person's life; ``missing`` is a court's declaration."""

    ALIVE = "alive"
    DECEASED = "deceased"
    MISSING = "missing"


class PersonQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Attributes as the chip states them; dates are ISO 8601, sex is ``M`` or ``F``.

    ``purpose`` and ``agency`` say for what and for whom the gateway asks: the person may see it.
    """

    citizen_number: str
    full_name: str
    date_of_birth: str
    sex: str
    purpose: str | None = None
    agency: str | None = None


class PersonAnswer(msgspec.Struct, frozen=True):
    """``found``, which attributes agree, and the life status, which is None only of nobody."""

    found: bool
    matched: dict[str, bool] = msgspec.field(default_factory=dict)
    life_status: LifeStatus | None = None
