"""The life cycle of one counter session, as a table; the comments say who acts next."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from verification.errors import TransitionRefused


class SessionState(StrEnum):
    """Where a customer's visit stands."""

    OPENING = "opening"  # agent: tells the gateway the purpose
    WAITING_FOR_CARD = "waiting_for_card"  # teller: puts the card on the reader
    READING = "reading"  # agent: opens the chip and reads it; card stays
    INSPECTING = "inspecting"  # agent: judges what was read
    PROVING_CHIP = "proving_chip"  # gateway: proves the chip through the agent; card stays
    COMPARING_FACE = "comparing_face"  # holder: looks into the camera
    TURNING_HEAD = "turning_head"  # holder: turns the head as shown
    COMPARING_BY_EYE = "comparing_by_eye"  # teller: compares portrait and person, gives a reason
    DECIDING = "deciding"  # gateway: checks everything again and decides
    DECIDED = "decided"  # teller: acts on the verdict
    CANCELLED = "cancelled"  # nobody: the teller ended it


class Event(StrEnum):
    """What can happen to a session."""

    OPENED = "opened"
    CARD_PLACED = "card_placed"
    FILES_READ = "files_read"
    CHIP_WANTED = "chip_wanted"
    FACE_WANTED = "face_wanted"
    TURN_WANTED = "turn_wanted"
    EYE_WANTED = "eye_wanted"
    EVIDENCE_READY = "evidence_ready"
    DECIDED = "decided"
    CANCELLED = "cancelled"


FINAL = frozenset({SessionState.DECIDED, SessionState.CANCELLED})

_S, _E = SessionState, Event
_WORK: Mapping[tuple[SessionState, Event], SessionState] = {
    (_S.OPENING, _E.OPENED): _S.WAITING_FOR_CARD,
    (_S.WAITING_FOR_CARD, _E.CARD_PLACED): _S.READING,
    (_S.READING, _E.FILES_READ): _S.INSPECTING,
    (_S.INSPECTING, _E.CHIP_WANTED): _S.PROVING_CHIP,
    (_S.INSPECTING, _E.FACE_WANTED): _S.COMPARING_FACE,
    (_S.INSPECTING, _E.EVIDENCE_READY): _S.DECIDING,
    (_S.PROVING_CHIP, _E.FACE_WANTED): _S.COMPARING_FACE,
    (_S.PROVING_CHIP, _E.EVIDENCE_READY): _S.DECIDING,
    (_S.COMPARING_FACE, _E.TURN_WANTED): _S.TURNING_HEAD,
    (_S.COMPARING_FACE, _E.EYE_WANTED): _S.COMPARING_BY_EYE,
    (_S.COMPARING_FACE, _E.EVIDENCE_READY): _S.DECIDING,
    (_S.TURNING_HEAD, _E.EYE_WANTED): _S.COMPARING_BY_EYE,
    (_S.TURNING_HEAD, _E.EVIDENCE_READY): _S.DECIDING,
    (_S.COMPARING_BY_EYE, _E.EVIDENCE_READY): _S.DECIDING,
}
# A fault may end any step with a verdict, and the teller may end any step.
_ENDINGS = {
    (state, event): end
    for state in SessionState
    if state not in FINAL
    for event, end in ((_E.DECIDED, _S.DECIDED), (_E.CANCELLED, _S.CANCELLED))
}
TRANSITIONS: Mapping[tuple[SessionState, Event], SessionState] = {**_WORK, **_ENDINGS}


def advance(state: SessionState, event: Event) -> SessionState:
    """The state after ``event``; raises TransitionRefused for a pair that is not in the table."""
    try:
        return TRANSITIONS[(state, event)]
    except KeyError:
        raise TransitionRefused(f"{state} does not take {event}") from None
