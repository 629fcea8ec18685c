"""Slaps at a kit: asked from their day on, cut into their fingers, taken again, dropped, or excused (F02)."""

from __future__ import annotations

import html
import io
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from enrollment_admin.station.__main__ import main
from enrollment_admin.station.capture_desk import CaptureDesk
from enrollment_admin.station.capture_rules import Captured, is_current
from enrollment_admin.station.capture_steps import DraftState
from enrollment_admin.station.kit import Kit, renew_profile
from enrollment_admin.station.kit_pages.app import create_kit_app
from enrollment_admin.station.returns import Returns
from enrollment_admin.station.sealing import Answering, Sealed
from issuance_backend.dossiers.intake.centre_keys import CentreKeys
from tests.support.cheap_fingers import GOOD
from tests.support.cheap_prints import PRINT_TYPE, cheap_print, cheap_slap
from tests.support.issuance_office import NOW, picture
from tests.support.kit_bench import (
    CHIEF,
    CHIEFS_PASSPHRASE,
    PASSPHRASE,
    PRINTS,
    SIGNED,
    declared,
    desk_of,
    returned_capture,
    sealed_returns,
)
from tests.support.kit_pages_bench import KitPages, begun, keep, keep_prints
from tests.support.office_pages import Browser, text
from tests.support.second_touch import encoded
from verification.errors import FieldsRefused, TransitionRefused
from verification.messages.asked_prints import ALL_SLAPS, FINGER_ITEMS, NO_SLAP_SCANNER, SLAP_ITEMS
from verification.messages.enrollment_packet import (
    CITIZEN_SIGNATURE,
    CaptureException,
    OpenedPacket,
    from_file,
    open_packet,
    parse_packet,
)
from verification.messages.fault_catalogue import fault_catalogue
from verification.messages.prints_taken import PrintTaken
from verification.messages.refusals import PacketSupervisorMissing

CHIEF_ANSWERS = Answering(CHIEF, CHIEFS_PASSPHRASE)
PORTRAIT = Captured("portrait", "image/jpeg", picture())
TO_DECEMBER = 10 * 24 * 3600
"""Seconds until slaps are asked."""

RIGHT, LEFT, THUMBS = SLAP_ITEMS


def slap(item: str, *absent: int) -> Captured:
    return Captured(item, PRINT_TYPE, cheap_slap(int(item[-2:]), *absent))


SLAPS = tuple(slap(item) for item in SLAP_ITEMS)


def equipped(pages: KitPages, *, slap_scanner: bool) -> Kit:
    """The kit on the day from which slaps are asked, started anew."""
    pages.bench.pass_time(TO_DECEMBER)
    pages.kit.database.close()
    renew_profile(pages.bench.folder, slap_scanner=slap_scanner)
    return pages.bench.open()


@pytest.fixture
def kit(pages: KitPages) -> Kit:
    return equipped(pages, slap_scanner=True)


@pytest.fixture
def desk(kit: Kit) -> CaptureDesk:
    return desk_of(kit)


@pytest.fixture
def draft(desk: CaptureDesk) -> str:
    """A capture that lacks its slaps alone."""
    draft = desk.begin(declared()).id
    desk.keep_all(draft, [PORTRAIT, *PRINTS])
    return draft


def sealed(desk: CaptureDesk, draft: str, supervisor: Answering | None = None) -> Sealed:
    desk.print_form(draft)
    desk.keep(draft, CITIZEN_SIGNATURE, "image/png", SIGNED)
    return desk.seal(draft, PASSPHRASE, "vi", supervisor)


def opened(kit: Kit, packet: Sealed, keys: CentreKeys) -> OpenedPacket:
    metadata, content = from_file(kit.packets.read(packet.packet))
    return open_packet(parse_packet(metadata), content, keys.opening[keys.newest])


def test_without_its_slaps_a_capture_is_neither_printed_nor_sealed(
    kit: Kit, desk: CaptureDesk, draft: str, centre_keys: CentreKeys
) -> None:
    assert (desk.draft(draft).state, desk.draft(draft).missing) == (DraftState.DRAFT, SLAP_ITEMS)
    with pytest.raises(TransitionRefused):
        desk.print_form(draft)
    seen = desk.keep_all(draft, SLAPS)
    assert (seen.state, seen.exceptions) == (DraftState.CAPTURED, ())
    assert {item: each.fingers for item, each in seen.tried_slaps.items()} == {
        RIGHT: (2, 3, 4, 5),
        LEFT: (10, 9, 8, 7),
        THUMBS: (6, 1),
    }
    packet = opened(kit, sealed(desk, draft), centre_keys)
    assert set(SLAP_ITEMS) <= packet.blobs.keys()
    told = {each.item: each for each in packet.particulars.prints or ()}
    assert [told[item] for item in SLAP_ITEMS] == [PrintTaken(item, (GOOD,)) for item in SLAP_ITEMS]


