"""Active authentication: the chip signs a challenge with the key to DG15 (ICAO 9303-11, 6.1).

That DG15, and the algorithm in DG14, are the issuer's is for passive authentication to show.
"""

from __future__ import annotations

import hashlib
from hmac import compare_digest

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from verification.chip.subject_public_keys import DhKey, EcKey, RsaKey, load_public_key
from verification.encoding.curve_arithmetic import decode_point, verify_signature
from verification.errors import ActiveAuthenticationFailed, MalformedDocument
from verification.lds.dg15 import parse_dg15
from verification.lds.security_infos import parse_dg14

CHALLENGE_LENGTH = 8

_HASHES: tuple[hashes.HashAlgorithm, ...] = (
    hashes.SHA1(),  # noqa: S303 - what old chips sign with
    hashes.SHA224(),
    hashes.SHA256(),
    hashes.SHA384(),
    hashes.SHA512(),
)
# ecdsa-plain-signatures of BSI TR-03111, 5.2.1.1, and the names of X9.62 that some issuers write.
_ECDSA: dict[str, hashes.HashAlgorithm] = {
    **{f"0.4.0.127.0.7.1.1.4.1.{arc}": algorithm for arc, algorithm in enumerate(_HASHES, 1)},
    "1.2.840.10045.4.1": _HASHES[0],
    **{f"1.2.840.10045.4.3.{arc}": algorithm for arc, algorithm in enumerate(_HASHES[1:], 1)},
}

# ISO/IEC 9796-2 trailers: one octet for SHA-1, else the hash of ISO/IEC 10118 and CC.
_IMPLICIT_TRAILER = 0xBC
_EXPLICIT_TRAILER = 0xCC
_TRAILER_HASHES = {0x33: "sha1", 0x34: "sha256", 0x35: "sha512", 0x36: "sha384", 0x38: "sha224"}


def verify_active_authentication(
    dg15: bytes, challenge: bytes, signature: bytes, *, dg14: bytes | None
) -> None:
    """Require that ``signature`` is the chip's over our ``challenge`` of eight octets.

    Raises ActiveAuthenticationFailed, and MalformedDocument for a DG14 or DG15 that cannot
    be parsed.
    """
    if len(challenge) != CHALLENGE_LENGTH:
        raise ActiveAuthenticationFailed(f"a challenge of {len(challenge)} octets")
    key = load_public_key(parse_dg15(dg15).public_key_info)
    if isinstance(key, DhKey):
        raise MalformedDocument("a key of DG15 that signs nothing")
    if isinstance(key, RsaKey):
        _require_rsa(key, challenge, signature)
    else:
        _require_ecdsa(key, challenge, signature, _algorithms(key, dg14))


def _algorithms(key: EcKey, dg14: bytes | None) -> list[hashes.HashAlgorithm]:
    """The hash that DG14 names, or those that a chip of this key may use where it names none we know."""
    for info in parse_dg14(dg14).active_authentication if dg14 else ():
        if info.signature_algorithm in _ECDSA:
            return [_ECDSA[info.signature_algorithm]]
    # The longest that is no longer than the key (6.1.2.3), then whatever else chips sign with.
    size = key.group.order_length
    return sorted(_HASHES, key=lambda choice: (choice.digest_size > size, abs(size - choice.digest_size)))


def _require_ecdsa(
    key: EcKey, challenge: bytes, signature: bytes, algorithms: list[hashes.HashAlgorithm]
) -> None:
    for r, s in _readings(key.group.order_length, signature):
        for algorithm in algorithms:
            try:
                return _verify(key, challenge, (r, s), algorithm)
            except InvalidSignature:
                continue
    raise ActiveAuthenticationFailed("the signature over the challenge does not verify")


def _readings(size: int, signature: bytes) -> list[tuple[int, int]]:
    """The pair (r, s) in plain form, and in DER: some chips sign so although the standard says plain."""
    readings = []
    if len(signature) == 2 * size:
        r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
        readings.append((r, s))
    try:
        readings.append(decode_dss_signature(signature))
    except ValueError:
        return readings
    return readings


def _verify(
    key: EcKey, challenge: bytes, signature: tuple[int, int], algorithm: hashes.HashAlgorithm
) -> None:
    if key.group.named is None:
        digest = hashlib.new(algorithm.name, challenge, usedforsecurity=False).digest()
        point = decode_point(key.group.parameters, key.element)
        return verify_signature(key.group.parameters, point, digest, signature)
    openssl_key = key.group.openssl_key(key.element)
    return openssl_key.verify(encode_dss_signature(*signature), challenge, ec.ECDSA(algorithm))


def _require_rsa(key: RsaKey, challenge: bytes, signature: bytes) -> None:
    """Signature scheme 1 of ISO/IEC 9796-2 with message recovery (ICAO 9303-11, 6.1.2.2)."""
    length = (key.modulus.bit_length() + 7) // 8
    value = int.from_bytes(signature, "big")
    if len(signature) != length or value >= key.modulus:
        raise ActiveAuthenticationFailed("the signature is not as long as the key")
    recovered = pow(value, key.exponent, key.modulus)
    # The standard lets a signer give the smaller of s and n - s: then n - F is recovered,
    # and only F itself ends in C.
    if recovered & 0x0F != 0x0C:
        recovered = key.modulus - recovered
    representative = recovered.to_bytes(length, "big")
    digest, trailer = _trailer(representative)
    start = _message_start(representative)
    end = length - trailer - hashlib.new(digest, usedforsecurity=False).digest_size
    if start > end:
        raise ActiveAuthenticationFailed("the recovered message leaves no room for its hash")
    expected = hashlib.new(digest, representative[start:end] + challenge, usedforsecurity=False).digest()
    if not compare_digest(expected, representative[end : length - trailer]):
        raise ActiveAuthenticationFailed("the signature is over another challenge")


def _trailer(representative: bytes) -> tuple[str, int]:
    """The hash that the trailer names, and the trailer's length."""
    if representative[-1] == _IMPLICIT_TRAILER:
        return "sha1", 1
    digest = _TRAILER_HASHES.get(representative[-2])
    if representative[-1] != _EXPLICIT_TRAILER or digest is None:
        raise ActiveAuthenticationFailed("no trailer of ISO/IEC 9796-2")
    return digest, 2


def _message_start(representative: bytes) -> int:
    """Where the recoverable part begins: after 6A, or after 6B BB ... BA where it is padded."""
    if representative[0] == 0x6A:
        return 1
    if representative[0] != 0x6B:
        raise ActiveAuthenticationFailed("no header of a partial recovery")
    border = representative[1:].lstrip(b"\xbb")
    if border[:1] != b"\xba":
        raise ActiveAuthenticationFailed("padding without an end")
    return len(representative) - len(border) + 1
