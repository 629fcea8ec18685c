"""Opened packets: one dossier each, returned where the rules refuse, and only what was asked for changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from issuance_backend.dossiers import repository
from issuance_backend.dossiers.packet_desk import CapturedItem, CapturedPrint
from issuance_backend.population_registry.domain import LifeStatus
from issuance_backend.refusals import PacketDossierClosed, SameOfficer
from issuance_backend.statistics.service import Asked, StatisticsOffice
from tests.support.application_desk import LAN, MINH, PERSON, PRINTS, THU, UNIT, Desk, officer, packet_of
from tests.support.issuance_office import citizens, picture
from verification.errors import (
    DossierAlreadyOpen,
    FieldsRefused,
    RegistryUnavailable,
    TransitionRefused,
)
from verification.messages.enrollment import DossierReturn
from verification.messages.enrollment_packet import (
    CANNOT_SIGN,
    CITIZEN_SIGNATURE,
    CaptureException,
    PrintedFormMark,
)


def test_a_packet_becomes_a_dossier_with_its_kit_and_the_kits_time(desk: Desk) -> None:
    dossier = desk.received(packet_of(prints=PRINTS))
    view = desk.view(dossier)
    assert (desk.state(dossier), view.unit, view.prints) == ("validated", UNIT, 10)
    assert [(step.event, step.actor) for step in view.steps] == [
        ("receive", "kit.officer"),
        ("validate", "system"),
    ]
    first = view.steps[0].detail
    assert (first["kit"], first["happened_at"], first["unit"]) == ("kit-7", "2026-11-20T02:00:00Z", UNIT)
    report = StatisticsOffice(desk.database, lambda: desk.now[0]).report(Asked(unit=UNIT))
    assert report.total.to_date["captured"] == 1


def test_the_same_packet_again_is_the_same_dossier(desk: Desk) -> None:
    first = desk.received(packet_of())
    before = desk.recorded()
    assert desk.received(packet_of()) == first
    assert desk.recorded() == before


def test_a_packet_that_the_rules_refuse_is_returned_with_what_is_wrong(desk: Desk) -> None:
    packet = packet_of(person={"full_name": "Khác Hẳn", "identification": ""}, manual_portrait_reason=None)
    dossier = desk.received(packet)
    view = desk.view(dossier)
    assert (desk.state(dossier), desk.events(dossier)) == ("returned", ["receive", "return"])
    assert view.returned is not None
    assert view.returned.items == ("portrait", "particulars", "identification")
    assert view.steps[-1].detail["faults"] == "FIELD_MISSING,FIELD_NOT_AS_REGISTERED,PORTRAIT_REASON_NEEDED"
    assert "Khác" not in str(view.steps)


@pytest.mark.parametrize(
    ("form", "day"), [("DC01", "2026-11-20"), ("CC99", "2026-11-20"), ("CC01", "2015-01-01")]
)
def test_a_form_that_is_not_the_days_is_printed_again(desk: Desk, form: str, day: str) -> None:
    printed = PrintedFormMark(form, "ab" * 32)
    dossier = desk.received(packet_of(printed_form=printed, happened_at=f"{day}T02:00:00Z"))
    view = desk.view(dossier)
    assert desk.state(dossier) == "returned"
    assert view.returned is not None
    assert "form" in view.returned.items
    assert "FORM_UNKNOWN" in view.steps[-1].detail["faults"]


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        (PrintedFormMark("CC01", "ab" * 32), None),
        (PrintedFormMark("CC01", "ab" * 32, "digital-1", 1.0), "digital-1 1.0000"),
    ],
)
def test_what_the_kit_found_of_the_form_is_recorded(
    desk: Desk, mark: PrintedFormMark, said: str | None
) -> None:
    dossier = desk.received(packet_of(printed_form=mark))
    assert desk.view(dossier).steps[0].detail.get("form_judged") == said


@pytest.mark.parametrize(
    ("code", "items", "state"),
    [
        (CANNOT_SIGN, {}, "validated"),
        ("BUSY", {}, "returned"),
        (CANNOT_SIGN, {CITIZEN_SIGNATURE: CapturedItem(b"x", "image/png")}, "returned"),
    ],
)
def test_who_cannot_sign_does_not_sign_and_nobody_else_is_excused(
    desk: Desk, code: str, items: dict[str, CapturedItem], state: str
) -> None:
    stated = (CaptureException(CITIZEN_SIGNATURE, code),)
    dossier = desk.received(packet_of(exceptions=stated, items=items))
    assert desk.state(dossier) == state
    assert desk.view(dossier).steps[0].detail["unsigned"] == code.lower()


def test_whom_the_registry_does_not_know_or_knows_as_dead_gets_no_further(desk: Desk) -> None:
    desk.registry.people[PERSON.citizen_number] = replace(PERSON, life_status=LifeStatus.DECEASED)
    dossier = desk.received(packet_of())
    assert desk.state(dossier) == "returned"
    assert desk.view(dossier).steps[-1].detail["faults"] == "REGISTRY_PERSON_NOT_ALIVE"


def test_a_registry_that_is_down_leaves_the_packet_where_it_is(desk: Desk) -> None:
    desk.registry.is_up = False
    with pytest.raises(RegistryUnavailable):
        desk.received(packet_of())
    assert desk.recorded() == 0
    desk.registry.is_up = True
    assert desk.state(desk.received(packet_of())) == "validated"


def test_what_can_be_no_dossier_is_refused(desk: Desk) -> None:
    with pytest.raises(FieldsRefused) as refused:
        desk.received(packet_of(citizen_number="12", portrait=b""))
    assert set(refused.value.fields) == {"citizen_number", "portrait"}


def test_one_open_dossier_of_a_person_at_a_time(desk: Desk) -> None:
    desk.received(packet_of())
    with pytest.raises(DossierAlreadyOpen):
        desk.received(packet_of(number=2))


def test_a_packet_answers_a_return_and_changes_nothing_else(desk: Desk) -> None:
    dossier = desk.received(packet_of(prints=PRINTS))
    desk.office.approvals.send_back(MINH, dossier, DossierReturn(("portrait",), "mờ"))
    again = packet_of(number=2, answers=dossier, portrait=picture(2))
    for wrong in (
        replace(again, packet_sha256=f"{3:064x}", prints=PRINTS),
        packet_of(number=4, answers=dossier, portrait=picture(2), person={"identification": "Khác"}),
    ):
        assert desk.received(wrong) == dossier
        view = desk.view(dossier)
        assert view.returned is not None
        assert (desk.state(dossier), view.returned.items) == ("returned", ("portrait",))
        assert view.steps[-1].detail["faults"] == "ITEM_NOT_RETURNED"
        assert desk.office.portrait(THU, dossier) == picture()
    assert desk.received(again) == dossier
    assert (desk.state(dossier), desk.view(dossier).prints) == ("validated", 10)
    assert desk.office.portrait(THU, dossier) == picture(2)


def test_fingers_are_taken_again_without_a_portrait(desk: Desk) -> None:
    dossier = desk.received(packet_of(prints=PRINTS))
    desk.office.approvals.send_back(MINH, dossier, DossierReturn(("fingerprints",), "mờ"))
    fresh = tuple(CapturedPrint(each.position, b"again %d" % each.position, "image/png") for each in PRINTS)
    desk.received(packet_of(number=2, answers=dossier, portrait=b"", prints=fresh))
    assert desk.state(dossier) == "validated"
    with desk.database.reading() as connection:
        names = repository.prints(connection, dossier)
    assert {position: desk.pictures.read(name) for position, name in names.items()} == {
        each.position: each.content for each in fresh
    }
    assert desk.office.portrait(THU, dossier) == picture()


def test_an_answer_to_what_was_not_asked_is_refused(desk: Desk) -> None:
    dossier = desk.received(packet_of())
    with pytest.raises(PacketDossierClosed):
        desk.received(packet_of(number=2, answers=dossier))
    desk.office.approvals.send_back(MINH, dossier, DossierReturn(("portrait",), "mờ"))
    with pytest.raises(FieldsRefused):
        desk.received(packet_of(citizens()[1], number=3, answers=dossier))
    by_approver = packet_of(number=4, answers=dossier, officer="minh")
    # Whoever sent it back took no part; whoever approved it did.
    assert desk.received(by_approver) == dossier


def test_whoever_approved_it_does_not_capture_it_again_by_packet(desk: Desk) -> None:
    dossier = desk.received(packet_of())
    desk.approve_locally(MINH, dossier)
    desk.office.approvals.send_back(THU, dossier, DossierReturn(("identification",), "thiếu"))
    with pytest.raises(SameOfficer):
        desk.received(packet_of(number=2, answers=dossier, portrait=b"", officer="minh"))


def test_a_dossier_that_changed_since_it_was_examined_is_not_overwritten(desk: Desk) -> None:
    dossier = desk.received(packet_of())
    desk.office.approvals.send_back(MINH, dossier, DossierReturn(("portrait",), "mờ"))
    examined = desk.office.packets.examine(desk.database, packet_of(number=2, answers=dossier))
    desk.office.captures.withdraw(LAN, dossier)
    with pytest.raises(TransitionRefused), desk.database.writing() as connection:
        desk.office.packets.receive(connection, examined, desk.now[0])
    assert desk.state(dossier) == "withdrawn"


def test_the_packets_officer_is_its_captor(desk: Desk) -> None:
    dossier = desk.received(packet_of(officer="minh"))
    with pytest.raises(SameOfficer):
        desk.approve_locally(MINH, dossier)
    desk.approve_locally(officer("vu", *MINH.roles, unit=MINH.unit), dossier)
