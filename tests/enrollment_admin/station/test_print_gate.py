"""A poor print is taken again, up to three times; then the best goes on with its exception (F02, F03)."""

from __future__ import annotations

import html
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from enrollment_admin.station.capture_desk import CaptureDesk
from enrollment_admin.station.capture_rules import Captured
from enrollment_admin.station.capture_steps import DraftState
from enrollment_admin.station.kit import Kit
from enrollment_admin.station.kit_pages.app import create_kit_app
from enrollment_admin.station.sealing import Answering
from issuance_backend.dossiers.intake.centre_keys import CentreKeys
from monitoring.stand.drawn_people import prints
from tests.support.cheap_fingers import GOOD, CheapFingers
from tests.support.cheap_prints import PRINT_TYPE, cheap_print, cheap_prints
from tests.support.drawn_slaps import drawn_slap
from tests.support.issuance_office import picture
from tests.support.kit_bench import CHIEF, CHIEFS_PASSPHRASE, PASSPHRASE, PRINTS, SIGNED, declared, desk_of
from tests.support.kit_pages_bench import KitPages, begun, keep, keep_prints
from tests.support.office_pages import text
from tests.support.second_touch import cracked, encoded
from verification.errors import FieldsRefused, TransitionRefused
from verification.fingerprint.nbis_engine import NbisEngine
from verification.fingerprint.print_picture import read_print
from verification.messages.asked_prints import FINGER_ITEMS, QUALITY_EXCEPTION, finger_item, position_of
from verification.messages.enrollment_packet import (
    CITIZEN_SIGNATURE,
    CaptureException,
    from_file,
    open_packet,
    parse_packet,
)
from verification.messages.fault_catalogue import fault_catalogue
from verification.messages.prints_taken import CaptureMethod, PrintTaken
from verification.messages.refusals import PacketSupervisorMissing

CHIEF_ANSWERS = Answering(CHIEF, CHIEFS_PASSPHRASE)
FOUR = "finger_04"
POOR = {(4, 0): 9, (4, 1): 12, (4, 2): 3}
"""The ring finger, which needs 20."""


def with_engine(pages: KitPages, engine: CheapFingers | NbisEngine) -> Kit:
    return replace(pages.kit, fingers=lambda: engine)


def begun_with(desk: CaptureDesk, *seeds: int) -> str:
    """A capture with everything but the ring finger, which was taken with these prints."""
    draft = desk.begin(declared()).id
    desk.keep(draft, "portrait", "image/jpeg", picture())
    desk.keep_all(draft, [each for each in PRINTS if each.item != FOUR])
    for seed in seeds:
        take(desk, draft, 4, seed)
    return draft


def take(desk: CaptureDesk, draft: str, finger: int, seed: int, item: str = FOUR) -> None:
    desk.keep(draft, item, PRINT_TYPE, cheap_print(finger, seed))


@pytest.fixture
def tired(pages: KitPages) -> CaptureDesk:
    """Prints of the ring finger show too little to be compared."""
    return desk_of(with_engine(pages, CheapFingers(POOR, minutiae=5)))


@pytest.fixture
def worn(pages: KitPages) -> CaptureDesk:
    """Prints of the ring finger are poor and match each other."""
    return desk_of(with_engine(pages, CheapFingers(POOR)))


def test_a_poor_print_is_not_enough_and_says_why_and_how_often(tired: CaptureDesk) -> None:
    draft = begun_with(tired, 0)
    seen = tired.draft(draft)
    assert (seen.state, seen.missing, seen.exceptions) == (DraftState.DRAFT, (FOUR,), ())
    told = seen.prints[FOUR]
    assert (told.scores, told.kept, told.least, told.left, told.is_again) == ((9,), 9, 20, 2, True)
    assert told.code in fault_catalogue()
    with pytest.raises(TransitionRefused):
        tired.print_form(draft)
    others = [each for item, each in seen.prints.items() if item != FOUR]
    assert {(each.kept, each.code, each.is_again) for each in others} == {(GOOD, None, False)}


def test_a_better_one_ends_it_without_an_exception(worn: CaptureDesk) -> None:
    draft = begun_with(worn, 0, 3)
    seen = worn.draft(draft)
    assert (seen.state, seen.exceptions, seen.prints[FOUR].scores) == (DraftState.CAPTURED, (), (9, GOOD))
    assert worn.content(draft, FOUR) == cheap_print(4, 3)


