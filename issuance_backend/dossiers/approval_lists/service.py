"""Where local approvals become signed lists, and where the centre asks for them.

A list is made in the transaction of the approvals it names, and never changes. The centre goes on with a
dossier only while the list of its approval is as the office signed it.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from issuance_backend import recorded_events
from issuance_backend.dossiers import acts
from issuance_backend.dossiers.approval_lists import repository
from issuance_backend.dossiers.approval_lists.domain import (
    LISTED_IN,
    SignedList,
    approval_of,
    read_list,
    require_good,
    require_key_of,
    require_named,
    require_office_key,
)
from issuance_backend.dossiers.approval_lists.refusals import (
    ApprovalAltered,
    ApprovalKeyUnavailable,
    ApprovalListSignerRevoked,
    ApprovalListSignerUnknown,
    ApprovalListUnknown,
    ApprovalNotListed,
    ApprovalOutdated,
    ApproverSignatureMissing,
)
from issuance_backend.dossiers.intake import kit_repository
from issuance_backend.dossiers.intake.domain import Signer, SignerKind
from issuance_backend.dossiers.repository import Dossier
from issuance_backend.moments import Clock, rfc3339
from issuance_backend.officers import repository as officers
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.paging import Page, PageAsked
from issuance_backend.recorded_events import SYSTEM, Step
from issuance_backend.unit_codes import lies_in
from monitoring.database import Database
from verification.errors import FieldsRefused, SignatureInvalid, UntrustedDocument
from verification.messages.approval_list import (
    MAX_LISTED,
    ApprovalListSummary,
    ApprovalListView,
    ApprovalStatement,
    ApproverSignature,
    ListedDossier,
    SignedApproval,
    read_preparation,
    require_approval,
    seal_preparation,
    sign_approvals,
)
from verification.messages.signing_key import SigningKey, thumbprint

READERS = (Role.PROCESSOR, Role.APPROVER, Role.CENTRAL_APPROVER, Role.DISTRICT_CHIEF, Role.AUDITOR)


class ListWriter:
    """Prepares lists for their approvers, and signs with the office's key what came back signed."""

    def __init__(self, key: SigningKey | None) -> None:
        self._key = key

    def prepare(
        self, connection: Connection, approver: Officer, dossiers: Sequence[Dossier], moment: datetime
    ) -> str:
        """What an approver is to sign, as a compact JWS; raises ApprovalKeyUnavailable."""
        said, name = _statement(approver, dossiers, moment), thumbprint(self._office_key.public_key())
        try:
            require_good(require_office_key(_signers(connection, name).get(name)), said.as_of)
        except UntrustedDocument as fault:
            raise ApprovalKeyUnavailable(fault.code) from None
        return seal_preparation(said, self._office_key)

    def read(self, connection: Connection, approver: Officer, signed: SignedApproval) -> ApprovalStatement:
        """What this officer signed of all that this office prepared for them, with their signature in it.

        Raises ApprovalAltered, ApproverKeyUnknown and ApprovalKeyUnavailable.
        """
        key = require_key_of(_signers(connection, signed.key).get(signed.key), approver.id).key
        try:
            prepared = read_preparation(signed.preparation, self._office_key.public_key())
            approval = ApproverSignature(signed.key, prepared.as_of, signed.signature)
            said = msgspec.structs.replace(prepared, approval=approval)
            require_approval(said, key)
        except SignatureInvalid:
            raise ApprovalAltered("not as it was prepared, or not signed with this key") from None
        if (said.approver, said.unit) != (approver.id, approver.unit):
            raise ApprovalAltered("prepared for another approver, or in another unit")
        return said

    def close(self, connection: Connection, said: ApprovalStatement) -> str:
        """Write a list as of the moment it names; its id.

        Raises ApprovalKeyUnavailable where the office has no key that the centre would take, and for what the
        centre would not take of the approver's key ApproverKeyUnknown and ApproverKeyRevoked.
        """
        key = self._office_key
        signed = SignedList(
            id=said.list,
            unit=said.unit,
            approver=said.approver,
            as_of=said.as_of,
            count=said.count,
            signer=thumbprint(key.public_key()),
            token=sign_approvals(said, key),
            approver_key=said.approval.key if said.approval else None,
        )
        try:
            read_list(signed, _signers_of(connection, signed, hold=True))
        except (ApprovalListSignerUnknown, ApprovalListSignerRevoked) as fault:
            raise ApprovalKeyUnavailable(fault.code) from None
        repository.add(connection, signed, said.dossiers)
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
                    said = _statement(_account(connection, officer), dossiers, moment)
                    signed = self.close(connection, said)
                    recorded_events.append(connection, _closed(signed, moment))
            if not found:
                return count
            after, count = found[-1].id, count + sum(map(len, former.values()))

    @property
    def _office_key(self) -> SigningKey:
        if self._key is None:
            raise ApprovalKeyUnavailable("no key is set")
        return self._key


