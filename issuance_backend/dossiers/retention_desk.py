"""Erases what ended applications hold of a body, when its time is over; the application itself stays.

A dossier is one transaction: killed in the middle, it is found again. With it the key of each picture is
gone; the sealed object, which nobody can open any more, goes with a later sweep of the store.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from issuance_backend.credentials import older_cards
from issuance_backend.credentials.older_cards import Ended
from issuance_backend.dossiers import erasures, repository, retention
from issuance_backend.dossiers.acts import Act, take_step
from issuance_backend.dossiers.domain import ENDED_WITHOUT_CARD, DossierEvent, DossierState
from issuance_backend.dossiers.repository import Dossier
from issuance_backend.dossiers.retention import RetentionRules
from issuance_backend.moments import Clock, rfc3339
from issuance_backend.recorded_events import SYSTEM
from issuance_backend.schema import ERASED_PICTURE
from monitoring.database import Database
from verification.errors import TransitionRefused
from verification.messages.national_time import vietnam_date

AT_ONCE = 100


class RetentionDesk:
    """Any number of programs may do this at once."""

    def __init__(
        self, database: Database, clock: Clock, editions: Iterable[RetentionRules] | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._editions = retention.all_rules() if editions is None else tuple(editions)

    def erase(self) -> int:
        """Erase what is due by the rules of today; of how many dossiers."""
        moment = self._clock()
        rules = retention.rules_on(vietnam_date(moment), self._editions)
        if rules is None:
            return 0
        return sum(
            self._is_erased(dossier, rules, moment)
            for state in ENDED_WITHOUT_CARD
            for dossier in self._ended(state, rfc3339(moment - rules.shortest))
            if _is_due(dossier, rules, moment)
        )

    def _ended(self, state: DossierState, before: str) -> Iterator[Dossier]:
        after = ("", "")
        while True:
            with self._database.reading() as connection:
                found = erasures.ended_before(connection, state, before, after, AT_ONCE)
            yield from found
            if len(found) < AT_ONCE:
                return
            after = (found[-1].updated_at, found[-1].id)

    def _is_erased(self, dossier: Dossier, rules: RetentionRules, moment: datetime) -> bool:
        detail = {"rules": f"{rules.id}/{rules.version}", "ending": retention.ending_of(dossier)}
        erased = replace(dossier, portrait=ERASED_PICTURE, enrolment_due=False)
        try:
            with self._database.writing() as connection:
                names = erasures.take_pictures(connection, dossier)
                repository.add_portraits(connection, {ERASED_PICTURE: b""})
                take_step(Act(connection, erased, moment), DossierEvent.ERASE, SYSTEM, detail)
                # Of dossiers that ended before a kept card went back with their end.
                ended = Ended(dossier.id, dossier.citizen_number, dossier.unit)
                older_cards.unmark(connection, ended, SYSTEM, moment)
                erasures.remove_unnamed(connection, names, moment)
        except TransitionRefused:
            # Another program was quicker, or the picture was captured again at this moment: the next round.
            return False
        return True


def _is_due(dossier: Dossier, rules: RetentionRules, moment: datetime) -> bool:
    if dossier.pending_member is not None:
        # Its templates are forgotten first, by the program that queues searches.
        return False
    ended = datetime.fromisoformat(dossier.updated_at)
    return moment - ended > rules.period(retention.ending_of(dossier))