def test_after_three_attempts_the_best_of_them_goes_on_and_the_supervisor_answers(
    pages: KitPages, tired: CaptureDesk, centre_keys: CentreKeys
) -> None:
    draft = begun_with(tired, 0, 1)
    assert tired.draft(draft).missing == (FOUR,)
    take(tired, draft, 4, 2)
    seen = tired.draft(draft)
    assert (seen.state, seen.exceptions) == (
        DraftState.CAPTURED,
        (CaptureException(FOUR, QUALITY_EXCEPTION),),
    )
    assert tired.content(draft, FOUR) == cheap_print(4, 1), "the best of the three"
    tired.print_form(draft)
    tired.keep(draft, CITIZEN_SIGNATURE, "image/png", SIGNED)
    with pytest.raises(PacketSupervisorMissing):
        tired.seal(draft, PASSPHRASE, "vi")
    sealed = tired.seal(draft, PASSPHRASE, "vi", CHIEF_ANSWERS)
    metadata, content = from_file(pages.kit.packets.read(sealed.packet))
    opened = open_packet(parse_packet(metadata), content, centre_keys.opening[centre_keys.newest])
    told = {each.item: each for each in opened.particulars.prints or ()}
    assert told[FOUR] == PrintTaken(FOUR, (9, 12, 3))
    assert {each.scores for item, each in told.items() if item != FOUR} == {(GOOD,)}
    assert opened.particulars.exceptions == (CaptureException(FOUR, QUALITY_EXCEPTION),)


def test_a_file_that_no_form_can_show_is_no_attempt(pages: KitPages) -> None:
    desk = desk_of(with_engine(pages, NbisEngine()))
    draft = desk.begin(declared()).id
    for content in (cheap_print(4)[:-40], encoded(np.full((40, 40), 240, np.uint8))):
        with pytest.raises(FieldsRefused) as refused:
            desk.keep(draft, FOUR, PRINT_TYPE, content)
        assert refused.value.fields == {FOUR: "PRINT_NOT_PICTURE"}
    assert (desk.draft(draft).prints, desk.draft(draft).items) == ({}, ())
    for _ in range(3):
        desk.keep(draft, FOUR, PRINT_TYPE, encoded(np.full((400, 300), 240, np.uint8)))
    assert FOUR in desk.draft(draft).missing, "what shows no ridge is not kept: the finger has a reason"


def test_two_poor_prints_that_match_are_a_worn_finger_and_no_third_is_asked(worn: CaptureDesk) -> None:
    seen = worn.draft(begun_with(worn, 0, 1))
    assert (seen.state, seen.exceptions[0].code) == (DraftState.CAPTURED, QUALITY_EXCEPTION)
    assert seen.prints[FOUR].is_best_available


def test_a_better_print_that_comes_late_takes_the_exception_away(worn: CaptureDesk) -> None:
    draft = begun_with(worn, 0, 1, 3)
    assert worn.draft(draft).exceptions == ()


def test_a_print_that_is_taken_away_leaves_its_attempts(worn: CaptureDesk) -> None:
    draft = begun_with(worn, 0, 1)
    dropped = worn.drop(draft, FOUR)
    assert (dropped.missing, dropped.exceptions) == ((FOUR,), ())
    assert dropped.prints[FOUR].scores == (9, 12)
    assert worn.state_exception(draft, FOUR, "FINGER_WORN").missing == ()


def test_one_finger_that_is_given_twice_is_refused_and_both_are_named(worn: CaptureDesk) -> None:
    draft = worn.begin(declared()).id
    twice = [*PRINTS[:2], Captured("finger_03", PRINT_TYPE, cheap_print(2, 1)), *PRINTS[4:]]
    with pytest.raises(FieldsRefused) as refused:
        worn.keep_all(draft, twice)
    assert refused.value.fields == dict.fromkeys(("finger_02", "finger_03"), "PRINT_OF_TWO_FINGERS")
    seen = worn.draft(draft)
    assert {each.name for each in seen.items} == set(FINGER_ITEMS) - {"finger_03", FOUR}, "the rest is kept"
    take(worn, draft, 3, 0, "finger_03")
    assert worn.draft(draft).prints["finger_03"].scores == (GOOD, GOOD)


def test_another_finger_at_the_second_attempt_is_refused_and_counts(worn: CaptureDesk) -> None:
    draft = worn.begin(declared()).id
    take(worn, draft, 4, 3)
    with pytest.raises(FieldsRefused) as refused:
        take(worn, draft, 5, 0)
    assert refused.value.fields == {FOUR: "PRINT_OF_OTHER_FINGER"}
    assert worn.content(draft, FOUR) == cheap_print(4, 3)
    assert worn.draft(draft).prints[FOUR].scores == (GOOD, GOOD)


