"""Orders of electronic accounts: with a card or alone, approved by another officer, activated later."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from issuance_backend.credentials import account_repository as repository
from issuance_backend.credentials import accounts, holds
from issuance_backend.credentials.account_repository import Account
from issuance_backend.credentials.account_steps import record, take_step
from issuance_backend.credentials.accounts import AccountEvent, AccountState
from issuance_backend.credentials.domain import Reason
from issuance_backend.credentials.repository import dossier_number
from issuance_backend.moments import Clock, rfc3339
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.paging import Page, PageAsked
from issuance_backend.recorded_events import SYSTEM
from issuance_backend.refusals import AccountUnknown, DossierUnknown, SameOfficer
from monitoring.database import Database
from verification.errors import CitizenNumberMalformed, FieldsRefused
from verification.identity.citizen_number import CitizenNumber
from verification.messages.delivery import AccountOrder, AccountSuspension, AccountView

_REASONS = frozenset({Reason.INVESTIGATION, Reason.FRAUD, Reason.LOSS, Reason.DATA_ERROR})
_READERS = (Role.CAPTURE, Role.CENTRAL_APPROVER, Role.SUPERVISOR, Role.OFFICE, Role.AUDITOR)


class AccountOffice:
    """Takes orders, approves, activates, holds and closes."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def order(self, officer: Officer, order: AccountOrder) -> AccountView:
        """Order an account; with a dossier it is approved when that dossier's card is ordered.

        Raises FieldsRefused, DossierUnknown, HolderDeceased, and TransitionRefused while one is open.
        """
        officer.require(Role.CAPTURE)
        number = _number(order.citizen_number)
        moment = self._clock()
        with self._database.writing() as connection:
            holds.require_none(connection, number)
            if order.dossier is not None:
                _require_dossier_of(connection, order.dossier, number)
            account = _new_account(number, order.dossier, officer, moment)
            repository.add(connection, account)
            record(connection, account, AccountEvent.CAPTURE, officer.id)
            if order.dossier is not None:
                account = take_step(connection, account, AccountEvent.SEND_WITH_CARD, SYSTEM, moment)
        return _view(account)

    def approve(self, officer: Officer, account_id: str) -> AccountView:
        """Approve an account; raises SameOfficer for whoever ordered it."""
        officer.require(Role.CENTRAL_APPROVER)
        moment = self._clock()
        with self._database.writing() as connection:
            account = _known(connection, account_id)
            if officer.id == account.ordered_by:
                raise SameOfficer("who ordered an account does not approve it")
            approved = replace(account, approved_by=officer.id)
            account = take_step(connection, approved, AccountEvent.APPROVE, officer.id, moment)
        return _view(account)

    def activate(self, account_id: str, caller: str) -> AccountView:
        """Record that the citizen signed in for the first time; told by the program that let them in."""
        moment = self._clock()
        with self._database.writing() as connection:
            account = _known(connection, account_id)
            holds.require_none(connection, account.citizen_number)
            account = take_step(connection, account, AccountEvent.ACTIVATE, caller, moment)
        return _view(account)

    def suspend(self, officer: Officer, account_id: str, why: AccountSuspension) -> AccountView:
        """Hold an account for a reason; raises FieldsRefused, TransitionRefused."""
        return self._decide(officer, account_id, AccountEvent.SUSPEND, _reason(why))

    def resume(self, officer: Officer, account_id: str) -> AccountView:
        """Let a held account go on where it stood; raises HolderDeceased, TransitionRefused."""
        return self._decide(officer, account_id, AccountEvent.RESUME, None)

    def close(self, officer: Officer, account_id: str, why: AccountSuspension) -> AccountView:
        """Close an account for good; raises FieldsRefused, TransitionRefused."""
        return self._decide(officer, account_id, AccountEvent.CLOSE, _reason(why))

    def of_number(self, officer: Officer, citizen_number: str) -> list[AccountView]:
        """Every account ever made for a number, the newest first."""
        officer.require(*_READERS)
        with self._database.reading() as connection:
            return [_view(account) for account in repository.of_number(connection, citizen_number)]

    def work_list(self, officer: Officer, state: str, asked: PageAsked) -> Page[AccountView]:
        """The accounts in one state that were ordered in the officer's area; raises FieldsRefused."""
        officer.require(*_READERS)
        if state not in set(AccountState):
            raise FieldsRefused({"state": "FIELD_CHARACTERS"})
        with self._database.reading() as connection:
            found = repository.page_of_state(connection, AccountState(state), officer.area, asked)
        return Page(tuple(_view(account) for account in found.entries), found.cursor)

    def _decide(
        self, officer: Officer, account_id: str, event: AccountEvent, reason: Reason | None
    ) -> AccountView:
        officer.require(Role.SUPERVISOR)
        moment = self._clock()
        with self._database.writing() as connection:
            account = _known(connection, account_id)
            if event is AccountEvent.RESUME:
                accounts.advance(account.state, event, account.held_in)
                holds.require_none(connection, account.citizen_number)
            changed = replace(account, reason=reason)
            account = take_step(connection, changed, event, officer.id, moment)
        return _view(account)


def _new_account(number: str, dossier: str | None, officer: Officer, moment: datetime) -> Account:
    return Account(
        id=secrets.token_hex(8),
        citizen_number=number,
        dossier=dossier,
        state=accounts.advance(None, AccountEvent.CAPTURE),
        version=1,
        ordered_by=officer.id,
        approved_by=None,
        reason=None,
        held_in=None,
        unit=officer.unit,
        since=rfc3339(moment),
    )


def _number(text: str) -> str:
    try:
        return str(CitizenNumber(text))
    except CitizenNumberMalformed:
        raise FieldsRefused({"citizen_number": CitizenNumberMalformed.code}) from None


def _reason(why: AccountSuspension) -> Reason:
    if why.reason not in _REASONS:
        raise FieldsRefused({"reason": "FIELD_CHARACTERS"})
    return Reason(why.reason)


def _require_dossier_of(connection: Connection, dossier: str, number: str) -> None:
    of = dossier_number(connection, dossier)
    if of is None:
        raise DossierUnknown("no dossier with this id")
    if of != number:
        raise FieldsRefused({"citizen_number": "FIELD_NOT_AS_REGISTERED"})


def _known(connection: Connection, account_id: str) -> Account:
    account = repository.find(connection, account_id)
    if account is None:
        raise AccountUnknown("no account with this id")
    return account


def _view(account: Account) -> AccountView:
    return AccountView(
        id=account.id,
        citizen_number=account.citizen_number,
        dossier=account.dossier,
        state=account.state.value,
        reason=account.reason.value if account.reason else None,
        ordered_by=account.ordered_by,
        approved_by=account.approved_by,
        since=account.since,
        unit=account.unit,
    )
