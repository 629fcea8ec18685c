"""How good the data of a unit are, for officers of that unit and of those above it; nothing is changed."""

from __future__ import annotations

import msgspec

from issuance_backend.officers.domain import Officer, Role
from issuance_backend.paging import Page, PageAsked
from issuance_backend.registry_relay import RegistryRelay, there
from issuance_backend.registry_work.refusals import RegistryAreaElsewhere
from issuance_backend.unit_codes import lies_in
from verification.errors import FieldsRefused
from verification.messages.dc01 import FailingForm, QualityIndex

READERS = (Role.COMMUNE_OFFICER, Role.TEAM_LEADER, Role.DISTRICT_CHIEF, Role.SUPERVISOR, Role.AUDITOR)
"""Who sees the indices, each of their own unit and what lies below it."""

INDICES = ("dung", "du", "sach", "song", "thu-thap")


class IndexOffice:
    """The four indices and what fails them; its token has the role quality.read at the registry.

    Everything raises RoleMissing, RegistryAreaElsewhere, UnitUnknown for an area that was not on the map of
    the day, FieldsRefused for a day that is none or to come, and RegistryUnavailable.
    """

    def __init__(self, registry: RegistryRelay) -> None:
        self._registry = registry

    def indices(self, officer: Officer, area: str | None, day: str | None) -> tuple[QualityIndex, ...]:
        """Of an area and of every unit right below it; where none is asked for, of the officer's own.

        An officer whose unit is no more sees what it became.
        """
        where = self._area(officer, area, day)
        return there(self._registry.read(tuple[QualityIndex, ...], area=where, on=day))

    def failing(
        self, officer: Officer, index: str, area: str | None, day: str | None, asked: PageAsked
    ) -> Page[FailingForm]:
        """Exactly the forms that an index counts against, without reasons for who also keys forms.

        A field that is said to be missing is half of what was keyed, and whoever keys may be the one who
        reads that form blindly.
        """
        where = self._area(officer, area, day)
        if index not in INDICES:
            raise FieldsRefused({"index": "FIELD_CHARACTERS"})
        found = self._registry.listed(FailingForm, asked, index, "failing", area=where, on=day)
        if Role.FORM_CLERK not in officer.roles:
            return found
        blind = (msgspec.structs.replace(form, reasons=()) for form in found.entries)
        return Page(tuple(blind), found.cursor)

    def _area(self, officer: Officer, asked: str | None, day: str | None) -> str | None:
        officer.require(*READERS)
        if officer.area is None:
            return asked
        if not asked:
            became = self._registry.line_on(officer.area, day)
            # What only holds the unit is its officers' superiors' to see.
            return became.line if became.is_its_own else officer.area
        # What a unit became is its successor's, and so is how good its data were.
        if not (lies_in(asked, officer.area) or lies_in(self._registry.line(asked), officer.area)):
            raise RegistryAreaElsewhere("the unit is not the officer's")
        return asked