def test_prints_of_before_the_first_limits_are_not_judged(pages: KitPages) -> None:
    pages.bench.pass_time(-60 * 24 * 3600)
    seen = begun_with(desk_of(with_engine(pages, CheapFingers(POOR))), 0)
    found = desk_of(pages.kit).draft(seen)
    assert (found.missing, found.prints) == ((), {})


def ink(desk: CaptureDesk, draft: str, *fingers: int) -> None:
    pictures = [Captured(finger_item(each), PRINT_TYPE, cheap_print(each, 3)) for each in fingers]
    desk.keep_all(draft, [each._replace(method=CaptureMethod.INK_RESCAN) for each in pictures])


def test_ink_is_for_a_finger_that_the_scanner_tried_often_enough(tired: CaptureDesk) -> None:
    draft = begun_with(tired, 0, 1)
    with pytest.raises(FieldsRefused) as refused:
        ink(tired, draft, 4)
    assert refused.value.fields == {FOUR: "PRINT_INK_TOO_EARLY"}
    assert tired.draft(draft).prints[FOUR].scores == (9, 12), "no attempt"
    take(tired, draft, 4, 2)
    ink(tired, draft, 4)
    assert tired.draft(draft).exceptions == (), "the ink print is good"
    assert tired.content(draft, FOUR) == cheap_print(4, 3)


def test_where_no_scanner_is_all_prints_are_of_ink_and_the_packet_says_so(
    pages: KitPages, centre_keys: CentreKeys
) -> None:
    desk = pages.desk()
    draft = desk.begin(declared()).id
    desk.keep(draft, "portrait", "image/jpeg", picture())
    ink(desk, draft, *range(1, 11))
    desk.print_form(draft)
    desk.keep(draft, CITIZEN_SIGNATURE, "image/png", SIGNED)
    sealed = desk.seal(draft, PASSPHRASE, "vi")
    metadata, content = from_file(pages.kit.packets.read(sealed.packet))
    opened = open_packet(parse_packet(metadata), content, centre_keys.opening[centre_keys.newest])
    assert {each.capture_method for each in opened.particulars.prints or ()} == {CaptureMethod.INK_RESCAN}


def test_the_page_asks_for_ink_where_it_is_due(pages: KitPages) -> None:
    browser = pages.sign_in()
    draft = begun(browser)
    keep(browser, draft, "portrait", picture())
    keep_prints(browser, draft, cheap_prints())
    files = {FOUR: (io.BytesIO(cheap_print(4, 1)), "04.png"), "capture_method": "ink_rescan"}
    answer = browser.post(f"{draft}/fingerprints", files, page=f"{draft}/fingerprints")
    what = html.escape(fault_catalogue()["PRINT_INK_TOO_EARLY"].vi.what, quote=False)
    assert (answer.status_code, what in text(answer)) == (422, True)


def test_the_page_shows_score_attempts_and_advice(pages: KitPages, tmp_path: Path) -> None:
    kit = with_engine(pages, CheapFingers(POOR, minutiae=5))
    browser = replace(pages, kit=kit, app=create_kit_app(kit, None, tmp_path)).sign_in()
    draft = begun(browser)
    keep(browser, draft, "portrait", picture())
    keep_prints(browser, draft, cheap_prints())
    answer = browser.get(f"{draft}/fingerprints")
    page, words = answer.get_data(as_text=True), text(answer)
    assert (page.count("finger finger-taken"), page.count("finger finger-again")) == (9, 1)
    assert "9 / 20" in words
    assert "Số lần còn lại: 2" in words
    told = desk_of(kit).draft(draft.rpartition("/")[2]).prints[FOUR].code
    assert html.escape(fault_catalogue()[str(told)].vi.next, quote=False) in words
    assert browser.get(f"{draft}/form").headers["Location"] == f"{draft}/fingerprints"
    program = browser.client.get(draft, headers={"Accept": "application/json"}).get_json()
    assert (program["missing"], program["again"]) == ([FOUR], {FOUR: told})
    for seed in (1, 2):
        files = {FOUR: (io.BytesIO(cheap_print(4, seed)), "04.png")}
        browser.post(f"{draft}/fingerprints", files, page=f"{draft}/fingerprints")
    page = browser.get(f"{draft}/fingerprints").get_data(as_text=True)
    assert page.count("finger finger-best") == 1
    assert "9, 12, 3" in page
    assert "Ngón nhẫn phải: tốt nhất có thể</li>" in page
    assert "Công dân không ký được" not in page, "that is another exception"


