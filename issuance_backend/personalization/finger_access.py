"""Who opens DG3 of a card: whom its chip trusts, and the office's own terminal (BSI TR-03110-3, C)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_private_key

from issuance_backend.csca.cv_authorities import sign_plain
from issuance_backend.csca.signer import PrivateKey
from issuance_backend.csca.signing_algorithms import SigningAlgorithm
from issuance_backend.csca.terminal_admission import CVCA
from issuance_backend.refusals import ProductionUnavailable
from verification.chip.terminal_authentication import Terminal
from verification.errors import VerificationError
from verification.lds.card_verifiable import CV_ALGORITHMS, CardVerifiableCertificate, parse_cv_certificate
from verification.pki.card_verifiable_chain import verify_chain

TERMINAL = "cvc/quality-control"
"""Where in the PKI's directory ``csca terminal`` put the chain and the key of the office's terminal."""


@dataclass(frozen=True, slots=True)
class FingerAccess:
    """Certificates that chips are given to trust, and who reads DG3 in the office; None where nobody may."""

    trust_points: tuple[bytes, ...] = ()
    terminal: Terminal | None = None


def finger_access(pki_dir: Path, today: date) -> FingerAccess:
    """As the directory has it at this moment: without a CVCA, no terminal ever opens the fingerprints.

    Raises ProductionUnavailable for a terminal that the chips to be made would refuse.
    """
    path = pki_dir / CVCA
    if not path.exists():
        return FingerAccess()
    try:
        trusted = path.read_bytes()
        folder = pki_dir / TERMINAL
        return FingerAccess((trusted,), _terminal(folder, trusted, today) if folder.exists() else None)
    except (OSError, ValueError, TypeError, VerificationError) as fault:
        raise ProductionUnavailable(f"quality control's terminal: {type(fault).__name__}") from None


def _terminal(folder: Path, trusted: bytes, today: date) -> Terminal:
    certificates = tuple(
        parse_cv_certificate(each.read_bytes()) for each in sorted(folder.glob("cvc_*.cvcert"))
    )
    key = _key((folder / "is_key.pkcs8").read_bytes(), certificates[-1:])
    terminal = Terminal(certificates, lambda data: sign_plain(key, data))
    trust_point = parse_cv_certificate(trusted)
    verify_chain(trust_point, terminal.path_from([trust_point.holder_reference]).certificates, today)
    return terminal


def _key(encoded: bytes, own: tuple[CardVerifiableCertificate, ...]) -> PrivateKey:
    key = load_der_private_key(encoded, None)
    if not own or not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("a terminal that signs with ECDSA")
    return PrivateKey(key, SigningAlgorithm(*CV_ALGORITHMS[own[-1].public_key.algorithm]))
