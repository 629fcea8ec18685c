"""The step "form checked": nothing is printed or sealed whose prints are not what was captured."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from enrollment_admin.station import form_check
from enrollment_admin.station.capture_desk import CaptureDesk
from enrollment_admin.station.capture_rules import Captured
from enrollment_admin.station.capture_steps import DraftState
from enrollment_admin.station.kit import Kit
from enrollment_admin.station.kit_store import DRAFTS, Particulars
from enrollment_admin.station.printed_form import FilledForm
from enrollment_admin.station.refusals import FormNotFaithful, FormNotJudged
from issuance_backend.dossiers.intake.centre_keys import CentreKeys
from tests.support.cheap_prints import PRINT_TYPE, cheap_print
from tests.support.issuance_office import picture
from tests.support.kit_bench import PASSPHRASE, PRINTS, SIGNED, KitBench, captured, declared, desk_of
from tests.support.kit_pages_bench import KitPages
from tests.support.office_pages import Browser, text
from tests.support.print_paths import Printer, fingers
from verification.errors import FieldsRefused, TransitionRefused
from verification.fingerprint.form_file import read_form
from verification.fingerprint.printed_form import Accepted, PrintFault
from verification.messages.asked_prints import finger_item
from verification.messages.enrollment_packet import CITIZEN_SIGNATURE, from_file, open_packet, parse_packet
from verification.messages.fault_catalogue import fault
from verification.messages.packet_intake import PacketKeyList


@pytest.fixture
def kit(tmp_path: Path, centre_keys: CentreKeys) -> Kit:
    return KitBench(tmp_path, PacketKeyList(centre_keys.opening_jwk(), centre_keys.receipts_jwk())).make()


@pytest.fixture
def desk(kit: Kit) -> CaptureDesk:
    return desk_of(kit)


def taken(desk: CaptureDesk, *changed: Captured) -> str:
    """A capture whose form only has to be printed."""
    draft = desk.begin(declared()).id
    desk.keep(draft, "portrait", "image/jpeg", picture())
    prints = {each.item: each for each in (*PRINTS, *changed)}
    desk.keep_all(draft, tuple(prints.values()))
    return draft


def encoded(page: np.ndarray, dpi: int = 500, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.fromarray(page).save(out, kind, dpi=(dpi, dpi))
    return out.getvalue()


def test_a_faithful_form_is_printed_and_what_it_was_found_to_be_travels(
    kit: Kit, desk: CaptureDesk, centre_keys: CentreKeys
) -> None:
    draft = captured(desk)
    seen = desk.draft(draft)
    assert seen.judged is not None
    assert (seen.judged.passes, [each.position for each in seen.judged.fingers]) == (True, [*range(1, 11)])
    sealed = desk.seal(draft, PASSPHRASE, "vi")
    metadata, content = from_file(kit.packets.read(sealed.packet))
    opened = open_packet(parse_packet(metadata), content, centre_keys.opening[centre_keys.newest])
    mark = opened.particulars.printed_form
    assert (mark.limits, mark.likeness) == ("digital-1", 1.0)


def test_a_form_that_would_spoil_a_print_is_not_printed_and_says_which(
    desk: CaptureDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever draws the form: here something that swaps two fingers, as a template once did."""
    draft, drawn = taken(desk), form_check.render_form

    def swapped(filled: FilledForm, accepted: Accepted) -> bytes:
        prints = {**accepted.prints, 2: accepted.prints[3], 3: accepted.prints[2]}
        return drawn(filled, Accepted(prints, accepted.reasons))

    monkeypatch.setattr(form_check, "render_form", swapped)
    with pytest.raises(FormNotFaithful):
        desk.print_form(draft)
    seen = desk.draft(draft)
    assert (seen.state, seen.printed) == (DraftState.CAPTURED, None)
    assert seen.judged is not None
    assert {each.position for each in seen.judged.fingers if each.faults} == {2, 3}
    with pytest.raises(TransitionRefused):
        desk.keep(draft, CITIZEN_SIGNATURE, "image/png", SIGNED)
    with pytest.raises(TransitionRefused):
        desk.seal(draft, PASSPHRASE, "vi")
    monkeypatch.undo()
    desk.print_form(draft)
    assert desk.draft(draft).state is DraftState.FORM_CHECKED


def test_a_print_that_is_larger_than_its_box_is_named_and_never_made_smaller(desk: CaptureDesk) -> None:
    large = encoded(np.full((900, 900), 200, np.uint8))
    draft = taken(desk, Captured(finger_item(4), PRINT_TYPE, large))
    with pytest.raises(FormNotFaithful):
        desk.print_form(draft)
    judged = desk.draft(draft).judged
    assert judged is not None
    assert [each.faults for each in judged.fingers if each.faults] == [(PrintFault.NO_ROOM,)]
    changed = desk.keep(draft, finger_item(4), PRINT_TYPE, cheap_print(4))
    assert changed.judged is None, "what was found holds for what was there"
    assert desk.print_form(draft)


def _written(kit: Kit, draft: str, **changes: object) -> None:
    """As an older program, or one with other limits, left a capture."""
    number = int(draft.rpartition("-")[2])
    with kit.database.writing() as connection:
        said: Particulars = kit.store.draft(connection, number).particulars
        kit.store.keep_particulars(connection, number, msgspec.structs.replace(said, **changes))
    assert DRAFTS.name == "drafts"


