"""The notice of a rejection: made once, kept as it was made, handed over once, and told to who waits."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import update

from issuance_backend import recorded_events
from issuance_backend.application_status.service import StatusDesk
from issuance_backend.dossiers.legal_desk import REASONS
from issuance_backend.dossiers.notices.domain import packaged_texts
from issuance_backend.dossiers.notices.refusals import NoticeAltered, NoticeHandedOver, NoticeUnknown
from issuance_backend.dossiers.notices.service import NoticeDesk
from issuance_backend.dossiers.notices.tables import REJECTION_NOTICES
from issuance_backend.officers.domain import Role
from issuance_backend.refusals import DossierUnknown, RoleMissing
from issuance_backend.statistics.service import Asked, StatisticsOffice
from tests.support.application_desk import CHIEF, LAN, MINH, PERSON, UNIT, Desk, officer
from tests.support.form_text import form_text
from verification.errors import TransitionRefused
from verification.messages.dossier_decisions import RejectionReason

BASIS = "Luật 26/2023/QH15, Điều 23"
FRAUD = RejectionReason("fraud", BASIS, "Giấy khai sinh bị tẩy xóa")
ELSEWHERE = officer("xa", Role.CAPTURE, unit="079.760")


@pytest.fixture
def notices(desk: Desk) -> NoticeDesk:
    return NoticeDesk(desk.database, lambda: desk.now[0])


def rejected(desk: Desk) -> str:
    dossier = desk.captured()
    desk.office.legal.propose_rejection(MINH, dossier, FRAUD)
    desk.office.legal.confirm_rejection(CHIEF, dossier)
    return dossier


def recorded(desk: Desk, dossier: str) -> list[tuple[str, str, str]]:
    with desk.database.reading() as connection:
        found = recorded_events.of_subject(connection, f"notice/{dossier}")
    return [(step.state, step.actor, step.detail.get("sha256", "")) for step in found]


def waits(desk: Desk, dossier: str) -> bool:
    told = StatusDesk(desk.database, lambda: desk.now[0]).of_receipt(desk.view(dossier).receipt_code)
    assert told.stage == "refused"
    return told.notice_waits


def counted(desk: Desk) -> tuple[int, int]:
    report = StatisticsOffice(desk.database, lambda: desk.now[0]).report(Asked(unit=UNIT))
    return report.total.to_date["notices_due"], report.total.to_date.get("notices_handed_over", 0)


def test_a_notice_says_why_by_which_law_and_how_to_complain(desk: Desk, notices: NoticeDesk) -> None:
    dossier = rejected(desk)
    said = " ".join(form_text(notices.notice(LAN, dossier)).split())
    texts = packaged_texts()
    for part in (PERSON.full_name, PERSON.citizen_number, BASIS, FRAUD.comment, texts.reasons["fraud"]):
        assert part in said
    assert "Luật Khiếu nại 2011" in said
    assert desk.view(dossier).receipt_code in said
    assert not {MINH.id, CHIEF.id, MINH.name, CHIEF.name}.intersection(said.split())
    assert texts.reasons.keys() == REASONS


def test_it_is_made_once_and_its_hash_is_recorded(desk: Desk, notices: NoticeDesk) -> None:
    dossier = rejected(desk)
    assert (recorded(desk, dossier), desk.view(dossier).notice) == ([("due", "system", "")], "due")
    made = notices.notice(LAN, dossier)
    digest = hashlib.sha256(made).hexdigest()
    assert [notices.notice(each, dossier) for each in (MINH, CHIEF)] == [made, made]
    assert recorded(desk, dossier)[1:] == [("made", "lan", digest)]
    assert desk.view(dossier).notice == "made"


def test_two_who_ask_at_once_get_the_same_notice(desk: Desk, notices: NoticeDesk) -> None:
    dossier = rejected(desk)
    with ThreadPoolExecutor() as pool:
        made = list(pool.map(lambda each: notices.notice(each, dossier), (LAN, MINH, CHIEF, LAN)))
    assert len(set(made)) == 1
    assert [state for state, _, _ in recorded(desk, dossier)] == ["due", "made"]


def test_it_waits_until_it_is_handed_over_and_that_is_done_once(desk: Desk, notices: NoticeDesk) -> None:
    dossier = rejected(desk)
    assert (waits(desk, dossier), counted(desk)) == (True, (1, 0))
    with pytest.raises(NoticeUnknown):
        notices.hand_over(LAN, dossier)
    notices.notice(MINH, dossier)
    assert waits(desk, dossier)
    notices.hand_over(LAN, dossier)
    assert (waits(desk, dossier), counted(desk), desk.view(dossier).notice) == (False, (1, 1), "handed_over")
    with pytest.raises(NoticeHandedOver):
        notices.hand_over(LAN, dossier)
    assert [(state, actor) for state, actor, _ in recorded(desk, dossier)][-1] == ("handed_over", "lan")


def test_what_is_not_rejected_has_no_notice(desk: Desk, notices: NoticeDesk) -> None:
    dossier = desk.captured()
    desk.office.legal.propose_rejection(MINH, dossier, FRAUD)
    with pytest.raises(NoticeUnknown):
        notices.notice(LAN, dossier)
    assert desk.view(dossier).notice is None


def test_only_officers_of_the_office_see_it_and_counters_hand_it_over(
    desk: Desk, notices: NoticeDesk
) -> None:
    dossier = rejected(desk)
    with pytest.raises(DossierUnknown):
        notices.notice(ELSEWHERE, dossier)
    for who in (officer("ktv", Role.AUDITOR), officer("kho", Role.STOCK_KEEPER)):
        with pytest.raises(RoleMissing):
            notices.notice(who, dossier)
    notices.notice(LAN, dossier)
    with pytest.raises(RoleMissing):
        notices.hand_over(MINH, dossier)
    with pytest.raises(DossierUnknown):
        notices.hand_over(ELSEWHERE, dossier)


def test_a_notice_that_was_altered_is_shown_to_nobody(desk: Desk, notices: NoticeDesk) -> None:
    dossier = rejected(desk)
    made = notices.notice(LAN, dossier)
    with desk.database.writing() as connection:
        other = made.replace(b"/Title", b"/Titel")
        connection.execute(
            update(REJECTION_NOTICES).values(content=other, sha256=hashlib.sha256(other).hexdigest())
        )
    with pytest.raises(NoticeAltered):
        notices.notice(LAN, dossier)


def test_a_rejected_dossier_is_rejected_once(desk: Desk) -> None:
    dossier = rejected(desk)
    with pytest.raises(TransitionRefused):
        desk.office.legal.confirm_rejection(CHIEF, dossier)
    assert len(recorded(desk, dossier)) == 1
