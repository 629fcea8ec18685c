"""Where forms are looked up, and a dossier is printed on the paper of its own day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

import msgspec

from issuance_backend.dossiers.forms.catalogue import packaged_forms
from issuance_backend.dossiers.forms.domain import FormCatalogue, stated_exceptions
from issuance_backend.dossiers.forms.printed_form import FilledForm, as_pdf
from issuance_backend.moments import Clock
from issuance_backend.officers.domain import Officer
from issuance_backend.refusals import FormUnknown
from issuance_backend.unit_names.registry_map import UnitMap, name_now
from verification.messages.enrollment import DossierView
from verification.messages.forms import FormEdition
from verification.messages.national_time import vietnam_date

_COLLECT_AT = "collect_at"


class Dossiers(Protocol):
    """Who keeps dossiers and decides which officer may read which."""

    def view(self, officer: Officer, dossier_id: str) -> DossierView:
        """A whole dossier; raises DossierUnknown."""

    def portrait(self, officer: Officer, dossier_id: str) -> bytes:
        """The captured picture (JPEG)."""


@dataclass(frozen=True, slots=True)
class PrintedForm:
    """A form that was printed, and which it is."""

    edition: FormEdition
    content: bytes


class PaperDesk:
    """Forms by day, and filled for one dossier."""

    def __init__(
        self,
        dossiers: Dossiers,
        clock: Clock,
        catalogue: FormCatalogue | None = None,
        *,
        units: UnitMap | None = None,
        status_address: str = "",
    ) -> None:
        self._dossiers = dossiers
        self._clock = clock
        self._catalogue = catalogue or packaged_forms()
        self._units = units
        self._status_address = status_address

    def in_force(self, day: date | None) -> tuple[FormEdition, ...]:
        """The forms of a day; of today where none is asked for."""
        return self._catalogue.in_force(day or vietnam_date(self._clock()))

    def edition(self, code: str, day: date | None) -> FormEdition:
        """The edition of a code; raises FormUnknown."""
        return self._catalogue.edition(code, day or vietnam_date(self._clock()))

    def of_dossier(self, officer: Officer, dossier_id: str) -> tuple[FormEdition, ...]:
        """The forms that were used when a dossier was captured; raises DossierUnknown."""
        return self._used(self._dossiers.view(officer, dossier_id))

    def printed(self, officer: Officer, dossier_id: str, code: str) -> PrintedForm:
        """One of them, filled; raises DossierUnknown, FormUnknown."""
        dossier = self._dossiers.view(officer, dossier_id)
        edition = next((each for each in self._used(dossier) if each.code == code), None)
        if edition is None:
            raise FormUnknown("this dossier has no such form")
        portrait = self._dossiers.portrait(officer, dossier_id) if edition.layout.portrait else b""
        values = _values(dossier)
        if any(each.item == _COLLECT_AT for each in edition.fields):
            # Where nobody tells, it is written by hand.
            values[_COLLECT_AT] = name_now(self._units, dossier.unit)
        stated = _exceptions(dossier, edition, values)
        filled = FilledForm(
            values=values,
            dossier=dossier.id,
            portrait=portrait,
            exceptions=stated,
            receipt_code=dossier.receipt_code,
            status_address=self._status_address,
        )
        return PrintedForm(edition, as_pdf(edition, filled))

    def _used(self, dossier: DossierView) -> tuple[FormEdition, ...]:
        return self._catalogue.recorded((step.detail for step in dossier.steps), _day(dossier))


def _values(dossier: DossierView) -> dict[str, str]:
    """What a dossier has for the items of a form; what it lacks is left open on the paper."""
    held = msgspec.structs.asdict(dossier.person)
    known = {name: value for name, value in held.items() if isinstance(value, str)}
    known["citizen_number"] = dossier.citizen_number
    known["captured_on"] = _day(dossier).isoformat()
    known["collect_from"] = dossier.due_on or ""
    return known


def _exceptions(dossier: DossierView, edition: FormEdition, values: Mapping[str, str]) -> tuple[str, ...]:
    """The stated exceptions that still stand: an item that was captured since needs none."""
    stated = stated_exceptions(step.detail for step in dossier.steps)
    standing = {
        each.code
        for each in edition.exceptions
        if not (dossier.prints if each.whole else values.get(each.item))
    }
    return tuple(code for code in stated if code in standing)


def _day(dossier: DossierView) -> date:
    """The day on which it was first captured; for a packet its kit says when."""
    captured_at = dossier.steps[0].detail.get("happened_at", dossier.created_at)
    return vietnam_date(datetime.fromisoformat(captured_at))
