"""Keys of card verifiable certificates, and signatures by them (BSI TR-03110-3, A.6.4; TR-03111, 5.2.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from verification.encoding.curve_parameters import DomainParameters
from verification.encoding.object_identifier import build_oid
from verification.encoding.tlv import BIT_STRING, NULL, SEQUENCE, build, build_integer
from verification.errors import MalformedDocument, TerminalCertificateInvalid
from verification.lds.card_verifiable import CV_ALGORITHMS, CvEcKey, CvPublicKey, CvRsaKey, SignatureScheme
from verification.lds.public_key_info import EC_PUBLIC_KEY, RSA_ENCRYPTION
from verification.pki.public_keys import PublicKey, load_public_key

HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - the standard still lists it; whether it suffices is the chip's to say
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
"""By the names of ``CV_ALGORITHMS``."""


def public_key_info(public_key: CvPublicKey, inherited: DomainParameters | None) -> bytes:
    """The key as SubjectPublicKeyInfo; ``inherited`` is the curve of the authority above.

    Raises MalformedDocument where neither the key nor an authority names a curve.
    """
    key = public_key.key
    if isinstance(key, CvRsaKey):
        algorithm = build_oid(RSA_ENCRYPTION) + build(NULL, b"")
        octets = build(SEQUENCE, build_integer(key.modulus) + build_integer(key.exponent))
    else:
        algorithm = build_oid(EC_PUBLIC_KEY) + build_oid(_curve(key, inherited).oid)
        octets = key.point
    return build(SEQUENCE, build(SEQUENCE, algorithm) + build(BIT_STRING, b"\x00" + octets))


def load_cv_key(public_key: CvPublicKey, inherited: DomainParameters | None) -> PublicKey:
    """The key ready to verify with; raises MalformedDocument or AlgorithmRefused."""
    # Which lengths still do is decided by the chip, and by the authority that issued to the terminal.
    return load_public_key(public_key_info(public_key, inherited), accepts_legacy=True)


def require_cv_signature(
    public_key: CvPublicKey, inherited: DomainParameters | None, signed: bytes, signature: bytes
) -> None:
    """Require a signature by the algorithm that goes with the key.

    Raises TerminalCertificateInvalid, and what ``load_cv_key`` raises.
    """
    loaded = load_cv_key(public_key, inherited)
    scheme, hash_name = CV_ALGORITHMS[public_key.algorithm]
    try:
        if isinstance(loaded, rsa.RSAPublicKey):
            chosen = rsa_padding(scheme, HASHES[hash_name])
            loaded.verify(signature, signed, chosen, HASHES[hash_name])
        elif isinstance(loaded, ec.EllipticCurvePublicKey):
            loaded.verify(_der_signature(signature, loaded.key_size), signed, ec.ECDSA(HASHES[hash_name]))
        else:
            digest = hashlib.new(hash_name, signed, usedforsecurity=False).digest()
            loaded.verify_digest(_der_signature(signature, loaded.key_size), digest)
    except InvalidSignature:
        raise TerminalCertificateInvalid("the signature of a terminal certificate does not verify") from None


def rsa_padding(scheme: SignatureScheme, algorithm: hashes.HashAlgorithm) -> padding.AsymmetricPadding:
    """How RSA pads; the salt of PSS is as long as the hash (TR-03110-3, A.6.4.1)."""
    if scheme is SignatureScheme.RSA_PKCS1:
        return padding.PKCS1v15()
    return padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)


def plain_signature(der_signature: bytes, order_bits: int) -> bytes:
    """An Ecdsa-Sig-Value as r and s, each with the octets of the order (TR-03111, 5.2.1.1)."""
    length = (order_bits + 7) // 8
    return b"".join(number.to_bytes(length, "big") for number in decode_dss_signature(der_signature))


def _der_signature(plain: bytes, order_bits: int) -> bytes:
    length = (order_bits + 7) // 8
    if len(plain) != 2 * length:
        raise InvalidSignature
    r, s = int.from_bytes(plain[:length], "big"), int.from_bytes(plain[length:], "big")
    return encode_dss_signature(r, s)


def _curve(key: CvEcKey, inherited: DomainParameters | None) -> DomainParameters:
    curve = key.curve or inherited
    if curve is None:
        raise MalformedDocument("a key without a curve, below an authority without one")
    return curve
