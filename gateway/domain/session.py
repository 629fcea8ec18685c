"""The life of a verification session: a table of states and events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.domain.partner import Caller
from gateway.domain.refusals import SessionClosed, SessionExpired, SessionUnknown


class SessionState(StrEnum):
    """The comment says who acts next."""

    OPENED = "opened"  # counter: read the card
    CHIP = "chip"  # counter: relay the commands, then hand over the evidence
    DECIDING = "deciding"  # gateway: one worker holds the session under a lease
    DECIDED = "decided"  # nobody: the receipt can be fetched


class SessionEvent(StrEnum):
    """What can happen to a session."""

    CHIP_BEGUN = "chip_begun"
    CLAIMED = "claimed"
    DECISION_LOGGED = "decision_logged"


TRANSITIONS = {
    (SessionState.OPENED, SessionEvent.CHIP_BEGUN): SessionState.CHIP,
    # A card that slipped is put back: the chip part may be begun again until evidence is in.
    (SessionState.CHIP, SessionEvent.CHIP_BEGUN): SessionState.CHIP,
    (SessionState.OPENED, SessionEvent.CLAIMED): SessionState.DECIDING,
    (SessionState.CHIP, SessionEvent.CLAIMED): SessionState.DECIDING,
    # Only once the lease of a worker that died has run out; the repository asks for that.
    (SessionState.DECIDING, SessionEvent.CLAIMED): SessionState.DECIDING,
    (SessionState.DECIDING, SessionEvent.DECISION_LOGGED): SessionState.DECIDED,
}


def advance(state: SessionState, event: SessionEvent) -> SessionState:
    """The state after an event; a pair that is not in the table raises SessionClosed."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise SessionClosed(f"{event} is not possible in state {state}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One session. ``evidence`` is the digest of the evidence that was, or is being, decided.

    ``consent`` says by which text, in which language and by which act the holder agreed;
    ``partner_ref`` is the partner's own reference, sealed.
    """

    id: str
    partner: str
    agent: str | None
    purpose: str
    language: str
    challenge: bytes
    state: SessionState
    opened_at: datetime
    expires_at: datetime
    consent: str
    partner_ref: bytes | None = None
    evidence: str | None = None

    def require_owner(self, caller: Caller) -> None:
        """The caller is the partner, or its agent; anybody else learns nothing, not even that it exists."""
        wrong_agent = caller.agent is not None and self.agent is not None and caller.agent != self.agent
        if caller.partner != self.partner or wrong_agent:
            raise SessionUnknown("no session of this caller has this id")

    def require_open(self, now: datetime) -> None:
        """The session still takes evidence; raises SessionClosed or SessionExpired."""
        if self.state is SessionState.DECIDED:
            raise SessionClosed("the session is decided")
        if now >= self.expires_at:
            raise SessionExpired("the session has run out")
