"""Passive authentication against its floor: two raw verifications and the data group hashes.

Cold means that the document signer has not been met before: every card of a round has a signer's
certificate of its own, and every round has a new trust store. Warm meets them again: the floor is
one verification and the hashes. Floor and measured work take turns in the same run, in CPU time of
the thread; the ratio of the medians is what counts.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from tests.benchmarks.figure import Figure, against_floor
from tests.support import pki
from tests.support.signing_suites import SUITES, Suite, SuiteIssuer, SuiteSigner, card_files
from tests.support.trust_material import NOW
from verification.inspection.passive_authentication import authenticate
from verification.lds.files import CardFiles, LdsFile
from verification.lds.security_object import parse_security_object
from verification.pki.certificate import parse_certificate
from verification.pki.trust_store import TrustStore

MEASURED = ("p256", "p384", "brainpoolp384", "rsa2048", "rsa2048_pss", "rsa4096", "rsa4096_pss")
ROUNDS = 15
CARDS = 40
COLD_GOAL = 1.4
WARM_GOAL = 1.5
WARM_GOAL_RSA_2048 = 1.8
"""One verification takes 20 microseconds there: what surrounds it weighs more."""

_MEASURED_FILES = (LdsFile.DG1, LdsFile.DG2, LdsFile.DG13, LdsFile.DG14)
_DG2_BYTES = 18_085
"""A portrait as large as a real one, for the hashes to cost what they cost in life."""

Work = Callable[[], object]


def run() -> list[Figure]:
    """Cold and warm in every suite."""
    return [figure for name in MEASURED for figure in _figures(SUITES[name])]


def _figures(suite: Suite) -> list[Figure]:
    issuer = SuiteIssuer(suite)
    key = suite.signer_key()
    signers = [issuer.signer(key) for _ in range(CARDS)]
    cards = [card_files(issuer, signer, _data_groups()) for signer in signers]
    floors = [_Floor(issuer, signer, files) for signer, files in zip(signers, cards, strict=True)]
    two_verifies: list[Work] = [floor.cold for floor in floors]
    one_verify: list[Work] = [floor.warm for floor in floors]
    rounds: list[tuple[float, float, float, float]] = []
    for _ in range(ROUNDS):
        store = TrustStore.from_certificates([issuer.certificate])
        work: list[Work] = [partial(authenticate, files, store, NOW) for files in cards]
        # The second pass over the same store meets every signer again.
        rounds.append((_time(two_verifies), _time(work), _time(one_verify), _time(work)))
    floor_cold, cold, floor_warm, warm = (median(column) for column in zip(*rounds, strict=True))
    name = f"passive_authentication_{{}}_{suite.name}"
    goal = WARM_GOAL_RSA_2048 if suite.name.startswith("rsa2048") else WARM_GOAL
    return [
        against_floor(name.format("cold"), cold, "us", floor=floor_cold, goal=COLD_GOAL),
        against_floor(name.format("warm"), warm, "us", floor=floor_warm, goal=goal),
    ]


def _time(work: Sequence[Work]) -> float:
    """CPU microseconds of this thread for one piece of work."""
    start = time.thread_time_ns()
    for piece in work:
        piece()
    return (time.thread_time_ns() - start) / 1000 / len(work)


def _data_groups() -> CardFiles:
    everything = pki.quick_card().files
    groups = {file: everything[file] for file in _MEASURED_FILES}
    groups[LdsFile.DG2] = groups[LdsFile.DG2].ljust(_DG2_BYTES, b"\0")
    return groups


class _Floor:
    """What no implementation can leave out: the signatures and the hashes, all inputs at hand."""

    def __init__(self, issuer: SuiteIssuer, signer: SuiteSigner, files: CardFiles) -> None:
        certificate = parse_certificate(signer.certificate)
        security_object = parse_security_object(files[LdsFile.SOD])
        attributes = security_object.signer.attributes
        signed = b"" if attributes is None else attributes.encoded
        self._of_document = _raw_verify(
            issuer.suite, signer.key.public_key(), security_object.signature, signed
        )
        self._of_signer = _raw_verify(
            issuer.suite, issuer.public_key, certificate.signature, certificate.signed
        )
        self._hash = getattr(hashlib, issuer.suite.hash.name)
        self._contents = [files[file] for file in _MEASURED_FILES]

    def warm(self) -> None:
        self._of_document()
        for content in self._contents:
            self._hash(content).digest()

    def cold(self) -> None:
        self._of_signer()
        self.warm()


def _raw_verify(
    suite: Suite, key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey, signature: bytes, signed: bytes
) -> Work:
    if isinstance(key, ec.EllipticCurvePublicKey):
        return partial(key.verify, signature, signed, ec.ECDSA(suite.hash))
    return partial(key.verify, signature, signed, suite.padding or padding.PKCS1v15(), suite.hash)
