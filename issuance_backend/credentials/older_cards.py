"""What became of the card before: said at the capture, and at the hand-over where the citizen had kept it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from issuance_backend import recorded_events
from issuance_backend.credentials.repository import Card
from issuance_backend.moments import rfc3339
from issuance_backend.recorded_events import Step
from issuance_backend.refusals import OldCardNotTaken
from verification.errors import FieldsRefused
from verification.messages.capture_terms import OldCard
from verification.messages.delivery import HandOver

WITHDRAWN = "withdrawn"
"""Where a card is that its holder gave back: ``withdrawn:UNIT``."""

_REPORT = re.compile(r"[A-Za-z0-9][A-Za-z0-9/.-]{2,39}")


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of the card before, and what is still to be recorded of it."""

    fate: OldCard
    step: Step | None = None

    def place(self, unit: str | None) -> str | None:
        """Where the card is that was taken; None where it did not come back."""
        return f"{WITHDRAWN}:{unit or ''}" if self.fate is OldCard.TAKEN else None


def subject(dossier: str) -> str:
    """The name under which is recorded what became of the card before."""
    return f"old_card/{dossier}"


def fate_of(connection: Connection, dossier: str) -> OldCard:
    """What became of the card before, as was said last; none where nobody said that there is one."""
    said = recorded_events.of_subject(connection, subject(dossier))
    return OldCard(said[-1].state) if said else OldCard.NONE


def settled(connection: Connection, card: Card, shown: HandOver, officer: str, moment: datetime) -> Settled:
    """What became of the card before, now that the new one is handed over.

    Raises OldCardNotTaken where the citizen kept it and nobody says that it was taken or is lost, and
    FieldsRefused for a loss without its report and for what was said before.
    """
    fate = fate_of(connection, card.dossier)
    if fate is not OldCard.KEPT:
        if shown.old_card is not None:
            raise FieldsRefused({"old_card": "OLD_CARD_CONTRADICTED"})
        return Settled(fate)
    if shown.old_card not in {OldCard.TAKEN, OldCard.LOST}:
        raise OldCardNotTaken("the citizen kept the older card")
    detail = {"unit": card.unit} if card.unit else {}
    if shown.old_card is OldCard.LOST:
        detail["report"] = _report(shown.loss_report)
    return Settled(shown.old_card, _step(card.dossier, shown.old_card, officer, moment, detail))


def _report(number: str | None) -> str:
    if number is None or not _REPORT.fullmatch(number):
        raise FieldsRefused({"loss_report": "FIELD_CHARACTERS" if number else "FIELD_MISSING"})
    return number


def _step(dossier: str, fate: OldCard, officer: str, moment: datetime, detail: Mapping[str, str]) -> Step:
    return Step(
        subject=subject(dossier),
        event="take" if fate is OldCard.TAKEN else "lose",
        state=fate.value,
        actor=officer,
        at=rfc3339(moment),
        detail={**detail},
    )
