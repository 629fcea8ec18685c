"""Prints at a counter: taken by the rules of a kit, on the form, on the signed paper, and in the dossier."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date, timedelta

import pytest
from PIL import Image, ImageDraw
from sqlalchemy import select

from issuance_backend.dossiers import repository
from issuance_backend.dossiers.capture_checks import CaptureChecks
from issuance_backend.dossiers.counter.acts import withdraw_left
from issuance_backend.dossiers.counter.service import CounterDesk
from issuance_backend.dossiers.tables import COUNTER_ITEMS
from issuance_backend.officers.domain import Role
from issuance_backend.recorded_events import of_subject
from issuance_backend.refusals import RoleMissing
from issuance_backend.schema import PORTRAITS
from monitoring.stand.drawn_people import prints
from tests.support.application_desk import LAN, MINH, PERSON, Desk, capture_of, make_desk, officer
from tests.support.cheap_fingers import GOOD, CheapFingers
from tests.support.cheap_prints import cheap_print, cheap_prints
from tests.support.engines import Engine
from tests.support.issuance_office import SIGNATURE
from tests.support.signed_paper import page_of, scanned
from verification.errors import FieldsRefused, TransitionRefused
from verification.messages.asked_prints import FINGER_ITEMS, QUALITY_EXCEPTION
from verification.messages.counter_capture import CitizenAgreement, CounterCapture, CounterPrints
from verification.messages.enrollment import DossierReturn
from verification.messages.enrollment_packet import MAX_ITEM_BYTES, CaptureException
from verification.messages.prints_taken import CaptureMethod

SON = officer("son", Role.SUPERVISOR, unit="001.02")
AUDITOR = officer("kiem", Role.AUDITOR, unit="001.02")
FOUR = "finger_04"
POOR = {(4, 0): 9, (4, 1): 12, (4, 2): 3}
NO_SCANNER = CaptureException("fingerprints", "NO_SCANNER")


@pytest.fixture
def desk(database_engine: Engine) -> Desk:
    return make_desk(database_engine)


def counter_of(desk: Desk, engine: CheapFingers | None = None) -> CounterDesk:
    """A counter whose engine sees what a test says; without one, the engine that is installed."""
    if engine is None:
        return desk.office.counter
    checks: CaptureChecks = desk.office.counter._checks
    checks.fingers = lambda: engine
    return desk.office.counter


def begun(counter: CounterDesk, **changes: object) -> CounterCapture:
    return counter.begin(LAN, capture_of(exceptions=[], **changes))


def take(counter: CounterDesk, which: str, **of: bytes) -> CounterCapture:
    return counter.prints.take(LAN, which, CounterPrints(of))


def states(seen: CounterCapture) -> dict[str, str]:
    return {each.item: each.state for each in seen.fingers}


def refused(act: object) -> dict[str, str]:
    with pytest.raises(FieldsRefused) as caught:
        act()  # type: ignore[operator]
    return dict(caught.value.fields)


def pictures(desk: Desk) -> int:
    with desk.database.reading() as connection:
        return len(connection.execute(select(PORTRAITS.c.name)).all())


def test_ten_prints_go_into_the_dossier_as_a_kits_do(desk: Desk) -> None:
    counter = counter_of(desk)
    found = begun(counter)
    assert (found.missing, found.exceptions) == (("prints", "form", "signature"), ())
    assert refused(lambda: counter.check_form(LAN, found.id)) == {"prints": "COUNTER_PRINTS_MISSING"}
    ten = prints(7)
    taken = take(counter, found.id, **ten)
    assert set(states(taken).values()) == {"taken"}
    assert taken.missing == ("form", "signature")
    assert counter.prints.picture(SON, found.id, FOUR).content == ten[FOUR]
    checked = counter.check_form(LAN, found.id)
    assert checked.form
    assert (checked.form.limits, checked.form.likeness) == ("digital-1", 1.0)
    counter.sign(LAN, found.id, CitizenAgreement("vi", SIGNATURE))
    dossier = counter.seal(LAN, found.id)
    with desk.database.reading() as connection:
        kept = repository.prints(connection, dossier)
        assert connection.execute(select(COUNTER_ITEMS)).all() == [], "the dossier alone names them"
    assert {position: desk.pictures.read(name) for position, name in kept.items()} == {
        int(item[-2:]): content for item, content in ten.items()
    }
    said = desk.view(dossier).steps[0].detail
    assert "exceptions" not in said
    assert "best_available" not in said
    assert pictures(desk) == 12, "portrait, signature and ten prints: no templates are left behind"


def test_a_poor_print_is_taken_again_then_the_best_goes_on_and_a_supervisor_answers(desk: Desk) -> None:
    counter = counter_of(desk, CheapFingers(POOR, minutiae=5))
    found = begun(counter)
    seen = take(counter, found.id, **cheap_prints())
    told = {each.item: each for each in seen.fingers}[FOUR]
    assert told.tried
    assert (told.state, told.tried.scores, told.tried.kept, told.tried.least, told.tried.left) == (
        *("again", (9,), 9, 20),
        2,
    )
    assert (seen.missing[0], seen.exceptions) == ("prints", ())
    take(counter, found.id, finger_04=cheap_print(4, 1))
    best = take(counter, found.id, finger_04=cheap_print(4, 2))
    assert (states(best)[FOUR], best.missing) == ("best", ("form", "signature", "supervisor"))
    assert best.print_reasons == (CaptureException(FOUR, QUALITY_EXCEPTION),)
    assert counter.prints.picture(LAN, found.id, FOUR).content == cheap_print(4, 1), "the best of the three"
    counter.check_form(LAN, found.id)
    counter.sign(LAN, found.id, CitizenAgreement("vi", SIGNATURE))
    assert refused(lambda: counter.seal(LAN, found.id)) == {"supervisor": "COUNTER_SUPERVISOR_MISSING"}
    counter.answer(SON, found.id)
    dossier = counter.seal(LAN, found.id)
    said = desk.view(dossier).steps[0].detail
    assert (said["best_available"], said["print_attempts"], said["answered_by"]) == ("04", "04:3", "son")
    with desk.database.reading() as connection:
        assert repository.prints_answered_for(connection, dossier) == {4}


def test_two_of_one_finger_are_refused_and_the_rest_is_kept(desk: Desk) -> None:
    counter = counter_of(desk, CheapFingers({}))
    found = begun(counter)
    seen = take(counter, found.id, **(cheap_prints() | {"finger_07": cheap_print(2, 1)}))
    assert [item for item, state in states(seen).items() if state != "taken"] == ["finger_07"]
    wrong = {each.item: each.tried.code for each in seen.fingers if each.tried}
    assert wrong["finger_07"] == "PRINT_OF_TWO_FINGERS"
    other = take(counter, found.id, finger_03=cheap_print(7))
    assert {each.item: each.tried and each.tried.code for each in other.fingers}["finger_03"] == (
        "PRINT_OF_OTHER_FINGER"
    )


def test_what_is_no_print_is_no_attempt(desk: Desk) -> None:
    counter = counter_of(desk)
    found = begun(counter)
    for content, code in (
        (b"\x89PNG" + bytes(MAX_ITEM_BYTES), "PRINT_TOO_LARGE"),
        (b"GIF89a", "PRINT_NOT_PICTURE"),
        (cheap_print(4)[:-40], "PRINT_NOT_PICTURE"),
    ):
        whole = {FOUR: content, "finger_05": cheap_print(5)}
        assert refused(lambda whole=whole: take(counter, found.id, **whole)) == {FOUR: code}
    assert refused(lambda: take(counter, found.id)) == {"fingerprints": "FIELD_MISSING"}
    assert refused(lambda: take(counter, found.id, finger_11=cheap_print(1))) == {
        "fingerprints": "PRINT_OF_NO_FINGER"
    }
    assert all(each.tried is None for each in counter.view(LAN, found.id).fingers)


def test_nobody_gives_prints_whom_the_law_asks_none_of(desk: Desk) -> None:
    young = replace(PERSON, date_of_birth=date(2022, 1, 1))
    desk.registry.people[young.citizen_number] = young
    counter = counter_of(desk)
    found = counter.begin(LAN, capture_of(young))
    assert (found.fingers, found.exceptions) == ((), ())
    faults = refused(lambda: take(counter, found.id, finger_02=cheap_print(2)))
    assert faults == {"finger_02": "PRINT_NOT_TAKEN_AT_THIS_AGE"}
    assert refused(lambda: counter.prints.state_reason(LAN, found.id, NO_SCANNER)) == {
        "item": "EXCEPTION_UNKNOWN"
    }


def test_ink_is_for_a_finger_that_the_scanner_tried_often_enough(desk: Desk) -> None:
    counter = counter_of(desk, CheapFingers(POOR, minutiae=5))
    found = begun(counter)
    take(counter, found.id, **cheap_prints())
    inked = CounterPrints({FOUR: cheap_print(4, 3)}, CaptureMethod.INK_RESCAN)
    assert refused(lambda: counter.prints.take(LAN, found.id, inked)) == {FOUR: "PRINT_INK_TOO_EARLY"}
    for seed in (1, 2):
        take(counter, found.id, finger_04=cheap_print(4, seed))
    seen = counter.prints.take(LAN, found.id, inked)
    assert (states(seen)[FOUR], seen.print_reasons) == ("taken", ())


def test_a_finger_without_a_print_has_its_reason_and_a_print_outweighs_it(desk: Desk) -> None:
    counter = counter_of(desk, CheapFingers({}))
    found = begun(counter)
    nine = {item: content for item, content in cheap_prints().items() if item != FOUR}
    take(counter, found.id, **nine)
    worn = CaptureException(FOUR, "FINGER_WORN")
    excused = counter.prints.state_reason(LAN, found.id, worn)
    assert (states(excused)[FOUR], excused.exceptions) == ("excused", ("finger_worn",))
    assert excused.missing == ("form", "signature", "supervisor")
    for stated, code in (
        (CaptureException("finger_05", "FINGER_WORN"), "EXCEPTION_CONTRADICTED"),
        (NO_SCANNER, "EXCEPTION_CONTRADICTED"),
        (CaptureException(FOUR, "NO_SCANNER"), "EXCEPTION_UNKNOWN"),
        (CaptureException(FOUR, "MARKS_NONE"), "EXCEPTION_UNKNOWN"),
    ):
        faults = refused(lambda stated=stated: counter.prints.state_reason(LAN, found.id, stated))
        assert faults == {stated.item: code}
    assert take(counter, found.id, finger_04=cheap_print(4)).print_reasons == ()
    dropped = counter.prints.drop(LAN, found.id, FOUR)
    assert states(dropped)[FOUR] == "missing"
    assert {each.item: each.tried and each.tried.scores for each in dropped.fingers}[FOUR] == (GOOD,)


def test_an_office_without_a_scanner_says_so_and_a_supervisor_answers(desk: Desk) -> None:
    counter = counter_of(desk)
    found = begun(counter)
    stated = counter.prints.state_reason(LAN, found.id, NO_SCANNER)
    assert (set(states(stated).values()), stated.exceptions) == ({"excused"}, ("no_scanner",))
    counter.check_form(LAN, found.id)
    counter.sign(LAN, found.id, CitizenAgreement("vi", SIGNATURE))
    assert refused(lambda: counter.seal(LAN, found.id)) == {"supervisor": "COUNTER_SUPERVISOR_MISSING"}
    counter.answer(SON, found.id)
    assert desk.view(counter.seal(LAN, found.id)).steps[0].detail["exceptions"] == "no_scanner"


def test_prints_that_come_later_end_the_form_the_signature_and_the_answer(desk: Desk) -> None:
    counter = counter_of(desk, CheapFingers({}))
    found = begun(counter)
    counter.prints.state_reason(LAN, found.id, NO_SCANNER)
    counter.check_form(LAN, found.id)
    counter.sign(LAN, found.id, CitizenAgreement("vi", SIGNATURE))
    counter.answer(SON, found.id)
    seen = take(counter, found.id, **cheap_prints())
    assert (seen.state, seen.form, seen.is_signed, seen.answered_by) == ("draft", None, False, None)
    assert (seen.exceptions, seen.missing) == ((), ("form", "signature"))
    with pytest.raises(TransitionRefused):
        counter.sign(LAN, found.id, CitizenAgreement("vi", SIGNATURE))


def test_prints_are_shown_to_who_takes_and_who_answers_and_go_with_what_is_withdrawn(desk: Desk) -> None:
    counter = counter_of(desk, CheapFingers({}))
    found = begun(counter)
    take(counter, found.id, **cheap_prints())
    with pytest.raises(RoleMissing):
        counter.prints.picture(AUDITOR, found.id, FOUR)
    desk.now[0] += timedelta(days=2)
    assert withdraw_left(desk.database, desk.now[0]) == 1
    assert pictures(desk) == 0
    with desk.database.reading() as connection:
        steps = of_subject(connection, f"counter/{found.id}")
    assert [step.event for step in steps] == ["begin", "take_prints", "withdraw"]


def test_another_persons_capture_under_the_same_id_has_none_of_the_prints(desk: Desk) -> None:
    counter = counter_of(desk, CheapFingers({}))
    found = begun(counter)
    take(counter, found.id, **cheap_prints())
    kept = counter.begin(
        LAN, capture_of(exceptions=[], manual_portrait_reason="Ảnh đã được xem kỹ bằng mắt.")
    )
    assert (kept.id, set(states(kept).values())) == (found.id, {"taken"})
    scannerless = counter.begin(LAN, capture_of())
    assert (scannerless.exceptions, set(states(scannerless).values())) == ((), {"taken"})
    other = next(each for each in desk.registry.people.values() if each != PERSON)
    changed = counter.begin(LAN, capture_of(other, exceptions=[]))
    assert "taken" not in states(changed).values()


def test_fingers_that_were_sent_back_are_taken_again_at_the_counter(desk: Desk) -> None:
    counter = counter_of(desk, CheapFingers({}))
    found = begun(counter)
    take(counter, found.id, **cheap_prints())
    counter.check_form(LAN, found.id)
    counter.sign(LAN, found.id, CitizenAgreement("vi", SIGNATURE))
    dossier = counter.seal(LAN, found.id)
    desk.office.approvals.send_back(MINH, dossier, DossierReturn((FOUR,), "Mờ"))
    again = counter.begin(LAN, capture_of(number=2, portrait=b"", exceptions=[]), dossier)
    assert [each.item for each in again.fingers] == [FOUR]
    assert refused(lambda: take(counter, again.id, finger_05=cheap_print(5, 1))) == {
        "finger_05": "ITEM_NOT_RETURNED"
    }
    unanswered = refused(lambda: counter.prints.state_reason(LAN, again.id, NO_SCANNER))
    assert unanswered == {"item": "EXCEPTION_UNKNOWN"}, "it was taken once"
    take(counter, again.id, finger_04=cheap_print(4, 1))
    counter.check_form(LAN, again.id)
    counter.sign(LAN, again.id, CitizenAgreement("vi", SIGNATURE))
    counter.seal(LAN, again.id)
    with desk.database.reading() as connection:
        kept = {
            place: desk.pictures.read(name) for place, name in repository.prints(connection, dossier).items()
        }
    assert kept == {int(item[-2:]): cheap_print(int(item[-2:]), int(item == FOUR)) for item in FINGER_ITEMS}


# -- the signed paper


@pytest.fixture
def printed(desk: Desk) -> tuple[CounterDesk, str, Image.Image]:
    """A capture with prints of nobody, judged and printed."""
    counter = counter_of(desk, CheapFingers({}))
    found = begun(counter)
    take(counter, found.id, **prints(7))
    counter.check_form(LAN, found.id)
    return counter, found.id, page_of(counter.form(LAN, found.id))


Printed = tuple[CounterDesk, str, Image.Image]


def on_paper(counter: CounterDesk, which: str, scan: bytes) -> CounterCapture:
    return counter.sign(LAN, which, CitizenAgreement("vi", scan=scan))


def test_the_signed_paper_is_judged_and_said_to_be_so(desk: Desk, printed: Printed) -> None:
    counter, which, page = printed
    signed = on_paper(counter, which, scanned(page, turned=180))
    assert signed.paper
    assert (signed.missing, signed.is_signed, signed.paper.limits) == ((), True, "paper-1")
    said = desk.view(counter.seal(LAN, which)).steps[0].detail
    assert said["paper_judged"] == f"paper-1 {signed.paper.likeness:.4f}"


def test_paper_that_is_not_signed_or_of_another_form_is_refused_and_recorded(
    desk: Desk, printed: Printed
) -> None:
    counter, which, page = printed
    before = scanned(page)
    smeared = page.copy()
    ImageDraw.Draw(smeared).rectangle((1000, 700, 5000, 1400), fill=255)
    portrait = io.BytesIO()
    Image.new("L", (2000, 3000), 255).save(portrait, "JPEG", dpi=(300, 300))
    for scan, code in (
        (scanned(page, is_signed=False), "COUNTER_PAPER_NOT_SIGNED"),
        (scanned(page, ppi=200), "FORM_SCAN_COARSE"),
        (portrait.getvalue(), "FORM_MARKS_MISSING"),
        (b"\xff\xd8\xff" + bytes(50), "FORM_PAGE_UNREADABLE"),
        (b"%PDF-1.7", "COUNTER_SCAN_NO_PICTURE"),
    ):
        assert refused(lambda scan=scan: on_paper(counter, which, scan)) == {"scan": code}
    faults = refused(lambda: on_paper(counter, which, scanned(smeared)))
    assert {"scan", "finger_02", "finger_03"} <= faults.keys()
    stands = counter.view(LAN, which)
    assert (stands.state, stands.is_signed, stands.paper) == ("form_checked", False, None)
    counter.prints.drop(LAN, which, FOUR)
    counter.prints.state_reason(LAN, which, CaptureException(FOUR, "FINGER_WORN"))
    counter.check_form(LAN, which)
    assert refused(lambda: on_paper(counter, which, before)) == {"scan": "COUNTER_PAPER_OF_OTHER_FORM"}
    with desk.database.reading() as connection:
        steps = of_subject(connection, f"counter/{which}")
    told = [step.detail["faults"] for step in steps if step.event == "refuse_paper"]
    assert told[0] == "COUNTER_PAPER_NOT_SIGNED"
    assert told[-1] == "COUNTER_PAPER_OF_OTHER_FORM"


def test_of_whom_no_prints_are_taken_the_paper_is_judged_all_the_same(desk: Desk) -> None:
    young = replace(PERSON, date_of_birth=date(2022, 1, 1))
    desk.registry.people[young.citizen_number] = young
    counter = counter_of(desk)
    found = counter.begin(LAN, capture_of(young))
    counter.check_form(LAN, found.id)
    page = page_of(counter.form(LAN, found.id))
    empty = scanned(page, is_signed=False)
    assert refused(lambda: on_paper(counter, found.id, empty)) == {"scan": "COUNTER_PAPER_NOT_SIGNED"}
    assert on_paper(counter, found.id, scanned(page)).missing == ()


def test_a_scan_is_not_taken_for_a_signature_from_the_screen(printed: Printed) -> None:
    counter, which, page = printed
    for content in (scanned(page), SIGNATURE + bytes(600 * 1024)):
        faults = refused(lambda content=content: counter.sign(LAN, which, CitizenAgreement("vi", content)))
        assert faults == {"signature": "COUNTER_SIGNATURE_NO_PICTURE"}
    both = CitizenAgreement("vi", SIGNATURE, scanned(page))
    assert refused(lambda: counter.sign(LAN, which, both)) == {"signature": "EXCEPTION_CONTRADICTED"}
