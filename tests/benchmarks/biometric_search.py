"""One search among 100,000 invented persons by face and two fingers: time, memory, and what it finds.

Templates are invented (``tests/support/synthetic_fingers.py`` writes their noise down): time and memory
are those of a real gallery of this size, the share of found mates says how well the index keeps up with
the matcher and nothing about people. It runs in a process of its own, whose memory is then its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from issuance_backend.biometric_search.face_modality import FaceModality, Measure
from issuance_backend.biometric_search.finger_modality import FingerModality
from issuance_backend.biometric_search.gallery_index import Enrolment, GalleryIndex, Question
from issuance_backend.biometric_search.modality import Modalities, Sample
from tests.benchmarks.figure import Figure, at_most
from tests.support.synthetic_fingers import Prints, fingers, records, second_impressions
from verification.fingerprint.nbis_engine import NbisEngine

PERSONS = 100_000
QUICK_PERSONS = 20_000
SECONDS_GOAL = 3.0
MEMORY_GOAL_MB = 2_000.0
EMPTY_MB = 250.0
"""A process that holds nobody yet."""
SEARCHES = 24
_BLOCK = 5_000
_POSITIONS = (2, 7)
_FACE_SPREAD, _FACE_NOISE = 0.075, 0.018


def run(persons: int = PERSONS) -> list[Figure]:
    """The figures of this module; the goal of time grows with the gallery, as the search does."""
    share = persons / PERSONS
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-m", "tests.benchmarks.biometric_search", str(persons)]
    measured = json.loads(subprocess.run(command, cwd=root, check=True, capture_output=True).stdout)
    goal, memory = SECONDS_GOAL * share, EMPTY_MB + (MEMORY_GOAL_MB - EMPTY_MB) * share
    return [
        at_most(
            f"1:N, face and two fingers, {persons:,} persons, median", measured["median_s"], "s", goal=goal
        ),
        at_most(
            f"1:N, face and two fingers, {persons:,} persons, slowest", measured["slowest_s"], "s", goal=goal
        ),
        at_most(f"1:N, the process with {persons:,} persons", measured["memory_mb"], "MB", goal=memory),
        at_most("1:N, mates missed, face and two fingers", measured["missed"], "share", goal=0.0),
        at_most("1:N, mates missed, two fingers alone", measured["missed_by_fingers"], "share", goal=0.1),
        at_most("1:N, hits on strangers a search", measured["strangers"], "persons", goal=0.1),
    ]


def quick() -> list[Figure]:
    """A smaller gallery, held to its share of the goals."""
    return run(QUICK_PERSONS)


def measure(persons: int) -> dict[str, float]:
    """Fill a gallery and search it."""
    face, finger = FaceModality("cc0", 128, Measure.DISTANCE), FingerModality(NbisEngine())
    index = GalleryIndex(Modalities((finger, face)))
    chance = np.random.default_rng(11)
    mates: dict[int, tuple[Sample, ...]] = {}
    for block in range(0, persons, _BLOCK):
        count = min(_BLOCK, persons - block)
        faces = chance.normal(0.05, _FACE_SPREAD, (count, 128)).astype(np.float32)
        prints = [fingers(count, 1_000 * block + position) for position in _POSITIONS]
        index.add(_enrolments(block, face, finger, faces, prints))
        if len(mates) < SEARCHES:
            mates.update(_mates(block, face, finger, faces, prints))
    questions = {number: Question(samples=samples) for number, samples in mates.items()}
    spent, found, strangers = [], 0, 0
    for number, question in questions.items():
        began = time.perf_counter()
        candidates = index.identify(question)
        spent.append(time.perf_counter() - began)
        hits = {each.number for each in candidates if each.is_hit}
        found += number in hits
        strangers += len(hits - {number})
    alone = 0
    for number, question in questions.items():
        only = Question(samples=tuple(each for each in question.samples if each.modality == "finger"))
        alone += number in {each.number for each in index.identify(only) if each.is_hit}
    return {
        "median_s": float(np.median(spent)),
        "slowest_s": max(spent),
        "memory_mb": _peak_mb(),
        "missed": 1 - found / len(questions),
        "missed_by_fingers": 1 - alone / len(questions),
        "strangers": strangers / len(questions),
    }


def _enrolments(
    block: int, face: FaceModality, finger: FingerModality, faces: np.ndarray, prints: list[Prints]
) -> list[tuple[int, Enrolment]]:
    written = [records(each, position) for each, position in zip(prints, _POSITIONS, strict=True)]
    made = []
    for row, template in enumerate(faces):
        own = tuple(
            Sample("finger", position, finger.format, each[row])
            for position, each in zip(_POSITIONS, written, strict=True)
        )
        samples = (face.sample(template), *own)
        made.append((block + row + 1, Enrolment(reference=f"{block + row}", samples=samples)))
    return made


def _mates(
    block: int, face: FaceModality, finger: FingerModality, faces: np.ndarray, prints: list[Prints]
) -> dict[int, tuple[Sample, ...]]:
    """Some of these persons once more: another picture, other touches."""
    chance = np.random.default_rng(block + 1)
    chosen = chance.choice(len(faces), 4, replace=False)
    again = [
        records(second_impressions(each[chosen], block + position), position)
        for each, position in zip(prints, _POSITIONS, strict=True)
    ]
    return {
        block + int(row) + 1: (
            face.sample(faces[row] + chance.normal(0, _FACE_NOISE, 128).astype(np.float32)),
            *(finger.sample(each[place]) for each in again),
        )
        for place, row in enumerate(chosen)
    }


def _peak_mb() -> float:
    """The peak of this very process: getrusage(2) would begin with that of whoever started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
