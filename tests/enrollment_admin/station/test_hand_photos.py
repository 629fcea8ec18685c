"""A finger that is missing for good: a photograph of the hand goes with its reason (F02)."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from PIL import Image

from enrollment_admin.station.capture_desk import CaptureDesk
from enrollment_admin.station.capture_rules import Captured
from enrollment_admin.station.capture_steps import DraftState
from enrollment_admin.station.kit import Kit
from enrollment_admin.station.kit_pages.app import create_kit_app
from enrollment_admin.station.returns import Returns
from enrollment_admin.station.sealing import Answering
from issuance_backend.dossiers.intake.centre_keys import CentreKeys
from tests.support.issuance_office import picture
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
from tests.support.kit_pages_bench import KitPages, begun, keep, keep_prints, signature
from tests.support.office_pages import text
from verification.errors import FieldsRefused
from verification.messages.enrollment_packet import (
    CITIZEN_SIGNATURE,
    from_file,
    open_packet,
    parse_packet,
)
from verification.messages.hand_photos import LEFT, MAX_BYTES, RIGHT

PHOTO = picture(3)
PORTRAIT = Captured("portrait", "image/jpeg", picture())


@pytest.fixture
def kit(pages: KitPages) -> Kit:
    """A kit on the day from which photographs are asked; it takes one finger at a time."""
    pages.bench.pass_time(10 * 24 * 3600)
    return pages.kit


@pytest.fixture
def desk(kit: Kit) -> CaptureDesk:
    return desk_of(kit)


@pytest.fixture
def draft(desk: CaptureDesk) -> str:
    """A capture of somebody without the right middle finger."""
    draft = desk.begin(declared()).id
    desk.keep_all(draft, [PORTRAIT, *(each for each in PRINTS if each.item != "finger_03")])
    desk.state_exception(draft, "finger_03", "FINGER_MISSING")
    return draft


def test_the_hand_that_lacks_a_finger_is_photographed_and_sealed(
    kit: Kit, desk: CaptureDesk, draft: str, centre_keys: CentreKeys
) -> None:
    seen = desk.draft(draft)
    assert (seen.hand_photos, seen.missing) == ((RIGHT,), (RIGHT,))
    assert desk.keep(draft, RIGHT, "image/jpeg", PHOTO).state is DraftState.CAPTURED
    desk.print_form(draft)
    desk.keep(draft, CITIZEN_SIGNATURE, "image/png", SIGNED)
    sealed = desk.seal(draft, PASSPHRASE, "vi", Answering(CHIEF, CHIEFS_PASSPHRASE))
    metadata, content = from_file(kit.packets.read(sealed.packet))
    opened = open_packet(parse_packet(metadata), content, centre_keys.opening[centre_keys.newest])
    assert opened.blobs[RIGHT] == PHOTO


def test_before_that_day_and_for_a_finger_that_heals_none_is_asked(pages: KitPages) -> None:
    desk = pages.desk()
    draft = desk.begin(declared()).id
    assert desk.state_exception(draft, "finger_03", "FINGER_MISSING").hand_photos == ()
    pages.bench.pass_time(10 * 24 * 3600)
    assert desk.draft(draft).hand_photos == (RIGHT,)
    assert desk.state_exception(draft, "finger_03", "FINGER_BANDAGED").hand_photos == ()
    assert desk.state_exception(draft, "finger_06", "FINGER_MISSING").hand_photos == (LEFT,)
    assert desk.state_exception(draft, "fingerprints", "HANDS_MISSING").hand_photos == (LEFT, RIGHT)


def big() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (2400, 2000)).save(out, "JPEG")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (PRINTS[0].content, "HAND_PHOTO_NOT_JPEG"),
        (b"\xff\xd8\xff and nothing else", "HAND_PHOTO_NOT_JPEG"),
        (PHOTO + bytes(MAX_BYTES), "HAND_PHOTO_TOO_LARGE"),
        (big(), "HAND_PHOTO_TOO_LARGE"),
    ],
)
def test_what_is_no_photograph_is_refused(desk: CaptureDesk, draft: str, content: bytes, code: str) -> None:
    with pytest.raises(FieldsRefused) as refused:
        desk.keep(draft, RIGHT, "image/jpeg", content)
    assert refused.value.fields == {RIGHT: code}
    assert desk.draft(draft).missing == (RIGHT,)


def test_no_hand_is_photographed_without_a_reason_and_none_is_kept(desk: CaptureDesk, draft: str) -> None:
    with pytest.raises(FieldsRefused) as refused:
        desk.keep(draft, LEFT, "image/jpeg", PHOTO)
    assert refused.value.fields == {LEFT: "HAND_PHOTO_NEEDLESS"}
    desk.keep(draft, RIGHT, "image/jpeg", PHOTO)
    seen = desk.keep_all(draft, [each for each in PRINTS if each.item == "finger_03"])
    assert RIGHT not in {each.name for each in seen.items}, "the finger is there after all"


def test_a_photograph_that_was_returned_is_taken_again_alone(
    kit: Kit, desk: CaptureDesk, centre_keys: CentreKeys
) -> None:
    returned = returned_capture(kit, 0, "ab" * 32, items=(LEFT,), codes=("HAND_PHOTO_MISSING",))
    Returns(kit).keep(sealed_returns(kit, centre_keys.receipts, returned))
    draft = desk.answer(returned.dossier).id
    assert desk.draft(draft).missing == (LEFT,)
    assert desk.keep(draft, LEFT, "image/jpeg", PHOTO).state is DraftState.CAPTURED


def test_the_page_asks_for_it_and_the_supervisor_sees_it(pages: KitPages, kit: Kit) -> None:
    browser = replace(pages, app=create_kit_app(kit, None, pages.sticks)).sign_in()
    draft = begun(browser)
    keep(browser, draft, "portrait", picture())
    keep_prints(browser, draft, {each.item: each.content for each in PRINTS if each.item != "finger_03"})
    address = f"{draft}/fingerprints"
    stated = {"item": "finger_03", "code": "FINGER_MISSING"}
    assert browser.post(f"{draft}/exceptions", stated, page=address).headers["Location"] == address
    assert "Ảnh bàn tay phải" in text(browser.get(address))
    files = {RIGHT: (io.BytesIO(PRINTS[0].content), "hand.jpg")}
    assert browser.post(address, files, page=address).status_code == 422
    files = {RIGHT: (io.BytesIO(PHOTO), "hand.jpg")}
    assert browser.post(address, files, page=address).headers["Location"] == f"{draft}/form"
    shown = f"{draft}/items/{RIGHT}"
    assert (browser.get(shown).data, browser.get(shown).content_type) == (PHOTO, "image/jpeg")
    browser.post(f"{draft}/form", page=f"{draft}/form")
    keep(browser, draft, "signature", signature())
    assert shown in browser.get(f"{draft}/seal").get_data(as_text=True)
