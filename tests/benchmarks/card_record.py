"""Card records (data groups, EF.SOD, own check of both) without JPEG 2000, and card faces.

In CPU time of the thread. The portrait is encoded beforehand (``portrait_encoding`` measures that), and so
are the prints, which are not cheap: ten milliseconds each from PNG, six to see that a WSQ decodes. The
document signer is P-256. A chip's two brainpool keys take as long as all the rest and are made while the
line stands; ``card_record_with_keys`` is the same work with the keys made on the way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median

from cryptography.hazmat.primitives.asymmetric import ec

from issuance_backend.csca.ceremony import CeremonyPlan, hold_ceremony
from issuance_backend.csca.document_signer import sign_security_object
from issuance_backend.csca.signing_algorithms import KeyProfile
from issuance_backend.personalization.card_faces.captured_picture import captured_picture
from issuance_backend.personalization.card_faces.chip_picture import chip_picture
from issuance_backend.personalization.card_faces.face_inspection import FaceControl
from issuance_backend.personalization.card_faces.printed_faces import PrintJob, print_job
from issuance_backend.personalization.data_preparation import ChipKeys, ordered_faces, prepare
from tests.benchmarks.figure import Figure, against_floor, at_most
from tests.support import pki
from tests.support.issuance_office import picture
from tests.support.printed_cards import FONTS, card_order
from verification.inspection.passive_authentication import authenticate

ROUNDS, RECORDS, FACES = 9, 40, 5
"""Medians over the rounds; so many cards in each round of records, so many cards in the round of faces."""

MICROSECONDS_A_RECORD = 1_000.0
"""A thousand records a second."""

MICROSECONDS_WITH_KEYS = 1_600.0
MILLISECONDS_FOR_FACES = 250.0
"""What printing and judging may add to a card."""
FACES_OVER_DRAWING = 5.0


def run() -> list[Figure]:
    """Records with and without the keys; drawing, print file and judgement of both faces."""
    faces = median(map(_faces, range(FACES)))
    return [*_records(), at_most("card_faces", faces, "ms", goal=MILLISECONDS_FOR_FACES)]


def quick() -> list[Figure]:
    """The same; judging both faces against drawing them, whatever machine this is."""
    faces, drawn = median(map(_faces, range(FACES))), median(map(_drawing, range(FACES)))
    over = against_floor("card_faces_over_drawing", faces, "ms", floor=drawn, goal=FACES_OVER_DRAWING)
    return [*_records(), over]


def _records() -> list[Figure]:
    plan = CeremonyPlan(csca_curve=ec.SECP256R1(), signer_profile=KeyProfile.ecdsa(ec.SECP256R1(), "sha256"))
    ceremony = hold_ceremony(plan, pki.CEREMONY)
    store, signer, order = pki.trust_store(ceremony), ceremony.document_signer, card_order(1)

    def record(keys: ChipKeys | None) -> None:
        image = prepare(
            order, lambda hashes: sign_security_object(hashes, signer, signing_time=pki.SIGNED), keys
        )
        authenticate(image.files, store, pki.SIGNED)

    def records(keys: Sequence[ChipKeys | None]) -> float:
        return _seconds(lambda: [record(pair) for pair in keys]) / RECORDS * 1e6

    pooled = [records([ChipKeys.made() for _ in range(RECORDS)]) for _ in range(ROUNDS)]
    whole = [records([None] * RECORDS) for _ in range(ROUNDS)]
    return [
        at_most("card_record", median(pooled), "us", goal=MICROSECONDS_A_RECORD),
        at_most("card_record_with_keys", median(whole), "us", goal=MICROSECONDS_WITH_KEYS),
    ]


def _faces(number: int) -> float:
    """Everything that printed faces add to one new card, in milliseconds; what is drawn once is drawn."""
    control, captured = FaceControl(FONTS), picture(number)
    _print_and_judge((number + 1) % FACES, control, picture((number + 1) % FACES))
    chip_picture.cache_clear()
    captured_picture.cache_clear()
    return _seconds(lambda: _print_and_judge(number, control, captured)) * 1e3


def _drawing(number: int) -> float:
    """Drawing a new card and its print file alone, in milliseconds."""
    chip_picture.cache_clear()
    captured_picture.cache_clear()
    return _seconds(lambda: print_job(ordered_faces(card_order(number)), FONTS)) * 1e3


def _print_and_judge(number: int, control: FaceControl, captured: bytes) -> PrintJob:
    what = ordered_faces(card_order(number))
    job = print_job(what, FONTS)
    faults = control.faults(job.faces, what, captured_picture(captured, chip_picture(what.portrait).size))
    if any(faults.values()):
        raise ValueError("a good print was refused")
    return job


def _seconds(work: Callable[[], object]) -> float:
    """CPU time of this thread."""
    start = time.thread_time()
    work()
    return time.thread_time() - start
