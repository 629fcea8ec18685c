"""Card verifiable certificates: what a chip checks before it opens DG3 and DG4 (BSI TR-03110-3, C and D).

A certificate is 7F21 { 7F4E body, 5F37 signature }; the signature is over the body with its header.
Nothing in a parsed certificate is trusted: ``pki/card_verifiable_chain.py`` verifies it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import IntEnum, StrEnum
from typing import NamedTuple

from verification.encoding.curve_parameters import CURVES, DomainParameters
from verification.encoding.der_scan import Limits, scan
from verification.encoding.object_identifier import build_oid, decode_oid
from verification.encoding.tlv import OBJECT_IDENTIFIER, Tlv, build, children, only
from verification.errors import MalformedDocument

MAX_CERTIFICATE = 4_096
"""Octets; RSA of 4096 bits and a brainpoolP512r1 key with all its parameters both stay under 1,300."""

# Template 7F21 holds 7F4E, which holds 7F49, 7F4C and 65; extensions nest two levels more.
_LIMITS = Limits(total=MAX_CERTIFICATE, depth=8, elements=128, integer=MAX_CERTIFICATE)

_CERTIFICATE = 0x7F21
_BODY = 0x7F4E
_PROFILE = 0x5F29
_AUTHORITY_REFERENCE = 0x42
_PUBLIC_KEY = 0x7F49
_HOLDER_REFERENCE = 0x5F20
_HOLDER_AUTHORIZATION = 0x7F4C
_DISCRETIONARY_DATA = 0x53
_EFFECTIVE_DATE = 0x5F25
_EXPIRATION_DATE = 0x5F24
_EXTENSIONS = 0x65
_SIGNATURE = 0x5F37

_VERSION_1 = b"\x00"
_COFACTOR_1 = b"\x01"

# Tags of a public key (TR-03110-3, D.3): those of RSA, then those of an elliptic curve.
_MODULUS, _EXPONENT = 0x81, 0x82
_PRIME, _COEFFICIENT_A, _COEFFICIENT_B, _BASE_POINT, _ORDER, _PUBLIC_POINT, _COFACTOR = range(0x81, 0x88)
_DOMAIN_PARAMETERS = frozenset({_PRIME, _COEFFICIENT_A, _COEFFICIENT_B, _BASE_POINT, _ORDER, _COFACTOR})

# Country code, holder mnemonic of up to nine characters, sequence number of five (TR-03110-3, A.6.1).
_REFERENCE = re.compile(r"[A-Za-z]{2}[\x20-\x7e\xa0-\xff]{1,9}[0-9A-Za-z]{5}")
_DATE_OCTETS = 6


class SignatureScheme(StrEnum):
    """How a key of terminal authentication signs."""

    ECDSA = "ecdsa"
    RSA_PKCS1 = "rsa-pkcs1"
    RSA_PSS = "rsa-pss"


class CvAlgorithm(NamedTuple):
    """A signature algorithm of terminal authentication; ``hash_name`` as in ``lds.hash_algorithms``."""

    scheme: SignatureScheme
    hash_name: str


TERMINAL_AUTHENTICATION_RSA = "0.4.0.127.0.7.2.2.2.1"
TERMINAL_AUTHENTICATION_ECDSA = "0.4.0.127.0.7.2.2.2.2"

# TR-03110-3, A.6.4: arcs below id-TA-RSA and id-TA-ECDSA.
CV_ALGORITHMS: Mapping[str, CvAlgorithm] = {
    f"{TERMINAL_AUTHENTICATION_RSA}.1": CvAlgorithm(SignatureScheme.RSA_PKCS1, "sha1"),
    f"{TERMINAL_AUTHENTICATION_RSA}.2": CvAlgorithm(SignatureScheme.RSA_PKCS1, "sha256"),
    f"{TERMINAL_AUTHENTICATION_RSA}.3": CvAlgorithm(SignatureScheme.RSA_PSS, "sha1"),
    f"{TERMINAL_AUTHENTICATION_RSA}.4": CvAlgorithm(SignatureScheme.RSA_PSS, "sha256"),
    f"{TERMINAL_AUTHENTICATION_RSA}.5": CvAlgorithm(SignatureScheme.RSA_PKCS1, "sha512"),
    f"{TERMINAL_AUTHENTICATION_RSA}.6": CvAlgorithm(SignatureScheme.RSA_PSS, "sha512"),
    f"{TERMINAL_AUTHENTICATION_ECDSA}.1": CvAlgorithm(SignatureScheme.ECDSA, "sha1"),
    f"{TERMINAL_AUTHENTICATION_ECDSA}.2": CvAlgorithm(SignatureScheme.ECDSA, "sha224"),
    f"{TERMINAL_AUTHENTICATION_ECDSA}.3": CvAlgorithm(SignatureScheme.ECDSA, "sha256"),
    f"{TERMINAL_AUTHENTICATION_ECDSA}.4": CvAlgorithm(SignatureScheme.ECDSA, "sha384"),
    f"{TERMINAL_AUTHENTICATION_ECDSA}.5": CvAlgorithm(SignatureScheme.ECDSA, "sha512"),
}
"""By object identifier."""


class CvEcKey(NamedTuple):
    """A point in its uncompressed form; ``curve`` is None where it is the one of the CVCA above."""

    curve: DomainParameters | None
    point: bytes


class CvRsaKey(NamedTuple):
    """An RSA key as two numbers."""

    modulus: int
    exponent: int


@dataclass(frozen=True, slots=True)
class CvPublicKey:
    """A key and the algorithm that it signs with; the algorithm's object identifier, dotted."""

    algorithm: str
    key: CvEcKey | CvRsaKey


