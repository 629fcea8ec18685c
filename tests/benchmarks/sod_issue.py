"""Issuing EF.SOD against its floor, the document signer's raw signature.

Every round signs other hashes; floor and measured work take turns in the same run, in CPU time of
the thread, and the ratio of the medians is what counts. What is measured includes the encoding of
the hashes, both digests, the signed attributes and the whole file.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median

from cryptography.hazmat.primitives.asymmetric import ec

from issuance_backend.csca.ceremony import CeremonyPlan, hold_ceremony
from issuance_backend.csca.document_signer import sign_security_object
from issuance_backend.csca.signer import Signer
from issuance_backend.csca.signing_algorithms import KeyProfile, SigningAlgorithm
from tests.benchmarks.figure import Figure, against_floor
from tests.support import pki
from verification.lds.files import LdsFile

ROUNDS = 15
SIGNED_ATTRIBUTES = 100
"""Octets that the signature is over."""

_DATA_GROUPS = (LdsFile.DG1, LdsFile.DG2, LdsFile.DG3, LdsFile.DG13, LdsFile.DG14, LdsFile.DG15)
_SUITES: Sequence[tuple[str, KeyProfile, int, float]] = (
    ("p256", KeyProfile.ecdsa(ec.SECP256R1(), "sha256"), 200, 2.5),
    ("rsa2048", KeyProfile(2048, SigningAlgorithm.named("rsa-pkcs1-sha256")), 40, 1.15),
    ("rsa2048_pss", KeyProfile(2048, SigningAlgorithm.named("rsa-pss-sha256")), 40, 1.15),
    ("rsa4096", KeyProfile(4096, SigningAlgorithm.named("rsa-pkcs1-sha256")), 10, 1.15),
)


def run() -> list[Figure]:
    """One figure a suite."""
    return [_figure(name, profile, count, goal) for name, profile, count, goal in _SUITES]


def _figure(name: str, profile: KeyProfile, count: int, goal: float) -> Figure:
    plan = CeremonyPlan(csca_curve=ec.SECP256R1(), signer_profile=profile)
    signer = hold_ceremony(plan, pki.CEREMONY).document_signer
    rounds = [_round(signer, count) for _ in range(ROUNDS)]
    floor, issue = (median(column) for column in zip(*rounds, strict=True))
    return against_floor(f"sod_issue_{name}", issue, "us", floor=floor, goal=goal)


def _round(signer: Signer, count: int) -> tuple[float, float]:
    attributes = [os.urandom(SIGNED_ATTRIBUTES) for _ in range(count)]
    cards = [{group: os.urandom(32) for group in _DATA_GROUPS} for _ in range(count)]
    issue = partial(sign_security_object, signer=signer, signing_time=pki.SIGNED)
    floor = _time([partial(signer.sign, data) for data in attributes])
    return floor, _time([partial(issue, card) for card in cards])


def _time(work: Sequence[Callable[[], object]]) -> float:
    """CPU microseconds of this thread for one piece of work."""
    start = time.thread_time_ns()
    for piece in work:
        piece()
    return (time.thread_time_ns() - start) / 1000 / len(work)
