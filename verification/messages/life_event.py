"""What happens in a life, as it is reported to the population registry."""

from __future__ import annotations

from datetime import date

import msgspec

Attributes = dict[str, str | None]


class _Reported(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind"):
    pass


class Birth(_Reported, frozen=True, tag="birth"):
    """A child is registered: its particulars without a number, and the province that registers it."""

    province: str
    particulars: Attributes


class Death(_Reported, frozen=True, omit_defaults=True, tag="death"):
    """A person died; ``spouse_number`` is whom a document names as married to them, where one does."""

    citizen_number: str
    spouse_number: str | None = None


class DeathAnnulled(_Reported, frozen=True, tag="death_annulled"):
    """A registered death did not happen."""

    citizen_number: str


class DeclaredMissing(_Reported, frozen=True, tag="declared_missing"):
    """A court declared a person missing."""

    citizen_number: str


class Found(_Reported, frozen=True, tag="found"):
    """A missing person is back."""

    citizen_number: str


class Move(_Reported, frozen=True, tag="move"):
    """A new home; without ``permanent_residence`` only the present one changes."""

    citizen_number: str
    current_residence: str
    permanent_residence: str | None = None


class Marriage(_Reported, frozen=True, tag="marriage"):
    """Two registered persons married."""

    citizen_number: str
    spouse_number: str


class Divorce(_Reported, frozen=True, tag="divorce"):
    """A court ended the marriage of two registered persons, from the day its decision took effect."""

    citizen_number: str
    spouse_number: str


class DivorceAnnulled(_Reported, frozen=True, tag="divorce_annulled"):
    """A registered divorce was set aside, or registered by mistake: the marriage never ended."""

    citizen_number: str
    spouse_number: str


class Correction(_Reported, frozen=True, tag="correction"):
    """What stood there was wrong for as long as it stood there on ``occurred_on``."""

    citizen_number: str
    attributes: Attributes


OfCouple = Marriage | Divorce | DivorceAnnulled
"""What happens to two persons at once."""

LifeEvent = Birth | Death | DeathAnnulled | DeclaredMissing | Found | Move | OfCouple | Correction


class LifeEventReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One report; the same ``report_id`` from the same program is the same report.

    ``area`` is the unit in which the officer works, where the person has to live; none where a program
    reports from the whole nation.
    """

    report_id: str
    occurred_on: date
    document: str
    officer: str
    event: LifeEvent
    area: str | None = None


class LifeEventSeen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the officer who is signed in reports of a person of their area."""

    report_id: str
    occurred_on: date
    document: str
    event: Death | Move | Marriage | Divorce


class CorrectionReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A correction of one record and nothing else, from a program that may report no other event."""

    report_id: str
    occurred_on: date
    document: str
    officer: str
    citizen_number: str
    attributes: Attributes


class LifeEventView(msgspec.Struct, frozen=True):
    """A registered event; ``life_status`` is what the registry holds of the person since."""

    id: str
    kind: str
    citizen_number: str
    occurred_on: date
    registered_at: str
    life_status: str
    spouse_number: str | None = None
    aliases: tuple[str, ...] = ()
    """Every other number that leads to the same person now."""
