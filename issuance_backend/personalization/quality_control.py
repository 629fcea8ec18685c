"""Every card is read back before it may leave the office.

The chip is read by the very code that a counter uses; the print is laid over what the chip says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from issuance_backend.personalization.card_faces.captured_picture import CapturedPicture, captured_picture
from issuance_backend.personalization.card_faces.chip_picture import chip_picture
from issuance_backend.personalization.card_faces.contents import face_contents
from issuance_backend.personalization.card_faces.face_inspection import FACE_CHECKS, FaceControl
from issuance_backend.personalization.card_faces.printed_faces import PrintedFaces
from issuance_backend.personalization.data_preparation import CardOrder, card_dg1, card_dg13
from verification.chip.active_authentication import verify_active_authentication
from verification.chip.keys import AccessSecret, Can, MrzKey
from verification.chip.reading import DocumentReader
from verification.chip.terminal_authentication import Terminal
from verification.errors import VerificationError
from verification.inspection.inspect import inspect
from verification.inspection.report import PASSED, Check, CheckResult, InspectionReport, Outcome
from verification.iso7816.transport import CardTransport
from verification.lds.dg1 import parse_dg1
from verification.lds.dg2 import parse_dg2
from verification.lds.dg13 import parse_dg13
from verification.lds.files import LdsFile
from verification.lds.security_object import parse_security_object
from verification.messages.credential_status import status_key
from verification.messages.enrollment import QualityFinding
from verification.pki.trust_store import TrustStore

Random = Callable[[int], bytes]

# Without these the card would be refused at every counter.
REQUIRED = (
    Check.DOCUMENT_STRUCTURE,
    Check.SOD_SIGNATURE,
    Check.SIGNER_TRUST,
    Check.SIGNER_VALIDITY_AT_SIGNING,
    Check.SIGNER_REVOCATION,
    Check.DATA_GROUP_HASHES,
    Check.COM_CONSISTENCY,
    Check.COUNTRY_MATCH,
    Check.HOLDER_CONSISTENCY,
    Check.CHIP_AUTHENTICATION,
    Check.ACTIVE_AUTHENTICATION,
)

_CHALLENGE_LENGTH = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedCard:
    """What the dossier says the card must be; ``captured`` is the officer's picture.

    ``terminal`` opens DG3. Without one only the hash that EF.SOD has of it can be compared.
    """

    order: CardOrder
    captured: bytes
    status_key: str
    terminal: Terminal | None = None


class QualityControl:
    """Reads cards with the issuer's own trust anchors, as they stand at that moment."""

    def __init__(self, anchors: Callable[[], TrustStore], random: Random, faces: FaceControl) -> None:
        self._anchors = anchors
        self._random = random
        self._faces = faces

    def inspect(
        self,
        insert: Callable[[], CardTransport],
        expected: ExpectedCard,
        printed: PrintedFaces,
        moment: datetime,
    ) -> tuple[QualityFinding, ...]:
        """Every finding; ``insert`` puts the card on the reader anew. Never raises for a bad card."""
        zone = card_dg1(expected.order).zone
        findings = [_attempt("opens_by_mrz", lambda: self._opens(insert(), MrzKey(zone.information)))]
        files: dict[LdsFile, bytes] = {}
        checks: dict[Check, CheckResult] = {}
        locked: list[LdsFile] = []

        def read() -> None:
            reader = DocumentReader(insert(), self._random)
            reader.open(Can(expected.order.person.citizen_number.can))
            files.update(reader.read_files())
            locked.extend(reader.locked)
            checks.update(self._prove_chip(reader, files))
            if expected.terminal is not None:
                findings.append(
                    _attempt("fingerprints_opened", partial(_open, reader, files, expected.terminal))
                )

        findings.append(_attempt("reads_by_can", read))
        findings.append(_agrees("fingerprints_closed", "QC_FINGERPRINTS_OPEN", lambda: LdsFile.DG3 in locked))
        report = inspect(
            files,
            self._anchors(),
            moment,
            access=PASSED if files else None,
            chip_authentication=checks.get(Check.CHIP_AUTHENTICATION),
            active_authentication=checks.get(Check.ACTIVE_AUTHENTICATION),
        )
        findings.extend(_finding(report, check) for check in REQUIRED)
        findings.extend(self._contents(files, expected))
        findings.extend(self._printed(files, expected, printed))
        return tuple(findings)

    def _opens(self, card: CardTransport, secret: AccessSecret) -> None:
        DocumentReader(card, self._random).open(secret)

    def _prove_chip(self, reader: DocumentReader, files: dict[LdsFile, bytes]) -> dict[Check, CheckResult]:
        challenge = self._random(_CHALLENGE_LENGTH)

        def active() -> None:
            signature = reader.sign_challenge(challenge)
            verify_active_authentication(
                files[LdsFile.DG15], challenge, signature, dg14=files.get(LdsFile.DG14)
            )

        return {
            # Active authentication first: chip authentication replaces the session's keys.
            Check.ACTIVE_AUTHENTICATION: _result(active),
            Check.CHIP_AUTHENTICATION: _result(lambda: reader.authenticate_chip(files[LdsFile.DG14])),
        }

    def _contents(self, files: dict[LdsFile, bytes], expected: ExpectedCard) -> list[QualityFinding]:
        order = expected.order
        return [
            _agrees(
                "mrz_as_ordered",
                "QC_MRZ_DIFFERS",
                lambda: parse_dg1(files[LdsFile.DG1]).mrz == card_dg1(order).mrz,
            ),
            _agrees(
                "holder_data_as_ordered",
                "QC_HOLDER_DATA_DIFFERS",
                lambda: parse_dg13(files[LdsFile.DG13]).fields == card_dg13(order).fields,
            ),
            _agrees(
                "portrait_as_captured",
                "QC_PORTRAIT_DIFFERS",
                lambda: _captured(files, expected).is_shown_by(chip_picture(_portrait(files))),
            ),
            _agrees(
                "portrait_as_sharp",
                "QC_PORTRAIT_BLURRED",
                lambda: _captured(files, expected).is_as_sharp_in(chip_picture(_portrait(files))),
            ),
            _agrees(
                "fingerprints_as_captured",
                "QC_FINGERPRINTS_DIFFER",
                lambda: _fingerprint_hash(files, expected) == hashlib.sha256(order.dg3).digest(),
            ),
            _agrees(
                "status_key_as_recorded",
                "QC_STATUS_KEY_DIFFERS",
                lambda: (
                    status_key(parse_security_object(files[LdsFile.SOD]).signature) == expected.status_key
                ),
            ),
        ]

    def _printed(
        self, files: dict[LdsFile, bytes], expected: ExpectedCard, printed: PrintedFaces
    ) -> list[QualityFinding]:
        """The print against the chip; what the chip says was compared with the order above."""
        faults: dict[str, str | None] = {}

        def compare() -> None:
            dg1, dg13 = parse_dg1(files[LdsFile.DG1]), parse_dg13(files[LdsFile.DG13])
            chip = face_contents(dg1, dg13, _portrait(files))
            faults.update(self._faces.faults(printed, chip, _captured(files, expected)))

        compared = _attempt("faces_as_chip", compare)
        if not compared.passed:
            return [compared]
        return [QualityFinding(name, faults[name] is None, faults[name]) for name in FACE_CHECKS]


