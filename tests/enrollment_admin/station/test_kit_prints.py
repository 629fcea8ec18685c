"""Prints at a kit: each finger that the form asks is here or has its reason before a form is printed."""

from __future__ import annotations

import html
import io
from datetime import timedelta

import pytest
from PIL import Image

from enrollment_admin.station.capture_desk import CaptureDesk
from enrollment_admin.station.capture_rules import Captured
from enrollment_admin.station.capture_steps import DraftState
from enrollment_admin.station.gate import Declaration, GateAnswer
from enrollment_admin.station.kit import Kit, renew_profile
from enrollment_admin.station.refusals import CaptureUnknown
from enrollment_admin.station.scanned_prints import finger_of, scanned
from enrollment_admin.station.sealing import Answering
from issuance_backend.dossiers.forms.catalogue import packaged_forms
from tests.support.cheap_prints import cheap_print, cheap_prints
from tests.support.issuance_office import NOW, picture
from tests.support.kit_bench import (
    CHIEF,
    CHIEFS_PASSPHRASE,
    PASSPHRASE,
    PRINTS,
    SIGNED,
    captured,
    declared,
    desk_of,
    gate,
)
from tests.support.kit_pages_bench import KitPages, begun, keep, keep_prints, seal, signature
from tests.support.office_pages import Browser, text
from verification.errors import FieldsRefused, TransitionRefused
from verification.messages.asked_prints import FINGER_ITEMS
from verification.messages.enrollment_packet import CITIZEN_SIGNATURE, CaptureException
from verification.messages.fault_catalogue import fault_catalogue
from verification.messages.refusals import PacketSupervisorMissing

PORTRAIT = Captured("portrait", "image/jpeg", picture())


@pytest.fixture
def desk(pages: KitPages) -> CaptureDesk:
    return pages.desk()


def what(code: str) -> str:
    return html.escape(fault_catalogue()[code].vi.what, quote=False)


# -- the desk


def test_a_capture_without_a_finger_is_neither_printed_nor_sealed(desk: CaptureDesk) -> None:
    draft = desk.begin(declared()).id
    seen = desk.keep_all(draft, [PORTRAIT, *PRINTS[:9]])
    assert (seen.state, seen.missing) == (DraftState.DRAFT, ("finger_10",))
    with pytest.raises(TransitionRefused):
        desk.print_form(draft)
    assert desk.state_exception(draft, "finger_10", "FINGER_WORN").state is DraftState.CAPTURED
    desk.print_form(draft)
    desk.keep(draft, CITIZEN_SIGNATURE, "image/png", SIGNED)
    with pytest.raises(PacketSupervisorMissing):
        desk.seal(draft, PASSPHRASE, "vi")
    assert desk.seal(draft, PASSPHRASE, "vi", Answering(CHIEF, CHIEFS_PASSPHRASE)).sequence == 1


def test_several_prints_are_kept_together_or_not_at_all(desk: CaptureDesk) -> None:
    draft = desk.begin(declared()).id
    with pytest.raises(FieldsRefused):
        desk.keep_all(draft, [*PRINTS, Captured("finger_02", "image/png", b"")])
    assert desk.draft(draft).items == ()


def test_a_reason_for_both_hands_stands_alone_and_goes_with_the_first_print(desk: CaptureDesk) -> None:
    draft = desk.begin(declared()).id
    desk.state_exception(draft, "finger_02", "FINGER_MISSING")
    both = desk.state_exception(draft, "fingerprints", "HANDS_MISSING")
    assert both.exceptions == (CaptureException("fingerprints", "HANDS_MISSING"),)
    assert both.missing == ("portrait",)
    one = desk.state_exception(draft, "finger_02", "FINGER_MISSING")
    assert one.exceptions == (CaptureException("finger_02", "FINGER_MISSING"),)
    desk.state_exception(draft, "fingerprints", "HANDS_MISSING")
    after = desk.keep_all(draft, PRINTS[:1])
    assert (after.exceptions, after.missing) == ((), ("portrait", *FINGER_ITEMS[1:]))


def test_a_print_of_another_finger_is_taken_away(desk: CaptureDesk) -> None:
    draft = captured(desk)
    after = desk.drop(draft, "finger_07")
    assert (after.state, after.missing, after.printed) == (DraftState.DRAFT, ("finger_07",), None)
    with pytest.raises(CaptureUnknown):
        desk.drop(draft, "finger_07")


