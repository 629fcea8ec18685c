"""What a commune's officers report of the people who live there: deaths, moves, marriages, divorces.

Who lives where the registry says: it refuses an event of somebody who does not live in the officer's area.
"""

from __future__ import annotations

import msgspec

from issuance_backend.officers.domain import Officer, Role
from issuance_backend.registry_relay import RegistryRelay, there
from verification.errors import FieldsRefused
from verification.messages.life_event import LifeEventReport, LifeEventSeen, LifeEventView


class LifeEventDesk:
    """Raises RoleMissing, RegistryUnavailable and what the registry refuses."""

    def __init__(self, registry: RegistryRelay) -> None:
        self._registry = registry

    def report(self, officer: Officer, seen: LifeEventSeen) -> LifeEventView:
        """Have an event registered, in the officer's name and for their area.

        Raises FieldsRefused besides, for whoever serves in no unit: nobody lives in their area.
        """
        officer.require(Role.COMMUNE_OFFICER)
        if officer.area is None:
            raise FieldsRefused({"citizen_number": "PERSON_AREA_ELSEWHERE"})
        said = msgspec.structs.asdict(seen)
        report = LifeEventReport(officer=officer.id, area=officer.area, **said)
        return there(self._registry.send(LifeEventView, report, "life-event-reports"))
