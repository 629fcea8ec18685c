"""The desks: who may do what to a dossier, in which state, and what is recorded of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from issuance_backend.officers.domain import Officer, Role
from issuance_backend.paging import PageAsked
from issuance_backend.population_registry.domain import LifeStatus, RegistryPerson, extract
from issuance_backend.refusals import DossierUnknown, HolderNotRegistered, RoleMissing, SameOfficer
from issuance_backend.statistics.service import Asked, StatisticsOffice
from tests.support.application_desk import (
    CHIEF,
    CLERK,
    EVERYTHING,
    LAN,
    LEADER,
    MINH,
    PERSON,
    SON,
    THU,
    UNIT,
    Desk,
    capture_of,
    officer,
)
from tests.support.issuance_office import citizens, picture
from verification.errors import FieldsRefused, RegistryUnavailable, TransitionRefused
from verification.messages.dossier_decisions import CaseHold, LookupAnswer, LookupRequest, RejectionReason
from verification.messages.enrollment import DossierReturn
from verification.messages.registry_access import Purpose

FRAUD = RejectionReason("fraud", "Luật 26/2023/QH15, điều 23", "Giấy tờ giả")
ASKED = LookupRequest("paper_prints")
PAGE = PageAsked(50, ())


def returned(*items: str) -> DossierReturn:
    return DossierReturn(items=items, comment="làm lại")


def refused_fields(refused: pytest.ExceptionInfo[FieldsRefused]) -> dict[str, str]:
    return dict(refused.value.fields)


def test_from_capture_to_the_order_of_a_card_by_three_officers(desk: Desk) -> None:
    dossier = desk.captured()
    assert desk.state(dossier) == "validated"
    desk.approve_locally(MINH, dossier)
    view = desk.view(dossier)
    assert (view.state, view.search, view.unit) == ("dedup_1n", "no_gallery", UNIT)
    assert desk.orders() == []
    desk.office.approvals.approve_centrally(THU, dossier)
    assert (desk.state(dossier), desk.orders()) == ("central_approved", [dossier])
    steps = [(step.event, step.actor) for step in desk.view(dossier).steps]
    assert steps == [
        ("capture", "lan"),
        ("validate", "system"),
        ("approve_locally", "minh"),
        ("skip_search", "system"),
        ("approve_centrally", "thu"),
    ]
    assert all(step.detail["unit"] == UNIT for step in desk.view(dossier).steps)
    with desk.database.writing() as connection:
        desk.office.complete(connection, dossier, "office.hand", desk.now[0])
    assert desk.state(dossier) == "completed"
    figures = StatisticsOffice(desk.database, lambda: desk.now[0]).report(Asked(unit=UNIT))
    to_date = figures.total.to_date
    assert [to_date[name] for name in ("captured", "sent", "approved", "completed")] == [1, 1, 1, 1]


def test_nobody_does_two_parts_of_one_dossier_whatever_their_roles(desk: Desk) -> None:
    dossier = desk.captured(by=EVERYTHING)
    with pytest.raises(SameOfficer):
        desk.approve_locally(EVERYTHING, dossier)
    with pytest.raises(SameOfficer):
        desk.office.approvals.send_back(EVERYTHING, dossier, returned("portrait"))
    with pytest.raises(SameOfficer):
        desk.office.legal.propose_rejection(EVERYTHING, dossier, FRAUD)
    other = desk.captured(citizens()[1], number=2)
    desk.approve_locally(EVERYTHING, other)
    with pytest.raises(SameOfficer):
        desk.office.approvals.approve_centrally(EVERYTHING, other)
    assert (desk.state(dossier), desk.state(other), desk.orders()) == ("validated", "dedup_1n", [])


def test_whoever_approved_an_earlier_version_may_not_capture_the_next(desk: Desk) -> None:
    dossier = desk.captured()
    desk.approve_locally(replace(EVERYTHING, unit=None), dossier)
    desk.office.approvals.send_back(THU, dossier, returned("portrait"))
    again = capture_of(number=2, portrait=picture(2))
    with pytest.raises(SameOfficer):
        desk.office.captures.recapture(EVERYTHING, dossier, again)
    desk.office.captures.recapture(LAN, dossier, again)
    assert desk.view(dossier).search is None
    with pytest.raises(SameOfficer):
        desk.approve_locally(officer("lan", Role.APPROVER), dossier)
    desk.approve_locally(EVERYTHING, dossier)


def test_the_centre_takes_no_dossier_that_its_unit_has_not_approved(desk: Desk) -> None:
    dossier = desk.captured()
    with pytest.raises(TransitionRefused):
        desk.office.approvals.approve_centrally(THU, dossier)
    with pytest.raises(RoleMissing):
        desk.office.approvals.approve_centrally(MINH, dossier)
    with pytest.raises(RoleMissing):
        desk.approve_locally(THU, dossier)


def test_what_is_at_the_centre_its_unit_does_not_take_back(desk: Desk) -> None:
    dossier = desk.locally_approved()
    with pytest.raises(RoleMissing):
        desk.office.approvals.send_back(officer("vu", Role.APPROVER), dossier, returned("portrait"))
    desk.office.approvals.send_back(THU, dossier, returned("portrait"))
    assert desk.state(dossier) == "returned"


def test_the_same_button_twice_orders_one_card(desk: Desk) -> None:
    dossier = desk.locally_approved()
    desk.office.approvals.approve_centrally(THU, dossier)
    with pytest.raises(TransitionRefused):
        desk.office.approvals.approve_centrally(THU, dossier)
    assert desk.orders() == [dossier]


def test_only_what_was_returned_may_change(desk: Desk) -> None:
    dossier = desk.captured()
    desk.office.approvals.send_back(MINH, dossier, returned("identification"))
    changed = {"identification": "Nốt ruồi dưới mắt phải", "place_of_residence": "Nơi khác"}
    for capture, expected in (
        (capture_of(number=2, person=changed), {"place_of_residence": "ITEM_NOT_RETURNED"}),
        (capture_of(number=3, portrait=picture(9)), {"portrait": "ITEM_NOT_RETURNED"}),
        (capture_of(citizens()[1], number=4), None),
    ):
        with pytest.raises(FieldsRefused) as refused:
            desk.office.captures.recapture(LAN, dossier, capture)
        faults = refused_fields(refused)
        assert faults == expected if expected else faults["citizen_number"] == "FIELD_NOT_AS_REGISTERED"
    del changed["place_of_residence"]
    before = desk.view(dossier)
    desk.office.captures.recapture(LAN, dossier, capture_of(number=5, person=changed, portrait=b""))
    after = desk.view(dossier)
    assert (after.state, after.person.identification) == ("validated", changed["identification"])
    assert after.portrait_check == before.portrait_check
    assert desk.office.portrait(THU, dossier) == picture()


def test_a_picture_is_taken_again_without_touching_the_text(desk: Desk) -> None:
    dossier = desk.captured()
    desk.office.approvals.send_back(MINH, dossier, returned("portrait"))
    again = capture_of(number=2, portrait=picture(2), person={"identification": "Khác"})
    with pytest.raises(FieldsRefused) as refused:
        desk.office.captures.recapture(LAN, dossier, again)
    assert refused_fields(refused) == {"identification": "ITEM_NOT_RETURNED"}
    with pytest.raises(FieldsRefused) as refused:
        desk.office.captures.recapture(LAN, dossier, capture_of(number=3, portrait=b""))
    assert refused_fields(refused) == {"portrait": "PORTRAIT_MISSING"}
    desk.office.captures.recapture(LAN, dossier, capture_of(number=4, portrait=picture(2)))
    assert desk.office.portrait(THU, dossier) == picture(2)


def test_more_can_be_returned_later(desk: Desk) -> None:
    dossier = desk.captured()
    desk.office.approvals.send_back(MINH, dossier, returned("identification"))
    for same_or_other in (("identification",), ("portrait",)):
        with pytest.raises(TransitionRefused):
            desk.office.approvals.send_back(MINH, dossier, returned(*same_or_other))
    desk.office.approvals.send_back(MINH, dossier, returned("identification", "particulars"))
    view = desk.view(dossier)
    assert view.returned is not None
    assert (view.state, view.returned.items) == ("returned", ("identification", "particulars"))


@pytest.mark.parametrize("items", [(), ("card",), ("portrait", "card")])
def test_only_listed_items_are_returned(desk: Desk, items: tuple[str, ...]) -> None:
    dossier = desk.captured()
    with pytest.raises(FieldsRefused):
        desk.office.approvals.send_back(MINH, dossier, returned(*items))


def at_home(desk: Desk, is_at_home: bool) -> str:
    """A dossier whose applicant lives in the province of the unit, or in another."""
    place = "Xã A, Thành phố Hà Nội" if is_at_home else "Phường B, tỉnh Nghệ An"
    return desk.office.captures.capture(LAN, capture_of(person={"place_of_residence": place}))


@pytest.mark.parametrize(("is_at_home", "right", "wrong"), [(True, LEADER, CHIEF), (False, CHIEF, LEADER)])
def test_the_archive_is_asked_with_the_approval_of_whoever_has_the_territory(
    desk: Desk, is_at_home: bool, right: Officer, wrong: Officer
) -> None:
    dossier = at_home(desk, is_at_home)
    archive = desk.office.archive
    archive.ask(MINH, dossier, ASKED)
    with pytest.raises(TransitionRefused):
        archive.answer(CLERK, dossier, LookupAnswer("agrees"))
    with pytest.raises(RoleMissing):
        archive.approve(wrong, dossier)
    archive.approve(right, dossier)
    with pytest.raises(TransitionRefused):
        archive.approve(right, dossier)
    with pytest.raises(TransitionRefused):
        desk.approve_locally(MINH, dossier)
    archive.answer(CLERK, dossier, LookupAnswer("agrees", "tờ khai 2010"))
    view = desk.view(dossier)
    assert view.lookup is not None
    assert (view.state, view.lookup.result, view.lookup.note) == ("validated", "agrees", "tờ khai 2010")
    # The note is for colleagues: the record of events does not have it.
    assert "2010" not in str(view.steps)
    for part in (right, CLERK):
        both = officer(part.id, *Role)
        with pytest.raises(SameOfficer):
            desk.approve_locally(both, dossier)
    desk.approve_locally(MINH, dossier)


def test_whoever_asks_the_archive_does_not_approve_it(desk: Desk) -> None:
    dossier = at_home(desk, is_at_home=True)
    both = officer("both", Role.APPROVER, Role.TEAM_LEADER, unit="001.02")
    desk.office.archive.ask(both, dossier, ASKED)
    with pytest.raises(SameOfficer):
        desk.office.archive.approve(both, dossier)


def test_an_archive_that_is_asked_again_is_approved_again(desk: Desk) -> None:
    dossier = at_home(desk, is_at_home=True)
    archive = desk.office.archive
    for _ in range(2):
        archive.ask(MINH, dossier, ASKED)
        with pytest.raises(TransitionRefused):
            archive.answer(CLERK, dossier, LookupAnswer("nothing"))
        archive.approve(LEADER, dossier)
        archive.answer(CLERK, dossier, LookupAnswer("nothing"))


def test_a_rejection_is_the_word_of_two(desk: Desk) -> None:
    dossier = desk.captured()
    legal = desk.office.legal
    with pytest.raises(TransitionRefused):
        legal.confirm_rejection(MINH, dossier)
    legal.propose_rejection(MINH, dossier, FRAUD)
    with pytest.raises(SameOfficer):
        legal.confirm_rejection(MINH, dossier)
    legal.confirm_rejection(CHIEF, dossier)
    view = desk.view(dossier)
    assert view.rejection is not None
    assert (desk.state(dossier), view.rejection.reason) == ("rejected", "fraud")
    assert view.steps[-1].detail["proposed_by"] == "minh"
    # The same person may apply again.
    desk.captured(number=2)


def test_any_other_step_takes_a_proposed_rejection_back(desk: Desk) -> None:
    dossier = desk.captured()
    desk.office.legal.propose_rejection(CHIEF, dossier, FRAUD)
    desk.approve_locally(MINH, dossier)
    with pytest.raises(TransitionRefused):
        desk.office.legal.confirm_rejection(THU, dossier)
    with pytest.raises(RoleMissing):
        desk.office.legal.propose_rejection(CHIEF, dossier, FRAUD)
    desk.office.legal.propose_rejection(THU, dossier, FRAUD)
    desk.office.legal.confirm_rejection(SON, dossier)


@pytest.mark.parametrize(
    ("reason", "field"),
    [
        (RejectionReason("dislike", "x", "x"), "reason"),
        (RejectionReason("fraud", " ", "x"), "legal_basis"),
        (RejectionReason("fraud", "x", "x" * 501), "comment"),
    ],
)
def test_a_rejection_names_a_legal_reason(desk: Desk, reason: RejectionReason, field: str) -> None:
    with pytest.raises(FieldsRefused) as refused:
        desk.office.legal.propose_rejection(MINH, desk.captured(), reason)
    assert list(refused_fields(refused)) == [field]


def test_a_case_holds_a_dossier_until_the_same_case_lets_go(desk: Desk) -> None:
    dossier = desk.locally_approved()
    legal, hold = desk.office.legal, CaseHold("12/2026/QD-VKS")
    with pytest.raises(FieldsRefused):
        legal.suspend(CHIEF, dossier, CaseHold("?"))
    with pytest.raises(RoleMissing):
        legal.suspend(MINH, dossier, hold)
    legal.suspend(CHIEF, dossier, hold)
    assert (desk.state(dossier), desk.view(dossier).held_in) == ("suspended", "dedup_1n")
    for step in (
        lambda: desk.office.approvals.approve_centrally(THU, dossier),
        lambda: desk.office.captures.withdraw(LAN, dossier),
        lambda: legal.suspend(CHIEF, dossier, hold),
    ):
        with pytest.raises(TransitionRefused):
            step()
    with pytest.raises(FieldsRefused):
        legal.resume(CHIEF, dossier, CaseHold("13/2026/QD-VKS"))
    legal.resume(CHIEF, dossier, hold)
    assert desk.state(dossier) == "dedup_1n"
    desk.office.approvals.approve_centrally(THU, dossier)


@pytest.mark.parametrize(
    "now_held_by",
    [
        None,  # annulled
        citizens()[1],  # merged
        replace(PERSON, life_status=LifeStatus.DECEASED),
        replace(PERSON, life_status=LifeStatus.MISSING),
    ],
)
def test_no_card_is_ordered_for_a_number_that_nobody_who_lives_has_any_more(
    desk: Desk, now_held_by: RegistryPerson | None
) -> None:
    dossier = desk.locally_approved()
    before = (desk.events(dossier), desk.recorded())
    del desk.registry.people[PERSON.citizen_number]
    if now_held_by is not None:
        desk.registry.people[PERSON.citizen_number] = now_held_by
    with pytest.raises(HolderNotRegistered):
        desk.office.approvals.approve_centrally(THU, dossier)
    assert (desk.events(dossier), desk.recorded(), desk.orders()) == (*before, [])
    desk.office.approvals.send_back(THU, dossier, returned("place_of_residence"))
    assert desk.state(dossier) == "returned"


def test_the_registry_is_told_that_the_centre_approves(desk: Desk) -> None:
    dossier = desk.locally_approved()
    assert set(desk.registry.read_for) == {Purpose.CAPTURE}
    desk.registry.read_for.clear()
    desk.office.approvals.approve_centrally(THU, dossier)
    assert desk.registry.read_for == [Purpose.CENTRAL_APPROVAL]


def test_a_dossier_of_a_number_that_is_gone_can_be_rejected(desk: Desk) -> None:
    dossier = desk.locally_approved()
    del desk.registry.people[PERSON.citizen_number]
    desk.office.legal.propose_rejection(THU, dossier, FRAUD)
    desk.office.legal.confirm_rejection(SON, dossier)
    assert desk.state(dossier) == "rejected"


def test_a_registry_that_is_down_approves_nothing_and_refuses_nobody(desk: Desk) -> None:
    dossier = desk.locally_approved()
    before = (desk.events(dossier), desk.recorded())
    desk.registry.is_up = False
    with pytest.raises(RegistryUnavailable):
        desk.office.approvals.approve_centrally(THU, dossier)
    # Whoever may not approve is told so without a look at anybody's entry.
    with pytest.raises(RoleMissing):
        desk.office.approvals.approve_centrally(MINH, dossier)
    assert (desk.events(dossier), desk.recorded(), desk.orders()) == (*before, [])
    desk.registry.is_up = True
    desk.office.approvals.approve_centrally(THU, dossier)
    assert desk.orders() == [dossier]


def test_a_dossier_that_changes_while_the_registry_is_asked_is_not_approved(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier = desk.locally_approved()
    monkeypatch.setattr(
        desk.registry,
        "extract",
        lambda number, _purpose: (
            desk.office.approvals.send_back(SON, dossier, returned("place_of_residence")),
            extract(desk.registry.people[number]),
        )[1],
    )
    with pytest.raises(TransitionRefused):
        desk.office.approvals.approve_centrally(THU, dossier)
    assert (desk.state(dossier), desk.orders()) == ("returned", [])


def test_a_dossier_that_a_case_holds_lets_no_card_be_handed_over(desk: Desk) -> None:
    dossier = desk.locally_approved()
    desk.office.approvals.approve_centrally(THU, dossier)
    desk.office.legal.suspend(CHIEF, dossier, CaseHold("KN-2026-7"))
    with pytest.raises(TransitionRefused), desk.database.writing() as connection:
        desk.office.complete(connection, dossier, "office.hand", desk.now[0])


def test_a_citizen_withdraws_until_the_card_is_ordered(desk: Desk) -> None:
    dossier = desk.locally_approved()
    desk.office.captures.withdraw(LAN, dossier)
    assert desk.state(dossier) == "withdrawn"
    other = desk.locally_approved(citizens()[1], number=2)
    desk.office.approvals.approve_centrally(THU, other)
    with pytest.raises(TransitionRefused):
        desk.office.captures.withdraw(LAN, other)


def test_an_officer_sees_the_work_of_their_unit_and_of_those_below_it(desk: Desk) -> None:
    mine = desk.captured()
    namesake = officer("hai", Role.CAPTURE, unit="001.021")
    desk.now[0] += timedelta(minutes=1)
    other = desk.captured(citizens()[1], by=namesake, number=2)

    def seen(by: Officer) -> list[str]:
        return [each.id for each in desk.office.work_list(by, "validated", PAGE).entries]

    assert seen(MINH) == [mine]
    assert seen(LAN) == [mine]
    assert seen(namesake) == [other]
    assert seen(THU) == seen(replace(MINH, unit=None)) == seen(replace(MINH, unit="001")) == [mine, other]
    with pytest.raises(DossierUnknown):
        desk.office.view(MINH, other)
    with pytest.raises(DossierUnknown):
        desk.approve_locally(MINH, other)
    assert desk.state(other) == "validated"


def test_a_dossier_of_no_unit_is_seen_by_no_unit(desk: Desk) -> None:
    dossier = desk.captured(by=replace(LAN, unit=None))
    with pytest.raises(DossierUnknown):
        desk.office.view(MINH, dossier)
    assert desk.office.view(replace(MINH, unit=None), dossier).unit is None


def test_every_transition_is_told_and_chained(desk: Desk) -> None:
    dossier = desk.locally_approved()
    desk.office.legal.suspend(CHIEF, dossier, CaseHold("KN-2026-7"))
    desk.office.legal.resume(CHIEF, dossier, CaseHold("KN-2026-7"))
    states = [step.state for step in desk.view(dossier).steps]
    assert states == ["captured", "validated", "local_approved", "dedup_1n", "suspended", "dedup_1n"]
    assert desk.recorded() == len(states)
    assert PERSON.full_name not in str(desk.view(dossier).steps)
