"""The finger index in small galleries, and in those from which many were removed."""

from __future__ import annotations

from issuance_backend.biometric_search.gallery_index import SHORTLIST, Enrolment, GalleryIndex, Question
from issuance_backend.biometric_search.modality import Modalities, Sample
from tests.support.search_bed import finger_modality, samples_of


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
