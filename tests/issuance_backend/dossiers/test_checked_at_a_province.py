"""At a province two people approve: a processor who checked the dossier as it stands, and somebody else."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from sqlalchemy import text

from issuance_backend.dossiers.approval_lists.refusals import (
    ApprovalNotListed,
)
from issuance_backend.dossiers.approval_lists.tables import LISTED_APPROVALS
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.paging import PageAsked
from issuance_backend.refusals import (
    DossierNotChecked,
    DossierUnknown,
    RoleMissing,
    SameOfficer,
)
from tests.support.application_desk import (
    CHIEF,
    CLERK,
    LAN,
    LEADER,
    MINH,
    THU,
    UNIT,
    Desk,
    capture_of,
    make_desk,
    officer,
    packet_of,
)
from tests.support.engines import Engine
from tests.support.issuance_office import citizens
from verification.errors import FieldsRefused, TransitionRefused
from verification.messages.approval_list import ListedDossier
from verification.messages.canonical import canonical_json
from verification.messages.dossier_decisions import LookupAnswer, LookupRequest
from verification.messages.enrollment import DossierReturn

HAI = officer("hai", Role.PROCESSOR, unit="001")
BA = officer("ba", Role.APPROVER, unit="001")


@pytest.fixture
def desk(database_engine: Engine) -> Iterator[Desk]:
    made = make_desk(database_engine)
    yield made
    made.database.close()


def test_an_approver_of_a_province_needs_a_check_and_one_of_a_district_none(desk: Desk) -> None:
    dossier, other = desk.captured(), desk.captured(citizens()[1], number=2)
    with pytest.raises(DossierNotChecked):
        desk.approve_locally(BA, dossier)
    desk.office.checks.check(HAI, dossier)
    assert (desk.view(dossier).checked_by, desk.state(dossier)) == ("hai", "validated")
    desk.approve_locally(BA, dossier)
    desk.approve_locally(MINH, other)
    desk.office.approvals.approve_centrally(THU, dossier)
    desk.office.approvals.approve_centrally(THU, other)
    assert desk.events(dossier)[:4] == ["capture", "validate", "check", "approve_locally"]
    assert desk.view(dossier).steps[2].detail == {"checked_at": "province", "unit": UNIT}


def test_a_list_of_a_province_names_what_nobody_checked(desk: Desk) -> None:
    checked, unchecked = desk.captured(), desk.captured(citizens()[1], number=2)
    desk.office.checks.check(HAI, checked)
    with pytest.raises(FieldsRefused) as refused:
        desk.approve_list(BA, [checked, unchecked])
    assert refused.value.fields == {unchecked: "DOSSIER_NOT_CHECKED"}


@pytest.mark.parametrize(
    ("who", "refusal"),
    [
        (officer("lan", Role.PROCESSOR, unit="001"), SameOfficer),
        (officer("ba", Role.APPROVER, Role.CAPTURE, unit="001"), RoleMissing),
        (officer("nam", Role.PROCESSOR, unit="079"), DossierUnknown),
    ],
)
def test_who_may_not_check(desk: Desk, who: Officer, refusal: type[Exception]) -> None:
    dossier = desk.captured()
    with pytest.raises(refusal):
        desk.office.checks.check(who, dossier)


def test_who_checked_does_not_approve_and_who_answered_for_prints_neither_checks_nor_approves(
    desk: Desk,
) -> None:
    dossier = desk.received(packet_of(supervisor="nga"))
    with pytest.raises(SameOfficer):
        desk.office.checks.check(officer("nga", Role.PROCESSOR, unit="001"), dossier)
    desk.office.checks.check(HAI, dossier)
    both = officer("hai", Role.PROCESSOR, Role.APPROVER, unit="001")
    for who in (
        both,
        officer("nga", Role.APPROVER, unit="001"),
        officer("hai", Role.APPROVER, unit="001.02"),
    ):
        with pytest.raises(SameOfficer):
            desk.approve_locally(who, dossier)
    desk.approve_locally(BA, dossier)


def test_a_dossier_is_checked_once(desk: Desk) -> None:
    dossier = desk.captured()
    desk.office.checks.check(HAI, dossier)
    with pytest.raises(TransitionRefused):
        desk.office.checks.check(officer("tu", Role.PROCESSOR, unit="001"), dossier)


def test_what_is_captured_again_is_checked_again(desk: Desk) -> None:
    dossier = desk.captured()
    desk.office.checks.check(HAI, dossier)
    desk.office.approvals.send_back(HAI, dossier, DossierReturn(("portrait",), "mờ"))
    assert desk.view(dossier).checked_by is None
    desk.office.captures.recapture(LAN, dossier, capture_of(number=2))
    with pytest.raises(DossierNotChecked):
        desk.approve_locally(BA, dossier)
    desk.office.checks.check(HAI, dossier)
    desk.approve_locally(BA, dossier)


def test_what_the_archive_says_is_checked_as_well(desk: Desk) -> None:
    dossier = desk.captured()
    desk.office.checks.check(HAI, dossier)
    desk.office.archive.ask(BA, dossier, LookupRequest("no_data"))
    lookup = desk.view(dossier).lookup
    assert lookup is not None
    desk.office.archive.approve(LEADER if lookup.approver == "team_leader" else CHIEF, dossier)
    desk.office.archive.answer(CLERK, dossier, LookupAnswer("agrees"))
    with pytest.raises(DossierNotChecked):
        desk.approve_locally(BA, dossier)


def approved_at_the_province(desk: Desk) -> str:
    dossier = desk.captured()
    desk.office.checks.check(HAI, dossier)
    desk.approve_locally(BA, dossier)
    return dossier


def test_the_signed_list_names_both(desk: Desk) -> None:
    dossier = approved_at_the_province(desk)
    (listed,) = desk.office.lists.lists(HAI, PageAsked(9, None)).entries
    shown = desk.office.lists.view(HAI, listed.id)
    assert (shown.approver, shown.dossiers[0].checked_by) == ("ba", "hai")
    assert shown.dossiers[0].dossier == dossier


@pytest.mark.parametrize(
    "altered",
    [
        "UPDATE events SET actor = 'somebody' WHERE event = 'check'",
        "UPDATE events SET event = 'validate' WHERE event = 'check'",
    ],
)
def test_the_centre_goes_on_with_nothing_that_was_checked_by_another(desk: Desk, altered: str) -> None:
    dossier = approved_at_the_province(desk)
    with desk.database.writing() as connection:
        assert connection.execute(text(altered)).rowcount == 1
    with pytest.raises(ApprovalNotListed):
        desk.office.approvals.approve_centrally(THU, dossier)


def test_a_name_that_is_written_beside_a_list_later_stands_for_nobody(desk: Desk) -> None:
    dossier = approved_at_the_province(desk)
    with desk.database.writing() as connection:
        connection.execute(LISTED_APPROVALS.update().values(checked_by="somebody"))
        connection.execute(text("UPDATE dossiers SET checked_by = 'somebody'"))
    desk.office.approvals.approve_centrally(THU, dossier)


def test_a_list_without_a_check_is_signed_as_it_ever_was() -> None:
    signed = canonical_json(msgspec.to_builtins(ListedDossier("d", "p")))
    assert signed == b'{"dossier":"d","packet":"p"}'
