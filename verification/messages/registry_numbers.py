"""What the population registry and whoever needs a citizen number say to each other."""

from __future__ import annotations

from datetime import date

import msgspec


class NumberWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A number for somebody born then and registered there; the same ``request_id`` is the same request."""

    request_id: str
    province: str
    date_of_birth: date
    sex: str


class NumberReservation(msgspec.Struct, frozen=True):
    """The number that is kept for a request; ``state`` is reserved or issued."""

    request_id: str
    citizen_number: str
    state: str
    expires_at: str | None


class NumberBlock(msgspec.Struct, frozen=True):
    """One province, sex and year: how many numbers were never drawn, and where the others stand.

    ``undrawn`` counts numbers that older data hold until the block comes to them and passes them by.
    """

    prefix: str
    undrawn: int
    free: int
    reserved: int
    issued: int
    alarmed_at: str | None