class HolderRole(IntEnum):
    """Who holds a certificate: the two highest bits of the relative authorization (TR-03110-3, C.4)."""

    CVCA = 0b11
    DV_DOMESTIC = 0b10
    DV_FOREIGN = 0b01
    IS = 0b00

    @property
    def is_document_verifier(self) -> bool:
        """Whether the holder issues certificates to terminals."""
        return self in (HolderRole.DV_DOMESTIC, HolderRole.DV_FOREIGN)


INSPECTION_SYSTEM = "0.4.0.127.0.7.3.1.2.1"
AUTHENTICATION_TERMINAL = "0.4.0.127.0.7.3.1.2.2"
SIGNATURE_TERMINAL = "0.4.0.127.0.7.3.1.2.3"

# Octets of the relative authorization by terminal type (TR-03110-4, 2.2.3).
_AUTHORIZATION_OCTETS: Mapping[str, int] = {
    INSPECTION_SYSTEM: 1,
    AUTHENTICATION_TERMINAL: 5,
    SIGNATURE_TERMINAL: 1,
}

READ_DG3 = 0b01
READ_DG4 = 0b10


@dataclass(frozen=True, slots=True)
class HolderAuthorization:
    """A role and the rights that may at most be passed on; ``oid`` is the type of terminal.

    ``rights`` are the bits below the role, the lowest first: for an inspection system bit 0
    reads DG3 (fingerprints) and bit 1 reads DG4 (irises).
    """

    oid: str
    role: HolderRole
    rights: int

    @property
    def reads_dg3(self) -> bool:
        """Whether an inspection system may read fingerprints."""
        return self.oid == INSPECTION_SYSTEM and bool(self.rights & READ_DG3)

    @property
    def reads_dg4(self) -> bool:
        """Whether an inspection system may read irises."""
        return self.oid == INSPECTION_SYSTEM and bool(self.rights & READ_DG4)


@dataclass(frozen=True, slots=True, kw_only=True)
class CvCertificateContent:
    """What a certificate says; references are country code, mnemonic and sequence number.

    ``extensions`` is the value of the template 65, unread.
    """

    authority_reference: str
    holder_reference: str
    public_key: CvPublicKey
    authorization: HolderAuthorization
    effective: date
    expiration: date
    extensions: bytes = b""

    @property
    def is_self_signed(self) -> bool:
        """Whether holder and authority are the same: a CVCA's own certificate."""
        return self.authority_reference == self.holder_reference


@dataclass(frozen=True, slots=True, kw_only=True)
class CardVerifiableCertificate(CvCertificateContent):
    """A certificate as it was read; ``body`` are the signed octets, template header included."""

    encoded: bytes
    body: bytes
    signature: bytes

    @property
    def content_octets(self) -> bytes:
        """Body and signature without the outer template: what a chip takes (TR-03110-3, B.12.2)."""
        return self.body + build(_SIGNATURE, self.signature)


