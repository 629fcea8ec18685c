"""Investigators ask with a warrant and pictures; who was found is told once a second one released it."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from flask import Flask
from PIL import Image

from issuance_backend.biometric_search import gallery_record
from issuance_backend.biometric_search.domain import GalleryKind
from issuance_backend.biometric_search.gallery_keys import KeyRoom
from issuance_backend.biometric_search.modality import Modalities
from issuance_backend.biometric_search.refusals import WarrantRefused
from issuance_backend.biometric_search.service import CARD_OFFICE, Caller, SearchDesk
from issuance_backend.biometric_search.task_messages import sample_message
from issuance_backend.biometric_search.worker import SearchWorker
from issuance_backend.content_scanning.refusals import ContentInfected
from issuance_backend.dossiers.national_gallery import FingerMaker
from issuance_backend.investigations.service import Makers, PictureSearchDesk
from issuance_backend.officers.domain import Officer, Role
from issuance_backend.officers.service import OfficerDoor
from issuance_backend.personalization.finger_pictures import read_finger
from issuance_backend.refusals import RoleMissing
from tests.support.issuance_office import NOW, PASSWORD, Office, make_office
from tests.support.office_pages import Browser, pages_of, sign_in, text
from tests.support.running import run_pending
from tests.support.search_bed import WARRANT, finger_modality
from verification.errors import FieldsRefused
from verification.fingerprint.nbis_engine import NbisEngine
from verification.fingerprint.procedural_finger import render_finger
from verification.lds.finger_image import FingerPosition
from verification.messages.biometric_search import Insert, InvestigationPictures

ONE, TWO, AUDITOR = "dtv.mot", "dtv.hai", "kiem.toan"
SUBJECT = "001099000017"
INDEX = FingerPosition.RIGHT_INDEX
FORM = "/investigations"
ORDER = {
    "number": "12/2026/QĐ-VKS", "authority": "Viện kiểm sát nhân dân thành phố Hà Nội",
    "valid_from": "2026-11-01", "valid_through": "2026-12-31", "gallery": "national",
}  # fmt: skip


@cache
def picture(seed: int) -> bytes:
    out = io.BytesIO()
    Image.fromarray(render_finger(seed, INDEX)).save(out, "PNG")
    return out.getvalue()


@dataclass
class Room:
    """The office with a gallery in which one person is, and its pages."""

    office: Office
    app: Flask
    folder: Path

    @property
    def keys(self) -> KeyRoom:
        return KeyRoom(self.folder / "search_keys")

    @property
    def worker(self) -> SearchWorker:
        return SearchWorker(self.office.database, self.keys, Modalities((finger_modality(),)), lambda: NOW)

    def record(self, gallery: str = "national") -> list[tuple[str, str | None, str]]:
        with self.office.database.reading() as connection:
            lines = gallery_record.verify(connection, self.keys.key(gallery))
        return [
            (line.actor, line.detail.get("warrant"), line.detail.get("act", "search"))
            for line in lines
            if line.purpose == "investigation"
        ]


@pytest.fixture
def room(tmp_path: Path, office_pki: Path) -> Iterator[Room]:
    office = make_office(tmp_path, office_pki, with_search=True)
    door = OfficerDoor(office.database, lambda: NOW)
    for name in (ONE, TWO):
        door.enrol(name, name, (Role.INVESTIGATOR,), PASSWORD)
    door.enrol(AUDITOR, AUDITOR, (Role.AUDITOR,), PASSWORD)
    desk = SearchDesk(
        office.database, KeyRoom(tmp_path / "search_keys"), Modalities((finger_modality(),)), lambda: NOW
    )
    desk.open_gallery("national", GalleryKind.NATIONAL)
    desk.open_gallery("crime", GalleryKind.CRIME)
    made = FingerMaker(NbisEngine(), finger_modality(), read_finger).sample(picture(5), INDEX)
    known = Insert(
        task_id="insert-0001", gallery="national", subject=SUBJECT, encounter="dossier-1",
        legal_basis="Luật 26/2023/QH15", samples=(sample_message(made),),
    )  # fmt: skip
    desk.submit(Caller("card-office", CARD_OFFICE), known)
    with pages_of(office, tmp_path) as app:
        yield Room(office, app, tmp_path)


def order(seed: int = 5, **changes: Any) -> dict[str, Any]:
    return {**ORDER, "finger_02": (io.BytesIO(picture(seed)), "02.png"), **changes}


def asked(browser: Browser, **changes: Any) -> str:
    answer = browser.post(FORM, order(**changes), page=FORM)
    assert answer.status_code == 303, text(answer)
    return str(answer.headers["Location"])


def test_who_was_found_is_told_once_a_second_investigator_released_it(room: Room) -> None:
    one, two = sign_in(room.app, ONE), sign_in(room.app, TWO)
    address = asked(one)
    assert "Đang chờ so sánh" in text(one.get(address))
    run_pending(room.worker)
    page = one.get(address)
    shown = text(page)
    assert "Số người có thể trùng: 1" in shown
    assert "Rất giống" in shown
    assert ORDER["number"] in shown
    assert SUBJECT not in shown
    assert page.headers["Cache-Control"] == "no-store"
    assert f"{address}/release" not in shown, "whoever asked does not release"
    one.post(f"{address}/release", page=FORM)
    assert SUBJECT not in text(one.get(address))
    assert SUBJECT in two.done(f"{address}/release", page=address)
    assert SUBJECT in text(one.get(address))
    looks = [(officer, ORDER["number"], "look") for officer in (TWO, ONE)]
    assert room.record() == [
        (ONE, ORDER["number"], "search"), (TWO, ORDER["number"], "release"), *looks,
    ]  # fmt: skip


def test_of_somebody_unknown_nobody_is_found_and_that_is_recorded_too(room: Room) -> None:
    one = sign_in(room.app, ONE, "en")
    address = asked(one, gallery="crime")
    run_pending(room.worker)
    assert "Nobody alike was found" in text(one.get(address))
    task = address.rpartition("/")[2]
    opened = one.get(f"{FORM}?task={task}")
    assert (opened.status_code, opened.headers["Location"]) == (303, address)
    assert room.record("crime") == [(ONE, ORDER["number"], "search")]


def test_what_was_asked_for_is_listed_for_investigators_and_auditors(room: Room) -> None:
    one, two, listed = sign_in(room.app, ONE), sign_in(room.app, TWO), f"{FORM}/requests/"
    assert "Chưa có yêu cầu tra cứu nào" in text(one.get(listed))
    address = asked(one)
    run_pending(room.worker)
    two.post(f"{address}/release", page=address)
    assert listed in text(two.get(FORM))
    shown = text(two.get(listed))
    assert f'href="{address}"' in shown
    assert "Đã trả lời" in shown
    auditor = sign_in(room.app, AUDITOR, "en")
    assert f'href="{listed}"' in text(auditor.get(listed)), "in the navigation"
    for each in (text(auditor.get(listed)), shown):
        assert ONE in each
        assert TWO in each
        assert SUBJECT not in each
    assert f'href="{address}"' not in text(auditor.get(listed))
    assert "Searches asked for" in text(auditor.get(listed))
    assert sign_in(room.app, "son.supervisor").get(listed).status_code == 403


@pytest.mark.parametrize("name", sorted(ORDER))
def test_without_any_part_of_the_warrant_nothing_is_sent(room: Room, name: str) -> None:
    one = sign_in(room.app, ONE)
    answer = one.post(FORM, order(**{name: ""}), page=FORM)
    assert answer.status_code == 422
    assert f'id="{name}-fault"' in text(answer)
    kept = next(each for each in sorted(ORDER) if each not in {name, "gallery"})
    assert ORDER[kept] in text(answer)
    assert room.record() == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"valid_through": "2026-11-02"}, "Lệnh tra cứu không có hiệu lực"),
        ({"valid_from": "2026-12-30"}, "Lệnh tra cứu không có hiệu lực"),
        ({"valid_from": "x"}, 'id="valid_from-fault"'),
        ({"gallery": "nowhere"}, "kho"),
        ({"finger_02": (io.BytesIO(b"no picture"), "02.png")}, 'id="finger_02-fault"'),
        ({"finger_02": (io.BytesIO(b""), "02.png")}, 'id="portrait-fault"'),
        ({"portrait": (io.BytesIO(b"\xff\xd8\xff" + b"x" * 64), "p.jpg")}, 'id="portrait-fault"'),
    ],
)
def test_what_cannot_be_searched_is_refused_with_its_reason(
    room: Room, changes: dict[str, Any], told: str
) -> None:
    one = sign_in(room.app, ONE)
    if "gallery" not in changes and isinstance(next(iter(changes.values())), tuple):
        changes = {name: (io.BytesIO(sent.getvalue()), file) for name, (sent, file) in changes.items()}
    answer = one.post(FORM, order(**changes), page=FORM)
    page = text(answer) if answer.status_code == 422 else text(one.get(answer.headers["Location"]))
    assert told in page
    assert room.record() == []


def test_nobody_else_finds_the_pages(room: Room) -> None:
    address = asked(sign_in(room.app, ONE))
    son = sign_in(room.app, "son.supervisor")
    assert "/investigations" not in text(son.get("/dossiers"))
    for path in (FORM, address):
        assert son.get(path).status_code == 403
    sent = son.post(FORM, order(), page="/dossiers")
    assert sent.status_code in {303, 403}
    assert room.record() == [(ONE, ORDER["number"], "search")]
    assert "/investigations" in text(sign_in(room.app, ONE).get(FORM))


# -- the desk itself


@dataclass
class Scanner:
    """Knows one content as malware."""

    seen: list[bytes] = field(default_factory=list)

    def require_clean(self, contents: Iterable[bytes]) -> None:
        self.seen += contents
        if b"malware" in self.seen:
            raise ContentInfected("known")

    def answers(self) -> bool:
        return True


def pictures(**changes: Any) -> InvestigationPictures:
    asked = InvestigationPictures(task_id="pictures-1", warrant=WARRANT, gallery="national")
    return msgspec.structs.replace(asked, **changes)


@pytest.fixture
def desk(room: Room) -> tuple[PictureSearchDesk, Scanner]:
    scanner = Scanner()
    finger = FingerMaker(NbisEngine(), finger_modality(), read_finger)
    search = SearchDesk(room.office.database, room.keys, Modalities((finger_modality(),)), lambda: NOW)
    return PictureSearchDesk(search, Makers(None, finger), scanner, lambda: NOW), scanner


def test_no_picture_is_looked_at_before_role_and_warrant(desk: tuple[PictureSearchDesk, Scanner]) -> None:
    search, scanner = desk
    one = Officer(ONE, ONE, frozenset({Role.INVESTIGATOR}))
    sent = {INDEX: b"malware"}
    late = msgspec.structs.replace(WARRANT, valid_through=WARRANT.valid_from)
    with pytest.raises(RoleMissing):
        search.investigate(Officer("x", "x", frozenset({Role.EXAMINER})), pictures(prints=sent))
    with pytest.raises(WarrantRefused):
        search.investigate(one, pictures(prints=sent, warrant=late))
    assert scanner.seen == []
    with pytest.raises(ContentInfected):
        search.investigate(one, pictures(prints=sent))


def test_every_picture_that_gives_nothing_is_named(desk: tuple[PictureSearchDesk, Scanner]) -> None:
    one = Officer(ONE, ONE, frozenset({Role.INVESTIGATOR}))
    with pytest.raises(FieldsRefused) as refused:
        desk[0].investigate(one, pictures(portrait=b"x", prints={1: b"x", INDEX: picture(5)}))
    assert refused.value.fields == {
        "portrait": "PICTURE_NOT_SEARCHED",
        "finger_01": "FINGER_IMAGE_UNDECODABLE",
    }
    for asked, fields in (({}, {"portrait": "FIELD_MISSING"}), ({11: b"x"}, {"prints": "FIELD_CHARACTERS"})):
        with pytest.raises(FieldsRefused) as refused:
            desk[0].investigate(one, pictures(prints=asked))
        assert refused.value.fields == fields


def test_the_same_request_again_is_the_same_search(
    room: Room, desk: tuple[PictureSearchDesk, Scanner]
) -> None:
    one = Officer(ONE, ONE, frozenset({Role.INVESTIGATOR}))
    asked = pictures(prints={INDEX: picture(5)})
    assert desk[0].investigate(one, asked) == desk[0].investigate(one, asked)
    assert len(room.record()) == 1