def test_before_their_day_slaps_may_be_taken_and_nothing_waits_for_them(pages: KitPages) -> None:
    pages.kit.database.close()
    renew_profile(pages.bench.folder, slap_scanner=True)
    desk = desk_of(pages.bench.open())
    draft = desk.begin(declared()).id
    seen = desk.keep_all(draft, [PORTRAIT, *PRINTS])
    assert (seen.state, seen.slaps) == (DraftState.CAPTURED, SLAP_ITEMS)


def test_a_kit_without_a_scanner_for_them_says_so_itself_and_a_supervisor_answers(
    pages: KitPages, centre_keys: CentreKeys
) -> None:
    kit = equipped(pages, slap_scanner=False)
    desk = desk_of(kit)
    draft = desk.begin(declared()).id
    seen = desk.keep_all(draft, [PORTRAIT, *PRINTS])
    stated = (CaptureException(ALL_SLAPS, NO_SLAP_SCANNER),)
    assert (seen.state, seen.exceptions) == (DraftState.CAPTURED, stated)
    with pytest.raises(PacketSupervisorMissing):
        sealed(desk, draft)
    packet = opened(kit, sealed(desk, draft, CHIEF_ANSWERS), centre_keys)
    assert packet.particulars.exceptions == stated


def test_slaps_that_come_all_the_same_take_that_reason_away(pages: KitPages) -> None:
    desk = desk_of(equipped(pages, slap_scanner=False))
    draft = desk.begin(declared()).id
    desk.keep_all(draft, [PORTRAIT, *PRINTS])
    seen = desk.keep_all(draft, SLAPS)
    assert (seen.exceptions, seen.missing) == ((), ())
    for item in SLAP_ITEMS[:2]:
        assert desk.drop(draft, item).exceptions == ()
    assert desk.drop(draft, THUMBS).exceptions == (CaptureException(ALL_SLAPS, NO_SLAP_SCANNER),)


def test_the_scanner_is_declared_by_a_command(pages: KitPages, capsys: pytest.CaptureFixture[str]) -> None:
    pages.kit.database.close()
    place = ["--folder", str(pages.bench.folder), "--store-key", str(pages.bench.store_key)]
    for said, has_scanner in (("yes", True), (None, True), ("no", False)):
        assert main(["renew", *place, *(["--slap-scanner", said] if said else [])]) == 0
        assert pages.bench.open().profile.slap_scanner is has_scanner
    assert "CC01/2024" in capsys.readouterr().out


def test_a_kit_whose_form_knows_of_no_slaps_is_told_to_renew_it(pages: KitPages) -> None:
    form, day = pages.kit.profile.form, NOW.date()
    assert form.prints is not None
    before = msgspec.structs.replace(form, prints=msgspec.structs.replace(form.prints, slaps=None))
    assert (is_current(form, day), is_current(before, day)) == (True, False)


def test_of_whom_no_prints_can_be_taken_no_slap_is_asked(pages: KitPages) -> None:
    desk = desk_of(equipped(pages, slap_scanner=False))
    draft = desk.begin(declared()).id
    desk.keep_all(draft, [PORTRAIT])
    both = desk.state_exception(draft, "fingerprints", "NO_SCANNER")
    assert both.exceptions == (CaptureException("fingerprints", "NO_SCANNER"),)
    assert both.state is DraftState.CAPTURED