def test_of_a_child_below_six_no_print_is_taken_and_none_is_asked(pages: KitPages) -> None:
    six = NOW.date().replace(year=NOW.year - 6)
    child = Declaration(declared().citizen_number, "Trẻ Nhỏ", six + timedelta(days=1), "F")
    desk = CaptureDesk(pages.kit, "lan.capture", _known)
    draft = desk.begin(child)
    assert (draft.fingers, set(draft.missing) & set(FINGER_ITEMS)) == ((), set())
    with pytest.raises(FieldsRefused) as refused:
        desk.keep_all(draft.id, PRINTS)
    assert set(refused.value.fields.values()) == {"PRINT_NOT_TAKEN_AT_THIS_AGE"}
    assert desk.draft(draft.id).items == ()
    pages.bench.pass_time(24 * 3600)
    assert desk.draft(draft.id).fingers == FINGER_ITEMS, "the birthday has come"


def _known(said: Declaration) -> GateAnswer:
    """The gate's answer to a child whom the registry has."""
    found = gate(declared())
    entry = found.person
    assert entry is not None
    born = {"date_of_birth": said.date_of_birth.isoformat()}
    person = type(entry.person)(**{**_fields(entry.person), **born})
    return GateAnswer((), person=type(entry)(**{**_fields(entry), "person": person}))


def _fields(held: object) -> dict[str, object]:
    return {name: getattr(held, name) for name in held.__struct_fields__}  # type: ignore[attr-defined]


def test_a_form_that_asks_more_than_is_here_is_not_sealed(pages: KitPages) -> None:
    """A draft of a kit that had no prints to ask, after the edition was renewed."""
    form = pages.kit.profile.form
    kit = _with_form(pages, prints=None)
    draft = desk_of(kit).begin(declared()).id
    desk_of(kit).keep_all(draft, [PORTRAIT])
    desk_of(kit).print_form(draft)
    desk_of(kit).keep(draft, CITIZEN_SIGNATURE, "image/png", SIGNED)
    kit.database.close()
    renewed = _with_form(pages, prints=form.prints)
    with pytest.raises(TransitionRefused):
        desk_of(renewed).seal(draft, PASSPHRASE, "vi")
    assert desk_of(renewed).draft(draft).missing == FINGER_ITEMS


def _with_form(pages: KitPages, **changes: object) -> Kit:
    edition = packaged_forms().edition("CC01", NOW.date())
    kind = type(edition)
    renew_profile(pages.bench.folder, form=kind(**{**_fields(edition), **changes}))
    return pages.bench.open()


# -- a scanner's files


@pytest.mark.parametrize(
    ("name", "item"),
    [
        ("finger_02.png", "finger_02"),
        ("C:\\scan\\FINGER-7.WSQ", "finger_07"),
        ("10.png", "finger_10"),
        ("3.wsq", "finger_03"),
        ("finger_13.png", "finger_13"),
    ],
)
def test_a_file_is_named_after_its_finger(name: str, item: str) -> None:
    assert finger_of(name) == item


@pytest.mark.parametrize("name", ["thumb.png", "finger_11.png", "finger_00.png", "02 copy.png", "", ".png"])
def test_a_file_of_no_finger_is_refused(name: str) -> None:
    with pytest.raises(FieldsRefused) as refused:
        finger_of(name)
    assert refused.value.fields == {"fingerprints": "PRINT_OF_NO_FINGER"}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (picture(), "PRINT_NOT_PICTURE"),
        (b"", "PRINT_NOT_PICTURE"),
        (b"\x89PNG\r\n\x1a\n", "PRINT_NOT_PICTURE"),
        (cheap_print(1) + bytes(4 * 1024 * 1024), "PRINT_TOO_LARGE"),
    ],
)
def test_a_print_is_a_scanners_picture(content: bytes, code: str) -> None:
    with pytest.raises(FieldsRefused) as refused:
        scanned("finger_01", content)
    assert refused.value.fields == {"finger_01": code}


# -- the page


