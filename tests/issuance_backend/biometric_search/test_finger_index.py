"""The finger index in small galleries, and in those from which many were removed."""

from __future__ import annotations

import numpy as np

from issuance_backend.biometric_search.gallery_index import SHORTLIST, Enrolment, GalleryIndex, Question
from issuance_backend.biometric_search.modality import Modalities, Sample
from tests.support.search_bed import finger_modality, samples_of
from tests.support.second_touch import cracked
from verification.fingerprint.nbis_engine import NbisEngine
from verification.fingerprint.procedural_finger import render_finger
from verification.lds.finger_image import FingerPosition


def only_fingers(person: int, touch: int = 1) -> tuple[Sample, ...]:
    return tuple(each for each in samples_of(person, touch=touch) if each.modality == "finger")


def index() -> GalleryIndex:
    return GalleryIndex(Modalities((finger_modality(),)))


def enrolled(person: int, name: str) -> Enrolment:
    return Enrolment(reference=name, samples=only_fingers(person))


def test_who_is_enrolled_twice_and_alone_is_found_twice() -> None:
    gallery = index()
    gallery.add([(1, enrolled(0, "one")), (2, enrolled(0, "other"))])
    assert len(gallery.identify(Question(samples=only_fingers(0)))) == 2


def test_who_asks_is_not_compared_with_themselves() -> None:
    gallery = index()
    gallery.add([(1, enrolled(0, "who asks")), (2, enrolled(0, "other"))])
    (candidate,) = gallery.identify(Question(samples=only_fingers(0), but_not="who asks"))
    assert candidate.number == 2


def test_cracked_skin_is_found_again_in_a_second_enrolment() -> None:
    """The same print, read once more: so much agrees that bozorth3 would take its twenty seconds."""
    engine, modality = NbisEngine(), finger_modality()
    skin = cracked(render_finger(5, FingerPosition.RIGHT_THUMB))
    again = np.roll(skin, (3, 2), (0, 1))
    taken = [engine.extract(each, FingerPosition.RIGHT_THUMB).template for each in (skin, again)]
    gallery = index()
    gallery.add([(1, Enrolment(reference="one", samples=(modality.sample(taken[0]),)))])
    gallery.add([(2, enrolled(3, "other"))])
    (candidate,) = gallery.identify(Question(samples=(modality.sample(taken[1]),)))
    assert candidate.number == 1
    assert candidate.likenesses[0].decibans == modality.calibration.ceiling


def test_whoever_was_removed_takes_no_place_from_who_is_there() -> None:
    gallery = index()
    # The same prints, so that every one of them is as alike as can be; the one who is left is less so.
    gallery.add([(number, enrolled(0, f"gone-{number}")) for number in range(SHORTLIST + 10)])
    left = Enrolment(reference="left", samples=only_fingers(0, touch=2))
    gallery.add([(1000, left)])
    for number in range(SHORTLIST + 10):
        gallery.remove(number)
    (candidate,) = gallery.identify(Question(samples=only_fingers(0)))
    assert candidate.number == 1000
