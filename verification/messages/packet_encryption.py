"""Encryption to one receiver: a compact JWE, ECDH-ES on P-256 with A256GCM (RFC 7516; RFC 7518, 4.6, 5.3).

The ephemeral key is made from the caller's randomness. ``apu`` says what the content belongs to and goes
into the key, so content that was cut out of one packet does not open in another.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash

from verification.errors import SignatureInvalid
from verification.messages.canonical import canonical_json
from verification.messages.refusals import PacketAltered, PacketMalformed
from verification.messages.signing_key import b64url, from_b64url, public_jwk, public_key_of, thumbprint

_ALGORITHM = "ECDH-ES"
_ENCRYPTION = "A256GCM"
_KEY_BITS = 256
_NONCE_BYTES = 12
_TAG_BYTES = 16
# FIPS 186-5, A.2.1: with 64 bits more than the order has, what is left over cannot be noticed.
_EPHEMERAL_BYTES = 40
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    alg: str
    apu: str
    enc: str
    epk: dict[str, str]
    kid: str


def encrypt(
    content: bytes, context: bytes, receiver: ec.EllipticCurvePublicKey, random: Callable[[int], bytes]
) -> str:
    """The content for this receiver, bound to a context."""
    scalar = int.from_bytes(random(_EPHEMERAL_BYTES), "big") % (_ORDER - 1) + 1
    ephemeral = ec.derive_private_key(scalar, ec.SECP256R1())
    header = _Header(
        alg=_ALGORITHM,
        apu=b64url(context),
        enc=_ENCRYPTION,
        epk=public_jwk(ephemeral.public_key()),
        kid=thumbprint(receiver),
    )
    protected = b64url(canonical_json(msgspec.to_builtins(header)))
    nonce = random(_NONCE_BYTES)
    cipher = AESGCM(_agreed_key(ephemeral, receiver, context))
    sealed = cipher.encrypt(nonce, content, protected.encode())
    parts = (b64url(nonce), b64url(sealed[:-_TAG_BYTES]), b64url(sealed[-_TAG_BYTES:]))
    return f"{protected}..{'.'.join(parts)}"


def recipient(token: str) -> str:
    """The id of the key that may open this; raises PacketMalformed."""
    return _header(token.partition(".")[0]).kid


def decrypt(token: str, context: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    """The content; raises PacketMalformed, or PacketAltered when it was sealed for another key or context."""
    parts = token.split(".")
    if len(parts) != 5 or parts[1]:
        raise PacketMalformed("the particulars are no compact JWE with a key agreed directly")
    header = _header(parts[0])
    if (header.kid, header.apu) != (thumbprint(key.public_key()), b64url(context)):
        raise PacketAltered("sealed for another key, or in another packet")
    try:
        nonce, content, tag = (from_b64url(part) for part in parts[2:])
        ephemeral = public_key_of(header.epk)
    except (ValueError, SignatureInvalid):
        raise PacketMalformed("the particulars are no compact JWE") from None
    if not isinstance(ephemeral, ec.EllipticCurvePublicKey) or len(tag) != _TAG_BYTES:
        raise PacketMalformed("the ephemeral key is not on P-256, or the tag is cut")
    return unseal(AESGCM(_agreed_key(key, ephemeral, context)), nonce, content + tag, parts[0].encode())


def unseal(cipher: AESGCM, nonce: bytes | memoryview, sealed: bytes | memoryview, bound_to: bytes) -> bytes:
    """Content and tag decrypted; raises PacketAltered."""
    if len(nonce) != _NONCE_BYTES:
        raise PacketMalformed("a nonce is 12 bytes")
    try:
        return cipher.decrypt(nonce, sealed, bound_to)
    except InvalidTag:
        raise PacketAltered("the seal does not verify") from None


def _header(protected: str) -> _Header:
    try:
        encoded = from_b64url(protected)
        header = msgspec.json.decode(encoded, type=_Header)
    except (msgspec.DecodeError, ValueError):
        raise PacketMalformed("the particulars have no header of ours") from None
    known = (header.alg, header.enc) == (_ALGORITHM, _ENCRYPTION)
    if not known or canonical_json(msgspec.to_builtins(header)) != encoded:
        raise PacketMalformed("encrypted in another way than ours")
    return header


def _agreed_key(own: ec.EllipticCurvePrivateKey, other: ec.EllipticCurvePublicKey, context: bytes) -> bytes:
    """Concat KDF over the shared secret (RFC 7518, 4.6.2)."""
    shared = own.exchange(ec.ECDH(), other)
    info = _length_and(_ENCRYPTION.encode()) + _length_and(context) + _length_and(b"")
    return ConcatKDFHash(hashes.SHA256(), _KEY_BITS // 8, info + _KEY_BITS.to_bytes(4, "big")).derive(shared)


def _length_and(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value
