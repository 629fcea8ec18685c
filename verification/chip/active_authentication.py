"""Active authentication: the chip signs a challenge with the key to DG15 (ICAO 9303-11, 6.1).

That DG15, and the algorithm in DG14, are the issuer's is for passive authentication to show.
"""

from __future__ import annotations

import hashlib
from hmac import compare_digest

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from verification.chip.subject_public_keys import EcKey, RsaKey, load_public_key
from verification.errors import ActiveAuthenticationFailed
from verification.lds.dg15 import parse_dg15
from verification.lds.security_infos import parse_dg14

CHALLENGE_LENGTH = 8

# ecdsa-plain-signatures of BSI TR-03111, 5.2.1.1.
_PLAIN_ECDSA: dict[str, hashes.HashAlgorithm] = {
    "0.4.0.127.0.7.1.1.4.1.1": hashes.SHA1(),  # noqa: S303 - what old chips sign with
    "0.4.0.127.0.7.1.1.4.1.2": hashes.SHA224(),
    "0.4.0.127.0.7.1.1.4.1.3": hashes.SHA256(),
    "0.4.0.127.0.7.1.1.4.1.4": hashes.SHA384(),
    "0.4.0.127.0.7.1.1.4.1.5": hashes.SHA512(),
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
    if isinstance(key, RsaKey):
        _require_rsa(key, challenge, signature)
    else:
        _require_ecdsa(key, challenge, signature, _algorithm(key, dg14))


def _algorithm(key: EcKey, dg14: bytes | None) -> hashes.HashAlgorithm:
    for info in parse_dg14(dg14).active_authentication if dg14 else ():
        if info.signature_algorithm in _PLAIN_ECDSA:
            return _PLAIN_ECDSA[info.signature_algorithm]
    # Without a word in DG14: the hash as long as the curve, as such chips do.
    bits = key.curve.n.bit_length()
    sizes: tuple[hashes.HashAlgorithm, ...] = (hashes.SHA224(), hashes.SHA256(), hashes.SHA384())
    return next((choice for choice in sizes if bits <= 8 * choice.digest_size), hashes.SHA512())


def _require_ecdsa(key: EcKey, challenge: bytes, signature: bytes, algorithm: hashes.HashAlgorithm) -> None:
    size = key.curve.order_length
    candidates = [signature]  # some chips sign in DER although the standard says plain
    if len(signature) == 2 * size:
        r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
        candidates.insert(0, encode_dss_signature(r, s))
    for candidate in candidates:
        try:
            return key.key.verify(candidate, challenge, ec.ECDSA(algorithm))
        except InvalidSignature:
            continue
    raise ActiveAuthenticationFailed("the signature over the challenge does not verify")


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
