"""Card verifiable certificates as the chip reads and proves them (ICAO 9303-12, 7.2)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from issuance_backend.virtual_card.icc_commands import SW_DATA_INCORRECT, CommandRefused
from issuance_backend.virtual_card.icc_curves import CURVES, EllipticCurve
from verification.encoding.object_identifier import encode_oid
from verification.encoding.tlv import OBJECT_IDENTIFIER, Tlv, build, children
from verification.errors import MalformedDocument

_CERTIFICATE, _BODY, _SIGNATURE = 0x7F21, 0x7F4E, 0x5F37
_PROFILE, _AUTHORITY, _PUBLIC_KEY, _HOLDER = 0x5F29, 0x42, 0x7F49, 0x5F20
_AUTHORIZATION, _EFFECTIVE, _EXPIRATION, _EXTENSIONS = 0x7F4C, 0x5F25, 0x5F24, 0x65
_FIELDS = (_PROFILE, _AUTHORITY, _PUBLIC_KEY, _HOLDER, _AUTHORIZATION, _EFFECTIVE, _EXPIRATION)
_RIGHTS = 0x53
_VERSION_1 = b"\x00"
_INSPECTION_SYSTEM = encode_oid("0.4.0.127.0.7.3.1.2.1")
_MAX_CERTIFICATE = 4096
# Country code, mnemonic and sequence number: 2, 1 to 9 and 5 octets (9303-12, 7.2.2.3).
_REFERENCE_LENGTHS = range(8, 17)

_MODULUS, _EXPONENT = 0x81, 0x82
_POINT, _COFACTOR = 0x86, 0x87
_DOMAIN_TAGS = (0x81, 0x82, 0x83, 0x84, 0x85)
_RSA_BITS = range(1024, 4097)

_TERMINAL_AUTHENTICATION = "0.4.0.127.0.7.2.2.2"
_SHA1 = hashes.SHA1()  # noqa: S303 - what certificates of the first years are signed with
_PLAIN_ECDSA: dict[bytes, hashes.HashAlgorithm] = {
    encode_oid(f"{_TERMINAL_AUTHENTICATION}.2.{arc}"): digest
    for arc, digest in enumerate(
        (_SHA1, hashes.SHA224(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512()), 1
    )
}
_RSA: dict[bytes, tuple[bool, hashes.HashAlgorithm]] = {
    encode_oid(f"{_TERMINAL_AUTHENTICATION}.1.{arc}"): scheme
    for arc, scheme in {
        1: (False, _SHA1),
        2: (False, hashes.SHA256()),
        3: (True, _SHA1),
        4: (True, hashes.SHA256()),
        5: (False, hashes.SHA512()),
        6: (True, hashes.SHA512()),
    }.items()
}


class Role(IntEnum):
    """Who holds a certificate: the upper two bits of its authorization."""

    TERMINAL = 0
    FOREIGN_VERIFIER = 1
    DOMESTIC_VERIFIER = 2
    AUTHORITY = 3


class EllipticKey(NamedTuple):
    """An ECDSA key that verifies plain signatures."""

    curve: EllipticCurve
    point: bytes
    digest: hashes.HashAlgorithm

    def is_signature(self, signature: bytes, message: bytes) -> bool:
        """Whether r || s, each in the octets of the order, signs ``message`` (TR-03111, 5.2.1)."""
        order = self.curve.order
        half = (order.bit_length() + 7) // 8
        r, s = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
        if len(signature) != 2 * half or not (0 < r < order and 0 < s < order):
            return False
        if self.curve.named is None:
            return self._is_own_signature(r, s, message)
        key = ec.EllipticCurvePublicKey.from_encoded_point(self.curve.named, self.point)
        return _is_verified(lambda: key.verify(encode_dss_signature(r, s), message, ec.ECDSA(self.digest)))

    def _is_own_signature(self, r: int, s: int, message: bytes) -> bool:
        """ECDSA by the chip's own arithmetic, for the curves that OpenSSL lacks."""
        order, curve = self.curve.order, self.curve
        hashed = hashlib.new(self.digest.name, message, usedforsecurity=False).digest()
        excess = max(0, 8 * len(hashed) - order.bit_length())
        inverse = pow(s, -1, order)
        by_hash = (int.from_bytes(hashed, "big") >> excess) * inverse % order
        parts = [curve.multiply(by_hash, curve.base), curve.multiply(r * inverse % order, self.point)]
        known = [part for part in parts if part is not None]
        try:
            total = known[0] if len(known) == 1 else curve.combine(*known)
        except CommandRefused:
            return False
        return curve.point(total).x % order == r


