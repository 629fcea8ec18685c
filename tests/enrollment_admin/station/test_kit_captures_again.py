"""What the centre returns comes back to the kit that captured it, is taken again there, and goes on (F38)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from enrollment_admin.station.__main__ import main as command
from enrollment_admin.station.capture_rules import Captured
from enrollment_admin.station.capture_steps import DraftState
from enrollment_admin.station.kit_pages.app import create_kit_app
from enrollment_admin.station.refusals import CapturedAlready, ReturnsInvalid, ReturnUnknown
from enrollment_admin.station.returns import RETURNS_FILE
from issuance_backend.dossiers.intake.returns_desk import KitReturnsDesk
from issuance_backend.schema import EVENTS
from tests.support.cheap_prints import PRINT_TYPE, cheap_print
from tests.support.engines import Engine
from tests.support.issuance_office import NOW, REASON, STATUS_TOKEN, make_office, picture
from tests.support.kit_at_office import KitAtOffice, kit_at_office
from tests.support.kit_bench import OFFICER, PASSPHRASE, PRINTS, captured, declared
from tests.support.kit_pages_bench import KitPages, keep, seal, signature
from tests.support.office_pages import text
from verification.errors import FieldsRefused
from verification.messages.commune_extract import ExtractRequest
from verification.messages.enrollment_packet import from_file, parse_packet
from verification.messages.kit_returns import open_returns, returns_file, seal_returns
from verification.messages.signing_key import thumbprint

PRINT_NAMES = {each.item for each in PRINTS}


@pytest.fixture
def stand(tmp_path: Path, office_pki: Path, database_engine: Engine) -> Iterator[KitAtOffice]:
    office = make_office(tmp_path, office_pki, database_engine)
    with kit_at_office(office, tmp_path / "kits") as stand:
        yield stand


def test_a_portrait_that_was_returned_is_taken_again_and_nothing_else(stand: KitAtOffice) -> None:
    dossier = stand.sent()
    stand.send_back(dossier, "portrait", comment="Ảnh bị mờ.")
    begun = stand.begun(dossier)
    assert begun.answers is not None
    assert (begun.state, begun.missing, begun.answers.dossier) == (DraftState.DRAFT, ("portrait",), dossier)
    for each in (PRINTS[0], Captured("proof", "image/png", b"another page")):
        with pytest.raises(FieldsRefused) as refused:
            stand.desk.keep_all(begun.id, [each])
        assert refused.value.fields == {each.item: "ITEM_NOT_RETURNED"}
    stand.desk.keep(begun.id, "portrait", "image/jpeg", picture(2))
    stand.desk.judge_portrait(begun.id, REASON)
    assert stand.sealed_and_sent(stand.printed_and_signed(begun.id)) == dossier
    view = stand.view(dossier)
    assert (view["state"], view["prints"]) == ("validated", len(PRINTS))
    portrait = stand.office.sign_in("minh.approve").get(f"/v1/dossiers/{dossier}/portrait.jpg")
    assert portrait.data == picture(2)
    stand.returns.fetch(stand.centre)
    assert stand.returns.standing() == ()


def test_prints_that_were_returned_are_taken_again_and_no_portrait(stand: KitAtOffice) -> None:
    dossier = stand.sent()
    stand.send_back(dossier, "fingerprints")
    begun = stand.begun(dossier)
    assert set(begun.missing) == PRINT_NAMES
    with pytest.raises(FieldsRefused):
        stand.desk.keep(begun.id, "portrait", "image/jpeg", picture(2))
    stand.desk.keep_all(begun.id, PRINTS)
    packet = stand.desk.seal(stand.printed_and_signed(begun.id), PASSPHRASE, "vi").packet
    metadata, _ = from_file(stand.kit.packets.read(packet))
    assert {item.name for item in parse_packet(metadata).envelope.items} == {*PRINT_NAMES, "signature"}


def test_one_finger_that_was_returned_is_taken_again_and_the_other_nine_stand(stand: KitAtOffice) -> None:
    dossier = stand.sent()
    stand.send_back(dossier, "finger_04")
    begun = stand.begun(dossier)
    assert (begun.fingers, begun.missing) == (("finger_04",), ("finger_04",))
    with pytest.raises(FieldsRefused) as refused:
        stand.desk.keep_all(begun.id, PRINTS)
    assert refused.value.fields == {"finger_01": "ITEM_NOT_RETURNED"}
    stand.desk.keep(begun.id, "finger_04", PRINT_TYPE, cheap_print(4, 1))
    assert stand.sealed_and_sent(stand.printed_and_signed(begun.id)) == dossier
    view = stand.view(dossier)
    assert (view["state"], view["prints"]) == ("validated", len(PRINTS))


def test_text_that_was_returned_is_typed_again_and_no_body_part_is_taken(stand: KitAtOffice) -> None:
    dossier = stand.sent()
    stand.send_back(dossier, "place_of_residence")
    begun = stand.begun(dossier)
    assert begun.person is not None
    assert (begun.missing, begun.fingers) == (("place_of_residence",), ())
    moved = msgspec.structs.replace(begun.person, place_of_residence="12 Hàng Bạc, Hoàn Kiếm, Hà Nội")
    with pytest.raises(FieldsRefused) as refused:
        stand.desk.describe(begun.id, msgspec.structs.replace(moved, identification="Nốt ruồi"))
    assert refused.value.fields == {"identification": "ITEM_NOT_RETURNED"}
    stand.desk.describe(begun.id, moved)
    assert stand.sealed_and_sent(stand.printed_and_signed(begun.id)) == dossier
    view = stand.view(dossier)
    assert (view["state"], view["person"]["place_of_residence"]) == ("validated", moved.place_of_residence)


def test_what_the_rules_returned_says_so_by_codes_and_what_is_still_wrong_comes_back(
    stand: KitAtOffice,
) -> None:
    draft = captured(stand.desk)
    dossier = stand.sealed_and_sent(draft)
    stand.returns.fetch(stand.centre)
    with stand.office.database.reading() as connection:
        told = connection.execute(EVENTS.select().where(EVENTS.c.event == "take_returns")).all()
    assert len(told) == 1, "whom a kit was told of is recorded"
    (returned,) = stand.returns.standing()
    assert (returned.items, returned.codes) == (("portrait",), ("PORTRAIT_REASON_NEEDED",))
    assert returned.comment is None
    begun = stand.desk.answer(dossier)
    stand.desk.keep(begun.id, "portrait", "image/jpeg", picture(2))
    stand.office.now[0] = stand.office.now[0].replace(hour=9)
    stand.sealed_and_sent(stand.printed_and_signed(begun.id))
    assert stand.returns.standing() == (), "answered, as far as the kit knows"
    stand.returns.fetch(stand.centre)
    (again,) = stand.returns.standing()
    assert (again.dossier, again.returned_at != returned.returned_at) == (dossier, True)


def test_nobody_is_captured_twice_while_the_kit_has_them_in_hand(stand: KitAtOffice) -> None:
    draft = captured(stand.desk)
    for _ in range(2):
        with pytest.raises(CapturedAlready):
            stand.desk.begin(declared())
        if stand.desk.draft(draft).sequence is None:
            stand.desk.judge_portrait(draft, REASON)
            stand.desk.seal(draft, PASSPHRASE, "vi")
    assert stand.desk.figures().attempts == 1
    (waiting,) = stand.outbox.waiting()
    stand.outbox.send(stand.centre)
    dossier = stand.dossier_of(waiting.packet)
    stand.send_back(dossier, "portrait")
    stand.returns.fetch(stand.centre)
    with pytest.raises(CapturedAlready):
        stand.desk.begin(declared())
    begun = stand.desk.answer(dossier)
    with pytest.raises(ReturnUnknown):
        stand.desk.answer(dossier)
    stand.desk.withdraw(begun.id)
    assert stand.desk.answer(dossier).answers == begun.answers, "withdrawn, it is to be answered again"


def test_a_list_travels_on_a_stick_and_an_older_one_changes_nothing(stand: KitAtOffice) -> None:
    dossier = stand.sent()
    stick = stand.bench.place / "stick"
    stick.mkdir()
    earlier = stand.centre.returns(stand.kit.extract_request()).returns
    stand.send_back(dossier, "portrait")
    stand.office.now[0] = stand.office.now[0].replace(hour=8)
    (stick / "kit-007-returns.jwe").write_text(stand.centre.returns(stand.kit.extract_request()).returns)
    assert stand.returns.take(stick)
    assert not stand.returns.take(stick), "nothing is new"
    assert not stand.returns.keep(earlier)
    assert [each.dossier for each in stand.returns.standing()] == [dossier]


def test_a_list_of_another_kit_or_of_nobody_s_making_is_refused(stand: KitAtOffice) -> None:
    dossier = stand.sent()
    stand.send_back(dossier, "portrait")
    token = stand.centre.returns(stand.kit.extract_request()).returns
    listed = open_returns(token, stand.kit.receipt_keys(), stand.kit.opening_key, "kit-007")
    forger, own = ec.generate_private_key(ec.SECP256R1()), stand.kit.opening_key.public_key()
    forged = seal_returns(listed, forger, own, os.urandom)
    centre = stand.receipts_key()
    others = (
        msgspec.structs.replace(listed, kit="kit-008"),
        msgspec.structs.replace(listed, kit_key=thumbprint(forger.public_key())),
        msgspec.structs.replace(listed, as_of="yesterday"),
    )
    misled = [seal_returns(other, centre, own, os.urandom) for other in others]
    for bad in (forged, *misled, token[:-8] + "AAAAAAAA", "", "é" * 9):
        with pytest.raises(ReturnsInvalid):
            stand.returns.keep(bad)
    assert stand.returns.standing() == ()
    stand.returns.keep(token)
    assert listed.kit_key == thumbprint(own)
    assert "Ảnh" not in token


def test_a_stolen_kit_tells_nothing_of_whom_it_is_to_capture_again(stand: KitAtOffice) -> None:
    dossier = stand.sent()
    stand.send_back(dossier, "portrait", comment="Ảnh bị loá.")
    stand.begun(dossier)
    whole = b"".join(path.read_bytes() for path in stand.bench.folder.rglob("*") if path.is_file())
    person = declared()
    said = (person.full_name, str(person.citizen_number), person.date_of_birth.isoformat())
    for each in (*said, "Ảnh bị loá."):
        assert each.encode() not in whole
    assert (stand.bench.folder / RETURNS_FILE).exists()


def test_another_kit_hears_nothing_of_it(stand: KitAtOffice) -> None:
    dossier = stand.sent()
    stand.send_back(dossier, "portrait")
    other = stand.another("kit-008")
    other.returns.fetch(other.centre)
    assert other.returns.standing() == ()
    with pytest.raises(ReturnUnknown):
        other.desk.answer(dossier)


def test_the_pages_lead_through_an_answer(stand: KitAtOffice, tmp_path: Path) -> None:
    dossier = stand.sent()
    stand.send_back(dossier, "place_of_residence", comment="Ghi rõ số nhà.")
    app = create_kit_app(stand.kit, stand.centre, tmp_path)
    pages = KitPages(stand.kit, app, tmp_path, stand.bench)
    lan = pages.sign_in()
    listed = lan.done("/outbox/returns", page="/outbox")
    for said in ("Trả lại để thu nhận lại", "Ghi rõ số nhà.", declared().full_name, "Nơi cư trú"):
        assert said in listed
    assert "Returned, to be captured again" in text(pages.sign_in(language="en").get("/"))
    draft = lan.post(f"/returns/{dossier}", page="/").headers["Location"].rpartition("/")[0]
    assert lan.get(draft).headers["Location"] == f"{draft}/particulars"
    page = text(lan.get(f"{draft}/particulars"))
    assert "Chỉ thu nhận lại, mục khác giữ nguyên" in page
    assert 'name="identification"' not in page
    for later in ("portrait", "fingerprints"):
        assert lan.get(f"{draft}/{later}").headers["Location"] == f"{draft}/particulars", "not sent back"
    assert dossier not in text(lan.get("/")), "begun, it is no longer in the list of what came back"
    typed = {"place_of_residence": "12 Hàng Bạc, Hoàn Kiếm, Hà Nội"}
    moved = lan.post(f"{draft}/particulars", typed, page=f"{draft}/particulars")
    assert moved.headers["Location"] == f"{draft}/form"
    assert lan.post(f"{draft}/form", page=f"{draft}/form").status_code == 200
    assert keep(lan, draft, "signature", signature()).status_code == 303
    assert seal(lan, draft).headers["Location"] == f"{draft}/slip"
    assert stand.outbox.send(stand.centre).refused == ()
    assert stand.view(dossier)["state"] == "validated"


def test_by_commands_a_return_is_fetched_and_answered(
    stand: KitAtOffice, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dossier = stand.sent()
    stand.send_back(dossier, "fingerprints")
    for name, content in (("token", STATUS_TOKEN), ("lan", PASSPHRASE)):
        (tmp_path / name).write_text(content)
    # A command asks the machine's clock.
    stand.office.now[0] = datetime.now(UTC)
    reach = ("--url", stand.url, "--token-file", tmp_path / "token")

    def kit(name: str, *more: object) -> Any:
        where = ("--folder", stand.bench.folder, "--store-key", stand.bench.store_key)
        assert command([str(each) for each in (name, *where, *more)]) == 0, capsys.readouterr().err
        return json.loads(capsys.readouterr().out)

    (returned,) = kit("returns", *reach)
    assert (returned["dossier"], returned["items"]) == (dossier, ["fingerprints"])
    assert declared().full_name not in str(returned)
    begun = kit("capture", "--officer", OFFICER, "--answer", dossier)
    assert set(begun["missing"]) == PRINT_NAMES
    assert kit("returns") == []


def test_the_request_on_a_stick_is_answered(stand: KitAtOffice, tmp_path: Path) -> None:
    dossier = stand.sent()
    stand.send_back(dossier, "portrait")
    stand.kit.leave_request(tmp_path)
    (request,) = tmp_path.glob("kit-007-*.json")
    asked = msgspec.json.decode(request.read_bytes(), type=ExtractRequest)
    desk = KitReturnsDesk(stand.office.database, stand.receipts_key(), lambda: NOW)
    (tmp_path / returns_file("kit-007")).write_text(desk.seal(asked).returns)
    assert stand.returns.take(tmp_path)
    assert [each.dossier for each in stand.returns.standing()] == [dossier]
