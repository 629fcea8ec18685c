"""The SQL of electronic accounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from issuance_backend.credentials.accounts import AccountState
from issuance_backend.credentials.domain import Reason
from issuance_backend.credentials.tables import ACCOUNTS, OPEN_ACCOUNT
from issuance_backend.listing import lies_in, read_page
from issuance_backend.paging import Page, PageAsked
from verification.errors import TransitionRefused

LIST_KEY = 2
_KEY = (ACCOUNTS.c.since, ACCOUNTS.c.id)
"""Lists go by the moment of the last change, and by id where that is the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account; ``held_in`` is where a suspended one goes on."""

    id: str
    citizen_number: str
    dossier: str | None
    state: AccountState
    version: int
    ordered_by: str
    approved_by: str | None
    reason: Reason | None
    held_in: AccountState | None
    unit: str | None
    since: str


def add(connection: Connection, account: Account) -> None:
    """Write a new account; raises TransitionRefused while the number has an open one."""
    try:
        connection.execute(insert(ACCOUNTS).values(**_values(account)))
    except IntegrityError:
        raise TransitionRefused("the number has an account") from None


def save(connection: Connection, account: Account) -> None:
    """Write an account's changes; raises TransitionRefused when somebody else was quicker."""
    changed = connection.execute(
        update(ACCOUNTS)
        .where(ACCOUNTS.c.id == account.id, ACCOUNTS.c.version == account.version)
        .values(**_values(account) | {"version": account.version + 1})
    )
    if changed.rowcount != 1:
        raise TransitionRefused("the account changed meanwhile")


def find(connection: Connection, account: str) -> Account | None:
    """The account with this id."""
    row = connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.id == account)).mappings().one_or_none()
    return _account(row) if row else None


def open_account(connection: Connection, citizen_number: str) -> Account | None:
    """The one account of a number that is not closed."""
    question = select(ACCOUNTS).where(ACCOUNTS.c.citizen_number == citizen_number, text(OPEN_ACCOUNT))
    row = connection.execute(question).mappings().one_or_none()
    return _account(row) if row else None


def of_number(connection: Connection, citizen_number: str) -> list[Account]:
    """Every account ever made for a number, the newest first."""
    question = select(ACCOUNTS).where(ACCOUNTS.c.citizen_number == citizen_number)
    question = question.order_by(ACCOUNTS.c.since.desc(), ACCOUNTS.c.id)
    return [_account(row) for row in connection.execute(question).mappings()]


def page_of_state(
    connection: Connection, state: AccountState, area: str | None, asked: PageAsked
) -> Page[Account]:
    """Some of the accounts in a state that a unit or those below it ordered, the newest change first."""
    question = select(ACCOUNTS).where(ACCOUNTS.c.state == state.value)
    if area is not None:
        question = question.where(lies_in(ACCOUNTS.c.unit, area))
    return read_page(connection, question, _KEY, asked, _account, newest_first=True)


def of_dossier(connection: Connection, dossier: str) -> list[Account]:
    """The accounts that were ordered with a dossier's card."""
    question = select(ACCOUNTS).where(ACCOUNTS.c.dossier == dossier).order_by(ACCOUNTS.c.id)
    return [_account(row) for row in connection.execute(question).mappings()]


def _values(account: Account) -> dict[str, Any]:
    return {name: getattr(account, name) for name in Account.__dataclass_fields__}


def _account(row: Mapping[Any, Any]) -> Account:
    return Account(
        **{
            **row,
            "state": AccountState(row["state"]),
            "reason": Reason(row["reason"]) if row["reason"] else None,
            "held_in": AccountState(row["held_in"]) if row["held_in"] else None,
        }
    )