class RsaKey(NamedTuple):
    """An RSA key with PKCS #1 version 1.5 or PSS, salt as long as the hash (ICAO 9303-11, 7.1.4.1.1)."""

    key: rsa.RSAPublicKey
    is_pss: bool
    digest: hashes.HashAlgorithm

    def is_signature(self, signature: bytes, message: bytes) -> bool:
        """Whether this signs ``message``."""
        scheme: padding.AsymmetricPadding = padding.PKCS1v15()
        if self.is_pss:
            scheme = padding.PSS(padding.MGF1(self.digest), self.digest.digest_size)
        return _is_verified(lambda: self.key.verify(signature, message, scheme, self.digest))


PublicKey = EllipticKey | RsaKey


@dataclass(frozen=True, slots=True)
class CvCertificate:
    """One certificate, read and not yet proven; ``rights`` are the lower six bits of its authorization."""

    signed: bytes
    authority: bytes
    public_key: PublicKey
    holder: bytes
    role: Role
    rights: int
    effective: date
    expiration: date
    signature: bytes


def parse_certificate(encoded: bytes, inherited: PublicKey | None = None) -> CvCertificate:
    """Read a whole certificate, as personalisation stores it; raises CommandRefused (6A80)."""
    whole = _children(encoded)
    if len(whole) != 1 or whole[0].tag != _CERTIFICATE:
        raise CommandRefused(SW_DATA_INCORRECT)
    return parse_body_and_signature(whole[0].value, inherited)


def parse_body_and_signature(encoded: bytes, inherited: PublicKey | None) -> CvCertificate:
    """Read what PSO:VERIFY CERTIFICATE brings; raises CommandRefused (6A80).

    The curve comes from ``inherited``, the issuer's key, where the certificate leaves it out.
    """
    body, signature = _values(encoded, (_BODY, _SIGNATURE))
    fields = _children(body)
    # Extensions grant nothing on this chip and are signed like the rest.
    if fields and fields[-1].tag == _EXTENSIONS:
        fields.pop()
    if tuple(field.tag for field in fields) != _FIELDS or fields[0].value != _VERSION_1:
        raise CommandRefused(SW_DATA_INCORRECT)
    _, authority, public_key, holder, authorization, effective, expiration = (f.value for f in fields)
    role, rights = _authorization(authorization)
    return CvCertificate(
        signed=build(_BODY, body),
        authority=_reference(authority),
        public_key=_public_key(public_key, inherited),
        holder=_reference(holder),
        role=role,
        rights=rights,
        effective=_date(effective),
        expiration=_date(expiration),
        signature=signature,
    )


def _public_key(encoded: bytes, inherited: PublicKey | None) -> PublicKey:
    identifier, *fields = _children(encoded)
    if identifier.tag != OBJECT_IDENTIFIER:
        raise CommandRefused(SW_DATA_INCORRECT)
    if identifier.value in _PLAIN_ECDSA:
        return _elliptic_key(fields, inherited, _PLAIN_ECDSA[identifier.value])
    if identifier.value in _RSA:
        return _rsa_key(fields, *_RSA[identifier.value])
    raise CommandRefused(SW_DATA_INCORRECT)


