"""What the centre refuses for good is told to the kit that sealed it: which packet, why, and what to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from enrollment_admin.station.__main__ import main as command
from enrollment_admin.station.kit_pages.app import create_kit_app
from enrollment_admin.station.refusals import CapturedAlready, RefusalsInvalid, RefusalUnknown
from enrollment_admin.station.refused_packets import RefusedPackets
from issuance_backend.moments import rfc3339
from tests.support.engines import Engine
from tests.support.issuance_office import REASON, STATUS_TOKEN, make_office, picture
from tests.support.kit_at_office import KitAtOffice, kit_at_office
from tests.support.kit_bench import OFFICER, PASSPHRASE, captured, declared
from tests.support.kit_pages_bench import KitPages
from tests.support.office_pages import text
from verification.messages.fault_catalogue import fault
from verification.messages.kit_refusals import (
    MAX_LIST,
    KitRefusals,
    RefusedPacket,
    read_refusals,
    refusals_file,
    sign_refusals,
)
from verification.messages.kit_returns import SealedReturns
from verification.messages.receipt_code import receipt_code

CASE = {"case_id": "VV-1"}
REVOKED = "PACKET_SIGNER_REVOKED"


@pytest.fixture
def stand(tmp_path: Path, office_pki: Path, database_engine: Engine) -> Iterator[KitAtOffice]:
    office = make_office(tmp_path, office_pki, database_engine)
    with kit_at_office(office, tmp_path / "kits") as stand:
        yield stand


def refused(stand: KitAtOffice, draft: str) -> str:
    """The packet of a capture that was sealed after its officer's key was revoked; the case refused it."""
    stand.office.now[0] += timedelta(hours=1)
    supervisor = stand.office.sign_in("son.supervisor")
    since = rfc3339(stand.office.now[0])
    said = {"kind": "officer", "owner": OFFICER, "revoked_at": since, **CASE}
    assert supervisor.post("/v1/packet-signers/revocation", said).status_code == 200
    sealed = stand.desk.seal(draft, PASSPHRASE, "vi")
    assert stand.outbox.send(stand.centre).receipted == (sealed.sequence,)
    refuse(stand, sealed.packet)
    return sealed.packet


def refuse(stand: KitAtOffice, packet: str) -> None:
    supervisor = stand.office.sign_in("son.supervisor")
    path = f"/v1/doubtful-packets/{packet}/decision"
    assert supervisor.post(path, {**CASE, "is_accepted": False}).status_code == 200


def ready(stand: KitAtOffice, index: int = 0) -> str:
    draft = captured(stand.desk, index)
    stand.desk.judge_portrait(draft, REASON)
    return draft


def test_a_packet_that_a_case_refused_is_told_until_an_officer_has_seen_to_it(stand: KitAtOffice) -> None:
    stand.sent(1)
    draft = ready(stand)
    packet = refused(stand, draft)
    here = RefusedPackets(stand.kit)
    assert here.standing() == ()
    assert stand.returns.fetch(stand.centre) is False, "nothing of it is captured again item by item"
    (told,) = here.standing()
    assert (told.packet, told.sequence, told.code) == (packet, 2, REVOKED)
    assert (f"kit-007-{told.draft}", told.is_captured_again) == (draft, True)
    assert told.refused_at.startswith(stand.office.now[0].isoformat()[:16])
    stand.desk.begin(declared())
    other = stand.another("kit-008")
    other.returns.fetch(other.centre)
    assert RefusedPackets(other.kit).standing() == ()
    answered = other.centre.returns(other.kit.extract_request()).refused
    assert answered is not None
    assert read_refusals(answered, other.kit.receipt_keys(), "kit-008").refused == (), "not its packet"
    with pytest.raises(RefusalUnknown):
        here.see_to("ab" * 32, OFFICER)
    here.see_to(packet, OFFICER)
    with pytest.raises(RefusalUnknown):
        here.see_to(packet, OFFICER)
    stand.returns.fetch(stand.centre)
    assert here.standing() == (), "told once more, it is seen to all the same"


def test_a_refused_answer_leaves_the_return_to_be_answered(stand: KitAtOffice) -> None:
    dossier = stand.sent()
    stand.send_back(dossier, "portrait")
    begun = stand.begun(dossier)
    stand.desk.keep(begun.id, "portrait", "image/jpeg", picture(2))
    stand.desk.judge_portrait(begun.id, REASON)
    packet = refused(stand, stand.printed_and_signed(begun.id))
    assert stand.returns.standing() == ()
    assert stand.returns.fetch(stand.centre) is True
    assert [each.dossier for each in stand.returns.standing()] == [dossier]
    assert [each.packet for each in RefusedPackets(stand.kit).standing()] == [packet]
    again = stand.desk.answer(dossier)
    stand.returns.fetch(stand.centre)
    assert stand.returns.standing() == (), "the refusal is old: the new answer stands"
    assert stand.desk.draft(again.id).answers is not None


def test_whoever_has_another_application_is_not_captured_again(stand: KitAtOffice) -> None:
    other = stand.another("kit-008")
    other.sent()
    stand.office.now[0] += timedelta(minutes=5)
    sealed = stand.desk.seal(ready(stand), PASSPHRASE, "vi")
    stand.outbox.send(stand.centre)
    refuse(stand, sealed.packet)
    stand.returns.fetch(stand.centre)
    (told,) = RefusedPackets(stand.kit).standing()
    assert (told.code, told.is_captured_again) == ("DOSSIER_ALREADY_OPEN", False)


def listed(stand: KitAtOffice, packet: str, kit: str = "kit-007") -> KitRefusals:
    return KitRefusals(kit, (RefusedPacket(packet, 1, rfc3339(stand.office.now[0]), REVOKED),))