def parse_cv_certificate(encoded: bytes) -> CardVerifiableCertificate:
    """Read a certificate; raises MalformedDocument, LimitExceeded for one that no authority makes."""
    scan(encoded, _LIMITS)
    outer = _Template(only(encoded, _CERTIFICATE))
    body = outer.take_object(_BODY)
    signature = outer.take(_SIGNATURE)
    outer.finish()
    fields = _Template(body.value)
    if fields.take(_PROFILE) != _VERSION_1:
        raise MalformedDocument("card verifiable certificate of an unknown version")
    certificate = CardVerifiableCertificate(
        authority_reference=parse_reference(fields.take(_AUTHORITY_REFERENCE)),
        public_key=_parse_public_key(fields.take(_PUBLIC_KEY)),
        holder_reference=parse_reference(fields.take(_HOLDER_REFERENCE)),
        authorization=_parse_authorization(fields.take(_HOLDER_AUTHORIZATION)),
        effective=_parse_date(fields.take(_EFFECTIVE_DATE)),
        expiration=_parse_date(fields.take(_EXPIRATION_DATE)),
        extensions=fields.take_optional(_EXTENSIONS),
        encoded=encoded,
        body=body.encoded,
        signature=signature,
    )
    fields.finish()
    return certificate


def build_cv_certificate_body(content: CvCertificateContent) -> bytes:
    """Write the body, template header included: what its authority signs."""
    extensions = build(_EXTENSIONS, content.extensions) if content.extensions else b""
    return build(
        _BODY,
        build(_PROFILE, _VERSION_1)
        + build(_AUTHORITY_REFERENCE, encode_reference(content.authority_reference))
        + build(_PUBLIC_KEY, _encode_public_key(content.public_key))
        + build(_HOLDER_REFERENCE, encode_reference(content.holder_reference))
        + build(_HOLDER_AUTHORIZATION, _encode_authorization(content.authorization))
        + build(_EFFECTIVE_DATE, _encode_date(content.effective))
        + build(_EXPIRATION_DATE, _encode_date(content.expiration))
        + extensions,
    )


def build_cv_certificate(body: bytes, signature: bytes) -> bytes:
    """Put a signed body and its signature together; ECDSA signatures are plain r and s (TR-03111)."""
    return build(_CERTIFICATE, body + build(_SIGNATURE, signature))


def parse_reference(octets: bytes) -> str:
    """Read the reference of a key and its holder; raises MalformedDocument."""
    reference = octets.decode("latin-1")
    if not _REFERENCE.fullmatch(reference):
        raise MalformedDocument("no country code, mnemonic and sequence number")
    return reference


def encode_reference(reference: str) -> bytes:
    """Write a reference in ISO 8859-1; raises ValueError where it is none."""
    if not _REFERENCE.fullmatch(reference):
        raise ValueError("no country code, mnemonic and sequence number")
    return reference.encode("latin-1")


class _Template:
    """The data objects of a template, taken in the order that the standard gives them."""

    def __init__(self, value: bytes) -> None:
        self._left = children(value)[::-1]

    def take_object(self, tag: int) -> Tlv:
        if not self._left or self._left[-1].tag != tag:
            raise MalformedDocument(f"card verifiable certificate without {tag:X} in its place")
        return self._left.pop()

    def take(self, tag: int) -> bytes:
        return self.take_object(tag).value

    def take_optional(self, tag: int) -> bytes:
        return self.take(tag) if self._left and self._left[-1].tag == tag else b""

    def tags(self) -> frozenset[int]:
        return frozenset(left.tag for left in self._left)

    def finish(self) -> None:
        if self._left:
            raise MalformedDocument(f"card verifiable certificate with {self._left[-1].tag:X} out of place")


def _parse_public_key(value: bytes) -> CvPublicKey:
    fields = _Template(value)
    algorithm = decode_oid(fields.take(OBJECT_IDENTIFIER))
    known = CV_ALGORITHMS.get(algorithm)
    if known is None:
        raise MalformedDocument("card verifiable certificate with an unknown algorithm")
    key: CvEcKey | CvRsaKey
    if known.scheme is SignatureScheme.ECDSA:
        key = _parse_ec_key(fields)
    else:
        key = CvRsaKey(_number(fields.take(_MODULUS)), _number(fields.take(_EXPONENT)))
    fields.finish()
    return CvPublicKey(algorithm, key)


