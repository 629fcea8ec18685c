"""Where units and the centre approve: two officers, neither of whom captured, and no open hit.

At a province itself a third one checked before; the chief of a district approves alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import msgspec
from sqlalchemy import Connection

from issuance_backend.credentials import orders
from issuance_backend.credentials.orders import Order
from issuance_backend.dossiers import acts, domain, repository
from issuance_backend.dossiers.acts import Act, take_step, take_steps
from issuance_backend.dossiers.approval_lists import repository as approval_lists
from issuance_backend.dossiers.approval_lists.domain import LISTED_IN, SIGNED_WITHIN
from issuance_backend.dossiers.approval_lists.refusals import (
    ApprovalExpired,
)
from issuance_backend.dossiers.approval_lists.service import (
    ListWriter,
    good_keys,
    require_as_it_stands,
    require_listed,
)
from issuance_backend.dossiers.capture_checks import CaptureChecks
from issuance_backend.dossiers.domain import DossierEvent, DossierState, Part, Search
from issuance_backend.dossiers.particulars import RETURN_ITEMS
from issuance_backend.dossiers.repository import Dossier
from issuance_backend.moments import Clock, parse_moment, rfc3339
from issuance_backend.officers.certificates import Level
from issuance_backend.officers.certification import Certified
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.recorded_events import SYSTEM
from issuance_backend.refusals import (
    DossierNotChecked,
    DossierUnknown,
    SameOfficer,
)
from monitoring.database import Database
from verification.errors import FieldsRefused, TransitionRefused
from verification.messages.approval_list import (
    MAX_LISTED,
    ApprovalStatement,
    PreparedApproval,
    PreparedDossier,
    SignedApproval,
)
from verification.messages.enrollment import DossierReturn
from verification.messages.signing_key import SigningKey

CENTRAL_STATES = frozenset({DossierState.LOCAL_APPROVED, DossierState.DEDUP_1N, DossierState.ADJUDICATION})
"""The dossier is at the centre: what its unit approved, its unit does not take back."""

_MAX_COMMENT = 500


@dataclass(frozen=True, slots=True)
class ApprovalTerms:
    """How a local approval reaches the centre.

    ``key`` signs its list; without one nobody approves locally. ``are_searched`` says whether applications
    are compared with everybody enrolled here; without a gallery they cannot be.
    """

    key: SigningKey | None = None
    are_searched: bool = False


class ApprovalDesk:
    """Local and central approval, and sending back."""

    def __init__(
        self,
        database: Database,
        checks: CaptureChecks,
        clock: Clock,
        certified: Certified,
        terms: ApprovalTerms,
    ) -> None:
        self._database = database
        self._checks = checks
        self._clock = clock
        self._certified = certified
        self._are_searched = terms.are_searched
        self._lists = ListWriter(terms.key)

    def prepare(self, officer: Officer, dossier_ids: Collection[str]) -> PreparedApproval:
        """What an approver has to sign to stand for dossiers of their unit; nothing is approved by it.

        Raises FieldsRefused with the code of each dossier that is in the way, for one alone DossierUnknown,
        DossierNotChecked, SameOfficer or TransitionRefused; RoleMissing, ApproverNotCertified and
        ApprovalKeyUnavailable.
        """
        officer.require(Role.APPROVER)
        if not 0 < len(dossier_ids) <= MAX_LISTED:
            raise FieldsRefused({"dossiers": "FIELD_MISSING" if not dossier_ids else "FIELD_TOO_LONG"})
        moment = self._clock()
        with self._database.reading() as connection:
            self._certified(connection, officer.id, moment, Level.APPROVAL, hold=False)
            approvable = _all_approvable(connection, officer, sorted(set(dossier_ids)), moment)
            dossiers = [act.dossier for act in approvable]
            return PreparedApproval(
                unit=officer.unit,
                approver=officer.id,
                expires_at=rfc3339(moment + SIGNED_WITHIN),
                dossiers=tuple(map(_prepared, dossiers)),
                keys=good_keys(connection, officer.id, moment),
                preparation=self._lists.prepare(connection, officer, dossiers, moment),
            )

    def approve(self, officer: Officer, signed: SignedApproval) -> str:
        """Stand for the dossiers that were prepared, all or none, with one's signature; the id of the list.

        What is sent again is the same list. Raises ApprovalAltered, ApproverKeyUnknown, ApproverKeyRevoked,
        ApprovalExpired, ApproverNotCertified, RoleMissing, ApprovalKeyUnavailable, and as ``prepare`` does
        for dossiers that are in the way or changed since.
        """
        officer.require(Role.APPROVER)
        try:
            return self._approved(officer, signed)
        except (TransitionRefused, FieldsRefused):
            # Sent twice at once, one of them finds what the other wrote.
            return self._approved(officer, signed)

    def _approved(self, officer: Officer, signed: SignedApproval) -> str:
        with self._database.writing() as connection:
            said = self._lists.read(connection, officer, signed)
            if approval_lists.find(connection, said.list) is not None:
                return said.list
            moment = self._clock()
            if not timedelta(0) <= moment - parse_moment(said.as_of) < SIGNED_WITHIN:
                raise ApprovalExpired("prepared too long ago")
            self._certified(connection, officer.id, moment, Level.APPROVAL)
            ids = [each.dossier for each in said.dossiers]
            approvable = _all_approvable(connection, officer, ids, moment)
            require_as_it_stands(said, [act.dossier for act in approvable])
            self._close(approvable, msgspec.structs.replace(said, as_of=rfc3339(moment)))
            return said.list

    def _close(self, approvable: Sequence[Act], said: ApprovalStatement) -> None:
        """The list, the approvals that it names, and their way to the centre, in one transaction."""
        listed_in = {LISTED_IN: self._lists.close(approvable[0].connection, said)}
        approved = take_steps(approvable, DossierEvent.APPROVE_LOCALLY, said.approver, listed_in)
        if not self._are_searched:
            following = [replace(act, dossier=each) for act, each in zip(approvable, approved, strict=True)]
            take_steps(following, DossierEvent.SKIP_SEARCH, SYSTEM, {"gallery": "none"})

    def approve_centrally(self, officer: Officer, dossier_id: str) -> None:
        """Approve a dossier and order its card in the same transaction.

        Raises SameOfficer, RoleMissing, HitStillOpen, what ``require_listed`` raises, TransitionRefused
        (also where another card of the number is ordered already), HolderNotRegistered, RegistryUnavailable.
        """
        officer.require(Role.CENTRAL_APPROVER)
        with self._database.reading() as connection:
            number = self._approvable_centrally(connection, officer, dossier_id).dossier.citizen_number
        # The number was looked up at the capture, perhaps months ago. Not in the transaction: nobody waits
        # for a dossier while the registry is asked.
        self._checks.require_holder(number)
        with self._database.writing() as connection:
            act = self._approvable_centrally(connection, officer, dossier_id)
            require_listed(connection, act.dossier)
            is_due = act.dossier.search is not Search.NO_GALLERY
            approved = replace(act.dossier, approved_by=officer.id, enrolment_due=is_due)
            take_step(replace(act, dossier=approved), DossierEvent.APPROVE_CENTRALLY, officer.id)
            orders.place(connection, _order(approved), officer.id, act.moment)

    def _approvable_centrally(self, connection: Connection, officer: Officer, dossier_id: str) -> Act:
        act = Act(connection, acts.found(connection, dossier_id, officer), self._clock())
        domain.advance(act.dossier.state, DossierEvent.APPROVE_CENTRALLY)
        domain.require_no_open_hit(act.dossier.search)
        _require_only_part(act, officer, Part.CENTRAL_APPROVAL)
        return act

    def send_back(self, officer: Officer, dossier_id: str, reasons: DossierReturn) -> None:
        """Return a dossier with the items to redo; a returned one with more items than before.

        Raises SameOfficer, FieldsRefused, RoleMissing, HitStillOpen, TransitionRefused.
        """
        officer.require(Role.PROCESSOR, Role.APPROVER, Role.CENTRAL_APPROVER)
        _require_reasons(reasons)
        with self._database.writing() as connection:
            dossier = acts.found(connection, dossier_id, officer)
            act = Act(connection, replace(dossier, returned=reasons), self._clock())
            domain.advance(dossier.state, DossierEvent.RETURN)
            if dossier.state in CENTRAL_STATES:
                officer.require(Role.CENTRAL_APPROVER)
            domain.require_examined(dossier.state, dossier.search)
            _require_more(dossier, reasons)
            require_no_captor(act, officer)
            take_step(act, DossierEvent.RETURN, officer.id, {"items": ",".join(reasons.items)})


def _all_approvable(
    connection: Connection, officer: Officer, dossier_ids: Sequence[str], moment: datetime
) -> list[Act]:
    """All of these, or FieldsRefused with the code of each that is in the way; one alone says why itself."""
    approvable, faults = [], {}
    found = repository.find_all(connection, dossier_ids)
    taken = acts.parts_by_dossier(connection, list(found))
    for dossier_id in dossier_ids:
        try:
            dossier = acts.seen(found.get(dossier_id), officer)
            approvable.append(_approvable(Act(connection, dossier, moment), officer, taken[dossier_id]))
        except (DossierUnknown, DossierNotChecked, SameOfficer, TransitionRefused) as fault:
            if len(dossier_ids) == 1:
                raise
            faults[dossier_id] = fault.code
    if faults:
        raise FieldsRefused(faults)
    return approvable


def _prepared(dossier: Dossier) -> PreparedDossier:
    return PreparedDossier(
        dossier=dossier.id,
        full_name=dossier.person.full_name,
        citizen_number=dossier.citizen_number,
        captured_by=dossier.captured_by,
        updated_at=dossier.updated_at,
        checked_by=dossier.checked_by,
    )


def _approvable(act: Act, officer: Officer, taken: Mapping[Part, Collection[str]]) -> Act:
    domain.advance(act.dossier.state, DossierEvent.APPROVE_LOCALLY)
    domain.require_only_part(officer.id, Part.LOCAL_APPROVAL, taken)
    if officer.is_provincial and act.dossier.checked_by is None:
        raise DossierNotChecked("at a province two people approve")
    return act


def require_no_captor(act: Act, officer: Officer) -> None:
    """Raise SameOfficer for whoever captured any version of a dossier."""
    captors = acts.parts_taken(act.connection, act.dossier).get(Part.CAPTURE, set())
    domain.require_only_part(officer.id, Part.REJECTION, {Part.CAPTURE: captors})


def _require_only_part(act: Act, officer: Officer, part: Part) -> None:
    domain.require_only_part(officer.id, part, acts.parts_taken(act.connection, act.dossier))


def _order(dossier: Dossier) -> Order:
    return Order(
        dossier=dossier.id,
        citizen_number=dossier.citizen_number,
        date_of_birth=date.fromisoformat(dossier.person.date_of_birth),
        unit=dossier.unit,
    )


def _require_more(dossier: Dossier, reasons: DossierReturn) -> None:
    former = dossier.returned.items if dossier.state is DossierState.RETURNED and dossier.returned else ()
    if not set(reasons.items) > set(former):
        raise TransitionRefused("these items are returned already")


def _require_reasons(reasons: DossierReturn) -> None:
    faults = {}
    if not reasons.items or not set(RETURN_ITEMS).issuperset(reasons.items):
        faults["items"] = "FIELD_MISSING"
    if not reasons.comment.strip():
        faults["comment"] = "FIELD_MISSING"
    elif len(reasons.comment) > _MAX_COMMENT:
        faults["comment"] = "FIELD_TOO_LONG"
    if faults:
        raise FieldsRefused(faults)
