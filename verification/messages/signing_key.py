"""Keys that sign messages: P-256 or Ed25519, their JWK form, and signatures as JOSE and HTTP write them."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from verification.errors import SignatureInvalid

SigningKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

_COORDINATE = 32
_ECDSA = ec.ECDSA(hashes.SHA256())


def sign(key: SigningKey, content: bytes) -> bytes:
    """64 bytes: Ed25519, or r and s of ECDSA P-256 with SHA-256 (RFC 7518, 3.4; RFC 9421, 3.3.4)."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(content)
    if not isinstance(key.curve, ec.SECP256R1):
        raise SignatureInvalid("a signing key is P-256 or Ed25519")
    r, s = decode_dss_signature(key.sign(content, _ECDSA))
    return r.to_bytes(_COORDINATE, "big") + s.to_bytes(_COORDINATE, "big")


def require_signature(key: PublicKey, signature: bytes, content: bytes) -> None:
    """The signature is this key's over this content; raises SignatureInvalid."""
    if len(signature) != 2 * _COORDINATE:
        raise SignatureInvalid("a signature is 64 bytes")
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, content)
        else:
            r, s = (
                int.from_bytes(half, "big") for half in (signature[:_COORDINATE], signature[_COORDINATE:])
            )
            key.verify(encode_dss_signature(r, s), content, _ECDSA)
    except InvalidSignature:
        raise SignatureInvalid("the signature does not verify") from None


def algorithm_of(key: PublicKey) -> str:
    """The JOSE name of the one algorithm this key is used with (RFC 7518, 3.4; RFC 9864, 2.2)."""
    return "Ed25519" if isinstance(key, ed25519.Ed25519PublicKey) else "ES256"


def public_jwk(key: PublicKey) -> dict[str, str]:
    """The members that RFC 7638 hashes, and no more."""
    if isinstance(key, ed25519.Ed25519PublicKey):
        raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return {"crv": "Ed25519", "kty": "OKP", "x": b64url(raw)}
    point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    x, y = point[1 : 1 + _COORDINATE], point[1 + _COORDINATE :]
    return {"crv": "P-256", "kty": "EC", "x": b64url(x), "y": b64url(y)}


def thumbprint(key: PublicKey) -> str:
    """The key's id (RFC 7638): SHA-256 over its canonical JWK."""
    members = ",".join(f'"{name}":"{value}"' for name, value in sorted(public_jwk(key).items()))
    return b64url(hashlib.sha256(f"{{{members}}}".encode()).digest())


def public_key_of(jwk: Mapping[str, object]) -> PublicKey:
    """The key of a JWK; raises SignatureInvalid for another kind, another curve, or a private one."""
    if "d" in jwk:
        raise SignatureInvalid("a private key was given where a public one belongs")
    try:
        if (jwk.get("kty"), jwk.get("crv")) == ("OKP", "Ed25519"):
            return ed25519.Ed25519PublicKey.from_public_bytes(from_b64url(str(jwk["x"])))
        if (jwk.get("kty"), jwk.get("crv")) == ("EC", "P-256"):
            point = b"\x04" + from_b64url(str(jwk["x"])) + from_b64url(str(jwk["y"]))
            return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except (KeyError, ValueError):
        raise SignatureInvalid("the JWK is malformed") from None
    raise SignatureInvalid("a signing key is P-256 or Ed25519")


def b64url(content: bytes) -> str:
    """Base64url without padding (RFC 7515, 2)."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def from_b64url(text: str) -> bytes:
    """The bytes of the only spelling they have; raises ValueError for any other spelling."""
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("not base64url") from None
    # The last character of an unpadded text has bits that no byte uses: they must be zero.
    if b64url(content) != text:
        raise ValueError("not the canonical base64url")
    return content
