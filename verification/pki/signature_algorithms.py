"""Signature algorithms by their AlgorithmIdentifier, and verifying with them (RFC 3279, 4055, 5758)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import lru_cache, partial

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from verification.encoding.object_identifier import decode_oid
from verification.encoding.tlv import INTEGER, OBJECT_IDENTIFIER, SEQUENCE, DerReader
from verification.errors import AlgorithmRefused, MalformedDocument
from verification.lds.hash_algorithms import HASH_ALGORITHMS
from verification.pki.public_keys import PublicKey, is_ec_key

Verifier = Callable[[PublicKey, bytes, bytes], None]
"""Takes key, signature and signed bytes; raises InvalidSignature or AlgorithmRefused."""

MAX_ALGORITHM = 256
"""Bytes of an AlgorithmIdentifier; RSASSA-PSS with all its parameters has about 67."""

_HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - only to check the self-signature of an old CSCA
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
_MGF1 = "1.2.840.113549.1.1.8"
_NULL = b"\x05\x00"


@lru_cache(maxsize=64)
def signature_verifier(algorithm: bytes, digest: str | None = None, *, allow_weak: bool = False) -> Verifier:
    """Return how to verify with an encoded AlgorithmIdentifier.

    ``digest`` is the hash of a SignerInfo: four of sixteen real documents name bare
    rsaEncryption as the signature algorithm and leave the hash to the digest algorithm.
    Raises MalformedDocument, or AlgorithmRefused for what is unknown or weak.
    """
    if len(algorithm) > MAX_ALGORITHM:
        raise MalformedDocument("algorithm identifier is too long")
    outer = DerReader(algorithm)
    reader = outer.enter(SEQUENCE)
    outer.finish()
    oid = decode_oid(reader.take(OBJECT_IDENTIFIER))
    parameters = reader.remaining()
    if oid == _RSASSA_PSS:
        name, salt_length = _pss_parameters(parameters)
        chosen = padding.PSS(padding.MGF1(_HASHES[name]), salt_length)
        verifier: Verifier = partial(_verify_rsa, chosen, _HASHES[name])
    else:
        name, verifier = _plain_verifier(oid, parameters, digest)
    if name in WEAK_HASHES and not allow_weak:
        raise AlgorithmRefused(f"signature over {name}")
    return verifier


def _plain_verifier(oid: str, parameters: bytes, digest: str | None) -> tuple[str, Verifier]:
    # NULL belongs to RSA and not to ECDSA, but 19 of 202 real EC CSCAs carry it.
    if parameters not in (b"", _NULL):
        raise MalformedDocument("signature algorithm with parameters that it does not have")
    if oid in _ECDSA:
        name = _ECDSA[oid]
        return name, partial(_verify_ecdsa, ec.ECDSA(_HASHES[name]))
    name = _RSA_PKCS1.get(oid, "")
    if oid == _RSA_ENCRYPTION and digest is not None:
        name = digest
    if not name:
        raise AlgorithmRefused("unknown signature algorithm")
    return name, partial(_verify_rsa, padding.PKCS1v15(), _HASHES[name])


def _verify_ecdsa(algorithm: ec.ECDSA, key: PublicKey, signature: bytes, signed: bytes) -> None:
    if not is_ec_key(key):
        raise AlgorithmRefused("ECDSA signature by a key of another kind")
    key.verify(signature, signed, algorithm)


def _verify_rsa(
    chosen: padding.AsymmetricPadding,
    algorithm: hashes.HashAlgorithm,
    key: PublicKey,
    signature: bytes,
    signed: bytes,
) -> None:
    if not isinstance(key, rsa.RSAPublicKey):
        raise AlgorithmRefused("RSA signature by a key of another kind")
    try:
        key.verify(signature, signed, chosen, algorithm)
    except (ValueError, UnsupportedAlgorithm):
        # A salt longer than the modulus allows: no signature can have it.
        raise InvalidSignature from None


def _pss_parameters(encoded: bytes) -> tuple[str, int]:
    """Read RSASSA-PSS-params (RFC 4055, 3.1) where nothing may be left to the SHA-1 defaults."""
    outer = DerReader(encoded)
    reader = outer.enter(SEQUENCE)
    outer.finish()
    # [0] hash, [1] mask generation, [2] salt length, [3] trailer; all are explicitly tagged.
    hash_name = _explicit_hash(reader, 0xA0)
    mask = reader.enter(0xA1)
    mask_algorithm = mask.enter(SEQUENCE)
    mask.finish()
    if decode_oid(mask_algorithm.take(OBJECT_IDENTIFIER)) != _MGF1:
        raise AlgorithmRefused("RSASSA-PSS with another mask than MGF1")
    if HASH_ALGORITHMS.get(mask_algorithm.remaining()) != hash_name:
        raise AlgorithmRefused("RSASSA-PSS with two different hashes")
    salt_length = 20
    if reader.peek() == 0xA2:
        salt_length = _explicit_integer(reader, 0xA2)
    if reader.peek() == 0xA3 and _explicit_integer(reader, 0xA3) != 1:
        raise AlgorithmRefused("RSASSA-PSS with an unknown trailer")
    reader.finish()
    if not 0 <= salt_length <= 64:
        raise AlgorithmRefused("RSASSA-PSS salt length out of range")
    return hash_name, salt_length


def _explicit_hash(reader: DerReader, tag: int) -> str:
    name = HASH_ALGORITHMS.get(reader.take(tag))
    if name is None:
        raise AlgorithmRefused("RSASSA-PSS with an unknown hash")
    return name


def _explicit_integer(reader: DerReader, tag: int) -> int:
    explicit = reader.enter(tag)
    if explicit.peek() != INTEGER:
        raise MalformedDocument("RSASSA-PSS parameter is not a number")
    value = explicit.take_integer()
    explicit.finish()
    return value
