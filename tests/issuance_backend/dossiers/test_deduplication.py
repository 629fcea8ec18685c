"""Duplicates: the search, the examiners and the dossier agree, whoever dies or comes late."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from issuance_backend import __main__ as command
from issuance_backend.biometric_search.adjudication import CaseState, Finding
from issuance_backend.biometric_search.case_repository import of_encounter
from issuance_backend.dossiers import acts, deduplication, repository
from issuance_backend.dossiers.deduplication import Biometrics, DeduplicationDesk, verdict
from issuance_backend.dossiers.domain import DossierEvent
from issuance_backend.dossiers.national_gallery import FingerMaker, NationalGallery
from issuance_backend.dossiers.packet_desk import CapturedPrint
from issuance_backend.officers.domain import Role
from issuance_backend.personalization.finger_pictures import read_finger
from issuance_backend.refusals import DeduplicationUnavailable, HitStillOpen, SameOfficer
from tests.support.application_desk import (
    CHIEF,
    LAN,
    MINH,
    SON,
    THU,
    best_available,
    capture_of,
    officer,
    only,
    packet_of,
)
from tests.support.deduplication_centre import Centre, InventedTemplates, make_centre
from tests.support.engines import Engine
from tests.support.issuance_office import citizens, picture
from tests.support.running import run_pending
from tests.support.search_bed import EXAMINERS, LEAD, finger_modality
from tests.support.second_touch import cracked, encoded
from verification.errors import FaceNotFound, TransitionRefused
from verification.fingerprint.nbis_engine import NbisEngine
from verification.fingerprint.procedural_finger import render_finger
from verification.lds.finger_image import FingerPosition
from verification.messages.biometric_search import BaitCase, CaseDecision, SampleMessage
from verification.messages.dossier_decisions import CaseHold, RejectionReason


@pytest.fixture
def centre(tmp_path: Path, database_engine: Engine) -> Centre:
    return make_centre(tmp_path, database_engine)


def test_who_is_not_enrolled_goes_on_to_the_centre_and_is_enrolled_by_its_approval(centre: Centre) -> None:
    dossier = centre.apply(0, 0)
    assert centre.desk.state(dossier) == "local_approved"
    with pytest.raises(TransitionRefused):
        centre.desk.office.approvals.approve_centrally(THU, dossier)
    run_pending(centre.work)
    assert (centre.desk.state(dossier), centre.desk.view(dossier).search) == ("dedup_1n", "waiting")
    with pytest.raises(HitStillOpen):
        centre.desk.office.approvals.approve_centrally(THU, dossier)
    centre.run()
    assert centre.desk.view(dossier).search == "clear"
    # Others are compared with the application; the number has nobody yet.
    assert centre.members() == {centre.encounter(dossier)}
    centre.desk.office.approvals.approve_centrally(THU, dossier)
    centre.run()
    assert centre.members() == {citizens()[0].citizen_number}
    assert centre.run() == 0
    assert len(centre.bed.worker.index("national")) == 1


def test_who_cannot_be_enrolled_keeps_nobody_else_from_it(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deduplication, "AT_ONCE", 1)
    first, second = sorted(centre.apply(citizen, citizen) for citizen in (0, 1))
    centre.run()
    for dossier in (first, second):
        centre.desk.office.approvals.approve_centrally(THU, dossier)
    with centre.desk.database.reading() as connection:
        unreadable = acts.found(connection, first).portrait
        number = acts.found(connection, second).citizen_number
    templates = InventedTemplates.templates

    def sometimes(gallery: InventedTemplates, biometrics: Biometrics) -> tuple[SampleMessage, ...]:
        if biometrics.portrait == unreadable:
            raise FaceNotFound("nobody in the picture")
        return templates(gallery, biometrics)

    monkeypatch.setattr(InventedTemplates, "templates", sometimes)
    for _ in range(3):
        centre.run()
    assert number in centre.members()


def test_the_same_face_under_another_name_goes_before_examiners_and_gets_no_card(centre: Centre) -> None:
    centre.enrolled(0, 0)
    dossier = centre.apply(1, 0, touch=2)
    centre.run()
    assert (centre.desk.state(dossier), centre.desk.view(dossier).search) == ("adjudication", "hit")
    fraud = RejectionReason("duplicate_person", "Luật 26/2023/QH15, điều 7", "Đã có thẻ")
    for step in (
        lambda: centre.desk.office.approvals.approve_centrally(THU, dossier),
        lambda: centre.desk.office.legal.propose_rejection(THU, dossier, fraud),
    ):
        with pytest.raises((HitStillOpen, TransitionRefused)):
            step()
    centre.decide(dossier, Finding.SAME_PERSON, Finding.SAME_PERSON)
    assert (centre.desk.state(dossier), centre.desk.view(dossier).search) == ("adjudication", "confirmed")
    centre.desk.office.legal.propose_rejection(THU, dossier, fraud)
    centre.desk.office.legal.confirm_rejection(SON, dossier)
    assert centre.desk.state(dossier) == "rejected"
    centre.run()
    assert len(centre.bed.worker.index("national")) == 1


def test_two_persons_alike_are_told_apart_by_examiners(centre: Centre) -> None:
    centre.enrolled(0, 0)
    dossier = centre.apply(1, 0, touch=2)
    centre.run()
    centre.decide(dossier, Finding.DIFFERENT_PERSONS, Finding.SAME_PERSON)
    assert centre.desk.state(dossier) == "adjudication"
    (case,) = centre.cases(dossier)
    third = CaseDecision(Finding.DIFFERENT_PERSONS.value)
    centre.bed.examiners.decide(EXAMINERS[2], case, third)
    centre.run()
    assert (centre.desk.state(dossier), centre.desk.view(dossier).search) == ("dedup_1n", "clear")
    told = centre.desk.view(dossier).steps[-1]
    names = ",".join(sorted(each.id for each in EXAMINERS[:3]))
    assert (told.event, told.detail["examiners"]) == ("different", names)
    for examiner in EXAMINERS[:3]:
        both = officer(examiner.id, *Role)
        with pytest.raises(SameOfficer):
            centre.desk.office.approvals.approve_centrally(both, dossier)
    centre.desk.office.approvals.approve_centrally(THU, dossier)


def test_whoever_took_part_in_the_dossier_does_not_examine_it(centre: Centre) -> None:
    centre.enrolled(0, 0)
    dossier = centre.apply(1, 0, touch=2)
    centre.run()
    (case,) = centre.cases(dossier)
    different = CaseDecision(Finding.DIFFERENT_PERSONS.value)
    for part in (LAN, MINH):
        examiner = officer(part.id, Role.EXAMINER)
        with pytest.raises(SameOfficer):
            centre.bed.examiners.decide(examiner, case, different)


def test_whoever_let_the_first_application_pass_does_not_examine_the_second_one_s_case(
    centre: Centre,
) -> None:
    """That the two are one person would say that the first was wrongly approved."""
    centre.enrolled(0, 0)
    dossier = centre.apply(1, 0, touch=2)
    centre.run()
    (case,) = centre.cases(dossier)
    thu, examiners = officer(THU.id, Role.EXAMINER), centre.bed.examiners
    assert examiners.next_case(thu) is None
    for act in (
        lambda: examiners.view(thu, case),
        lambda: examiners.picture(thu, case, "candidate"),
        lambda: examiners.decide(thu, case, CaseDecision(Finding.DIFFERENT_PERSONS.value)),
    ):
        with pytest.raises(SameOfficer):
            act()
    assert examiners.next_case(EXAMINERS[0]) is not None


def test_who_examined_one_application_examines_the_next_of_the_same_person(centre: Centre) -> None:
    centre.enrolled(0, 0)
    second = centre.apply(1, 0, touch=2)
    centre.run()
    centre.decide(second, Finding.DIFFERENT_PERSONS, Finding.DIFFERENT_PERSONS)
    third = centre.apply(2, 0, touch=3)
    centre.run()
    for case in centre.cases(third):
        centre.bed.examiners.decide(EXAMINERS[0], case, CaseDecision(Finding.SAME_PERSON.value))


def test_pictures_too_poor_to_tell_are_taken_again_and_searched_again(centre: Centre) -> None:
    centre.enrolled(0, 0)
    dossier = centre.apply(1, 0, touch=2)
    centre.run()
    first = centre.cases(dossier)
    centre.decide(dossier, Finding.POOR_DATA, Finding.POOR_DATA)
    view = centre.desk.view(dossier)
    assert view.returned is not None
    assert (centre.desk.state(dossier), view.returned.items, view.search) == ("returned", ("portrait",), None)
    fresh = picture(999)
    centre.biometry.shown[fresh] = (0, 1)
    again = capture_of(citizens()[1], 77, portrait=fresh)
    centre.desk.office.captures.recapture(LAN, dossier, again)
    centre.desk.approve_locally(MINH, dossier)
    centre.run()
    assert centre.desk.state(dossier) == "adjudication"
    assert set(first).isdisjoint(centre.cases(dossier))
    assert centre.desk.office.picture(centre.encounter(dossier)) == fresh


def test_being_found_as_oneself_is_no_duplicate(centre: Centre) -> None:
    first = centre.enrolled(0, 0)
    with centre.desk.database.writing() as connection:
        centre.desk.office.complete(connection, first, "office.hand", centre.desk.now[0])
    renewal = centre.apply(0, 0, touch=2, number=9)
    centre.run()
    assert centre.desk.view(renewal).search == "clear"


def test_a_portrait_without_a_face_is_returned(centre: Centre) -> None:
    centre.biometry.has_face = False
    dossier = centre.apply(0, 0)
    centre.run()
    view = centre.desk.view(dossier)
    assert (centre.desk.state(dossier), view.steps[-1].detail["faults"]) == ("returned", FaceNotFound.code)


def test_a_search_that_ends_while_a_case_holds_the_dossier_is_taken_up_afterwards(centre: Centre) -> None:
    centre.enrolled(0, 0)
    dossier = centre.apply(1, 0, touch=2)
    run_pending(centre.work)
    hold = CaseHold("KN-2026-7")
    centre.desk.office.legal.suspend(CHIEF, dossier, hold)
    centre.run()
    assert centre.desk.state(dossier) == "suspended"
    # The examiners decide while it is held, too.
    for examiner in EXAMINERS[:2]:
        (case,) = centre.cases(dossier)
        centre.bed.examiners.decide(examiner, case, CaseDecision(Finding.FRAUD.value))
    centre.desk.office.legal.resume(CHIEF, dossier, hold)
    centre.run()
    assert (centre.desk.state(dossier), centre.desk.view(dossier).search) == ("adjudication", "confirmed")


def test_a_search_that_ends_after_a_withdrawal_changes_nothing(centre: Centre) -> None:
    dossier = centre.apply(0, 0)
    run_pending(centre.work)
    centre.desk.office.captures.withdraw(LAN, dossier)
    centre.run()
    assert centre.desk.state(dossier) == "withdrawn"


def test_two_programs_at_once_search_a_dossier_once(centre: Centre) -> None:
    dossier = centre.apply(0, 0)
    with centre.desk.database.reading() as connection:
        before = repository.find(connection, dossier)
    assert before is not None
    run_pending(centre.work)
    with pytest.raises(TransitionRefused):
        centre.work._begin_search(before)
    assert centre.desk.events(dossier).count("search") == 1


def test_without_an_engine_or_a_gallery_dossiers_wait_and_it_is_said(centre: Centre) -> None:
    dossier = centre.apply(0, 0)
    bare = NationalGallery(centre.bed.desk, centre.desk.pictures, None, None)
    with pytest.raises(DeduplicationUnavailable):
        DeduplicationDesk(centre.desk.database, bare, lambda: centre.desk.now[0]).run_once()
    assert centre.desk.state(dossier) == "local_approved"


def test_a_packets_prints_and_portrait_reach_the_templates(centre: Centre) -> None:
    taken: list[Biometrics] = []

    class Looks(InventedTemplates):
        def templates(self, biometrics: Biometrics) -> tuple[SampleMessage, ...]:
            taken.append(biometrics)
            return super().templates(biometrics)

    packet = packet_of(**only(CapturedPrint(2, b"print", "image/png")))
    centre.biometry.shown[packet.portrait] = (3, 1)
    dossier = centre.desk.received(packet)
    centre.desk.approve_locally(MINH, dossier)
    gallery = Looks(centre.bed, centre.desk, centre.biometry)
    DeduplicationDesk(centre.desk.database, gallery, lambda: centre.desk.now[0]).run_once()
    ((portrait, prints),) = [(each.portrait, each.prints) for each in taken]
    assert centre.desk.pictures.read(portrait) == packet.portrait
    assert {position: centre.desk.pictures.read(name) for position, name in prints.items()} == {2: b"print"}


@pytest.mark.parametrize(
    ("findings", "event"),
    [
        ((Finding.DIFFERENT_PERSONS, Finding.DIFFERENT_PERSONS), DossierEvent.DIFFERENT),
        ((Finding.DIFFERENT_PERSONS, Finding.POOR_DATA), DossierEvent.RETURN),
        ((Finding.POOR_DATA, Finding.SAME_PERSON), DossierEvent.CONFIRM),
        ((Finding.DIFFERENT_PERSONS, Finding.FRAUD), DossierEvent.CONFIRM),
    ],
)
def test_one_person_found_is_enough(findings: tuple[Finding, ...], event: DossierEvent) -> None:
    assert verdict(findings) is event


def test_what_nobody_has_examined_is_not_settled() -> None:
    with pytest.raises(TransitionRefused):
        verdict(())


@pytest.mark.parametrize("already_decided", [0, 1, 2])
def test_a_hit_has_its_own_blind_examination_whatever_was_said_of_a_bait(
    centre: Centre, already_decided: int
) -> None:
    """Whoever lays baits knows what an application is called before its search has ended."""
    first = centre.enrolled(0, 0)
    dossier = centre.apply(1, 0, touch=2)
    run_pending(centre.work)
    examiners = centre.bed.examiners
    bait = BaitCase(
        probe_encounter=centre.encounter(dossier),
        candidate_encounter=centre.encounter(first),
        are_same_person=False,
    )
    examiners.lay_bait(LEAD, bait)
    laid = examiners.next_case(EXAMINERS[0])
    assert laid is not None
    for examiner in EXAMINERS[:already_decided]:
        examiners.decide(examiner, laid.case_id, CaseDecision(Finding.DIFFERENT_PERSONS.value))
    centre.run()
    assert (centre.desk.state(dossier), centre.desk.view(dossier).search) == ("adjudication", "hit")
    with centre.desk.database.reading() as connection:
        (real,) = of_encounter(connection, centre.encounter(dossier))
    assert (real.state, real.id == laid.case_id) == (CaseState.OPEN, False)
    centre.decide(dossier, Finding.SAME_PERSON, Finding.SAME_PERSON)
    assert centre.desk.view(dossier).search == "confirmed"
    # The bait still measures who looks closely.
    told = {each.examiner: each.baits for each in examiners.figures(LEAD)}
    assert [told[each.id] for each in EXAMINERS[:already_decided]] == [1] * already_decided
    with pytest.raises(TransitionRefused):
        examiners.lay_bait(LEAD, bait)


def test_a_pair_that_a_search_found_is_no_bait(centre: Centre) -> None:
    first = centre.enrolled(0, 0)
    dossier = centre.apply(1, 0, touch=2)
    centre.run()
    bait = BaitCase(
        probe_encounter=centre.encounter(dossier),
        candidate_encounter=centre.encounter(first),
        are_same_person=True,
    )
    with pytest.raises(TransitionRefused):
        centre.bed.examiners.lay_bait(LEAD, bait)


def drawn_print(seed: int, position: FingerPosition) -> bytes:
    out = io.BytesIO()
    Image.fromarray(render_finger(seed, position)).save(out, "PNG")
    return out.getvalue()


def printed(seed: int) -> tuple[CapturedPrint, ...]:
    positions = (FingerPosition.RIGHT_INDEX, FingerPosition.LEFT_INDEX)
    return tuple(CapturedPrint(int(each), drawn_print(seed, each), "image/png") for each in positions)


def test_prints_of_a_packet_are_found_again_under_another_name_by_the_real_engine(centre: Centre) -> None:
    """Pictures of drawn fingers through the extractor, the index and the matcher; no part is played here."""
    desk = centre.desk
    finger = FingerMaker(NbisEngine(), finger_modality(), read_finger)
    gallery = NationalGallery(centre.bed.desk, desk.pictures, None, finger)
    centre.work = DeduplicationDesk(desk.database, gallery, lambda: desk.now[0])
    first = desk.received(packet_of(**only(*printed(5))))
    desk.approve_locally(MINH, first)
    centre.run()
    assert desk.view(first).search == "clear"
    desk.office.approvals.approve_centrally(THU, first)
    centre.run()
    # A thumb with little to see and a picture of four fingers leave the rest to be compared.
    thumb = CapturedPrint(1, encoded(cracked(render_finger(5, FingerPosition(1)))), "image/png")
    slap = CapturedPrint(13, drawn_print(7, FingerPosition(2)), "image/png")
    fingers = only(*printed(5), thumb, slap)
    fingers["exceptions"] += best_available(1)
    second = desk.received(packet_of(citizens()[1], 2, **fingers))
    desk.approve_locally(MINH, second)
    centre.run()
    assert desk.state(second) == "adjudication"
    with desk.database.reading() as connection:
        (case,) = of_encounter(connection, centre.encounter(second))
    assert case.candidate_encounter == centre.encounter(first)
    assert {each.modality for each in case.likenesses} == {"finger"}
    assert set(case.took_part) == {"kit.officer", "minh"}
    third = desk.received(packet_of(citizens()[2], 3, **only(CapturedPrint(1, b"no picture", "image/png"))))
    desk.approve_locally(MINH, third)
    centre.run()
    view = desk.view(third)
    assert view.returned is not None
    assert (desk.state(third), view.returned.items) == ("returned", ("portrait", "fingerprints"))


def test_the_command_takes_dossiers_through_the_search(
    centre: Centre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ISSUANCE_DATABASE_URL", centre.desk.database.url)
    monkeypatch.delenv("ISSUANCE_SEARCH_KEY_DIR", raising=False)
    monkeypatch.delenv("ISSUANCE_MODEL_DIR", raising=False)
    assert command.main(["dossiers", "work", "--once"]) == 1
    assert "ISSUANCE_SEARCH_KEY_DIR" in capsys.readouterr().err
    monkeypatch.setenv("ISSUANCE_SEARCH_KEY_DIR", str(tmp_path / "gallery-keys"))
    dossier = centre.desk.received(packet_of(**only(*printed(33))))
    centre.desk.approve_locally(MINH, dossier)
    assert command.main(["dossiers", "work", "--once"]) == 0
    assert "1 steps" in capsys.readouterr().out
    assert centre.desk.view(dossier).search == "waiting"
    other = centre.apply(1, 1)
    assert command.main(["dossiers", "work", "--once"]) == 1
    assert "no engine" in capsys.readouterr().err
    assert centre.desk.state(other) == "local_approved"
