"""How long an application that ended without a card keeps what it holds of a body: rules are dated data."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from functools import cache
from importlib import resources

import msgspec

from issuance_backend.dossiers.domain import DossierState
from issuance_backend.dossiers.repository import Dossier


class Period(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The days after one way of ending, and what prescribes them."""

    ending: str
    days: int
    basis: str


class RetentionRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The periods that are in force from a day on."""

    id: str
    version: int
    valid_from: date
    basis: str
    periods: tuple[Period, ...]

    @property
    def shortest(self) -> timedelta:
        """What ended more recently than this is kept, however it ended."""
        return timedelta(days=min(each.days for each in self.periods))

    def period(self, ending: str) -> timedelta:
        """How long what ended so is kept; what the rules do not name is kept as long as anything."""
        days = {each.ending: each.days for each in self.periods}
        return timedelta(days=days.get(ending, max(days.values())))


@cache
def all_rules() -> tuple[RetentionRules, ...]:
    """Every edition of the rules."""
    content = resources.files(__package__).joinpath("retention_rules.json").read_bytes()
    return tuple(msgspec.json.decode(content, type=dict[str, tuple[RetentionRules, ...]])["rules"])


def rules_on(day: date, editions: Iterable[RetentionRules]) -> RetentionRules | None:
    """The rules in force on a day; None before there were any."""
    valid = [each for each in editions if each.valid_from <= day]
    return max(valid, key=lambda each: each.valid_from, default=None)


def ending_of(dossier: Dossier) -> str:
    """How an application ended, as the rules call it."""
    if dossier.state is DossierState.REJECTED and dossier.rejection is not None:
        return f"{dossier.state.value}.{dossier.rejection.reason}"
    return dossier.state.value