def _elliptic_key(
    fields: list[Tlv], inherited: PublicKey | None, digest: hashes.HashAlgorithm
) -> EllipticKey:
    tags = tuple(field.tag for field in fields)
    if tags == (_POINT,):
        if not isinstance(inherited, EllipticKey):
            raise CommandRefused(SW_DATA_INCORRECT)
        curve = inherited.curve
    elif tags in {(*_DOMAIN_TAGS, _POINT), (*_DOMAIN_TAGS, _POINT, _COFACTOR)}:
        curve = _curve({field.tag: field.value for field in fields})
    else:
        raise CommandRefused(SW_DATA_INCORRECT)
    point = next(field.value for field in fields if field.tag == _POINT)
    return EllipticKey(curve, curve.decode(point), digest)


def _curve(fields: dict[int, bytes]) -> EllipticCurve:
    """The curve all of whose values these are: one that differs in any could be made to accept forgeries."""
    p, a, b, base, order = (fields[tag] for tag in _DOMAIN_TAGS)
    numbers = tuple(int.from_bytes(value, "big") for value in (p, a, b, order))
    for curve in CURVES.values():
        known = curve.numbers
        is_whole = int.from_bytes(fields.get(_COFACTOR, b"\x01"), "big") == 1
        if numbers == (known.p, known.a, known.b, known.n) and base == curve.base and is_whole:
            return curve
    raise CommandRefused(SW_DATA_INCORRECT)


def _rsa_key(fields: list[Tlv], is_pss: bool, digest: hashes.HashAlgorithm) -> RsaKey:
    if [field.tag for field in fields] != [_MODULUS, _EXPONENT]:
        raise CommandRefused(SW_DATA_INCORRECT)
    modulus, exponent = (int.from_bytes(field.value, "big") for field in fields)
    if modulus.bit_length() not in _RSA_BITS or exponent.bit_length() > 32:
        raise CommandRefused(SW_DATA_INCORRECT)
    try:
        return RsaKey(rsa.RSAPublicNumbers(exponent, modulus).public_key(), is_pss, digest)
    except ValueError:
        raise CommandRefused(SW_DATA_INCORRECT) from None


def _is_verified(verify: Callable[[], None]) -> bool:
    try:
        verify()
    except InvalidSignature:
        return False
    return True


def _authorization(encoded: bytes) -> tuple[Role, int]:
    terminal_type, rights = _values(encoded, (OBJECT_IDENTIFIER, _RIGHTS))
    if terminal_type != _INSPECTION_SYSTEM or len(rights) != 1:
        raise CommandRefused(SW_DATA_INCORRECT)
    return Role(rights[0] >> 6), rights[0] & 0x3F


def _reference(octets: bytes) -> bytes:
    if len(octets) not in _REFERENCE_LENGTHS:
        raise CommandRefused(SW_DATA_INCORRECT)
    return octets


def _date(octets: bytes) -> date:
    """Six octets, a decimal digit each: YYMMDD of this century (9303-12, 7.2.2.7)."""
    if len(octets) != 6 or max(octets) > 9:
        raise CommandRefused(SW_DATA_INCORRECT)
    year, month, day = (10 * octets[i] + octets[i + 1] for i in (0, 2, 4))
    try:
        return date(2000 + year, month, day)
    except ValueError:
        raise CommandRefused(SW_DATA_INCORRECT) from None


def _values(encoded: bytes, tags: tuple[int, int]) -> tuple[bytes, bytes]:
    parts = _children(encoded)
    if tuple(part.tag for part in parts) != tags:
        raise CommandRefused(SW_DATA_INCORRECT)
    return parts[0].value, parts[1].value


def _children(encoded: bytes) -> list[Tlv]:
    if not 0 < len(encoded) <= _MAX_CERTIFICATE:
        raise CommandRefused(SW_DATA_INCORRECT)
    try:
        return children(encoded)
    except MalformedDocument:
        raise CommandRefused(SW_DATA_INCORRECT) from None
