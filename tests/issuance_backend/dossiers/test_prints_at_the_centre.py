"""The centre judges prints again: what is poor, or of another finger, comes back, and nothing else does."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from issuance_backend.biometric_search.face_modality import FACE
from issuance_backend.biometric_search.task_messages import sample_message
from issuance_backend.dossiers import repository
from issuance_backend.dossiers.deduplication import Biometrics, DeduplicationDesk
from issuance_backend.dossiers.intake import kit_repository
from issuance_backend.dossiers.intake import repository as packets
from issuance_backend.dossiers.intake.domain import PacketState
from issuance_backend.dossiers.intake.kit_repository import Kit
from issuance_backend.dossiers.intake.repository import Packet
from issuance_backend.dossiers.national_gallery import FingerMaker, NationalGallery
from issuance_backend.dossiers.packet_desk import CapturedPrint
from issuance_backend.dossiers.print_quality import prints_brought
from issuance_backend.dossiers.tables import FORMER_PICTURES
from issuance_backend.personalization.finger_pictures import read_finger
from tests.support.application_desk import LAN, MINH, best_available, capture_of, packet_of
from tests.support.deduplication_centre import Centre, make_centre
from tests.support.drawn_slaps import drawn_slap
from tests.support.engines import Engine
from tests.support.search_bed import finger_modality, messages, samples_of
from tests.support.second_touch import cracked, encoded, second_touch
from verification.fingerprint.engine import FingerSample, Print
from verification.fingerprint.nbis_engine import NbisEngine
from verification.fingerprint.procedural_finger import render_finger
from verification.lds.finger_image import FingerPosition
from verification.messages.asked_prints import SINGLE_FINGERS
from verification.messages.biometric_search import SampleMessage
from verification.messages.enrollment import DossierReturn, RecordedStep
from verification.messages.enrollment_packet import CaptureException
from verification.messages.prints_taken import CaptureMethod, PrintTaken

BLANK = np.full((400, 300), 240, np.uint8)


class RemembersPrints(NbisEngine):
    """The real engine, which looks at each picture once for all tests."""

    _seen: dict[tuple[bytes, int], FingerSample] = {}  # noqa: RUF012 - shared on purpose

    def extract(self, picture: Print, position: FingerPosition, ppi: int = 500) -> FingerSample:
        key = (picture.tobytes(), int(position))
        if key not in self._seen:
            self._seen[key] = super().extract(picture, position, ppi)
        return self._seen[key]


class FacesAndFingers(NationalGallery):
    """An invented face is found in every portrait; prints are read by the real engine."""

    def templates(self, biometrics: Biometrics) -> tuple[SampleMessage, ...]:
        faces = [each for each in messages(samples_of(3)) if each.modality == FACE]
        return (*faces, *map(sample_message, self._fingers(biometrics.prints)[0]))


@pytest.fixture
def centre(tmp_path: Path, database_engine: Engine) -> Centre:
    made = make_centre(tmp_path, database_engine)
    finger = FingerMaker(RemembersPrints(), finger_modality(), read_finger)
    gallery = FacesAndFingers(made.bed.desk, made.desk.pictures, None, finger)
    made.work = DeduplicationDesk(made.desk.database, gallery, lambda: made.desk.now[0])
    return made


@cache
def drawn(position: int) -> np.ndarray:
    return render_finger(9, FingerPosition(position))


def taken(changed: dict[int, np.ndarray] | None = None) -> tuple[CapturedPrint, ...]:
    """Ten prints of one person, some of them other pictures."""
    pictures = {position: drawn(position) for position in SINGLE_FINGERS} | (changed or {})
    return tuple(CapturedPrint(each, encoded(pictures[each]), "image/png") for each in sorted(pictures))


def searched(centre: Centre, packet: dict[str, object], number: int = 1) -> str:
    """A dossier whose search was begun, as far as it came."""
    dossier = centre.desk.received(packet_of(number=number, **packet))
    centre.desk.approve_locally(MINH, dossier)
    centre.run()
    return dossier


def test_ten_good_prints_of_ten_fingers_are_searched(centre: Centre) -> None:
    assert centre.desk.view(searched(centre, {"prints": taken()})).search == "clear"


def test_poor_prints_come_back_for_exactly_those_fingers_and_the_others_stand(centre: Centre) -> None:
    desk = centre.desk
    poor = {4: cracked(drawn(4)), 9: BLANK}
    dossier = searched(centre, {"prints": taken(poor)})
    view = desk.view(dossier)
    assert view.returned is not None
    assert (desk.state(dossier), view.returned.items) == ("returned", ("finger_04", "finger_09"))
    assert view.returned.comment == "finger_04: PRINT_BELOW_LIMIT, finger_09: FINGER_QUALITY_INSUFFICIENT"
    with desk.database.reading() as connection:
        before = repository.prints(connection, dossier)
    again = tuple(each for each in taken() if each.position in {4, 9})
    answer = packet_of(number=2, answers=dossier, portrait=b"", prints=again)
    desk.received(answer)
    with desk.database.reading() as connection:
        after = repository.prints(connection, dossier)
        replaced = select(FORMER_PICTURES.c.picture).where(FORMER_PICTURES.c.dossier == dossier)
        former = set(connection.execute(replaced).scalars())
    assert former == {before[4], before[9]}
    assert {each for each in before if before[each] != after[each]} == {4, 9}
    assert before.keys() == after.keys()
    desk.approve_locally(MINH, dossier)
    centre.run()
    assert desk.view(dossier).search == "clear"


def test_an_answer_for_some_fingers_brings_those_and_no_others(centre: Centre) -> None:
    desk = centre.desk
    dossier = searched(centre, {"prints": taken({4: cracked(drawn(4))})})
    two = tuple(each for each in taken() if each.position in {4, 5})
    for number, prints, fault in ((2, two, "ITEM_NOT_RETURNED"), (3, (), "PRINT_MISSING")):
        desk.received(packet_of(number=number, answers=dossier, portrait=b"", prints=prints))
        view = desk.view(dossier)
        assert view.returned is not None
        assert view.steps[-1].detail["faults"] == fault
        assert (view.state, view.returned.items) == ("returned", ("finger_04",))
    worn = (CaptureException("finger_04", "FINGER_WORN"),)
    answer = packet_of(number=4, answers=dossier, portrait=b"", prints=(), exceptions=worn)
    desk.received(answer)
    assert (desk.state(dossier), desk.view(dossier).prints) == ("validated", 9)


def test_the_best_available_goes_on_and_how_often_it_was_taken_is_recorded(centre: Centre) -> None:
    told = (PrintTaken("finger_04", (5, 3, 2)), PrintTaken("finger_05", (60,), CaptureMethod.INK_RESCAN))
    packet = {
        "prints": taken({4: cracked(drawn(4))}),
        "exceptions": best_available(4),
        "supervisor": "chief",
        "attempts": told,
    }
    view = centre.desk.view(searched(centre, packet))
    assert view.search == "clear"
    detail = view.steps[0].detail
    assert (detail["best_available"], detail["print_attempts"]) == ("04", "04:3")
    assert detail["ink_rescan"] == "05"
    assert "exceptions" not in detail, "no form names it"


def test_nobody_answers_for_a_print_without_a_ridge(centre: Centre) -> None:
    packet = {"prints": taken({4: BLANK}), "exceptions": best_available(4), "supervisor": "chief"}
    view = centre.desk.view(searched(centre, packet))
    assert view.returned is not None
    assert view.returned.items == ("finger_04",)


def test_who_answers_for_a_print_that_is_taken_again_answers_for_the_others_as_well(centre: Centre) -> None:
    desk = centre.desk
    poor = {4: cracked(drawn(4)), 5: BLANK}
    packet = {"prints": taken(poor), "exceptions": best_available(4), "supervisor": "chief"}
    dossier = searched(centre, packet)
    with desk.database.reading() as connection:
        assert repository.prints_answered_for(connection, dossier) == {4}
    view = desk.view(dossier)
    assert view.returned is not None
    assert view.returned.items == ("finger_05",)
    again = tuple(each for each in taken({5: cracked(drawn(5))}) if each.position == 5)
    desk.received(
        packet_of(number=2, answers=dossier, portrait=b"", prints=again, exceptions=best_available(5))
    )
    with desk.database.reading() as connection:
        assert repository.prints_answered_for(connection, dossier) == {4, 5}


def test_what_is_called_poor_is_there(centre: Centre) -> None:
    nine = tuple(each for each in taken() if each.position != 4)
    dossier = centre.desk.received(packet_of(prints=nine, exceptions=best_available(4), supervisor="chief"))
    view = centre.desk.view(dossier)
    assert view.returned is not None
    assert view.returned.items == ("finger_04",)
    assert set(view.steps[-1].detail["faults"].split(",")) == {"EXCEPTION_CONTRADICTED", "PRINT_MISSING"}


def test_one_finger_that_was_taken_twice_comes_back_for_both(centre: Centre) -> None:
    twin = {8: second_touch(drawn(3), 1)}
    packet = {"prints": taken(twin), "exceptions": best_available(8), "supervisor": "chief"}
    view = centre.desk.view(searched(centre, packet))
    assert view.returned is not None
    assert (view.state, view.returned.items) == ("returned", ("finger_03", "finger_08"))
    assert view.returned.comment == "finger_03: PRINT_OF_TWO_FINGERS, finger_08: PRINT_OF_TWO_FINGERS"


def slaps(*, left: bool = True) -> tuple[CapturedPrint, ...]:
    """Both hands' slaps, or the right one's alone."""
    fingers = {position: drawn(position) for position in SINGLE_FINGERS}
    kinds = (13, 14) if left else (13,)
    return tuple(CapturedPrint(each, encoded(drawn_slap(fingers, each)), "image/png") for each in kinds)


def test_fingers_that_changed_places_come_back_where_slaps_show_it(centre: Centre) -> None:
    desk = centre.desk
    changed = {2: drawn(3), 3: drawn(2)}
    dossier = searched(centre, {"prints": (*taken(changed), *slaps())})
    view = desk.view(dossier)
    assert view.returned is not None
    assert (view.state, view.returned.items) == ("returned", ("finger_02", "finger_03"))
    assert view.returned.comment == "finger_02: PRINT_MISPLACED, finger_03: PRINT_MISPLACED"
    right = tuple(each for each in taken() if each.position in {2, 3})
    desk.received(packet_of(number=2, answers=dossier, portrait=b"", prints=right))
    desk.approve_locally(MINH, dossier)
    centre.run()
    assert desk.view(dossier).search == "clear"


def test_of_slaps_the_bands_are_recorded_of_fingers_that_their_single_prints_prove(centre: Centre) -> None:
    strangers = {each: render_finger(10, FingerPosition(each)) for each in SINGLE_FINGERS}
    foreign = CapturedPrint(14, encoded(drawn_slap(strangers, 14)), "image/png")
    dossier = searched(centre, {"prints": (*taken(), *slaps(left=False), foreign)})
    (detail,) = (step.detail for step in centre.desk.view(dossier).steps if step.event == "search")
    plain = dict(word.split(":") for word in detail["plain_quality"].split())
    assert set(plain) == {"02", "03", "04", "05"}, "the other hand is somebody else's"
    assert set(plain.values()) <= {"0", "20", "40", "60", "80"}


def test_without_a_slap_that_shows_it_nobody_is_accused(centre: Centre) -> None:
    changed = {7: drawn(8), 8: drawn(7)}
    spoilt = CapturedPrint(14, encoded(np.full((900, 1600), 250, np.uint8)), "image/png")
    packet = {"prints": (*taken(changed), *slaps(left=False), spoilt)}
    assert centre.desk.view(searched(centre, packet)).search == "clear"


def test_what_was_captured_before_there_were_limits_is_not_judged_by_them(centre: Centre) -> None:
    centre.desk.now[0] = datetime(2026, 10, 20, 3, 0, tzinfo=UTC)
    packet = {"prints": taken({4: BLANK}), "happened_at": "2026-10-19T02:00:00Z"}
    assert centre.desk.view(searched(centre, packet)).search == "clear"


def test_what_is_taken_again_is_judged_by_the_day_on_which_it_came(centre: Centre) -> None:
    """As its kit judges it: else a finger that is good for the one is poor for the other for ever."""
    desk, today = centre.desk, centre.desk.now[0]
    desk.now[0] = datetime(2026, 10, 20, 3, 0, tzinfo=UTC)
    dossier = desk.received(packet_of(prints=taken(), happened_at="2026-10-19T02:00:00Z"))
    desk.office.approvals.send_back(MINH, dossier, DossierReturn(("finger_04",), "mờ"))
    desk.now[0] = today
    poor = tuple(each for each in taken({4: cracked(drawn(4))}) if each.position == 4)
    desk.received(packet_of(number=2, answers=dossier, portrait=b"", prints=poor))
    desk.approve_locally(MINH, dossier)
    centre.run()
    view = desk.view(dossier)
    assert view.returned is not None
    assert (view.returned.items, view.returned.comment) == (("finger_04",), "finger_04: PRINT_BELOW_LIMIT")


def test_what_a_counter_captures_again_makes_no_older_print_newer(centre: Centre) -> None:
    """Its portrait is taken again; the prints are those of a day without limits."""
    desk, today = centre.desk, centre.desk.now[0]
    desk.now[0] = datetime(2026, 10, 20, 3, 0, tzinfo=UTC)
    dossier = desk.received(packet_of(prints=taken({4: BLANK}), happened_at="2026-10-19T02:00:00Z"))
    desk.office.approvals.send_back(MINH, dossier, DossierReturn(("portrait",), "mờ"))
    desk.now[0] = today
    desk.office.captures.recapture(LAN, dossier, capture_of(number=2))
    desk.approve_locally(MINH, dossier)
    centre.run()
    assert desk.view(dossier).search == "clear"


@pytest.mark.parametrize(("received", "clear"), [("2026-10-31", True), ("2026-11-01", False)])
def test_a_packet_that_waited_for_a_case_came_when_it_was_received(
    centre: Centre, received: str, clear: bool
) -> None:
    packet = packet_of(prints=taken({4: BLANK}), happened_at="2026-10-19T02:00:00Z")
    waited = Packet(
        packet=packet.packet_sha256, kit=packet.kit, sequence=1, state=PacketState.OPENED, version=1,
        metadata=b"", announced_at="2026-10-19T02:00:00Z", received_at=f"{received}T02:00:00.000000Z",
        receipt_code="AAAA-AAAA-AAAA-AAAA", case_id="VV-1",
    )  # fmt: skip
    kit = Kit(id=packet.kit, unit=None, settled=0, head=None, newest=0, registered_at="2026-01-01")
    with centre.desk.database.writing() as connection:
        kit_repository.add_kit(connection, kit)
        packets.add(connection, waited)
    dossier = centre.desk.received(packet)
    centre.desk.approve_locally(MINH, dossier)
    centre.run()
    assert (centre.desk.view(dossier).search == "clear") is clear


@pytest.mark.parametrize(
    ("happened", "day"),
    [
        (["receive"], 0),
        (["capture", "validate", "return finger_04", "capture"], 3),
        (["receive", "return portrait,fingerprints", "capture"], 2),
        (["capture", "return portrait", "capture", "return finger_13", "receive"], 4),
        (["receive", "return finger_04", "receive", "return form", "capture"], 2),
        (["receive", "return finger_04", "return portrait", "capture"], 0),
        ([], None),
    ],
)
def test_prints_came_with_the_last_capture_that_was_to_bring_some(
    happened: list[str], day: int | None
) -> None:
    steps = [
        RecordedStep(str(at), event, "", "lan", {"items": items} if items else {})
        for at, (event, _, items) in enumerate(each.partition(" ") for each in happened)
    ]
    found = prints_brought(steps)
    assert (None if found is None else int(found.at)) == day


def test_a_slap_that_cannot_be_cut_comes_back_alone_once_slaps_are_asked(centre: Centre) -> None:
    desk = centre.desk
    desk.now[0] = datetime(2026, 12, 2, 3, 0, tzinfo=UTC)
    thumbs = CapturedPrint(15, encoded(drawn_slap({1: drawn(1), 6: drawn(6)}, 15)), "image/png")
    spoilt = CapturedPrint(14, encoded(np.full((900, 1600), 250, np.uint8)), "image/png")
    packet = {"prints": (*taken(), *slaps(left=False), thumbs, spoilt), "happened_at": "2026-12-01T02:00:00Z"}
    dossier = searched(centre, packet)
    view = desk.view(dossier)
    assert view.returned is not None
    assert (view.state, view.returned.items) == ("returned", ("finger_14",))
    assert view.returned.comment == "finger_14: SLAP_MISCOUNTED"
    desk.received(packet_of(number=2, answers=dossier, portrait=b"", prints=slaps()[1:]))
    desk.approve_locally(MINH, dossier)
    centre.run()
    assert desk.view(dossier).search == "clear"
