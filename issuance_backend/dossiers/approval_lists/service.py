"""Where local approvals become signed lists, and where the centre asks for them.

A list is made in the transaction of the approvals it names, and never changes. The centre goes on with a
dossier only while the list of its approval is as the office signed it.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from sqlalchemy import Connection

from issuance_backend import recorded_events
from issuance_backend.dossiers import acts
from issuance_backend.dossiers.approval_lists import repository
from issuance_backend.dossiers.approval_lists.domain import (
    LISTED_IN,
    SignedList,
    approval_of,
    read_list,
    require_named,
)
from issuance_backend.dossiers.intake import kit_repository
from issuance_backend.dossiers.intake.domain import Signer
from issuance_backend.dossiers.repository import Dossier
from issuance_backend.moments import Clock, rfc3339
from issuance_backend.officers import repository as officers
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.paging import Page, PageAsked
from issuance_backend.recorded_events import SYSTEM, Step
from issuance_backend.refusals import ApprovalKeyUnavailable, ApprovalListUnknown, ApprovalNotListed
from issuance_backend.unit_codes import lies_in
from monitoring.database import Database
from verification.errors import UntrustedDocument
from verification.messages.approval_list import (
    MAX_LISTED,
    ApprovalListSummary,
    ApprovalListView,
    ApprovalStatement,
    ListedDossier,
    sign_approvals,
)
from verification.messages.signing_key import SigningKey, thumbprint

READERS = (Role.PROCESSOR, Role.APPROVER, Role.CENTRAL_APPROVER, Role.DISTRICT_CHIEF, Role.AUDITOR)


class ListWriter:
    """Signs lists with the office's key."""

    def __init__(self, key: SigningKey | None) -> None:
        self._key = key

    def close(
        self, connection: Connection, approver: Officer, dossiers: Sequence[Dossier], moment: datetime
    ) -> str:
        """Write the list of what somebody approves at this moment; its id.

        Raises ApprovalKeyUnavailable where the office has no key that the centre would take.
        """
        if self._key is None:
            raise ApprovalKeyUnavailable("no key is set")
        listed = tuple(_listed(dossier) for dossier in dossiers)
        said = ApprovalStatement(
            list=secrets.token_hex(8),
            unit=approver.unit,
            approver=approver.id,
            as_of=rfc3339(moment),
            count=len(listed),
            dossiers=listed,
        )
        signed = SignedList(
            id=said.list,
            unit=said.unit,
            approver=said.approver,
            as_of=said.as_of,
            count=said.count,
            signer=thumbprint(self._key.public_key()),
            token=sign_approvals(said, self._key),
        )
        try:
            read_list(signed, _signer(connection, signed, hold=True))
        except UntrustedDocument as fault:
            raise ApprovalKeyUnavailable(fault.code) from None
        repository.add(connection, signed, listed)
        return signed.id

    def close_former(self, database: Database, clock: Clock) -> int:
        """Sign for what was recorded as approved before there were lists; how many dossiers that were.

        What names a list and stands in none is not among them. Raises ApprovalKeyUnavailable.
        """
        after, count = "", 0
        while True:
            with database.writing() as connection:
                found = repository.unlisted(connection, after, MAX_LISTED)
                former = _by_approver(connection, found)
                moment = clock()
                for officer, dossiers in former.items():
                    signed = self.close(connection, _account(connection, officer), dossiers, moment)
                    recorded_events.append(connection, _closed(signed, moment))
            if not found:
                return count
            after, count = found[-1].id, count + sum(map(len, former.values()))


def require_listed(connection: Connection, dossier: Dossier) -> None:
    """Let a dossier go on whose local approval stands in a list as the office signed it.

    Raises ApprovalNotListed, ApprovalListAltered, ApprovalListSignerUnknown and ApprovalListSignerRevoked.
    """
    kept = repository.of_dossier(connection, dossier)
    if kept is None:
        raise ApprovalNotListed("in no list")
    said = read_list(kept, _signer(connection, kept, hold=True))
    steps = recorded_events.of_subject(connection, acts.subject(dossier.id))
    require_named(said, dossier, approval_of(steps))


def _by_approver(connection: Connection, found: Sequence[Dossier]) -> dict[str, list[Dossier]]:
    """The dossiers among these whose recorded approval names no list, by who approved them."""
    former: dict[str, list[Dossier]] = {}
    for dossier in found:
        with suppress(ApprovalNotListed):
            approval = approval_of(recorded_events.of_subject(connection, acts.subject(dossier.id))).step
            if LISTED_IN not in approval.detail:
                former.setdefault(approval.actor, []).append(dossier)
    return former


def _account(connection: Connection, officer: str) -> Officer:
    account = officers.account(connection, officer)
    return account.officer if account else Officer(officer, officer, frozenset())


def _closed(signed: str, moment: datetime) -> Step:
    return Step(
        subject=f"list/{signed}", event="close_former", state="closed", actor=SYSTEM, at=rfc3339(moment)
    )


class ListDesk:
    """Shows lists to those who approve and those who audit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lists(self, officer: Officer, asked: PageAsked) -> Page[ApprovalListSummary]:
        """Lists of the officer's area, the newest first."""
        officer.require(*READERS)
        with self._database.reading() as connection:
            found = repository.listed(connection, officer.area, asked)
        return Page(tuple(_summary(kept) for kept in found.entries), found.cursor)

    def view(self, officer: Officer, which: str) -> ApprovalListView:
        """A whole list, judged as the centre does; raises ApprovalListUnknown, also outside the area."""
        officer.require(*READERS)
        with self._database.reading() as connection:
            kept = repository.find(connection, which)
            if kept is None or not _is_seen(kept, officer):
                raise ApprovalListUnknown("no list with this id")
            return _view(connection, kept)


def _signer(connection: Connection, kept: SignedList, *, hold: bool = False) -> Signer | None:
    # Whoever revokes the key waits for what goes on under it, and the other way round.
    return kit_repository.signers(connection, [kept.signer], hold=hold).get(kept.signer)


def _is_seen(kept: SignedList, officer: Officer) -> bool:
    return officer.area is None or (kept.unit is not None and lies_in(kept.unit, officer.area))


def _listed(dossier: Dossier) -> ListedDossier:
    return ListedDossier(dossier.id, dossier.packet_sha256, dossier.checked_by)


def _summary(kept: SignedList) -> ApprovalListSummary:
    return ApprovalListSummary(kept.id, kept.unit, kept.approver, kept.as_of, kept.count)


def _view(connection: Connection, kept: SignedList) -> ApprovalListView:
    fault = None
    try:
        read_list(kept, _signer(connection, kept))
    except UntrustedDocument as refused:
        fault = refused.code
    return ApprovalListView(
        id=kept.id,
        unit=kept.unit,
        approver=kept.approver,
        as_of=kept.as_of,
        dossiers=repository.named(connection, kept.id),
        signer=kept.signer,
        token=kept.token,
        fault=fault,
    )