def test_the_page_shows_ten_fingers_and_asks_for_what_is_missing(pages: KitPages, lan: Browser) -> None:
    draft = begun(lan)
    keep(lan, draft, "portrait", picture())
    assert lan.get(draft).headers["Location"] == f"{draft}/fingerprints"
    shown = lan.get(f"{draft}/fingerprints").get_data(as_text=True)
    assert shown.count('class="finger finger-missing"') == 10
    assert "Luật 26/2023/QH15" in shown
    assert (
        keep_prints(lan, draft, {item: cheap_prints()[item] for item in FINGER_ITEMS[1:]}).status_code == 303
    )
    shown = lan.get(f"{draft}/fingerprints").get_data(as_text=True)
    assert (shown.count("finger finger-taken"), shown.count("finger finger-missing")) == (9, 1)
    assert lan.get(f"{draft}/form").headers["Location"] == f"{draft}/fingerprints"
    worn = {"item": "finger_01", "code": "FINGER_WORN"}
    done = lan.post(f"{draft}/exceptions", worn, page=f"{draft}/fingerprints")
    assert done.headers["Location"] == f"{draft}/form"
    page = text(lan.get(f"{draft}/fingerprints"))
    assert "Mòn, không thu được" in page
    assert "FINGER_WORN" not in page, "words, not codes"
    assert lan.get(f"{draft}/items/finger_02").content_type == "image/png"


def test_one_finger_is_taken_again_and_one_is_taken_away(pages: KitPages, lan: Browser) -> None:
    draft = begun(lan)
    keep(lan, draft, "portrait", picture())
    keep_prints(lan, draft)
    again = {"finger_04": (io.BytesIO(cheap_print(4, 1)), "any name.png")}
    assert lan.post(f"{draft}/fingerprints", again, page=f"{draft}/fingerprints").status_code == 303
    assert pages.desk().content(draft.rpartition("/")[2], "finger_04") == cheap_print(4, 1)
    gone = lan.post(f"{draft}/items/finger_04/removal", page=f"{draft}/fingerprints")
    assert gone.headers["Location"] == f"{draft}/fingerprints"
    assert pages.desk().drafts()[0].missing == ("finger_04",)


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({}, "FIELD_MISSING"),
        ({"thumb": cheap_print(1)}, "PRINT_OF_NO_FINGER"),
        ({"finger_01": picture()}, "PRINT_NOT_PICTURE"),
        ({"finger_01": bytes(5 * 1024 * 1024)}, "PRINT_TOO_LARGE"),
    ],
)
def test_what_is_no_print_is_told_on_the_page(
    pages: KitPages, lan: Browser, files: dict[str, bytes], code: str
) -> None:
    draft = begun(lan)
    keep(lan, draft, "portrait", picture())
    answer = keep_prints(lan, draft, files)
    assert (answer.status_code, what(code) in text(answer)) == (422, True)
    assert [each.name for each in pages.desk().drafts()[0].items] == ["portrait"]


def test_a_false_reason_is_told_beside_its_finger(lan: Browser) -> None:
    draft = begun(lan)
    keep(lan, draft, "portrait", picture())
    false = {"item": "finger_01", "code": "HANDS_MISSING"}
    answer = lan.post(f"{draft}/exceptions", false, page=f"{draft}/fingerprints")
    assert (answer.status_code, what("EXCEPTION_UNKNOWN") in text(answer)) == (422, True)


def test_who_has_no_hands_is_captured_with_one_reason_and_a_supervisor(pages: KitPages, lan: Browser) -> None:
    draft = begun(lan)
    keep(lan, draft, "portrait", picture())
    page = f"{draft}/fingerprints"
    assert "Không có cả hai bàn tay" in text(lan.get(page))
    none = {"item": "fingerprints", "code": "HANDS_MISSING"}
    assert lan.post(f"{draft}/exceptions", none, page=page).headers["Location"] == f"{draft}/form"
    lan.post(f"{draft}/form", page=f"{draft}/form")
    keep(lan, draft, "signature", signature())
    assert seal(lan, draft).status_code == 422
    done = seal(lan, draft, supervisor=CHIEF, supervisor_passphrase=CHIEFS_PASSPHRASE)
    assert done.headers["Location"] == f"{draft}/slip"


def test_a_plain_picture_that_is_no_file_of_a_scanner_is_not_kept(lan: Browser) -> None:
    out = io.BytesIO()
    Image.new("L", (10, 10)).save(out, "BMP")
    draft = begun(lan)
    keep(lan, draft, "portrait", picture())
    assert keep_prints(lan, draft, {"finger_01": out.getvalue()}).status_code == 422