def good_keys(connection: Connection, approver: str, moment: datetime) -> tuple[str, ...]:
    """The thumbprints of an officer's keys with which they may sign now, the newest first."""
    now = rfc3339(moment)
    theirs = kit_repository.signers_of(connection, SignerKind.OFFICER, approver)
    good = [key for key in theirs if key.is_valid_at(now) and key.is_trusted(now, now)]
    return tuple(key.thumbprint for key in sorted(good, key=lambda key: key.valid_from, reverse=True))


def require_as_it_stands(said: ApprovalStatement, dossiers: Sequence[Dossier]) -> None:
    """Raise FieldsRefused with every dossier that is not what its approver signed for."""
    stands = {dossier.id: _listed(dossier) for dossier in dossiers}
    changed = [each.dossier for each in said.dossiers if stands.get(each.dossier) != each]
    if changed:
        raise FieldsRefused(dict.fromkeys(changed, ApprovalOutdated.code))


def require_listed(connection: Connection, dossier: Dossier) -> None:
    """Let a dossier go on whose local approval stands in a list as its approver and the office signed it.

    Raises ApprovalNotListed, ApproverSignatureMissing, and what ``read_list`` raises.
    """
    kept = repository.of_dossier(connection, dossier)
    if kept is None:
        raise ApprovalNotListed("in no list")
    said = read_list(kept, _signers_of(connection, kept, hold=True))
    if said.approval is None and not repository.is_from_before(connection, acts.subject(dossier.id)):
        raise ApproverSignatureMissing("approvers sign by now")
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


def _signers_of(connection: Connection, kept: SignedList, *, hold: bool = False) -> dict[str, Signer]:
    return _signers(connection, kept.signer, kept.approver_key, hold=hold)


def _signers(connection: Connection, *keys: str | None, hold: bool = False) -> dict[str, Signer]:
    # Whoever revokes one of them waits for what goes on under it, and the other way round.
    return kit_repository.signers(connection, [key for key in keys if key], hold=hold)


def _is_seen(kept: SignedList, officer: Officer) -> bool:
    return officer.area is None or (kept.unit is not None and lies_in(kept.unit, officer.area))


def _statement(approver: Officer, dossiers: Sequence[Dossier], moment: datetime) -> ApprovalStatement:
    return ApprovalStatement(
        list=secrets.token_hex(8),
        unit=approver.unit,
        approver=approver.id,
        as_of=rfc3339(moment),
        count=len(dossiers),
        dossiers=tuple(_listed(dossier) for dossier in dossiers),
    )


def _listed(dossier: Dossier) -> ListedDossier:
    return ListedDossier(dossier.id, dossier.packet_sha256, dossier.checked_by)


def _summary(kept: SignedList) -> ApprovalListSummary:
    return ApprovalListSummary(kept.id, kept.unit, kept.approver, kept.as_of, kept.count)


def _view(connection: Connection, kept: SignedList) -> ApprovalListView:
    fault = None
    try:
        read_list(kept, _signers_of(connection, kept))
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
        approver_key=kept.approver_key,
    )
