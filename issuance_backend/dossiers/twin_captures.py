"""One person captured twice where kits have no network: which capture stands, whichever comes first (F21).

The one that was sealed first stands; kit and number decide where moments are the same. The other's packet
waits for a case. Once an officer has worked with a dossier, or its items were captured again, it stands:
nobody's decision is taken from under them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from issuance_backend.dossiers.domain import DossierEvent, DossierState
from issuance_backend.moments import parse_moment
from issuance_backend.steps import SYSTEM
from verification.messages.enrollment import RecordedStep

CAPTURED_EARLIER = "PACKET_CAPTURED_EARLIER"
"""Why a capture gives way."""

KIT, SEQUENCE, HAPPENED_AT = "kit", "sequence", "happened_at"
"""The details of a received packet that say which was sealed first."""

_UNTOUCHED = frozenset({DossierState.VALIDATED, DossierState.RETURNED})


@dataclass(frozen=True, slots=True, order=True)
class Sealing:
    """When a packet was sealed, by its kit's clock; every two packets have an order."""

    moment: datetime
    kit: str
    sequence: int


def untouched_sealing(state: DossierState, steps: Sequence[RecordedStep]) -> Sealing | None:
    """The sealing of the one packet that a dossier rests on; None where anybody worked with it since."""
    received = [step for step in steps if step.event == DossierEvent.RECEIVE]
    by_rule = all(step.actor == SYSTEM for step in steps if step not in received)
    if state not in _UNTOUCHED or len(received) != 1 or not by_rule:
        return None
    said = received[0].detail
    # What was received before numbers were recorded stands.
    if SEQUENCE not in said:
        return None
    return Sealing(parse_moment(said[HAPPENED_AT]), said[KIT], int(said[SEQUENCE]))