def test_a_slap_that_cannot_be_cut_is_refused_alone_and_counted(desk: CaptureDesk, draft: str) -> None:
    for attempt in (1, 2):
        with pytest.raises(FieldsRefused) as refused:
            desk.keep_all(draft, [slap(RIGHT, 3), slap(LEFT)])
        assert refused.value.fields == {RIGHT: "SLAP_MISCOUNTED"}
        seen = desk.draft(draft)
        assert seen.missing == (RIGHT, THUMBS), "the other one is kept"
        assert (seen.tried_slaps[RIGHT].scores, seen.tried_slaps[LEFT].scores) == (
            (0,) * attempt,
            (GOOD,) * attempt,
        )
    desk.keep(draft, RIGHT, PRINT_TYPE, slap(RIGHT).content)
    with pytest.raises(FieldsRefused):
        desk.keep(draft, RIGHT, PRINT_TYPE, slap(RIGHT, 3).content)
    seen = desk.draft(draft)
    assert desk.content(draft, RIGHT) == slap(RIGHT).content, "what stood before stands"
    assert (seen.missing, seen.tried_slaps[RIGHT].scores) == ((THUMBS,), (0, 0, GOOD, 0))
    with pytest.raises(FieldsRefused) as refused:
        desk.keep(draft, THUMBS, PRINT_TYPE, encoded(np.full((100, 100), 250, np.uint8)))
    assert refused.value.fields == {THUMBS: "PRINT_NOT_PICTURE"}
    assert THUMBS not in desk.draft(draft).tried_slaps, "no attempt"


def test_a_slap_is_dropped_and_its_attempts_stay(desk: CaptureDesk, draft: str) -> None:
    desk.keep_all(draft, SLAPS)
    dropped = desk.drop(draft, LEFT)
    assert (dropped.state, dropped.missing) == (DraftState.DRAFT, (LEFT,))
    assert (dropped.tried_slaps[LEFT].scores, dropped.tried_slaps[LEFT].fingers) == ((GOOD,), ())


def test_a_finger_with_a_reason_need_not_be_in_its_slap_and_all_of_them_excuse_it(
    desk: CaptureDesk, draft: str
) -> None:
    desk.drop(draft, "finger_03")
    desk.state_exception(draft, "finger_03", "FINGER_BANDAGED")
    seen = desk.keep_all(draft, [slap(RIGHT, 3), *SLAPS[1:]])
    assert (seen.missing, seen.tried_slaps[RIGHT].fingers) == ((), (2, 4, 5))
    again = desk.keep(draft, "finger_03", PRINT_TYPE, cheap_print(3))
    assert again.missing == (RIGHT,), "the finger is here after all, and the slap does not show it"
    desk.drop(draft, RIGHT)
    for finger in FINGER_ITEMS[1:5]:
        desk.drop(draft, finger)
        seen = desk.state_exception(draft, finger, "FINGER_BANDAGED")
    assert (seen.missing, seen.state) == ((), DraftState.CAPTURED)


def test_a_hand_that_cannot_be_laid_flat_has_its_reason(desk: CaptureDesk, draft: str) -> None:
    desk.keep_all(draft, SLAPS[1:])
    with pytest.raises(FieldsRefused) as refused:
        desk.state_exception(draft, RIGHT, NO_SLAP_SCANNER)
    assert refused.value.fields == {RIGHT: "EXCEPTION_UNKNOWN"}
    with pytest.raises(FieldsRefused) as refused:
        desk.state_exception(draft, LEFT, "HAND_NOT_FLAT")
    assert refused.value.fields == {LEFT: "EXCEPTION_CONTRADICTED"}
    seen = desk.state_exception(draft, RIGHT, "HAND_NOT_FLAT")
    assert (seen.missing, seen.exceptions) == ((), (CaptureException(RIGHT, "HAND_NOT_FLAT"),))
    assert desk.keep(draft, RIGHT, PRINT_TYPE, slap(RIGHT).content).exceptions == ()


def test_a_scanner_that_is_broken_today_is_stated_for_all_slaps(desk: CaptureDesk, draft: str) -> None:
    desk.state_exception(draft, RIGHT, "HAND_NOT_FLAT")
    seen = desk.state_exception(draft, ALL_SLAPS, NO_SLAP_SCANNER)
    assert (seen.missing, seen.exceptions) == ((), (CaptureException(ALL_SLAPS, NO_SLAP_SCANNER),))


def answering(kit: Kit, keys: CentreKeys, *items: str) -> str:
    """A capture that answers a return of these items."""
    returned = returned_capture(kit, 0, "ab" * 32, items=items, codes=("SLAP_MISCOUNTED",))
    Returns(kit).keep(sealed_returns(kit, keys.receipts, returned))
    return desk_of(kit).answer(returned.dossier).id


