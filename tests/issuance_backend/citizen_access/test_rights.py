"""Every role alone tries everything that is done for a citizen and with a complaint."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from issuance_backend.application_status.service import StatusDesk
from issuance_backend.citizen_access.complaint_desk import ComplaintDesk
from issuance_backend.citizen_access.own_record_desk import OwnRecordDesk
from issuance_backend.credentials.handover_receipts import ReceiptDesk
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.paging import PageAsked
from issuance_backend.refusals import RoleMissing
from tests.support.citizen_counter import CitizenCounter
from verification.errors import VerificationError
from verification.messages.citizen_access import (
    ComplaintAbout,
    ComplaintAnswering,
    ComplaintFiling,
    ComplaintOutcome,
)

COUNTERS = {Role.CAPTURE, Role.OFFICE}
ANSWERING = {Role.SUPERVISOR, Role.DISTRICT_CHIEF}
FILING = ComplaintFiling(ComplaintAbout.ATTRIBUTE, "religion", "Sai.")
ANSWER = ComplaintAnswering(ComplaintOutcome.DISMISSED, "Đúng như đã ghi.")


def test_who_may_do_what(counter: CitizenCounter) -> None:
    database, records = counter.office.database, counter.records

    def clock() -> datetime:
        return counter.office.now[0]

    own = OwnRecordDesk(database, clock, ReceiptDesk({}), records, StatusDesk(database, clock))
    desk = ComplaintDesk(database, clock, own, records)
    acts: dict[str, tuple[set[Role], Callable[[Officer], object]]] = {
        "open": (COUNTERS, lambda who: own.open(who, "x")),
        "record": (COUNTERS, lambda who: own.record(who, "x")),
        "accesses": (COUNTERS, lambda who: own.accesses(who, "x")),
        "complain": (COUNTERS, lambda who: desk.file(who, "x", FILING)),
        "listed": (ANSWERING | {Role.AUDITOR}, lambda who: desk.listed(who, "open", PageAsked())),
        "view": (ANSWERING | {Role.AUDITOR}, lambda who: desk.view(who, "kn-0")),
        "answer": (ANSWERING, lambda who: desk.answer(who, "kn-0", ANSWER)),
    }
    for name, (permitted, act) in acts.items():
        assert {role for role in Role if may(act, role)} == permitted, name


def may(act: Callable[[Officer], object], role: Role) -> bool:
    try:
        act(Officer("lan", "Lan", frozenset({role})))
    except RoleMissing:
        return False
    except VerificationError:
        pass
    return True
