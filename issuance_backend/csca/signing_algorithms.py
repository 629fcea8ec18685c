"""What the issuer's keys are and how they sign: ECDSA, RSA PKCS#1 v1.5 and RSASSA-PSS (9303-12, 4.4)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from verification.encoding.object_identifier import build_oid
from verification.encoding.tlv import NULL, SEQUENCE, build, build_integer
from verification.lds.card_verifiable import SignatureScheme

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
PrivateKeyObject = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

HASHES: Mapping[str, hashes.SHA256 | hashes.SHA384 | hashes.SHA512] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
"""What the issuer signs with, by name."""

_HASH_OIDS: Mapping[str, str] = {
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
}
# RFC 5758, 3.2, and RFC 8017, A.2.4.
_SIGNATURE_OIDS: Mapping[tuple[SignatureScheme, str], str] = {
    (SignatureScheme.ECDSA, "sha256"): "1.2.840.10045.4.3.2",
    (SignatureScheme.ECDSA, "sha384"): "1.2.840.10045.4.3.3",
    (SignatureScheme.ECDSA, "sha512"): "1.2.840.10045.4.3.4",
    (SignatureScheme.RSA_PKCS1, "sha256"): "1.2.840.113549.1.1.11",
    (SignatureScheme.RSA_PKCS1, "sha384"): "1.2.840.113549.1.1.12",
    (SignatureScheme.RSA_PKCS1, "sha512"): "1.2.840.113549.1.1.13",
}
_RSASSA_PSS = "1.2.840.113549.1.1.10"
_MGF1 = "1.2.840.113549.1.1.8"
_NULL = build(NULL, b"")


class SigningAlgorithm(NamedTuple):
    """A scheme with its hash; ``str`` gives the name that ``named`` takes back."""

    scheme: SignatureScheme
    hash_name: str

    def __str__(self) -> str:
        return f"{self.scheme}-{self.hash_name}"

    @classmethod
    def named(cls, name: str) -> SigningAlgorithm:
        """The algorithm of a name like ``ecdsa-sha256``; ValueError for another."""
        scheme, _, hash_name = name.rpartition("-")
        if hash_name not in HASHES:
            raise ValueError(f"no signing algorithm {name}")
        return cls(SignatureScheme(scheme), hash_name)

    @property
    def salt_length(self) -> int:
        """Octets of salt in RSASSA-PSS: as many as the hash has (9303-12, 4.4.1; RFC 4055, 3.1)."""
        return HASHES[self.hash_name].digest_size

    @property
    def rsa_padding(self) -> padding.PSS | padding.PKCS1v15:
        """The padding of an RSA signature."""
        if self.scheme is SignatureScheme.RSA_PSS:
            return padding.PSS(padding.MGF1(HASHES[self.hash_name]), self.salt_length)
        return padding.PKCS1v15()

    @property
    def identifier(self) -> bytes:
        """The encoded AlgorithmIdentifier."""
        return _identifier(self)


class KeyProfile(NamedTuple):
    """A kind of key to make: a curve or the bits of an RSA modulus, and how it will sign."""

    kind: ec.EllipticCurve | int
    algorithm: SigningAlgorithm

    @classmethod
    def ecdsa(cls, curve: ec.EllipticCurve, hash_name: str) -> KeyProfile:
        """A key on a curve."""
        return cls(curve, SigningAlgorithm(SignatureScheme.ECDSA, hash_name))


def fits(key: PublicKey, algorithm: SigningAlgorithm) -> bool:
    """Whether a key of this kind signs with this algorithm."""
    is_elliptic = algorithm.scheme is SignatureScheme.ECDSA
    return isinstance(key, ec.EllipticCurvePublicKey if is_elliptic else rsa.RSAPublicKey)


@lru_cache(maxsize=16)
def _identifier(algorithm: SigningAlgorithm) -> bytes:
    if algorithm.scheme is SignatureScheme.RSA_PSS:
        return build(SEQUENCE, build_oid(_RSASSA_PSS) + _pss_parameters(algorithm))
    oid = build_oid(_SIGNATURE_OIDS[algorithm])
    # NULL belongs to RSA and not to ECDSA (RFC 8017, A.2.4; RFC 5758, 3.2).
    return build(SEQUENCE, oid if algorithm.scheme is SignatureScheme.ECDSA else oid + _NULL)


def _pss_parameters(algorithm: SigningAlgorithm) -> bytes:
    """RSASSA-PSS-params, nothing left to its SHA-1 defaults (RFC 4055, 3.1)."""
    hashed = build(SEQUENCE, build_oid(_HASH_OIDS[algorithm.hash_name]) + _NULL)
    return build(
        SEQUENCE,
        build(0xA0, hashed)
        + build(0xA1, build(SEQUENCE, build_oid(_MGF1) + hashed))
        + build(0xA2, build_integer(algorithm.salt_length)),
    )
