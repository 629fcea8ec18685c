"""A counter's capture is a draft until its form was judged, signed and answered for; then the rules run."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from pypdf import PdfReader
from sqlalchemy import func, select, update

import issuance_backend
from issuance_backend.dossiers.counter.acts import withdraw_left
from issuance_backend.dossiers.counter.domain import TABLE, CounterEvent
from issuance_backend.dossiers.counter.refusals import CounterCaptureUnknown
from issuance_backend.dossiers.counter.service import CounterDesk
from issuance_backend.dossiers.domain import DossierState
from issuance_backend.dossiers.retention_desk import RetentionDesk
from issuance_backend.dossiers.tables import COUNTER_CAPTURES
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.paging import PageAsked
from issuance_backend.population_registry.domain import RegistryPerson
from issuance_backend.recorded_events import of_subject
from issuance_backend.refusals import CaptureReplayed, RoleMissing, SameOfficer
from issuance_backend.schema import PORTRAITS
from tests.support.application_desk import (
    LAN,
    MINH,
    PERSON,
    THU,
    UNIT,
    Desk,
    capture_of,
    make_desk,
    officer,
    packet_of,
)
from tests.support.engines import Engine
from tests.support.issuance_office import SIGNATURE, picture
from verification.errors import FieldsRefused, TransitionRefused, VerificationError
from verification.messages.counter_capture import CitizenAgreement, CounterCapture, SupervisorAnswer
from verification.messages.enrollment import DossierCapture, DossierReturn
from verification.messages.enrollment_packet import PrintedFormMark

SON = officer("son", Role.SUPERVISOR, unit="001.02")
SIGNED = CitizenAgreement("vi", SIGNATURE)
CANNOT_SIGN = CitizenAgreement("hmn", cannot_sign=True)
ALL = PageAsked()


@pytest.fixture
def desk(database_engine: Engine) -> Desk:
    return make_desk(database_engine)


@pytest.fixture
def counter(desk: Desk) -> CounterDesk:
    return desk.office.counter


def signed(counter: CounterDesk, capture: DossierCapture, dossier: str | None = None) -> CounterCapture:
    """A capture that was begun, whose form was judged and signed."""
    begun = counter.begin(LAN, capture, dossier)
    counter.check_form(LAN, begun.id)
    return counter.sign(LAN, begun.id, SIGNED)


def sealed(counter: CounterDesk, capture: DossierCapture, dossier: str | None = None) -> str:
    found = signed(counter, capture, dossier)
    if found.missing:
        counter.answer(SON, found.id)
    return counter.seal(LAN, found.id)


def refused_fields(act: Callable[[], object]) -> dict[str, str]:
    with pytest.raises(FieldsRefused) as refused:
        act()
    return dict(refused.value.fields)


def pictures_kept(desk: Desk) -> int:
    with desk.database.reading() as connection:
        return connection.execute(select(func.count()).select_from(PORTRAITS)).scalar_one()


def child(desk: Desk) -> RegistryPerson:
    """Somebody of whom no prints are taken."""
    young = replace(PERSON, date_of_birth=date(2022, 1, 1))
    desk.registry.people[young.citizen_number] = young
    return young


def events(desk: Desk, which: str) -> list[str]:
    with desk.database.reading() as connection:
        steps = of_subject(connection, f"counter/{which}")
    assert TABLE.fold(CounterEvent(step.event) for step in steps) == steps[-1].state
    return [step.event for step in steps]


def test_what_was_captured_becomes_a_dossier_when_all_have_answered_for_it(
    desk: Desk, counter: CounterDesk
) -> None:
    begun = counter.begin(LAN, capture_of())
    assert (begun.state, begun.missing) == ("draft", ("form", "signature", "supervisor"))
    assert begun.exceptions == ("no_scanner",)
    assert desk.office.captures.prefill(LAN, begun.citizen_number or "").open_dossier is None
    missing = {each: f"COUNTER_{each.upper()}_MISSING" for each in begun.missing}
    assert refused_fields(lambda: counter.seal(LAN, begun.id)) == missing
    printed = counter.check_form(LAN, begun.id)
    assert (printed.state, printed.missing) == ("form_checked", ("signature", "supervisor"))
    file = counter.form(LAN, begun.id)
    assert printed.form is not None
    assert (sha256(file).hexdigest(), printed.form.limits) == (printed.form.sha256, "digital-1")
    words = "".join(page.extract_text() for page in PdfReader(io.BytesIO(file)).pages)
    assert begun.id in words
    assert "NO_SCANNER" in words
    counter.sign(LAN, begun.id, SIGNED)
    assert set(refused_fields(lambda: counter.seal(LAN, begun.id))) == {"supervisor"}
    assert counter.answer(SON, begun.id).missing == ()
    desk.now[0] += timedelta(minutes=7)
    dossier = counter.seal(LAN, begun.id)
    view = desk.view(dossier)
    assert (view.state, view.steps[0].at, view.captured_by) == ("validated", view.created_at, "lan")
    assert view.created_at > printed.updated_at, "the time limit runs from the sealing"
    said = view.steps[0].detail
    assert (said["form_print"], said["form_judged"]) == (printed.form.sha256, "digital-1 1.0000")
    assert (said["consent_language"], said["answered_by"], said["exceptions"]) == ("vi", "son", "no_scanner")
    left = counter.view(LAN, begun.id)
    assert (left.state, left.dossier, left.citizen_number, left.full_name) == ("sealed", dossier, None, None)
    assert events(desk, begun.id) == ["begin", "check_form", "sign", "answer", "seal"]
    assert counter.seal(LAN, begun.id) == dossier, "the last button pressed twice"
    assert desk.recorded() == 7


def test_nothing_is_missing_of_somebody_who_gives_no_prints(desk: Desk, counter: CounterDesk) -> None:
    found = signed(counter, capture_of(child(desk)))
    assert (found.exceptions, found.missing) == ((), ())
    with pytest.raises(TransitionRefused):
        counter.answer(SON, found.id)
    assert "answered_by" not in desk.view(counter.seal(LAN, found.id)).steps[0].detail


def test_whoever_cannot_sign_needs_a_supervisors_word(desk: Desk, counter: CounterDesk) -> None:
    begun = counter.begin(LAN, capture_of(child(desk)))
    counter.check_form(LAN, begun.id)
    assert counter.sign(LAN, begun.id, CANNOT_SIGN).missing == ("supervisor",)
    counter.answer(SON, begun.id)
    said = desk.view(counter.seal(LAN, begun.id)).steps[0].detail
    assert (said["unsigned"], said["answered_by"], said["consent_language"]) == ("cannot_sign", "son", "hmn")


def test_a_supervisors_word_covers_what_was_missing_then(counter: CounterDesk) -> None:
    begun = counter.begin(LAN, capture_of())
    counter.check_form(LAN, begun.id)
    counter.answer(SON, begun.id)
    assert counter.sign(LAN, begun.id, SIGNED).missing == ()
    assert counter.sign(LAN, begun.id, CANNOT_SIGN).missing == ("supervisor",)


def test_a_supervisor_answers_for_what_they_saw(counter: CounterDesk) -> None:
    """The page stayed open while its officer changed the capture, or said that nothing is signed."""
    begun = counter.begin(LAN, capture_of())
    form = counter.check_form(LAN, begun.id).form
    assert form
    seen = SupervisorAnswer(form.sha256)
    counter.sign(LAN, begun.id, CANNOT_SIGN)
    with pytest.raises(TransitionRefused):
        counter.answer(SON, begun.id, seen)
    counter.begin(LAN, capture_of(portrait=picture(2)))
    counter.check_form(LAN, begun.id)
    with pytest.raises(TransitionRefused):
        counter.answer(SON, begun.id, seen)
    assert counter.view(SON, begun.id).answered_by is None
    printed = counter.view(SON, begun.id).form
    assert printed
    assert counter.answer(SON, begun.id, SupervisorAnswer(printed.sha256)).answered_by == "son"


NO_AGREEMENTS = (
    (CitizenAgreement("?", SIGNATURE), {"language": "FIELD_CHARACTERS"}),
    (CitizenAgreement("vi"), {"signature": "COUNTER_SIGNATURE_MISSING"}),
    (CitizenAgreement("vi", SIGNATURE, cannot_sign=True), {"signature": "EXCEPTION_CONTRADICTED"}),
    (CitizenAgreement("vi", b"%PDF-1.7"), {"signature": "COUNTER_SIGNATURE_NO_PICTURE"}),
    (CitizenAgreement("vi", SIGNATURE + bytes(1 << 22)), {"signature": "COUNTER_SIGNATURE_NO_PICTURE"}),
)


def test_what_is_no_agreement_is_refused(counter: CounterDesk) -> None:
    begun = counter.begin(LAN, capture_of())
    counter.check_form(LAN, begun.id)
    for agreement, faults in NO_AGREEMENTS:
        assert refused_fields(partial(counter.sign, LAN, begun.id, agreement)) == faults


def test_nothing_is_signed_before_it_is_printed(counter: CounterDesk) -> None:
    begun = counter.begin(LAN, capture_of())
    for act in (
        lambda: counter.sign(LAN, begun.id, SIGNED),
        lambda: counter.answer(SON, begun.id),
        lambda: counter.form(LAN, begun.id),
    ):
        with pytest.raises(TransitionRefused):
            act()


def test_what_is_changed_is_printed_and_signed_again(desk: Desk, counter: CounterDesk) -> None:
    first = signed(counter, capture_of())
    counter.answer(SON, first.id)
    other = capture_of(portrait=picture(2))
    changed = counter.begin(LAN, other)
    assert (changed.id, changed.state, changed.missing) == (
        *(first.id, "draft"),
        ("form", "signature", "supervisor"),
    )
    assert pictures_kept(desk) == 1, "the former portrait and the signature of another form are gone"
    again = counter.check_form(LAN, changed.id)
    assert again.form is not None
    assert again.form != first.form
    counter.sign(LAN, changed.id, SIGNED)
    counter.answer(SON, changed.id)
    assert desk.state(counter.seal(LAN, changed.id)) == "validated"
    assert events(desk, first.id).count("change") == 1
    with pytest.raises(CaptureReplayed):
        counter.begin(LAN, capture_of(portrait=picture(3)))


def test_another_print_of_the_form_is_signed_anew(desk: Desk, counter: CounterDesk) -> None:
    found = signed(counter, capture_of())
    counter.answer(SON, found.id)
    printed_before = msgspec.json.encode(PrintedFormMark("CC01", "ab" * 32, "digital-1", 1.0)).decode()
    with desk.database.writing() as connection:
        connection.execute(update(COUNTER_CAPTURES).values(form=printed_before))
    again = counter.check_form(LAN, found.id)
    assert (again.form, again.missing) == (found.form, ("signature", "supervisor"))
    assert pictures_kept(desk) == 1


def test_the_same_again_changes_nothing(desk: Desk, counter: CounterDesk) -> None:
    found, recorded = signed(counter, capture_of()), desk.recorded()
    assert counter.begin(LAN, capture_of()) == found
    assert counter.check_form(LAN, found.id) == found
    assert counter.sign(LAN, found.id, SIGNED) == found
    answered = counter.answer(SON, found.id)
    assert counter.answer(SON, found.id) == answered
    assert desk.recorded() == recorded + 1
    with pytest.raises(CaptureReplayed):
        counter.begin(officer("hoa", Role.CAPTURE, unit=UNIT), capture_of())


def test_nobody_answers_for_their_own_capture_nor_approves_what_they_answered_for(
    desk: Desk, counter: CounterDesk
) -> None:
    both = officer("both", Role.SUPERVISOR, Role.APPROVER, unit="001.02")
    own = officer("lan", Role.CAPTURE, Role.SUPERVISOR, unit=UNIT)
    found = signed(counter, capture_of())
    with pytest.raises(SameOfficer):
        counter.answer(own, found.id)
    with pytest.raises(RoleMissing):
        counter.answer(LAN, found.id)
    counter.answer(both, found.id)
    dossier = counter.seal(LAN, found.id)
    with pytest.raises(SameOfficer):
        desk.approve_locally(both, dossier)
    desk.approve_locally(MINH, dossier)


def test_whoever_approved_it_before_does_not_answer_for_it(desk: Desk, counter: CounterDesk) -> None:
    approving = officer("both", Role.SUPERVISOR, Role.APPROVER, unit="001.02")
    dossier = sealed(counter, capture_of())
    desk.approve_locally(approving, dossier)
    reasons = DossierReturn(("identification",), "Ghi rõ hơn")
    desk.office.approvals.send_back(THU, dossier, reasons)
    again = capture_of(number=2, portrait=b"", person={"identification": ""}, exceptions=["marks_none"])
    found = signed(counter, again, dossier)
    assert found.missing == ("supervisor",)
    with pytest.raises(SameOfficer):
        counter.answer(approving, found.id)
    counter.answer(SON, found.id)
    assert counter.seal(LAN, found.id) == dossier
    assert desk.view(dossier).steps[-2].detail["answered_by"] == "son"


def test_what_was_returned_goes_the_same_way(desk: Desk, counter: CounterDesk) -> None:
    dossier = sealed(counter, capture_of())
    desk.office.approvals.send_back(MINH, dossier, DossierReturn(("form",), "Chữ ký mờ"))
    found = signed(counter, capture_of(number=2, portrait=b""), dossier)
    assert (found.dossier, found.missing) == (dossier, ())
    assert desk.state(dossier) == "returned", "not captured again before it is sealed"
    assert counter.seal(LAN, found.id) == dossier
    view = desk.view(dossier)
    assert [step.event for step in view.steps] == ["capture", "validate", "return", "capture", "validate"]
    assert view.steps[3].detail["form_print"] != view.steps[0].detail["form_print"]
    unreturned = capture_of(number=3, portrait=picture(2))
    with pytest.raises(TransitionRefused):
        counter.begin(LAN, unreturned, dossier)


def test_the_rules_are_asked_before_the_citizen_signs_and_when_it_is_sealed(
    desk: Desk, counter: CounterDesk
) -> None:
    wrong = capture_of(person={"full_name": "NGUYỄN VĂN KHÁC"})
    assert refused_fields(lambda: counter.begin(LAN, wrong)) == {"full_name": "FIELD_NOT_AS_REGISTERED"}
    found = signed(counter, capture_of())
    counter.answer(SON, found.id)
    rival = sealed(counter, capture_of(number=2))
    with pytest.raises(VerificationError) as refused:
        counter.seal(LAN, found.id)
    assert refused.value.code == "DOSSIER_ALREADY_OPEN"
    desk.office.captures.withdraw(LAN, rival)
    assert desk.state(counter.seal(LAN, found.id)) == DossierState.VALIDATED


def test_a_draft_is_its_officers_and_supervisors_of_its_area_see_it(counter: CounterDesk) -> None:
    mine = counter.begin(LAN, capture_of())
    elsewhere = officer("xa", Role.SUPERVISOR, unit="079.01")
    colleague = officer("hoa", Role.CAPTURE, unit=UNIT)

    def listed(who: Officer) -> list[str]:
        return [each.id for each in counter.waiting(who, ALL).entries]

    assert (listed(LAN), listed(SON), listed(elsewhere), listed(colleague)) == ([mine.id], [mine.id], [], [])
    for stranger in (elsewhere, colleague):
        with pytest.raises(CounterCaptureUnknown):
            counter.view(stranger, mine.id)
    for who in (MINH, THU):
        with pytest.raises(RoleMissing):
            counter.waiting(who, ALL)
    sealed(counter, capture_of())
    assert listed(SON) == []


def test_what_is_withdrawn_or_left_behind_is_not_kept(desk: Desk, counter: CounterDesk) -> None:
    first = signed(counter, capture_of())
    gone = counter.withdraw(LAN, first.id)
    assert (gone.state, gone.full_name, pictures_kept(desk)) == ("withdrawn", None, 0)
    left = signed(counter, capture_of(number=2))
    assert withdraw_left(desk.database, desk.now[0] + timedelta(hours=23)) == 0
    assert withdraw_left(desk.database, desk.now[0] + timedelta(hours=25)) == 1
    assert (counter.view(LAN, left.id).state, pictures_kept(desk)) == ("withdrawn", 0)
    assert events(desk, left.id)[-1] == "withdraw"
    with pytest.raises(TransitionRefused):
        counter.withdraw(LAN, left.id)
    with desk.database.reading() as connection:
        held = select(COUNTER_CAPTURES.c.content, COUNTER_CAPTURES.c.portrait, COUNTER_CAPTURES.c.signature)
        assert {tuple(row) for row in connection.execute(held)} == {(None, None, None)}


def test_a_signature_goes_with_the_dossier_that_ended_without_a_card(
    desk: Desk, counter: CounterDesk
) -> None:
    dossier = sealed(counter, capture_of())
    assert pictures_kept(desk) == 2, "portrait and signature"
    desk.office.captures.withdraw(LAN, dossier)
    later = desk.now[0] + timedelta(days=4000)
    assert RetentionDesk(desk.database, lambda: later).erase() == 1
    assert pictures_kept(desk) == 1, "the empty one that stands for what was erased"


def test_a_signature_is_scanned_before_it_is_kept(
    desk: Desk, counter: CounterDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = counter.begin(LAN, capture_of())
    counter.check_form(LAN, begun.id)
    scanned: list[object] = []
    monkeypatch.setattr(counter._checks._scanner, "require_clean", scanned.append, raising=False)
    counter.sign(LAN, begun.id, SIGNED)
    assert scanned == [[SIGNATURE]]


def test_a_form_of_a_kit_is_not_captured_again_here(desk: Desk, counter: CounterDesk) -> None:
    dossier = desk.received(packet_of())
    desk.office.approvals.send_back(MINH, dossier, DossierReturn(("form",), "Chữ ký mờ"))
    again = capture_of(number=2, portrait=b"")
    assert refused_fields(lambda: counter.begin(LAN, again, dossier)) == {"form": "FIELD_MISSING"}


def test_in_the_program_only_the_counter_opens_dossiers_from_captures() -> None:
    root = Path(issuance_backend.__file__).parent
    called = re.compile(r"captures\.(re)?capture(_all)?\(")
    callers = {str(path.relative_to(root)) for path in root.rglob("*.py") if called.search(path.read_text())}
    assert callers == {"dossiers/counter/service.py"}