def test_a_slap_that_was_returned_is_taken_again_and_nothing_else(
    kit: Kit, desk: CaptureDesk, centre_keys: CentreKeys
) -> None:
    draft = answering(kit, centre_keys, RIGHT)
    seen = desk.draft(draft)
    assert (seen.missing, seen.fingers, seen.slaps) == ((RIGHT,), (), (RIGHT,))
    for other in (slap(LEFT), PRINTS[0]):
        with pytest.raises(FieldsRefused) as refused:
            desk.keep_all(draft, [other])
        assert refused.value.fields == {other.item: "ITEM_NOT_RETURNED"}
    with pytest.raises(FieldsRefused):
        desk.state_exception(draft, "finger_08", "FINGER_BANDAGED")
    desk.state_exception(draft, "finger_03", "FINGER_BANDAGED")
    assert desk.keep_all(draft, [slap(RIGHT, 3)]).missing == ()
    packet = opened(kit, sealed(desk, draft, CHIEF_ANSWERS), centre_keys)
    assert packet.blobs.keys() == {RIGHT, CITIZEN_SIGNATURE}


def test_a_kit_without_the_scanner_answers_such_a_return_with_its_reason(
    pages: KitPages, centre_keys: CentreKeys
) -> None:
    desk = desk_of(kit := equipped(pages, slap_scanner=False))
    seen = desk.draft(answering(kit, centre_keys, RIGHT))
    assert (seen.missing, seen.exceptions) == ((), (CaptureException(ALL_SLAPS, NO_SLAP_SCANNER),))


# -- the page


@pytest.fixture
def browser(pages: KitPages, kit: Kit) -> Browser:
    return replace(pages, kit=kit, app=create_kit_app(kit, None, pages.sticks)).sign_in()


def what(code: str) -> str:
    return html.escape(fault_catalogue()[code].vi.what, quote=False)


def test_the_page_draws_each_slap_and_takes_one_again(browser: Browser, desk: CaptureDesk) -> None:
    draft = begun(browser)
    keep(browser, draft, "portrait", picture())
    address = f"{draft}/fingerprints"
    kept = keep_prints(browser, draft, {each.item: each.content for each in PRINTS})
    assert kept.headers["Location"] == address, "slaps are missing"
    assert browser.get(address).get_data(as_text=True).count("finger finger-missing") == 10
    answer = keep_prints(browser, draft, {LEFT: slap(LEFT).content, RIGHT: slap(RIGHT, 3).content})
    page = answer.get_data(as_text=True)
    assert (answer.status_code, text(answer).count(what("SLAP_MISCOUNTED"))) == (422, 1)
    assert (page.count("finger finger-taken"), page.count("finger finger-missing")) == (14, 6)
    files = {RIGHT: (io.BytesIO(slap(RIGHT).content), "any.png")}
    assert browser.post(address, files, page=address).status_code == 303
    words = text(browser.get(address))
    assert "Đã tách được: Ngón trỏ phải, Ngón giữa phải, Ngón nhẫn phải, Ngón út phải." in words
    assert "Số lần đã lấy: 2" in words
    stated = {"item": THUMBS, "code": "HAND_NOT_FLAT"}
    assert browser.post(f"{draft}/exceptions", stated, page=address).headers["Location"] == f"{draft}/form"
    gone = browser.post(f"{draft}/items/{LEFT}/removal", page=address)
    assert (gone.headers["Location"], desk.drafts()[0].missing) == (address, (LEFT,))


def test_the_page_of_an_answer_shows_the_one_slap(
    kit: Kit, browser: Browser, centre_keys: CentreKeys
) -> None:
    draft = f"/drafts/{answering(kit, centre_keys, THUMBS)}"
    address = f"{draft}/fingerprints"
    assert browser.get(draft).headers["Location"] == address
    page = browser.get(address).get_data(as_text=True)
    assert (page.count("finger finger-missing"), 'name="finger_01"' in page) == (2, False)
    assert 'value="finger_06"' in page, "a thumb may have a reason"
    assert keep_prints(browser, draft, {THUMBS: slap(THUMBS).content}).headers["Location"] == f"{draft}/form"


def test_the_page_of_a_kit_without_the_scanner_shows_the_reason(pages: KitPages) -> None:
    kit = equipped(pages, slap_scanner=False)
    browser = replace(pages, kit=kit, app=create_kit_app(kit, None, pages.sticks)).sign_in()
    draft = begun(browser)
    keep(browser, draft, "portrait", picture())
    keep_prints(browser, draft)
    words = text(browser.get(f"{draft}/fingerprints"))
    assert words.count("Nơi thu nhận không có máy lấy nhiều ngón cùng lúc") == 4
