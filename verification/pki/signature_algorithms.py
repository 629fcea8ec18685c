"""Signature algorithms by their AlgorithmIdentifier, and verifying with them (RFC 3279, 4055, 5758)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from hmac import compare_digest
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from verification.encoding.object_identifier import decode_oid
from verification.encoding.tlv import OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, DerReader, build
from verification.errors import AlgorithmRefused, MalformedDocument
from verification.lds.hash_algorithms import HASH_ALGORITHMS, hash_algorithm_identifier
from verification.pki.curve_signature import CurvePublicKey
from verification.pki.public_keys import PublicKey, is_ec_key, is_rsa_key

Verifier = Callable[[PublicKey, bytes, bytes], None]
"""Takes key, signature and signed bytes; raises InvalidSignature or AlgorithmRefused."""

MAX_ALGORITHM = 256
"""Bytes of an AlgorithmIdentifier; RSASSA-PSS with all its parameters has about 67."""
MAX_SALT = 512
"""Octets of an RSASSA-PSS salt; real ones have 20 to 64, none is longer than the modulus."""

_HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - for the self-signature of an old CSCA, and by a policy that names it
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
DIGESTS: Mapping[str, Callable[[bytes], hashlib._Hash]] = {
    "sha224": hashlib.sha224,
    "sha256": hashlib.sha256,
    "sha384": hashlib.sha384,
    "sha512": hashlib.sha512,
}
"""The hashes that are relied on; SHA-1 is left out on purpose."""
LEGACY_DIGESTS: Mapping[str, Callable[[bytes], hashlib._Hash]] = {"sha1": hashlib.sha1, **DIGESTS}
"""Those, and the one that only a policy that accepts legacy algorithms lets in."""
WEAK_HASHES = frozenset({"sha1"})
"""Not relied on: collisions have been made (Leurent, Peyrin 2020)."""

_ECDSA: Mapping[str, str] = {
    "1.2.840.10045.4.1": "sha1",
    "1.2.840.10045.4.3.1": "sha224",
    "1.2.840.10045.4.3.2": "sha256",
    "1.2.840.10045.4.3.3": "sha384",
    "1.2.840.10045.4.3.4": "sha512",
}
_RSA_PKCS1: Mapping[str, str] = {
    "1.2.840.113549.1.1.5": "sha1",
    "1.2.840.113549.1.1.14": "sha224",
    "1.2.840.113549.1.1.11": "sha256",
    "1.2.840.113549.1.1.12": "sha384",
    "1.2.840.113549.1.1.13": "sha512",
}
_RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
_RSASSA_PSS = "1.2.840.113549.1.1.10"
_DSA = frozenset({"1.2.840.10040.4.3", "2.16.840.1.101.3.4.3.1", "2.16.840.1.101.3.4.3.2"})
_MGF1 = "1.2.840.113549.1.1.8"
_NULL = b"\x05\x00"
_PKCS1 = padding.PKCS1v15()


# TR-03111, 5.2.1: the signature is r || s, each as long as the order of the base point.
_PLAIN_ECDSA: Mapping[str, str] = {
    f"0.4.0.127.0.7.1.1.4.1.{number}": name for number, name in enumerate(_HASHES, start=1)
}


class SignatureAlgorithm(NamedTuple):
    """A signature algorithm with its parameters; ``hash_name`` is what the message is hashed with."""

    hash_name: str
    verify: Verifier

    @property
    def is_legacy(self) -> bool:
        """Whether it is accepted only by a policy that accepts what is no longer relied on."""
        return self.hash_name in WEAK_HASHES


@lru_cache(maxsize=64)
def signature_algorithm(identifier: bytes, digest: str | None = None) -> SignatureAlgorithm:
    """Read an encoded AlgorithmIdentifier.

    ``digest`` is the hash of a SignerInfo: four of sixteen real documents name bare
    rsaEncryption as the signature algorithm and leave the hash to the digest algorithm.
    Raises MalformedDocument, or AlgorithmRefused for what is unknown.
    """
    if len(identifier) > MAX_ALGORITHM:
        raise MalformedDocument("algorithm identifier is too long")
    outer = DerReader(identifier)
    reader = outer.enter(SEQUENCE)
    outer.finish()
    oid = decode_oid(reader.take(OBJECT_IDENTIFIER))
    parameters = reader.remaining()
    if oid == _RSASSA_PSS:
        return _pss(parameters)
    # NULL belongs to RSA and not to ECDSA, but 19 of 202 real EC CSCAs carry it.
    if parameters not in (b"", _NULL):
        raise MalformedDocument("signature algorithm with parameters that it does not have")
    return _without_parameters(oid, digest)


def signature_verifier(
    identifier: bytes, digest: str | None = None, *, accepts_legacy: bool = False
) -> Verifier:
    """Return how to verify; raises AlgorithmRefused also for a hash that is no longer relied on."""
    algorithm = signature_algorithm(identifier, digest)
    if algorithm.is_legacy and not accepts_legacy:
        raise AlgorithmRefused(f"signature over {algorithm.hash_name}")
    return algorithm.verify


def _without_parameters(oid: str, digest: str | None) -> SignatureAlgorithm:
    if oid in _ECDSA:
        return SignatureAlgorithm(_ECDSA[oid], _verify_ecdsa_with(_ECDSA[oid]))
    if oid in _PLAIN_ECDSA:
        name = _PLAIN_ECDSA[oid]
        return SignatureAlgorithm(name, partial(_verify_plain_ecdsa, _verify_ecdsa_with(name)))
    if oid in _DSA:
        raise AlgorithmRefused(
            "DSA signature: no document signer known makes one, and FIPS 186-5 withdrew it"
        )
    name = digest or "" if oid == _RSA_ENCRYPTION else _RSA_PKCS1.get(oid, "")
    if not name:
        raise AlgorithmRefused("unknown signature algorithm")
    return SignatureAlgorithm(name, partial(_verify_pkcs1, name, _HASHES[name]))


def _verify_ecdsa_with(name: str) -> Verifier:
    return partial(_verify_ecdsa, ec.ECDSA(_HASHES[name]), name)


def _verify_ecdsa(algorithm: ec.ECDSA, name: str, key: PublicKey, signature: bytes, signed: bytes) -> None:
    if is_ec_key(key):
        key.verify(signature, signed, algorithm)
    elif isinstance(key, CurvePublicKey):
        key.verify_digest(signature, hashlib.new(name, signed).digest())
    else:
        raise AlgorithmRefused("ECDSA signature by a key of another kind")


def _verify_plain_ecdsa(verify: Verifier, key: PublicKey, signature: bytes, signed: bytes) -> None:
    half = len(signature) // 2
    if is_rsa_key(key):
        raise AlgorithmRefused("ECDSA signature by a key of another kind")
    if len(signature) != 2 * ((key.key_size + 7) // 8):
        raise InvalidSignature
    r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
    verify(key, encode_dss_signature(r, s), signed)


def _verify_pkcs1(
    name: str, algorithm: hashes.HashAlgorithm, key: PublicKey, signature: bytes, signed: bytes
) -> None:
    if not is_rsa_key(key):
        raise AlgorithmRefused("RSA signature by a key of another kind")
    try:
        key.verify(signature, signed, _PKCS1, algorithm)
    except InvalidSignature:
        _require_digest_info_without_null(name, key, signature, signed)


def _require_digest_info_without_null(
    name: str, key: rsa.RSAPublicKey, signature: bytes, signed: bytes
) -> None:
    """RFC 8017, A.2.4: a DigestInfo whose parameters are left out is to be accepted as well."""
    digest = hashlib.new(name, signed).digest()
    expected = build(SEQUENCE, hash_algorithm_identifier(name) + build(OCTET_STRING, digest))
    if not compare_digest(key.recover_data_from_signature(signature, _PKCS1, None), expected):
        raise InvalidSignature


def _verify_pss(
    chosen: padding.PSS,
    algorithm: hashes.HashAlgorithm,
    key: PublicKey,
    signature: bytes,
    signed: bytes,
) -> None:
    if not is_rsa_key(key):
        raise AlgorithmRefused("RSA signature by a key of another kind")
    try:
        key.verify(signature, signed, chosen, algorithm)
    except (ValueError, UnsupportedAlgorithm):
        # A salt longer than the modulus allows: no signature can have it.
        raise InvalidSignature from None


def _pss(parameters: bytes) -> SignatureAlgorithm:
    """Read RSASSA-PSS-params (RFC 4055, 3.1) as they stand, each with its own default."""
    outer = DerReader(parameters)
    reader = outer.enter(SEQUENCE)
    outer.finish()
    # [0] hash, [1] mask generation, [2] salt length, [3] trailer; all are explicitly tagged.
    name = _hash_name(reader.take(0xA0)) if reader.peek() == 0xA0 else "sha1"
    mask_name = _mask_hash(reader.enter(0xA1)) if reader.peek() == 0xA1 else "sha1"
    salt_length = _explicit_integer(reader, 0xA2) if reader.peek() == 0xA2 else 20
    if reader.peek() == 0xA3 and _explicit_integer(reader, 0xA3) != 1:
        raise AlgorithmRefused("RSASSA-PSS with an unknown trailer")
    reader.finish()
    if not 0 <= salt_length <= MAX_SALT:
        raise AlgorithmRefused("RSASSA-PSS salt length out of range")
    chosen = padding.PSS(padding.MGF1(_HASHES[mask_name]), salt_length)
    return SignatureAlgorithm(name, partial(_verify_pss, chosen, _HASHES[name]))


def _mask_hash(explicit: DerReader) -> str:
    """The hash inside MGF1; it need not resist collisions, so that SHA-1 is no weakness there."""
    mask = explicit.enter(SEQUENCE)
    explicit.finish()
    if decode_oid(mask.take(OBJECT_IDENTIFIER)) != _MGF1:
        raise AlgorithmRefused("RSASSA-PSS with another mask than MGF1")
    return _hash_name(mask.remaining())


def _hash_name(encoded: bytes) -> str:
    name = HASH_ALGORITHMS.get(encoded)
    if name is None:
        raise AlgorithmRefused("RSASSA-PSS with an unknown hash")
    return name


def _explicit_integer(reader: DerReader, tag: int) -> int:
    explicit = reader.enter(tag)
    value = explicit.take_integer()
    explicit.finish()
    return value
