"""What became of the card before: said at the capture, and by the end of the dossier at the latest.

kept        the citizen has it, marked             taken or lost when the new one is handed over
taken       at the office, for good                two officers destroy it
lost        by a report                            nobody
owed_back   taken, and there will be no new one    given back with the notice of the rejection
given_back  with its holder, and good as before    nobody
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Connection

from issuance_backend import recorded_events
from issuance_backend.credentials import domain, repository
from issuance_backend.credentials.domain import CardEvent, CardState, Reason
from issuance_backend.credentials.orders import take_steps
from issuance_backend.credentials.repository import Card
from issuance_backend.moments import rfc3339
from issuance_backend.recorded_events import Step
from issuance_backend.refusals import OldCardNotTaken
from verification.errors import FieldsRefused
from verification.messages.capture_terms import OldCard
from verification.messages.delivery import HandOver
from verification.messages.national_time import vietnam_date

IN_HAND = frozenset({CardState.ACTIVE, CardState.SUSPENDED})
"""The cards that a holder may have, good or not."""

_REPORT = re.compile(r"[A-Za-z0-9][A-Za-z0-9/.-]{2,39}")


class Fate(StrEnum):
    """Where the card before is."""

    NONE = "none"
    KEPT = "kept"
    TAKEN = "taken"
    LOST = "lost"
    OWED_BACK = "owed_back"
    GIVEN_BACK = "given_back"


class Ended(NamedTuple):
    """An application that will have no card: its dossier, whose it is, and at which unit."""

    dossier: str
    citizen_number: str
    unit: str | None


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of the card before, and what is still to be recorded of it."""

    fate: Fate
    step: Step | None = None

    def place(self, unit: str | None) -> str | None:
        """Where the card is that was taken; None where it did not come back."""
        return domain.withdrawn_at(unit) if self.fate is Fate.TAKEN else None


def subject(dossier: str) -> str:
    """The name under which is recorded what became of the card before."""
    return f"old_card/{dossier}"


def fate_of(connection: Connection, dossier: str) -> Fate:
    """What became of the card before, as was said last; none where nobody said that there is one."""
    said = recorded_events.of_subject(connection, subject(dossier))
    return Fate(said[-1].state) if said else Fate.NONE


def settled(connection: Connection, card: Card, shown: HandOver, officer: str, moment: datetime) -> Settled:
    """What became of the card before, now that the new one is handed over.

    Raises OldCardNotTaken where the citizen kept it and nobody says that it was taken or is lost, and
    FieldsRefused for a loss without its report and for what was said before.
    """
    fate = fate_of(connection, card.dossier)
    if fate is not Fate.KEPT:
        if shown.old_card is not None:
            raise FieldsRefused({"old_card": "OLD_CARD_CONTRADICTED"})
        return Settled(fate)
    if shown.old_card not in {OldCard.TAKEN, OldCard.LOST}:
        raise OldCardNotTaken("the citizen kept the older card")
    fate, detail = Fate(shown.old_card), _where(card.unit)
    if shown.old_card is OldCard.LOST:
        detail["report"] = _report(shown.loss_report)
    return Settled(fate, _step(card.dossier, fate, officer, moment, detail))


def end(connection: Connection, ended: Ended, actor: str, moment: datetime, *, is_here: bool) -> None:
    """Settle what becomes of the card before, in the transaction that ends its holder's application.

    It goes back: one that was kept with this word, one that was taken when the citizen ``is_here``, or with
    the notice. One past its last day stays here, is revoked, and is destroyed like any that was taken.
    Whoever calls holds the cards of the number.
    """
    fate = fate_of(connection, ended.dossier)
    if fate is Fate.TAKEN:
        in_hand = [
            card for card in repository.of_number(connection, ended.citizen_number) if card.state in IN_HAND
        ]
        expired = [card for card in in_hand if domain.is_expired(card.expires_on, vietnam_date(moment))]
        _withdraw(connection, expired, ended.unit, actor, moment)
        # A card of another office, or none of ours, is good as far as anybody here knows.
        if not expired or len(expired) < len(in_hand):
            _record(connection, ended, Fate.GIVEN_BACK if is_here else Fate.OWED_BACK, actor, moment)
    else:
        unmark(connection, ended, actor, moment)


def unmark(connection: Connection, ended: Ended, actor: str, moment: datetime) -> None:
    """A card that the citizen has kept is theirs, now that there will be no other."""
    if fate_of(connection, ended.dossier) is Fate.KEPT:
        _record(connection, ended, Fate.GIVEN_BACK, actor, moment)


def give_back(connection: Connection, ended: Ended, actor: str, moment: datetime) -> None:
    """The citizen is here and gets the card back that was taken, if one is owed."""
    if fate_of(connection, ended.dossier) is Fate.OWED_BACK:
        _record(connection, ended, Fate.GIVEN_BACK, actor, moment)


def _withdraw(
    connection: Connection, expired: list[Card], unit: str | None, actor: str, moment: datetime
) -> None:
    here = [replace(card, reason=Reason.HANDED_IN, place=domain.withdrawn_at(unit)) for card in expired]
    detail = {"reason": Reason.HANDED_IN.value}
    take_steps(connection, here, CardEvent.REVOKE, actor=actor, moment=moment, detail=detail)


def _record(connection: Connection, ended: Ended, fate: Fate, actor: str, moment: datetime) -> None:
    recorded_events.append(connection, _step(ended.dossier, fate, actor, moment, _where(ended.unit)))


def _where(unit: str | None) -> dict[str, str]:
    return {"unit": unit} if unit else {}


def _report(number: str | None) -> str:
    if number is None or not _REPORT.fullmatch(number):
        raise FieldsRefused({"loss_report": "FIELD_CHARACTERS" if number else "FIELD_MISSING"})
    return number


def _step(dossier: str, fate: Fate, officer: str, moment: datetime, detail: Mapping[str, str]) -> Step:
    return Step(
        subject=subject(dossier),
        event=_EVENTS[fate],
        state=fate.value,
        actor=officer,
        at=rfc3339(moment),
        detail={**detail},
    )


_EVENTS = {
    Fate.TAKEN: "take",
    Fate.LOST: "lose",
    Fate.OWED_BACK: "owe_back",
    Fate.GIVEN_BACK: "give_back",
}
