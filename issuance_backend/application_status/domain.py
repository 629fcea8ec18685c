"""What the states of dossier, card and packet mean to whoever waits for the card.

What officers suspect - a lookup in the archive, somebody alike, two examiners - is *checking* to the outside,
and a case that holds an application is not told at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from msgspec import structs

from issuance_backend.credentials.domain import CardState
from issuance_backend.dossiers.domain import DossierState
from issuance_backend.dossiers.intake.domain import PacketState
from issuance_backend.statistics.clocks import ClockRun, Run
from verification.messages.application_status import ApplicationStatus, Stage

_OF_DOSSIERS: Mapping[DossierState, Stage] = {
    DossierState.RECEIVED: Stage.CHECKING,
    DossierState.CAPTURED: Stage.CHECKING,
    DossierState.VALIDATED: Stage.CHECKING,
    DossierState.ARCHIVE_LOOKUP: Stage.CHECKING,
    DossierState.LOCAL_APPROVED: Stage.CHECKING,
    DossierState.DEDUP_1N: Stage.CHECKING,
    DossierState.ADJUDICATION: Stage.CHECKING,
    DossierState.CENTRAL_APPROVED: Stage.BEING_MADE,
    DossierState.COMPLETED: Stage.HANDED_OVER,
    DossierState.RETURNED: Stage.CAPTURE_AGAIN,
    DossierState.REJECTED: Stage.REFUSED,
    DossierState.WITHDRAWN: Stage.WITHDRAWN,
}
_OF_CARDS: Mapping[CardState, Stage] = {
    CardState.ORDERED: Stage.BEING_MADE,
    CardState.PERSONALISING: Stage.BEING_MADE,
    CardState.PERSONALISED: Stage.BEING_MADE,
    CardState.QA_PASSED: Stage.BEING_MADE,
    # The order goes on with the next blank.
    CardState.QA_FAILED: Stage.BEING_MADE,
    CardState.SPOILED: Stage.BEING_MADE,
    CardState.PACKED: Stage.ON_THE_WAY,
    CardState.DISPATCHED: Stage.ON_THE_WAY,
    CardState.AT_OFFICE: Stage.READY,
    CardState.UNDELIVERED: Stage.READY,
    CardState.RETURNED_TO_CENTRE: Stage.NOT_COLLECTED,
    # Before the hand-over: missing on its way, or not to be handed over.
    CardState.REVOKED: Stage.STOPPED,
    CardState.ACTIVE: Stage.HANDED_OVER,
    CardState.SUSPENDED: Stage.HANDED_OVER,
    CardState.REPLACED: Stage.HANDED_OVER,
}
_OF_PACKETS: Mapping[PacketState, Stage] = {
    PacketState.ANNOUNCED: Stage.SENT,
    PacketState.RECEIVED: Stage.ARRIVED,
    PacketState.DOUBTFUL: Stage.ARRIVED,
    PacketState.RELEASED: Stage.ARRIVED,
    PacketState.OPENED: Stage.ARRIVED,
    PacketState.REFUSED: Stage.CAPTURE_REFUSED,
}


def stage_of(
    dossier: DossierState,
    card: CardState | None = None,
    *,
    was_packed: bool = False,
    held_in: DossierState | None = None,
) -> Stage:
    """The stage of an application with its newest card; ``was_packed`` says that the card left the centre.

    ``held_in`` is where a suspended one stood: that is told. But nobody is called to collect a card that will
    not be handed over.
    """
    if held_in is not None:
        stood = stage_of(held_in, card, was_packed=was_packed)
        return Stage.STOPPED if stood is Stage.READY else stood
    if dossier is not DossierState.CENTRAL_APPROVED or card is None:
        return _OF_DOSSIERS[dossier]
    if card is CardState.DESTROYED:
        # It came back from an office; or it was spoiled, and another one is made.
        return Stage.NOT_COLLECTED if was_packed else Stage.BEING_MADE
    return _OF_CARDS[card]


def stage_of_packet(packet: PacketState) -> Stage:
    """The stage of an application that is no dossier yet."""
    return _OF_PACKETS[packet]


_OFFICES_TURN = frozenset({Stage.CHECKING, Stage.BEING_MADE, Stage.ON_THE_WAY, Stage.STOPPED})
"""Where a time limit binds the office; a card that is ready waits for the citizen."""


def with_limit(status: ApplicationStatus, limit: ClockRun | None, today: date) -> ApplicationStatus:
    """The status with its time limit as of today; it stands still only for who is to come again."""
    if limit is None or limit.run is Run.OVER:
        return status
    if limit.run is Run.PAUSED and status.stage is Stage.CAPTURE_AGAIN:
        return structs.replace(status, days_left=max(limit.left, 0), is_late=limit.left < 0)
    if status.stage not in _OFFICES_TURN:
        return status
    return structs.replace(status, due_on=limit.due_on.isoformat(), is_late=today > limit.due_on)