def passed(findings: tuple[QualityFinding, ...]) -> bool:
    """Whether a card with these findings may leave the office."""
    return bool(findings) and all(finding.passed for finding in findings)


def _captured(files: dict[LdsFile, bytes], expected: ExpectedCard) -> CapturedPicture:
    """Cut as the chip's picture is, whichever profile that was made for."""
    return captured_picture(expected.captured, chip_picture(_portrait(files)).size)


def _portrait(files: dict[LdsFile, bytes]) -> bytes:
    return parse_dg2(files[LdsFile.DG2]).portraits[0].image


def _open(reader: DocumentReader, files: dict[LdsFile, bytes], terminal: Terminal) -> None:
    reader.authenticate_terminal(terminal)
    files.update(reader.read_locked())


def _fingerprint_hash(files: dict[LdsFile, bytes], expected: ExpectedCard) -> bytes:
    """Of DG3 as it was read; where nobody may read it, as the office signed it."""
    if expected.terminal is None:
        return parse_security_object(files[LdsFile.SOD]).hashes[LdsFile.DG3]
    return hashlib.sha256(files[LdsFile.DG3]).digest()


def _attempt(name: str, step: Callable[[], None]) -> QualityFinding:
    try:
        step()
    except VerificationError as fault:
        return QualityFinding(name, False, fault.code)
    except KeyError:
        return QualityFinding(name, False, "QC_FILE_MISSING")
    return QualityFinding(name, True)


def _result(step: Callable[[], None]) -> CheckResult:
    finding = _attempt("", step)
    return PASSED if finding.passed else CheckResult(Outcome.FAILED, finding.code)


def _agrees(name: str, code: str, question: Callable[[], bool]) -> QualityFinding:
    answer = False

    def ask() -> None:
        nonlocal answer
        answer = question()

    finding = _attempt(name, ask)
    return finding if not finding.passed or answer else QualityFinding(name, False, code)


def _finding(report: InspectionReport, check: Check) -> QualityFinding:
    if report.passed(check):
        return QualityFinding(check.value, True)
    result = report.checks.get(check)
    return QualityFinding(check.value, False, (result.code if result else None) or "CHECK_NOT_MADE")