def test_two_of_one_finger_are_told_beside_both(pages: KitPages) -> None:
    browser = pages.sign_in()
    draft = begun(browser)
    keep(browser, draft, "portrait", picture())
    answer = keep_prints(browser, draft, {"finger_02": cheap_print(2), "finger_07": cheap_print(2, 1)})
    what = html.escape(fault_catalogue()["PRINT_OF_TWO_FINGERS"].vi.what, quote=False)
    assert (answer.status_code, text(answer).count(what)) == (422, 2)


def test_the_real_engine_takes_drawn_fingers_at_once_and_finds_one_that_is_cracked(pages: KitPages) -> None:
    desk = desk_of(with_engine(pages, NbisEngine()))
    draft = desk.begin(declared()).id
    taken = prints(7)
    taken[FOUR] = encoded(cracked(read_print(taken[FOUR])))
    seen = desk.keep_all(draft, [Captured(item, PRINT_TYPE, content) for item, content in taken.items()])
    assert {item for item, each in seen.prints.items() if each.is_again} == {FOUR}
    assert seen.prints[FOUR].code == "PRINT_DRY"
    assert [position_of(finger_item(each)) for each in range(1, 11)] == [*range(1, 11)]


def test_fingers_that_changed_places_are_refused_by_the_slaps_which_the_packet_carries(
    pages: KitPages, centre_keys: CentreKeys
) -> None:
    desk = desk_of(with_engine(pages, NbisEngine()))
    draft, ten = desk.begin(declared()).id, prints(7)
    fingers = {position_of(item): read_print(content) for item, content in ten.items()}
    slap = Captured("finger_13", PRINT_TYPE, encoded(drawn_slap(fingers, 13)))
    swapped = ten | {"finger_02": ten["finger_03"], "finger_03": ten["finger_02"]}
    with pytest.raises(FieldsRefused) as refused:
        desk.keep_all(draft, [slap, *(Captured(item, PRINT_TYPE, each) for item, each in swapped.items())])
    assert refused.value.fields == dict.fromkeys(("finger_02", "finger_03"), "PRINT_MISPLACED")
    here = {each.name for each in desk.draft(draft).items}
    assert here == {*FINGER_ITEMS, "finger_13"} - {"finger_02", "finger_03"}, "the rest is kept"
    two = [Captured(item, PRINT_TYPE, ten[item]) for item in ("finger_02", "finger_03")]
    assert set(desk.keep_all(draft, two).missing) == {"portrait"}
    with pytest.raises(FieldsRefused) as refused:
        desk.keep(draft, "finger_14", PRINT_TYPE, slap.content[:-40])
    assert refused.value.fields == {"finger_14": "PRINT_NOT_PICTURE"}
    with pytest.raises(FieldsRefused) as refused:
        desk.keep(draft, "finger_15", PRINT_TYPE, slap.content)
    assert refused.value.fields == {"finger_15": "SLAP_MISCOUNTED"}
    desk.keep(draft, "portrait", "image/jpeg", picture())
    desk.print_form(draft)
    desk.keep(draft, CITIZEN_SIGNATURE, "image/png", SIGNED)
    sealed = desk.seal(draft, PASSPHRASE, "vi")
    metadata, content = from_file(pages.kit.packets.read(sealed.packet))
    opened = open_packet(parse_packet(metadata), content, centre_keys.opening[centre_keys.newest])
    assert opened.blobs["finger_13"] == slap.content


def test_a_slap_that_comes_last_is_refused_where_prints_contradict_it(pages: KitPages) -> None:
    desk = desk_of(with_engine(pages, NbisEngine()))
    draft, ten = desk.begin(declared()).id, prints(7)
    fingers = {position_of(item): read_print(content) for item, content in ten.items()}
    swapped = {"finger_02": ten["finger_03"], "finger_03": ten["finger_02"]}
    desk.keep_all(draft, [Captured(item, PRINT_TYPE, each) for item, each in swapped.items()])
    with pytest.raises(FieldsRefused) as refused:
        desk.keep(draft, "finger_13", PRINT_TYPE, encoded(drawn_slap(fingers, 13)))
    assert refused.value.fields == dict.fromkeys(("finger_02", "finger_03"), "PRINT_MISPLACED")
    assert {each.name for each in desk.draft(draft).items} == {"finger_02", "finger_03"}
