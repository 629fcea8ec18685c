"""Judging a signed request: the strict profile of :mod:`verification.messages.message_signature`.

``http-message-signatures`` parses the fields and verifies the bytes. On its own it accepts a day-old
signature, one that covers only the method, and the same one twice; everything that makes a
signature mean something is asked here. Remembering nonces is the caller's part.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ed25519
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    InvalidSignature,
    VerifyResult,
)
from http_message_signatures.algorithms import ECDSA_P256_SHA256, ED25519

from verification.errors import ClockSkew, SignatureInvalid
from verification.messages.message_signature import (
    LABEL,
    NONCE_BYTES,
    TAG,
    components_of,
    content_digest,
    target,
)
from verification.messages.signing_key import PublicKey

ACCEPTED_SKEW = timedelta(seconds=60)
LONGEST_LIFETIME = timedelta(seconds=300)

_PARAMETERS = {"created", "expires", "keyid", "nonce", "tag"}
_SINGLE_FIELDS = (
    "signature-input", "signature", "content-digest", "content-type", "idempotency-key",
)  # fmt: skip
_MAX_FIELD = 2_048


class ReceivedRequest(NamedTuple):
    """A request as it came; ``url`` is built on our own public address, never on the Host header."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class RequestSignature:
    """What a verified signature says; the caller accepts a nonce once until ``expires``."""

    key_id: str
    nonce: str
    created: datetime
    expires: datetime


class _Resolver(HTTPSignatureKeyResolver):
    def __init__(self, key_id: str, key: PublicKey) -> None:
        self._key_id = key_id
        self._key = key

    def resolve_public_key(self, key_id: str) -> PublicKey | None:
        """The key that was looked up, for the very id it was looked up by."""
        return self._key if key_id == self._key_id else None


class _Verifier(HTTPMessageVerifier):
    def validate_created_and_expires(self, *_: Any, **__: Any) -> None:
        """Left to verify_request: the library would read the clock itself."""


class _Message(NamedTuple):
    method: str
    url: str
    headers: dict[str, str]


def verify_request(
    request: ReceivedRequest, key_of: Callable[[str], PublicKey], now: datetime
) -> RequestSignature:
    """Who signed this request, if the signature is in the profile, verifies and is fresh.

    ``key_of`` raises AgentUnknown. Raises SignatureInvalid; ClockSkew for a signature that is right
    but was not made within a minute of ``now``.
    """
    fields = _single_fields(request.headers)
    if request.method not in {"GET", "HEAD"} and fields.get("content-digest") != content_digest(request.body):
        raise SignatureInvalid("Content-Digest is not the SHA-256 of the body")
    key_id = _claimed_key_id(fields)
    message = _Message(request.method, target(request.url).uri, fields)
    result = _verify(message, key_id, key_of(key_id))
    if tuple(result.covered_components) != _expected_components(request.method):
        raise SignatureInvalid("the signature covers other components than the profile")
    return _fresh_signature(result.parameters, now)


def _single_fields(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The fields of the profile; each at most once, on one line, of sane length."""
    fields: dict[str, str] = {}
    for name, value in headers:
        lower = name.lower()
        if lower not in _SINGLE_FIELDS:
            continue
        if lower in fields:
            raise SignatureInvalid(f"{lower} is given twice")
        if len(value) > _MAX_FIELD or not value.isascii() or not value.isprintable():
            raise SignatureInvalid(f"{lower} is folded, too long or has forbidden characters")
        fields[lower] = value
    return fields


def _claimed_key_id(fields: dict[str, str]) -> str:
    """The key id, read before anything is verified, only to look the key up."""
    given = fields.get("signature-input", "")
    ids = re.findall(r';keyid="([A-Za-z0-9._-]{1,64})"', given)
    if len(ids) != 1:
        raise SignatureInvalid("there is no single key id")
    return str(ids[0])


def _verify(message: _Message, key_id: str, key: PublicKey) -> VerifyResult:
    algorithm = ED25519 if isinstance(key, ed25519.Ed25519PublicKey) else ECDSA_P256_SHA256
    verifier = _Verifier(signature_algorithm=algorithm, key_resolver=_Resolver(key_id, key))
    for name in ("signature-input", "signature"):
        # One member, ours: a second signature beside it is not ignored but refused.
        if not re.fullmatch(rf"{LABEL}=[^,]*", message.headers.get(name, "")):
            raise SignatureInvalid(f"{name} is not the single member of the profile")
    try:
        results = verifier.verify(message, max_age=None, expect_tag=TAG)
    except (InvalidSignature, HTTPMessageSignaturesException) as fault:
        raise SignatureInvalid(f"the signature does not verify: {type(fault).__name__}") from None
    if len(results) != 1:
        raise SignatureInvalid("there is not exactly one signature")
    return results[0]


def _expected_components(method: str) -> tuple[str, ...]:
    return (*(f'"{name}"' for name in components_of(method)), '"@signature-params"')


def _fresh_signature(parameters: dict[str, int | str], now: datetime) -> RequestSignature:
    if set(parameters) != _PARAMETERS:
        raise SignatureInvalid("the signature's parameters are not those of the profile")
    created, expires = _moment(parameters["created"]), _moment(parameters["expires"])
    nonce = str(parameters["nonce"])
    if len(_decoded(nonce)) < NONCE_BYTES:
        raise SignatureInvalid("the nonce is shorter than 128 bits")
    if not timedelta() < expires - created <= LONGEST_LIFETIME:
        raise SignatureInvalid("the signature's lifetime is not within the profile")
    if abs(created - now) > ACCEPTED_SKEW or expires < now:
        raise ClockSkew(round((created - now).total_seconds() * 1000))
    return RequestSignature(str(parameters["keyid"]), nonce, created, expires)


def _moment(seconds: int | str) -> datetime:
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        raise SignatureInvalid("a time of the signature is out of range") from None


def _decoded(nonce: str) -> bytes:
    try:
        return base64.b64decode(nonce + "=" * (-len(nonce) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise SignatureInvalid("the nonce is not base64url") from None
