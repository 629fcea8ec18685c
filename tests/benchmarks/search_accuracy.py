"""FNIR and FPIR over the threshold, by two fingers of invented people, and the curve that is published.

``python -m tests.benchmarks.search_accuracy`` measures once more and writes the files of
``issuance_backend/biometric_search/published_accuracy/invented_fingers``. Invented people show that the
search keeps its word about false positives, and what worn fingers cost it; they say nothing about real ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import numpy as np

from issuance_backend.accuracy_command import software
from issuance_backend.biometric_search import accuracy_report
from issuance_backend.biometric_search.accuracy import Accuracy, Capture, Point, measure
from issuance_backend.biometric_search.composition import installed_modalities
from issuance_backend.biometric_search.finger_modality import FINGER, FingerModality
from issuance_backend.biometric_search.modality import Modalities, Sample
from tests.benchmarks.figure import Figure, at_most
from tests.support.synthetic_fingers import Noise, fingers, records, second_impressions

PERSONS, SEARCHES = 5_000, 600
QUICK_PERSONS, QUICK_SEARCHES = 500, 60
MISSED_GOAL, STRANGERS_GOAL = 0.36, 0.1
WEAR = (Noise(), Noise(20, 40, 3.2, 1.6, 11, 0.26, 10), Noise(30, 60, 4, 2, 14, 0.35, 14))
"""How a finger is touched again: as usual, worn, and hardly to be read; a third of the searches each."""

_POSITIONS = (2, 7)
WHOSE = "invented people, two fingers: a third touched as usual, a third worn, a third hardly readable"
PUBLISHED = Path(str(resources.files("issuance_backend"))) / "biometric_search" / "published_accuracy"


def run() -> list[Figure]:
    """The rates at the threshold that applications are searched with."""
    return figures(measured(PERSONS, SEARCHES))


def quick() -> list[Figure]:
    """The same among fewer people."""
    return figures(measured(QUICK_PERSONS, QUICK_SEARCHES))


def figures(accuracy: Accuracy) -> list[Figure]:
    """FNIR and FPIR of one measurement where applications are searched."""
    point = usual(accuracy)
    among = f"{accuracy.gallery:,} invented persons, two fingers"
    return [
        at_most(f"FNIR among {among}", point.fnir.share, "share", goal=MISSED_GOAL),
        at_most(f"FPIR among {among}", point.fpir.share, "share", goal=STRANGERS_GOAL),
    ]


def usual(accuracy: Accuracy) -> Point:
    """The point of the threshold that applications are searched with."""
    (point,) = (
        each for each in accuracy.points if each.target_fpir_decibans == accuracy.usual_target_decibans
    )
    return point


def measured(persons: int, searches: int) -> Accuracy:
    """Enrol and search."""
    modalities = Modalities((installed_modalities(None).named(FINGER),))
    return measure(modalities, captures(persons, searches), WHOSE, software())


def captures(persons: int, searches: int) -> Iterator[Capture]:
    """First everybody once, then some of them again."""
    prints = {position: fingers(persons, 3_000 + position) for position in _POSITIONS}
    first = {position: records(made, position) for position, made in prints.items()}
    for person in range(persons):
        yield _capture(person, {position: made[person] for position, made in first.items()})
    chosen = np.random.default_rng(31).choice(persons, searches, replace=False)
    for degree, noise in enumerate(WEAR):
        people = chosen[degree :: len(WEAR)]
        again = {
            position: records(second_impressions(made[people], 4_000 + degree + position, noise), position)
            for position, made in prints.items()
        }
        for place, person in enumerate(people):
            yield _capture(int(person), {position: made[place] for position, made in again.items()})


def _capture(person: int, templates: dict[int, bytes]) -> Capture:
    samples = (Sample(FINGER, place, FingerModality.format, each) for place, each in templates.items())
    return Capture(str(person), tuple(samples))


def publish() -> None:
    """Write the files of the published measurement."""
    folder = PUBLISHED / "invented_fingers"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in accuracy_report.files(measured(PERSONS, SEARCHES)).items():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    publish()