def test_what_nothing_can_open_is_in_hand_no_more(stand: KitAtOffice) -> None:
    """Without a receipt, nobody else could capture this person here for ever."""
    packet = stand.desk.seal(ready(stand), PASSPHRASE, "vi").packet
    with pytest.raises(CapturedAlready):
        stand.desk.begin(declared())
    here = RefusedPackets(stand.kit)
    assert here.keep(sign_refusals(listed(stand, "ab" * 32), stand.receipts_key())) is False
    assert here.keep(sign_refusals(listed(stand, packet), stand.receipts_key())) is True
    assert here.keep(sign_refusals(listed(stand, packet), stand.receipts_key())) is False
    stand.desk.begin(declared())


def test_a_list_of_nobody_s_making_is_refused(stand: KitAtOffice, tmp_path: Path) -> None:
    packet = stand.desk.seal(ready(stand), PASSPHRASE, "vi").packet
    here, centre = RefusedPackets(stand.kit), stand.receipts_key()
    good = sign_refusals(listed(stand, packet), centre)
    forged = sign_refusals(listed(stand, packet), ec.generate_private_key(ec.SECP256R1()))
    others = sign_refusals(listed(stand, packet, "kit-008"), centre)
    for bad in (forged, others, f"{good[:-8]}AAAAAAAA", "", "é", "x" * (MAX_LIST + 1)):
        with pytest.raises(RefusalsInvalid):
            here.keep(bad)
    assert (here.take(tmp_path), here.standing()) == (False, ())
    brought = tmp_path / refusals_file("kit-007")
    brought.write_text(good + "x" * MAX_LIST)
    with pytest.raises(RefusalsInvalid):
        here.take(tmp_path)
    brought.write_text(good)
    assert (here.take(tmp_path), len(here.standing()), here.take(tmp_path)) == (True, 1, False)


class ReturnsOfBefore(msgspec.Struct, frozen=True):
    """What a kit of before reads."""

    returns: str


def test_kits_and_centres_of_before_understand_each_other(stand: KitAtOffice) -> None:
    packet = refused(stand, ready(stand))
    answered = stand.centre.returns(stand.kit.extract_request())
    former = msgspec.json.decode(msgspec.json.encode(answered), type=ReturnsOfBefore)
    assert stand.returns.keep(former.returns)
    assert packet not in former.returns
    of_before = msgspec.json.decode(msgspec.json.encode(former), type=SealedReturns)
    assert (of_before.refused, RefusedPackets(stand.kit).keep(of_before.refused)) == (None, False)


def test_the_pages_say_which_why_and_what_to_do(stand: KitAtOffice, tmp_path: Path) -> None:
    packet = refused(stand, ready(stand))
    app = create_kit_app(stand.kit, stand.centre, tmp_path)
    pages = KitPages(stand.kit, app, tmp_path, stand.bench)
    lan, english = pages.sign_in(), pages.sign_in(language="en")
    shown = lan.done("/outbox/returns", page="/outbox")
    for said in (
        "Trung tâm từ chối",
        "kit-007-1",
        receipt_code(packet),
        fault(REVOKED).vi.what,
        "Mời công dân",
    ):
        assert said in shown
    assert "Không thu nhận lại" not in shown
    in_english = text(english.get("/"))
    for said in ("Refused by the centre", fault(REVOKED).en.what, "Ask the citizen to come"):
        assert said in in_english
    assert packet not in lan.done(f"/refused/{packet}", page="/")
    assert "Trung tâm từ chối" not in text(lan.get("/"))
    gone = lan.post(f"/refused/{packet}", page="/outbox")
    assert (gone.status_code, fault("KIT_REFUSAL_UNKNOWN").vi.what in text(gone)) == (403, True)


def test_a_stick_brings_it_to_the_pages(stand: KitAtOffice, tmp_path: Path) -> None:
    packet = refused(stand, ready(stand))
    stick = tmp_path / "sticks" / "usb"
    stick.mkdir(parents=True)
    answered = stand.centre.returns(stand.kit.extract_request())
    assert answered.refused is not None
    (stick / refusals_file("kit-007")).write_text(answered.refused)
    app = create_kit_app(stand.kit, stand.centre, tmp_path / "sticks")
    lan = KitPages(stand.kit, app, tmp_path, stand.bench).sign_in()
    assert "Đã nhận những gì thẻ nhớ mang về" in lan.done("/outbox/import", {"stick": "usb"}, page="/outbox")
    assert receipt_code(packet) in text(lan.get("/"))
    assert "Thẻ nhớ không có gì mới" in lan.done("/outbox/import", {"stick": "usb"}, page="/outbox")


def test_a_command_tells_it_in_both_languages(
    stand: KitAtOffice, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packet = refused(stand, ready(stand))
    (tmp_path / "token").write_text(STATUS_TOKEN)
    # A command asks the machine's clock.
    stand.office.now[0] = datetime.now(UTC)
    where = ("--folder", stand.bench.folder, "--store-key", stand.bench.store_key)

    def kit(*more: object, done: int = 0) -> Any:
        assert command([str(each) for each in ("refused", *where, *more)]) == done
        return json.loads(capsys.readouterr().out or "null")

    (told,) = kit("--url", stand.url, "--token-file", tmp_path / "token")
    assert (told["draft"], told["receipt_code"], told["code"]) == ("kit-007-1", receipt_code(packet), REVOKED)
    assert told["why"] == {"vi": fault(REVOKED).vi.what, "en": fault(REVOKED).en.what}
    assert told["capture_again"] is True
    kit("--seen-to", packet, done=1)
    assert kit("--seen-to", packet, "--officer", OFFICER) == []
    kit("--seen-to", packet, "--officer", OFFICER, done=1)