def _parse_ec_key(fields: _Template) -> CvEcKey:
    # TR-03110-3, C.3: a CVCA writes all parameters, everybody below it none.
    if not fields.tags() & _DOMAIN_PARAMETERS:
        return CvEcKey(None, fields.take(_PUBLIC_POINT))
    p, a, b = (_number(fields.take(tag)) for tag in (_PRIME, _COEFFICIENT_A, _COEFFICIENT_B))
    base = fields.take(_BASE_POINT)
    n = _number(fields.take(_ORDER))
    point = fields.take(_PUBLIC_POINT)
    cofactor = _number(fields.take(_COFACTOR))
    # A curve that shares only its prime with a good one can be made to give away signatures.
    for known in CURVES:
        if (p, a, b, n, cofactor) == (known.p, known.a, known.b, known.n, 1) and known.is_base_point(base):
            return CvEcKey(known, point)
    raise MalformedDocument("card verifiable certificate on an unknown curve")


def _encode_public_key(public_key: CvPublicKey) -> bytes:
    oid, key = build_oid(public_key.algorithm), public_key.key
    if isinstance(key, CvRsaKey):
        return oid + build(_MODULUS, _octets(key.modulus)) + build(_EXPONENT, _octets(key.exponent))
    point = build(_PUBLIC_POINT, key.point)
    curve = key.curve
    if curve is None:
        return oid + point
    base = b"\x04" + b"".join(value.to_bytes(curve.field_length, "big") for value in (curve.x, curve.y))
    return (
        oid
        + build(_PRIME, _octets(curve.p))
        + build(_COEFFICIENT_A, _octets(curve.a))
        + build(_COEFFICIENT_B, _octets(curve.b))
        + build(_BASE_POINT, base)
        + build(_ORDER, _octets(curve.n))
        + point
        + build(_COFACTOR, _COFACTOR_1)
    )


def _number(octets: bytes) -> int:
    # Some issuers fill a coefficient up to the length of the field: the number is the same.
    return int.from_bytes(octets, "big")


def _octets(number: int) -> bytes:
    """An unsigned integer in the fewest octets (TR-03110-3, D.2.1.1)."""
    return number.to_bytes((number.bit_length() + 7) // 8 or 1, "big")


def _parse_authorization(value: bytes) -> HolderAuthorization:
    fields = _Template(value)
    oid = decode_oid(fields.take(OBJECT_IDENTIFIER))
    octets = fields.take(_DISCRETIONARY_DATA)
    fields.finish()
    size = _AUTHORIZATION_OCTETS.get(oid)
    if size is None or len(octets) != size:
        raise MalformedDocument("holder authorization of an unknown type or length")
    bits = int.from_bytes(octets, "big")
    role_bit = 8 * size - 2
    return HolderAuthorization(oid, HolderRole(bits >> role_bit), bits & (1 << role_bit) - 1)


def _encode_authorization(authorization: HolderAuthorization) -> bytes:
    size = _AUTHORIZATION_OCTETS[authorization.oid]
    role_bit = 8 * size - 2
    if not 0 <= authorization.rights < 1 << role_bit:
        raise ValueError("rights reach into the role")
    bits = authorization.role << role_bit | authorization.rights
    return build_oid(authorization.oid) + build(_DISCRETIONARY_DATA, bits.to_bytes(size, "big"))


def _parse_date(octets: bytes) -> date:
    """YYMMDD, a digit an octet, of this century (TR-03110-3, D.2.1.3)."""
    if len(octets) != _DATE_OCTETS or max(octets) > 9:
        raise MalformedDocument("date is not six digits")
    year, month, day = (10 * octets[at] + octets[at + 1] for at in (0, 2, 4))
    try:
        return date(2000 + year, month, day)
    except ValueError:
        raise MalformedDocument("date names no day") from None


def _encode_date(day: date) -> bytes:
    if not 2000 <= day.year < 2100:
        raise ValueError("a certificate's date lies between 2000 and 2099")
    return bytes(int(digit) for digit in f"{day.year % 100:02d}{day.month:02d}{day.day:02d}")
