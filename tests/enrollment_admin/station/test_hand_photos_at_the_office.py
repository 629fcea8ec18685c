"""A photograph of a hand goes from the kit to who decides, and comes back alone where it is missing (F02)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from enrollment_admin.station.capture_rules import Captured
from issuance_backend.dossiers import erasures, repository
from tests.support.engines import Engine
from tests.support.issuance_office import REASON, make_office, picture
from tests.support.kit_at_office import CHIEF_ANSWERS, KitAtOffice, kit_at_office
from tests.support.kit_bench import PASSPHRASE, PRINTS, SIGNED, declared, desk_of
from tests.support.office_pages import pages_of, sign_in, text
from verification.messages.enrollment_packet import CITIZEN_SIGNATURE
from verification.messages.hand_photos import LEFT, RIGHT

PHOTO, OTHER = picture(3), picture(4)
MISSING = "finger_03"


@pytest.fixture
def stand(tmp_path: Path, office_pki: Path, database_engine: Engine) -> Iterator[KitAtOffice]:
    office = make_office(tmp_path, office_pki, database_engine)
    office.now[0] += timedelta(days=10)
    with kit_at_office(office, tmp_path / "kits") as stand:
        yield stand


def sent(stand: KitAtOffice) -> str:
    """The dossier of somebody without the right middle finger."""
    desk = stand.desk
    draft = desk.begin(declared()).id
    taken = [each for each in PRINTS if each.item != MISSING]
    desk.keep_all(draft, [Captured("portrait", "image/jpeg", picture()), *taken])
    desk.judge_portrait(draft, REASON)
    desk.state_exception(draft, MISSING, "FINGER_MISSING")
    desk.keep(draft, RIGHT, "image/jpeg", PHOTO)
    return stand.sealed_and_sent(stand.printed_and_signed(draft), CHIEF_ANSWERS)


def test_who_decides_sees_the_photograph(stand: KitAtOffice, tmp_path: Path) -> None:
    dossier = sent(stand)
    view = stand.view(dossier)
    assert (view["state"], view["hand_photos"]) == ("validated", [RIGHT])
    minh = stand.office.sign_in("minh.approve")
    shown = minh.get(f"/v1/dossiers/{dossier}/hand_photos/right.jpg")
    assert (shown.data, shown.content_type, shown.headers["Cache-Control"]) == (
        PHOTO,
        "image/jpeg",
        "no-store",
    )
    absent = minh.get(f"/v1/dossiers/{dossier}/hand_photos/left.jpg")
    assert (absent.status_code, absent.get_json()["code"]) == (404, "HAND_PHOTO_UNKNOWN")
    stranger = stand.office.sign_in("dung.courier").get(f"/v1/dossiers/{dossier}/hand_photos/right.jpg")
    assert stranger.status_code == 403
    with pages_of(stand.office, tmp_path) as app:
        browser = sign_in(app, "minh.approve")
        page = text(browser.get(f"/dossiers/{dossier}"))
        assert f"/dossiers/{dossier}/hand_photos/right.jpg" in page
        assert browser.get(f"/dossiers/{dossier}/hand_photos/right.jpg").data == PHOTO


def test_one_that_is_returned_is_taken_again_alone_and_the_newest_is_shown(stand: KitAtOffice) -> None:
    dossier = sent(stand)
    stand.send_back(dossier, RIGHT, comment="Mờ.")
    begun = stand.begun(dossier)
    assert (begun.missing, begun.fingers) == ((RIGHT,), ())
    stand.desk.keep(begun.id, RIGHT, "image/jpeg", OTHER)
    stand.sealed_and_sent(stand.printed_and_signed(begun.id))
    minh = stand.office.sign_in("minh.approve")
    assert stand.view(dossier)["state"] == "validated"
    assert minh.get(f"/v1/dossiers/{dossier}/hand_photos/right.jpg").data == OTHER


def test_a_kit_that_sends_none_gets_the_dossier_back_for_it_alone(stand: KitAtOffice) -> None:
    form = stand.kit.profile.form
    unaware = tuple(msgspec.structs.replace(each, photo_from=None) for each in form.exceptions)
    older = msgspec.structs.replace(form, exceptions=unaware)
    profile = msgspec.structs.replace(stand.kit.profile, form=older)
    desk = desk_of(dataclasses.replace(stand.kit, profile=profile))
    draft = desk.begin(declared()).id
    desk.keep_all(draft, [Captured("portrait", "image/jpeg", picture()), *PRINTS[:1]])
    desk.drop(draft, "finger_01")
    desk.judge_portrait(draft, REASON)
    desk.state_exception(draft, "fingerprints", "HANDS_MISSING")
    desk.print_form(draft)
    desk.keep(draft, CITIZEN_SIGNATURE, "image/png", SIGNED)
    sealed = desk.seal(draft, PASSPHRASE, "vi", CHIEF_ANSWERS)
    assert stand.outbox.send(stand.centre).receipted == (sealed.sequence,)
    view = stand.view(stand.dossier_of(sealed.packet))
    assert (view["state"], view["returned"]["items"]) == ("returned", [LEFT, RIGHT])
    assert view["steps"][-1]["detail"]["faults"] == "HAND_PHOTO_MISSING"


def test_it_is_erased_with_the_dossiers_other_pictures(stand: KitAtOffice) -> None:
    dossier = sent(stand)
    with stand.office.database.writing() as connection:
        erasures.take_pictures(connection, repository.find(connection, dossier))
    assert stand.view(dossier)["hand_photos"] == []
