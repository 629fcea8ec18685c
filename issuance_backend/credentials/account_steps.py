"""The one way an electronic account changes its state, and its approval along with a card."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from issuance_backend.credentials import account_repository as repository
from issuance_backend.credentials import accounts
from issuance_backend.credentials.account_repository import Account
from issuance_backend.credentials.accounts import AccountEvent, AccountState
from issuance_backend.moments import rfc3339
from issuance_backend.recorded_events import append
from issuance_backend.steps import Step


def record(connection: Connection, account: Account, event: AccountEvent, actor: str) -> None:
    """Record what just happened to an account, as it stands now."""
    detail = {"unit": account.unit} if account.unit else {}
    if account.reason is not None:
        detail["reason"] = account.reason.value
    step = Step(
        subject=f"account/{account.id}",
        event=event.value,
        state=account.state.value,
        actor=actor,
        at=account.since,
        detail=detail,
    )
    append(connection, step)


def take_step(
    connection: Connection, account: Account, event: AccountEvent, actor: str, moment: datetime
) -> Account:
    """Record an event of an account with whatever ``account`` changed; raises TransitionRefused."""
    held_in = account.state if event is AccountEvent.SUSPEND else None
    stepped = replace(
        account,
        state=accounts.advance(account.state, event, account.held_in),
        held_in=held_in,
        since=rfc3339(moment),
    )
    repository.save(connection, stepped)
    record(connection, stepped, event, actor)
    return replace(stepped, version=account.version + 1)


def approve_with_card(connection: Connection, dossier: str, actor: str, moment: datetime) -> None:
    """Approve the account that was ordered with a dossier's card, as the card is ordered.

    Not the one that the approver has ordered: it waits for another officer.
    """
    for account in repository.of_dossier(connection, dossier):
        if account.state is AccountState.SENT_WITH_CARD and account.ordered_by != actor:
            approved = replace(account, approved_by=actor)
            take_step(connection, approved, AccountEvent.APPROVE, actor, moment)
