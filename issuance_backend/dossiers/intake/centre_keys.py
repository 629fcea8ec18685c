"""The centre's keys for packets: what opens them, and what signs receipts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from issuance_backend.csca.signer import write_secret
from issuance_backend.dossiers.intake.refusals import IntakeKeyUnavailable
from verification.messages.signing_key import public_jwk, thumbprint

_OPENING = "opening-*.pem"
_RECEIPTS = "receipts.pem"


@dataclass(frozen=True, slots=True)
class CentreKeys:
    """Opening keys by thumbprint, the newest (by name of its file) for new packets; the key of receipts."""

    opening: Mapping[str, ec.EllipticCurvePrivateKey]
    newest: str
    receipts: ec.EllipticCurvePrivateKey

    def opening_jwk(self) -> dict[str, str]:
        """The public key that kits encrypt to."""
        return public_jwk(self.opening[self.newest].public_key())

    def receipts_jwk(self) -> dict[str, str]:
        """The public key that kits check receipts with."""
        return public_jwk(self.receipts.public_key())


def make_keys(folder: Path, name: str) -> None:
    """Make a new opening key, and the key of receipts where there is none; raises ValueError."""
    if not name.replace("-", "").isalnum():
        raise ValueError("a key's name has letters, digits and hyphens")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    wanted = [folder / f"opening-{name}.pem"]
    if not (folder / _RECEIPTS).exists():
        wanted.append(folder / _RECEIPTS)
    if wanted[0].exists():
        raise ValueError("there is a key of this name")
    for path in wanted:
        make_key(path)


def make_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """A new key in a file of its own; raises FileExistsError."""
    key = ec.generate_private_key(ec.SECP256R1())
    write_secret(path, _pem(key))
    return key


def load_keys(folder: Path) -> CentreKeys:
    """The keys of a folder; raises IntakeKeyUnavailable."""
    opening = [load_key(path) for path in sorted(folder.glob(_OPENING))]
    if not opening:
        raise IntakeKeyUnavailable("no key opens packets")
    named = {thumbprint(key.public_key()): key for key in opening}
    return CentreKeys(named, thumbprint(opening[-1].public_key()), load_key(folder / _RECEIPTS))


def load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """The key of a file; raises IntakeKeyUnavailable."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as fault:
        raise IntakeKeyUnavailable(f"{path.name}: {type(fault).__name__}") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise IntakeKeyUnavailable(f"{path.name}: not a key on P-256")
    return key


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
