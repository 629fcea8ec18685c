"""Signing a request with the device's key: a strict profile of RFC 9421.

Always the same components in the same order, so there is nothing to negotiate and nothing to leave
out. A request that changes something covers its body (RFC 9530 digest) and its idempotency key; one
that only reads covers method, authority and target. One signature, labelled ``agent``; no ``alg``
parameter, because the algorithm belongs to the key's record. The signing side is written out here,
without a library, so that a counter machine carries no parser it does not need; the verifying side
is :mod:`verification.messages.signed_request`.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple, TypedDict, Unpack

from verification.errors import SignatureInvalid
from verification.messages.signing_key import SigningKey, b64url, sign

LABEL = "agent"
TAG = "card-verification-v1"
LIFETIME = timedelta(seconds=60)
"""``expires`` is this long after ``created``."""

NONCE_BYTES = 16
READING_COMPONENTS = ("@method", "@authority", "@target-uri")
WRITING_COMPONENTS = (*READING_COMPONENTS, "content-type", "content-digest", "idempotency-key")
READING_METHODS = frozenset({"GET", "HEAD"})

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[!-\"$->@-~]*)?(?P<query>\?[!-\"$-~]*)?"
)
_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_FIELD_VALUE = re.compile(r"[!-~]([ -~]{0,254}[!-~])?")
_DEFAULT_PORTS = {"http": "80", "https": "443"}


class Stamp(TypedDict):
    """Who signs, and when.

    ``created`` has a zone; ``nonce`` is at least 16 random bytes and is accepted once.
    """

    key: SigningKey
    key_id: str
    created: datetime
    nonce: bytes


class Target(NamedTuple):
    """The derived components ``@authority`` and ``@target-uri`` (RFC 9421, 2.2.2 and 2.2.3)."""

    authority: str
    uri: str


def sign_request(
    method: str, url: str, headers: Mapping[str, str], body: bytes, **stamp: Unpack[Stamp]
) -> dict[str, str]:
    """All headers to send: the given ones, ``Content-Digest``, ``Signature-Input`` and ``Signature``.

    A request that changes something must name its ``Content-Type``; where it brings no
    ``Idempotency-Key`` the nonce becomes it. Raises SignatureInvalid for a request that the profile
    cannot cover.
    """
    _require_stamp(stamp)
    fields = {name.lower(): value for name, value in headers.items()}
    signed = dict(headers)
    nonce = b64url(stamp["nonce"])
    if method not in READING_METHODS:
        signed["Content-Digest"] = fields["content-digest"] = content_digest(body)
        if "idempotency-key" not in fields:
            signed["Idempotency-Key"] = fields["idempotency-key"] = nonce
    created = int(stamp["created"].timestamp())
    parameters = _parameters(method, created, stamp["key_id"], nonce)
    signature = sign(stamp["key"], _signature_base(method, url, fields, parameters))
    signed["Signature-Input"] = f"{LABEL}={parameters}"
    signed["Signature"] = f"{LABEL}=:{base64.b64encode(signature).decode()}:"
    return signed


def components_of(method: str) -> tuple[str, ...]:
    """The components that a signature over this method covers, in order."""
    return READING_COMPONENTS if method in READING_METHODS else WRITING_COMPONENTS


def content_digest(body: bytes) -> str:
    """The only form of ``Content-Digest`` in this profile: one SHA-256 (RFC 9530, 2)."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def target(url: str) -> Target:
    """The derived components of an absolute http(s) URL without credentials or fragment."""
    match = _URL.fullmatch(url)
    if match is None:
        raise SignatureInvalid("the URL has no signable form")
    host, port = match["host"].lower(), match["port"]
    if port == _DEFAULT_PORTS[match["scheme"]]:
        port = None
    authority = f"{host}:{port}" if port else host
    uri = f"{match['scheme']}://{authority}{match['path'] or '/'}{match['query'] or ''}"
    return Target(authority, uri)


def _require_stamp(stamp: Stamp) -> None:
    if stamp["created"].tzinfo is None:
        raise SignatureInvalid("created needs a time zone")
    if len(stamp["nonce"]) < NONCE_BYTES:
        raise SignatureInvalid("the nonce is shorter than 128 bits")
    if not _KEY_ID.fullmatch(stamp["key_id"]):
        raise SignatureInvalid("the key id has other characters than letters, digits, dot, dash, underscore")


def _parameters(method: str, created: int, key_id: str, nonce: str) -> str:
    covered = " ".join(f'"{name}"' for name in components_of(method))
    expires = created + int(LIFETIME.total_seconds())
    return f'({covered});created={created};expires={expires};keyid="{key_id}";nonce="{nonce}";tag="{TAG}"'


def _signature_base(method: str, url: str, fields: Mapping[str, str], parameters: str) -> bytes:
    """RFC 9421, 2.5: one line a component, the parameters last."""
    authority, uri = target(url)
    derived = {"@method": method, "@authority": authority, "@target-uri": uri}
    lines = []
    for name in components_of(method):
        value = derived.get(name) or fields.get(name, "").strip()
        if not _FIELD_VALUE.fullmatch(value) and name != "@target-uri":
            raise SignatureInvalid(f"component {name} is missing or has forbidden characters")
        lines.append(f'"{name}": {value}')
    lines.append(f'"@signature-params": {parameters}')
    return "\n".join(lines).encode("ascii")
