"""ECDSA on the curves that OpenSSL's Python binding does not offer (SEC 1, 4.1.4; RFC 5639).

Real signers use brainpoolP224r1 and, more rarely, brainpoolP320r1. Only public values are computed
with here, so the time it takes tells nobody anything.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from verification.encoding.curve_arithmetic import AffinePoint, decode_point, verify_signature
from verification.encoding.curve_parameters import DomainParameters


@dataclass(frozen=True, slots=True)
class CurvePublicKey:
    """A public key on a curve that we compute with ourselves."""

    curve: DomainParameters
    point: AffinePoint

    @classmethod
    def from_encoded_point(cls, curve: DomainParameters, octets: bytes) -> CurvePublicKey:
        """Read an uncompressed point; raises MalformedDocument where it is none of the curve."""
        return cls(curve, decode_point(curve, octets))

    @property
    def key_size(self) -> int:
        """Bits of the order of the base point."""
        return self.curve.n.bit_length()

    def verify_digest(self, signature: bytes, digest: bytes) -> None:
        """Verify an Ecdsa-Sig-Value over a digest; raises InvalidSignature."""
        try:
            numbers = decode_dss_signature(signature)
        except ValueError:
            raise InvalidSignature from None
        verify_signature(self.curve, self.point, digest, numbers)
