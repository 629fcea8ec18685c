"""What a kit states of fee and older card when it seals: computed, signed, and printed on the slip."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from enrollment_admin.station.capture_steps import DraftState
from issuance_backend.dossiers.intake.centre_keys import CentreKeys
from tests.support.engines import Sqlite
from tests.support.issuance_office import REASON, make_office, picture
from tests.support.kit_at_office import KitAtOffice, kit_at_office
from tests.support.kit_bench import PASSPHRASE
from tests.support.kit_bench import captured as captured_at_desk
from tests.support.kit_pages_bench import Browser, KitPages, captured, seal
from tests.support.office_pages import text
from verification.errors import FieldsRefused
from verification.messages.capture_terms import FIRST_CARD, CaptureTerms, OldCard, Reason, StatedTerms
from verification.messages.enrollment_packet import PacketParticulars, from_file, open_packet, parse_packet
from verification.messages.fault_catalogue import fault

LOST = StatedTerms(Reason.LOST, OldCard.LOST, None, "BL-7")
SAID = {"fee_reason": "lost", "old_card": "lost", "receipt": "BL-7"}


@pytest.fixture
def stand(tmp_path: Path, office_pki: Path) -> Iterator[KitAtOffice]:
    """What a kit states does not depend on the office's engine."""
    with kit_at_office(make_office(tmp_path, office_pki, Sqlite(tmp_path)), tmp_path / "kits") as stand:
        yield stand


def sealed_in(pages: KitPages, keys: CentreKeys, packet: str) -> PacketParticulars:
    metadata, content = from_file(pages.kit.packets.read(packet))
    return open_packet(parse_packet(metadata), content, keys.opening[keys.newest]).particulars


@pytest.mark.parametrize(
    ("stated", "amount", "schedule"),
    [(FIRST_CARD, 0, "2025-2"), (LOST, 35_000, "2025-2")],
)
def test_the_kit_computes_the_fee_and_seals_it(
    pages: KitPages, centre_keys: CentreKeys, stated: StatedTerms, amount: int, schedule: str
) -> None:
    desk = pages.desk()
    draft = captured_at_desk(desk)
    sealed = desk.seal(draft, PASSPHRASE, "vi", None, stated)
    terms = CaptureTerms(stated.reason, schedule, amount, stated.old_card, None, stated.receipt)
    assert sealed.terms == sealed_in(pages, centre_keys, sealed.packet).terms == terms
    slip = desk.draft(draft).terms
    assert slip is not None
    assert (slip.amount, slip.old_card, slip.receipt) == (amount, stated.old_card, stated.receipt)


def test_what_cannot_be_takes_no_number(pages: KitPages) -> None:
    desk = pages.desk()
    draft = captured_at_desk(desk)
    with pytest.raises(FieldsRefused) as refused:
        desk.seal(draft, PASSPHRASE, "vi", None, msgspec.structs.replace(LOST, receipt=None))
    assert refused.value.fields == {"receipt": "FEE_RECEIPT_MISSING"}
    assert desk.draft(draft).state is DraftState.FORM_CHECKED
    assert desk.seal(draft, PASSPHRASE, "vi", None, LOST).sequence == 1


def test_the_page_asks_for_the_reason_and_the_slip_says_the_fee(pages: KitPages, lan: Browser) -> None:
    draft = captured(lan)
    assert "35.000" in text(lan.get(f"{draft}/seal"))
    without = seal(lan, draft, fee_reason="", old_card="")
    assert without.status_code == 422
    assert 'id="fee_reason-fault"' in text(without)
    unpaid = seal(lan, draft, **{**SAID, "receipt": ""})
    assert fault("FEE_RECEIPT_MISSING").vi.what in text(unpaid)
    assert 'value="lost" checked' in text(unpaid)
    assert seal(lan, draft, **SAID).headers["Location"] == f"{draft}/slip"
    slip = text(lan.get(f"{draft}/slip"))
    assert "35.000 đồng" in slip
    assert "BL-7" in slip
    assert "Đã mất, theo khai báo" in slip


def test_an_answer_to_a_return_states_no_fee_again(stand: KitAtOffice) -> None:
    dossier = stand.sent()
    stand.send_back(dossier, "portrait", comment="Ảnh bị mờ.")
    begun = stand.begun(dossier)
    stand.desk.keep(begun.id, "portrait", "image/jpeg", picture(2))
    stand.desk.judge_portrait(begun.id, REASON)
    sealed = stand.desk.seal(stand.printed_and_signed(begun.id), PASSPHRASE, "vi", None, LOST)
    assert (sealed.terms, stand.desk.draft(begun.id).terms) == (None, None)
