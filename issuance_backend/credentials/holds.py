"""What the registry's news of a death does to a holder's cards and accounts, and how it is undone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from issuance_backend.credentials import account_repository, account_steps, hold_repository, repository
from issuance_backend.credentials.accounts import AccountEvent, AccountState
from issuance_backend.credentials.domain import CardEvent, CardState, Reason
from issuance_backend.credentials.orders import take_steps
from issuance_backend.refusals import HolderDeceased
from issuance_backend.steps import SYSTEM


def require_none(connection: Connection, citizen_number: str) -> None:
    """Raise HolderDeceased when the registry holds this person to be dead."""
    if hold_repository.is_held(connection, citizen_number):
        raise HolderDeceased("the registry says that the holder died")


def put(connection: Connection, citizen_number: str, event: str, moment: datetime) -> int:
    """Suspend every active card and every account of a number; how many there were."""
    if not hold_repository.put(connection, citizen_number, event, moment):
        return 0
    cards = [
        replace(card, reason=Reason.DEATH)
        for card in repository.hold_cards(connection, citizen_number)
        if card.state is CardState.ACTIVE
    ]
    detail = {"reason": Reason.DEATH.value, "life_event": event}
    take_steps(connection, cards, CardEvent.SUSPEND, actor=SYSTEM, moment=moment, detail=detail)
    account = account_repository.open_account(connection, citizen_number)
    if account is None or account.state is AccountState.SUSPENDED:
        return len(cards)
    dead = replace(account, reason=Reason.DEATH)
    account_steps.take_step(connection, dead, AccountEvent.SUSPEND, SYSTEM, moment)
    return len(cards) + 1


def lift(connection: Connection, citizen_number: str, event: str, moment: datetime) -> int:
    """Undo what a death that did not happen did, and nothing else; how many came back."""
    if not hold_repository.lift(connection, citizen_number):
        return 0
    cards = [
        replace(card, reason=None)
        for card in repository.hold_cards(connection, citizen_number)
        if (card.state, card.reason) == (CardState.SUSPENDED, Reason.DEATH)
    ]
    detail = {"life_event": event}
    take_steps(connection, cards, CardEvent.RESUME, actor=SYSTEM, moment=moment, detail=detail)
    account = account_repository.open_account(connection, citizen_number)
    if account is None or (account.state, account.reason) != (AccountState.SUSPENDED, Reason.DEATH):
        return len(cards)
    account_steps.take_step(connection, replace(account, reason=None), AccountEvent.RESUME, SYSTEM, moment)
    return len(cards) + 1
