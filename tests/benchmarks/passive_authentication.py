"""Passive authentication against its floor: two raw verifications and the data group hashes.

Cold means that the document signer has not been met before; every card of a round has a signer
of its own, and every round has a new trust store. Floor and measured work take turns in the same
run, in CPU time of the thread; the ratio of the medians is what counts.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from statistics import median

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from issuance_backend.csca.ceremony import (
    DOCUMENT_SIGNER_HASH,
    Ceremony,
    CeremonyPlan,
    issue_document_signer,
)
from issuance_backend.csca.document_signer import data_group_hashes, sign_security_object
from issuance_backend.csca.signer import PrivateKey
from tests.benchmarks.figure import Figure, against_floor
from tests.support import pki
from verification.inspection.passive_authentication import authenticate
from verification.lds.files import CardFiles, LdsFile
from verification.lds.security_object import parse_security_object
from verification.pki.certificate import parse_certificate

ROUNDS = 15
CARDS = 40
COLD_GOAL = 1.4
WARM_GOAL = 1.5

_MEASURED_FILES = (LdsFile.DG1, LdsFile.DG2, LdsFile.DG13, LdsFile.DG14)

Work = Callable[[], object]


def run() -> list[Figure]:
    """Cold and warm, on P-256 and on the curves that the product issues with."""
    return [*_figures("p256", pki.P256), *_figures("product_curves", CeremonyPlan())]


def _figures(name: str, plan: CeremonyPlan) -> list[Figure]:
    ceremony = pki.hold_ceremony(plan, pki.CEREMONY)
    cards = [_card(ceremony, plan, number) for number in range(CARDS)]
    two_verifies = [_floor(ceremony, files, both=True) for files in cards]
    one_verify = [_floor(ceremony, files, both=False) for files in cards]
    figures: list[tuple[float, float, float, float]] = []
    for _ in range(ROUNDS):
        store = pki.trust_store(ceremony)
        work: list[Work] = [partial(authenticate, files, store, pki.NOW) for files in cards]
        # The second pass over the same store meets every signer again.
        figures.append((_time(two_verifies), _time(work), _time(one_verify), _time(work)))
    floor_cold, cold, floor_warm, warm = (median(column) for column in zip(*figures, strict=True))
    return [
        against_floor(f"passive_authentication_cold_{name}", cold, "us", floor=floor_cold, goal=COLD_GOAL),
        against_floor(f"passive_authentication_warm_{name}", warm, "us", floor=floor_warm, goal=WARM_GOAL),
    ]


def _time(work: Sequence[Work]) -> float:
    """CPU microseconds of this thread for one piece of work."""
    start = time.thread_time_ns()
    for piece in work:
        piece()
    return (time.thread_time_ns() - start) / 1000 / len(work)


def _card(ceremony: Ceremony, plan: CeremonyPlan, number: int) -> CardFiles:
    """A card whose document signer signed nothing else."""
    key = PrivateKey.generate(plan.signer_curve, DOCUMENT_SIGNER_HASH)
    numbered = replace(plan, signer_name=f"Document Signer {number}")
    signer = key.with_certificate(issue_document_signer(ceremony.csca, key, numbered, pki.CEREMONY))
    everything = pki.quick_card().files
    files = {file: everything[file] for file in _MEASURED_FILES}
    signed = data_group_hashes(everything)
    return {**files, LdsFile.SOD: sign_security_object(signed, signer, signing_time=pki.SIGNED)}


def _floor(ceremony: Ceremony, files: CardFiles, *, both: bool) -> Work:
    """What no implementation can leave out: the signatures and the hashes, all inputs at hand."""
    security_object = parse_security_object(files[LdsFile.SOD])
    certificate = parse_certificate(security_object.certificates[0])
    attributes = security_object.signer.attributes
    signed = b"" if attributes is None else attributes.encoded
    signature = security_object.signature
    csca_key = ceremony.csca.public_key
    signer_key = ec.EllipticCurvePublicKey.from_encoded_point(
        ceremony.document_signer.public_key.curve, certificate.public_key_info[-_point_size(ceremony) :]
    )
    sha256, csca_hash = ec.ECDSA(hashes.SHA256()), ec.ECDSA(hashes.SHA384())
    contents = [files[file] for file in _MEASURED_FILES]

    def work() -> None:
        signer_key.verify(signature, signed, sha256)
        if both:
            csca_key.verify(certificate.signature, certificate.signed, csca_hash)
        for content in contents:
            hashlib.sha256(content).digest()

    return work


def _point_size(ceremony: Ceremony) -> int:
    return 1 + 2 * ((ceremony.document_signer.public_key.key_size + 7) // 8)
