"""Prints of which none can be compared come back for the fingers: no card carries what matches nobody."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from issuance_backend.biometric_search.face_modality import FACE
from issuance_backend.biometric_search.task_messages import sample_message
from issuance_backend.dossiers.deduplication import Biometrics, DeduplicationDesk
from issuance_backend.dossiers.national_gallery import FingerMaker, NationalGallery
from issuance_backend.dossiers.packet_desk import CapturedPrint
from issuance_backend.personalization.finger_pictures import read_finger
from tests.support.application_desk import MINH, PRINTS, best_available, only, packet_of
from tests.support.deduplication_centre import Centre, make_centre
from tests.support.engines import Engine
from tests.support.search_bed import finger_modality, messages, samples_of
from verification.errors import FingerQualityInsufficient
from verification.fingerprint.nbis_engine import NbisEngine
from verification.fingerprint.procedural_finger import render_finger
from verification.lds.finger_image import FingerPosition
from verification.messages.asked_prints import finger_item
from verification.messages.biometric_search import SampleMessage


class FacesAndFingers(NationalGallery):
    """An invented face is found in every portrait; prints are read by the real engine."""

    def templates(self, biometrics: Biometrics) -> tuple[SampleMessage, ...]:
        faces = [each for each in messages(samples_of(3)) if each.modality == FACE]
        return (*faces, *map(sample_message, self._fingers(biometrics.prints)[0]))


@pytest.fixture
def centre(tmp_path: Path, database_engine: Engine) -> Centre:
    made = make_centre(tmp_path, database_engine)
    finger = FingerMaker(NbisEngine(), finger_modality(), read_finger)
    gallery = FacesAndFingers(made.bed.desk, made.desk.pictures, None, finger)
    made.work = DeduplicationDesk(made.desk.database, gallery, lambda: made.desk.now[0])
    return made


def readable(position: FingerPosition) -> CapturedPrint:
    out = io.BytesIO()
    Image.fromarray(render_finger(5, position)).save(out, "PNG")
    return CapturedPrint(int(position), out.getvalue(), "image/png")


def test_prints_that_nothing_can_read_come_back_for_the_fingers_alone(centre: Centre) -> None:
    desk = centre.desk
    dossier = desk.received(packet_of(prints=PRINTS))
    desk.approve_locally(MINH, dossier)
    centre.run()
    view = desk.view(dossier)
    assert view.returned is not None
    assert (desk.state(dossier), view.returned.items) == ("returned", ("fingerprints",))
    assert view.steps[-1].detail["faults"] == FingerQualityInsufficient.code
    assert centre.members() == set(), "nothing of it is compared"
    # What cannot be taken has a reason for each finger, for which a supervisor answers.
    desk.received(packet_of(number=2, answers=dossier, portrait=b"", **only()))
    desk.approve_locally(MINH, dossier)
    centre.run()
    assert (desk.state(dossier), desk.view(dossier).search) == ("dedup_1n", "clear")


def test_one_finger_that_can_be_compared_is_enough_where_the_others_have_reasons(centre: Centre) -> None:
    desk = centre.desk
    dossier = desk.received(packet_of(**only(readable(FingerPosition.RIGHT_INDEX))))
    desk.approve_locally(MINH, dossier)
    centre.run()
    assert desk.view(dossier).search == "clear"


def test_that_no_better_print_was_to_be_had_is_no_reason_for_one_without_ridges(centre: Centre) -> None:
    desk = centre.desk
    others = [each for each in PRINTS if each.position != FingerPosition.RIGHT_INDEX]
    poor = best_available(*(each.position for each in others))
    prints = (readable(FingerPosition.RIGHT_INDEX), *others)
    dossier = desk.received(packet_of(prints=prints, exceptions=poor, supervisor="chief"))
    desk.approve_locally(MINH, dossier)
    centre.run()
    view = desk.view(dossier)
    assert view.returned is not None
    assert set(view.returned.items) == {finger_item(each.position) for each in others}


def test_a_picture_of_four_fingers_stands_for_none_and_is_missed_by_nobody(centre: Centre) -> None:
    desk = centre.desk
    slap = CapturedPrint(13, PRINTS[0].content, "image/png")
    dossier = desk.received(packet_of(prints=(slap,)))
    assert desk.state(dossier) == "returned"
    desk.received(packet_of(number=2, answers=dossier, portrait=b"", **only(slap)))
    assert desk.state(dossier) == "validated", "every finger has its reason"
    desk.approve_locally(MINH, dossier)
    centre.run()
    assert desk.view(dossier).search == "clear"
