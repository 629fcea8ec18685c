"""Signed statements in JOSE's forms (RFC 7515), with a header that is known to the byte beforehand.

A reader never takes an algorithm, a key or an extension from a header: it must be the very header that a
trusted key writes for this kind of statement.
"""

from __future__ import annotations

from collections.abc import Mapping

from verification.errors import SignatureInvalid
from verification.messages.canonical import canonical_json
from verification.messages.signing_key import (
    PublicKey,
    SigningKey,
    algorithm_of,
    b64url,
    from_b64url,
    require_signature,
    sign,
    thumbprint,
)


def protected_header(key: PublicKey, kind: str) -> str:
    """The protected header of statements of this kind by this key, base64url."""
    return b64url(canonical_json({"alg": algorithm_of(key), "kid": thumbprint(key), "typ": kind}))


def sign_statement(content: bytes, kind: str, key: SigningKey) -> str:
    """The statement as a compact JWS (RFC 7515, 7.1)."""
    signed = f"{protected_header(key.public_key(), kind)}.{b64url(content)}"
    return f"{signed}.{b64url(sign(key, signed.encode()))}"


def read_statement(token: str, kind: str, keys: Mapping[str, PublicKey]) -> bytes:
    """The content, if a trusted key (by thumbprint) signed it as this kind; raises SignatureInvalid."""
    header, separator, rest = token.partition(".")
    payload, second, signature = rest.partition(".")
    key = next((known for known in keys.values() if protected_header(known, kind) == header), None)
    if key is None or not (separator and second):
        raise SignatureInvalid("signed by no trusted key, or another kind of statement")
    require_detached(key, signature, header, payload)
    try:
        return from_b64url(payload)
    except ValueError:
        raise SignatureInvalid("the statement is not base64url") from None


def require_detached(key: PublicKey, signature: str, header: str, payload: str) -> None:
    """The base64url signature is this key's over header and payload; raises SignatureInvalid."""
    try:
        raw = from_b64url(signature)
    except ValueError:
        raise SignatureInvalid("the signature is not base64url") from None
    require_signature(key, raw, f"{header}.{payload}".encode())