def test_without_a_judgement_of_today_nothing_is_sealed(kit: Kit, desk: CaptureDesk) -> None:
    draft = captured(desk)
    seen = desk.draft(draft)
    assert seen.judged is not None
    assert seen.printed is not None
    older = msgspec.structs.replace(seen.judged, limits="digital-0")
    bare = msgspec.structs.replace(seen.printed, limits=None, likeness=None)
    for changes in ({"judged": None, "printed": bare}, {"judged": older}, {"printed": bare}):
        _written(kit, draft, **{"judged": seen.judged, "printed": seen.printed, **changes})
        with pytest.raises(FormNotJudged):
            desk.seal(draft, PASSPHRASE, "vi")
    failed = msgspec.structs.replace(seen.judged, page=(PrintFault.PAGE_SCALED,))
    _written(kit, draft, judged=failed, printed=seen.printed)
    with pytest.raises(FormNotFaithful):
        desk.seal(draft, PASSPHRASE, "vi")
    _written(kit, draft, judged=None, printed=bare)
    desk.print_form(draft)
    desk.keep(draft, CITIZEN_SIGNATURE, "image/png", SIGNED)
    assert desk.seal(draft, PASSPHRASE, "vi").sequence == 1


def _with_real_ridges(desk: CaptureDesk) -> tuple[str, np.ndarray]:
    """A capture with prints that a scan can be judged by, and the page that was printed."""
    prints = fingers(5, (1, 2))
    kept = tuple(Captured(finger_item(place), PRINT_TYPE, encoded(each)) for place, each in prints.items())
    draft = desk.begin(declared()).id
    desk.keep(draft, "portrait", "image/jpeg", picture())
    desk.keep_all(draft, kept)
    for position in range(3, 11):
        desk.state_exception(draft, finger_item(position), "FINGER_WORN")
    return draft, read_form(desk.print_form(draft), range(1, 11)).raster


def test_a_scan_of_the_paper_is_judged_and_one_that_fails_has_to_be_printed_again(desk: CaptureDesk) -> None:
    draft, page = _with_real_ridges(desk)
    with pytest.raises(FieldsRefused) as refused:
        desk.judge_scan(draft, b"no scan")
    assert refused.value.fields == {"scan": PrintFault.PAGE_UNREADABLE}
    with pytest.raises(FieldsRefused) as refused:
        desk.judge_scan(draft, encoded(page, dpi=150))
    assert refused.value.fields == {"scan": PrintFault.PAGE_COARSE}
    good = desk.judge_scan(draft, encoded(Printer().scan(page), kind="JPEG"))
    assert good.scanned is not None
    assert (good.scanned.passes, good.state) == (True, DraftState.FORM_CHECKED)
    desk.keep(draft, CITIZEN_SIGNATURE, "image/png", SIGNED)
    bad = desk.judge_scan(draft, encoded(Printer(scale=0.97).scan(page)))
    assert bad.scanned is not None
    assert (bad.scanned.passes, bad.state, bad.printed) == (False, DraftState.CAPTURED, None)
    assert CITIZEN_SIGNATURE not in {item.name for item in bad.items}
    with pytest.raises(TransitionRefused):
        desk.judge_scan(draft, encoded(page))
    desk.print_form(draft)
    assert desk.draft(draft).scanned is None


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_page_names_each_finger_that_is_wrong_in_both_languages(pages: KitPages, language: str) -> None:
    lan = pages.sign_in(language=language)
    large = encoded(np.full((900, 900), 200, np.uint8))
    draft = f"/drafts/{taken(pages.desk(), Captured(finger_item(4), PRINT_TYPE, large))}"
    told = lan.post(f"{draft}/form", page=f"{draft}/form")
    assert told.status_code == 422
    for code in ("KIT_FORM_NOT_FAITHFUL", PrintFault.NO_ROOM):
        assert fault(code).text(language).what in text(told)
    assert {"vi": "Ngón nhẫn phải", "en": "Right ring"}[language] in text(told)
    assert fault(PrintFault.NO_ROOM).text(language).what in text(lan.get(f"{draft}/form")), (
        "and keeps saying so"
    )


def test_a_scan_is_sent_from_the_page_and_answered_on_it(pages: KitPages) -> None:
    lan = pages.sign_in()
    draft, page = _with_real_ridges(pages.desk())
    address = f"/drafts/{draft}"
    assert "Phiếu thể hiện đúng vân tay" in text(lan.get(f"{address}/form"))
    told = _scan(lan, address, encoded(page, dpi=150))
    assert (told.status_code, fault(PrintFault.PAGE_COARSE).vi.what in text(told)) == (422, True)
    assert _scan(lan, address, encoded(page)).headers["Location"] == f"{address}/form"
    assert "Bản giấy thể hiện đúng vân tay" in text(lan.get(f"{address}/form"))


def _scan(lan: Browser, address: str, content: bytes) -> object:
    return lan.post(f"{address}/scan", {"scan": (io.BytesIO(content), "scan.png")}, page=f"{address}/form")
