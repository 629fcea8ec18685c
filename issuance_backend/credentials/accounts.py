"""The life of an electronic account: ordered with a card or alone, approved, and used only later.

captured         a clerk at the centre approves it
sent_with_card   approved with the card that it was ordered with
approved         the citizen signs in for the first time
active           in use
suspended        goes on where it stood
closed           for good; another may be ordered
"""

from __future__ import annotations

from enum import StrEnum

from issuance_backend.state_table import StateTable
from verification.errors import TransitionRefused


class AccountState(StrEnum):
    """Where an account stands."""

    CAPTURED = "captured"
    SENT_WITH_CARD = "sent_with_card"
    APPROVED = "approved"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSED = "closed"


class AccountEvent(StrEnum):
    """What can happen to an account."""

    CAPTURE = "capture"
    SEND_WITH_CARD = "send_with_card"
    APPROVE = "approve"
    ACTIVATE = "activate"
    SUSPEND = "suspend"
    RESUME = "resume"
    CLOSE = "close"


_OPEN = (AccountState.CAPTURED, AccountState.SENT_WITH_CARD, AccountState.APPROVED, AccountState.ACTIVE)

ACCOUNTS: StateTable[AccountState, AccountEvent] = StateTable(
    {
        (None, AccountEvent.CAPTURE): AccountState.CAPTURED,
        (AccountState.CAPTURED, AccountEvent.SEND_WITH_CARD): AccountState.SENT_WITH_CARD,
        (AccountState.CAPTURED, AccountEvent.APPROVE): AccountState.APPROVED,
        (AccountState.SENT_WITH_CARD, AccountEvent.APPROVE): AccountState.APPROVED,
        (AccountState.APPROVED, AccountEvent.ACTIVATE): AccountState.ACTIVE,
        **{(state, AccountEvent.SUSPEND): AccountState.SUSPENDED for state in _OPEN},
        **{(state, AccountEvent.CLOSE): AccountState.CLOSED for state in (*_OPEN, AccountState.SUSPENDED)},
    }
)
"""Every transition but one: a suspended account resumes where it was held."""


def advance(
    state: AccountState | None, event: AccountEvent, held_in: AccountState | None = None
) -> AccountState:
    """The state after an event; raises TransitionRefused for what is not in the table."""
    if (state, event) == (AccountState.SUSPENDED, AccountEvent.RESUME):
        if held_in is None:
            raise TransitionRefused("nothing says where the account was held")
        return held_in
    return ACCOUNTS.advance(state, event)
