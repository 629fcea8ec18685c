"""Asking the population registry about a person: yes or no by attribute, no more."""

from __future__ import annotations

import msgspec


class PersonQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Attributes as the chip states them; dates are ISO 8601, sex is ``M`` or ``F``."""

    citizen_number: str
    full_name: str
    date_of_birth: str
    sex: str


class PersonAnswer(msgspec.Struct, frozen=True):
    """``found`` and which attributes agree; ``life_status`` is ``alive``, ``deceased`` or ``missing``."""

    found: bool
    matched: dict[str, bool] = msgspec.field(default_factory=dict)
    life_status: str | None = None
