"""One report while it is registered: what it says of people is recorded here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from issuance_backend.population_registry.identities import timeline
from issuance_backend.population_registry.identities.recording import Manner, Statement, record
from issuance_backend.population_registry.numbers.issuing import DrawKey
from verification.messages.life_event import Attributes, LifeEventReport


@dataclass(frozen=True, slots=True)
class Act:
    """One report that is being registered; ``source`` is the program it came from."""

    connection: Connection
    report: LifeEventReport
    source: str
    moment: datetime
    draw_key: DrawKey

    def state(
        self, number: str, values: Attributes, manner: Manner = timeline.change, since: date | None = None
    ) -> None:
        """Record new values of a person, from the day of the event on unless another is given."""
        statement = Statement(
            citizen_number=number,
            values=values,
            valid_from=since or self.report.occurred_on,
            source=self.source,
            evidence=self.report.document,
            manner=manner,
        )
        record(self.connection, statement, self.report.officer, self.moment)
