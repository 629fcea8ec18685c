"""X.509 certificates and their extensions, read by our own strict walk (RFC 5280; ICAO 9303-12, 7.1).

General X.509 stacks refuse the explicit curve parameters and the odd extensions that document
PKIs use, and cost more than the signatures they verify.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from verification.encoding.asn1_time import read_time
from verification.encoding.der_walk import headers_by_size, require_end, step
from verification.encoding.object_identifier import decode_oid, encode_oid
from verification.encoding.tlv import (
    BIT_STRING,
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    PRINTABLE_STRING,
    SEQUENCE,
    SET,
    DerReader,
)
from verification.errors import LimitExceeded, MalformedDocument
from verification.pki.distinguished_name import country_of

MAX_CERTIFICATE = 16_384
"""Bytes; genuine ones have 500 to 3,000."""

_BOOLEAN = 0x01
_EXTENSIONS = 0xA3
_KEY_IDENTIFIER = 0x80
# What stands before a key identifier of 20 octets that nothing follows: nearly all of them.
_SHA_1_KEY_ID = bytes((SEQUENCE, 22, _KEY_IDENTIFIER, 20))
_CRITICAL_FALSE = b"\x01\x01\x00"
_VERSION_3 = b"\xa0\x03\x02\x01\x02"
# What stands before the serial number, in a signed part of this size, and before the first extension.
_before_serial_number = headers_by_size((SEQUENCE, _VERSION_3))
_before_extensions = headers_by_size((_EXTENSIONS, b""), (SEQUENCE, b""))

SUBJECT_KEY_ID = encode_oid("2.5.29.14")
KEY_USAGE = encode_oid("2.5.29.15")
BASIC_CONSTRAINTS = encode_oid("2.5.29.19")
AUTHORITY_KEY_ID = encode_oid("2.5.29.35")
EXTENDED_KEY_USAGE = encode_oid("2.5.29.37")
DOCUMENT_TYPES = encode_oid("2.23.136.1.1.6.2")

# Extensions whose meaning is honoured here or does not limit the use of the key; any other one
# that is marked critical refuses the certificate (RFC 5280, 4.2).
_UNDERSTOOD = frozenset(
    {SUBJECT_KEY_ID, KEY_USAGE, BASIC_CONSTRAINTS, AUTHORITY_KEY_ID, EXTENDED_KEY_USAGE, DOCUMENT_TYPES}
    | {encode_oid(oid) for oid in ("2.5.29.16", "2.5.29.17", "2.5.29.18", "2.5.29.31", "2.5.29.32")}
    | {encode_oid("2.23.136.1.1.6.1")}
)

DIGITAL_SIGNATURE = 0x80
KEY_CERT_SIGN = 0x04
CRL_SIGN = 0x02


class Certificate(NamedTuple):
    """A certificate as it was read: nothing in it is trusted yet.

    Names and the AlgorithmIdentifier are their encodings; ``signed`` is what the issuer signed.
    ``extensions`` holds the value octets by identifier octets.
    """

    encoded: bytes
    signed: bytes
    serial_number: bytes
    issuer: bytes
    subject: bytes
    not_before: datetime
    not_after: datetime
    public_key_info: bytes
    extensions: Mapping[bytes, bytes]
    has_unknown_critical: bool
    signature_algorithm: bytes
    signature: bytes

    def is_valid_at(self, moment: datetime) -> bool:
        """Whether the moment lies in the validity period, ends included (RFC 5280, 4.1.2.5)."""
        return self.not_before <= moment <= self.not_after

    @property
    def key_usage(self) -> int | None:
        """The first octet of the key usage bits; None when the extension is absent."""
        value = self.extensions.get(KEY_USAGE)
        if value is None:
            return None
        return _key_usage(value)

    @property
    def is_authority(self) -> bool:
        """Whether basic constraints say that this key signs certificates.

        The Ukrainian CSCA writes TRUE as 01 where DER has FF (X.690, 11.1): whatever is not zero is
        meant as TRUE, which is also the safer reading for a document signer.
        """
        value = self.extensions.get(BASIC_CONSTRAINTS)
        if value is None:
            return False
        constraints = DerReader(value).enter(SEQUENCE)
        return constraints.peek() == _BOOLEAN and any(constraints.take(_BOOLEAN))

    @property
    def extended_key_usages(self) -> tuple[str, ...]:
        """The purposes the certificate is limited to, dotted; empty when it is not limited."""
        value = self.extensions.get(EXTENDED_KEY_USAGE)
        if value is None:
            return ()
        purposes = DerReader(read_single(value, SEQUENCE))
        found = []
        while purposes.peek() is not None:
            found.append(decode_oid(purposes.take(OBJECT_IDENTIFIER)))
        return tuple(found)

    @property
    def subject_key_id(self) -> bytes | None:
        """The identifier of this key."""
        value = self.extensions.get(SUBJECT_KEY_ID)
        return None if value is None else read_single(value, OCTET_STRING)

    @property
    def authority_key_id(self) -> bytes | None:
        """The identifier of the issuer's key; None when it is not named by one."""
        return authority_key_id(self.extensions)

    @property
    def document_types(self) -> tuple[str, ...]:
        """Document codes this signer may sign for (9303-12, 7.1.1.6); empty when not limited."""
        value = self.extensions.get(DOCUMENT_TYPES)
        if value is None:
            return ()
        return _document_types(value)

    @property
    def country(self) -> str | None:
        """The subject's country in capitals: real ones are also written in lower case."""
        return country_of(self.subject)


def parse_certificate(encoded: bytes) -> Certificate:
    """Take a DER certificate apart; raises MalformedDocument or LimitExceeded."""
    if len(encoded) > MAX_CERTIFICATE:
        raise LimitExceeded(f"certificate of {len(encoded)} bytes")
    try:
        return _parse(encoded)
    except IndexError:
        raise MalformedDocument("certificate is cut off") from None


def _parse(data: bytes) -> Certificate:
    signed, signature_algorithm, signature = read_signed(data)
    headers = _before_serial_number(len(signed))
    if not headers or not signed.startswith(headers):
        raise MalformedDocument("certificate is not version 3")
    start, position = step(signed, len(headers), INTEGER)
    serial_number = signed[start:position]
    # RFC 5280, 4.1.1.2: the algorithm outside the signed part must be the one inside it.
    issuer = position + len(signature_algorithm)
    if signed[position:issuer] != signature_algorithm:
        raise MalformedDocument("certificate names two signature algorithms")
    _, issuer_end = step(signed, issuer, SEQUENCE)
    _, validity_end = step(signed, issuer_end, SEQUENCE)
    not_before, not_after = _validity(signed[issuer_end:validity_end])
    _, subject_end = step(signed, validity_end, SEQUENCE)
    _, key_end = step(signed, subject_end, SEQUENCE)
    extensions, has_unknown_critical = read_extensions(signed, key_end, _before_extensions, _UNDERSTOOD)
    return Certificate(
        data,
        signed,
        serial_number,
        signed[issuer:issuer_end],
        signed[validity_end:subject_end],
        not_before,
        not_after,
        signed[subject_end:key_end],
        extensions,
        has_unknown_critical,
        signature_algorithm,
        signature,
    )


@lru_cache(maxsize=256)
def _validity(encoded: bytes) -> tuple[datetime, datetime]:
    """Read Validity; certificates that were issued together share it."""
    start, end = step(encoded, 0, SEQUENCE)
    not_before, start = take_time(encoded, start)
    not_after, start = take_time(encoded, start)
    require_end(start, end)
    return not_before, not_after


def read_signed(data: bytes) -> tuple[bytes, bytes, bytes]:
    """Read X.509's SIGNED macro: the signed part, the AlgorithmIdentifier and the signature."""
    begin, end = step(data, 0, SEQUENCE)
    _, signed_end = step(data, begin, SEQUENCE)
    _, algorithm_end = step(data, signed_end, SEQUENCE)
    bits, bits_end = step(data, algorithm_end, BIT_STRING)
    if not bits_end == end == len(data) or data[bits]:
        raise MalformedDocument("signature is not whole octets at the end")
    return data[begin:signed_end], data[signed_end:algorithm_end], data[bits + 1 : bits_end]


def take_time(data: bytes, position: int) -> tuple[datetime, int]:
    """Read the Time at ``position``; also return where it ends."""
    tag = data[position]
    start, end = step(data, position, tag)
    return read_time(tag, data[start:end]), end


def read_single(encoded: bytes, tag: int) -> bytes:
    """Return the value of the one data object that fills ``encoded``."""
    reader = DerReader(encoded)
    value = reader.take(tag)
    reader.finish()
    return value


def read_extensions(
    data: bytes, position: int, headers_before: Callable[[int], bytes], understood: frozenset[bytes]
) -> tuple[Mapping[bytes, bytes], bool]:
    """Read the optional extensions at the end; also whether a critical one is not ``understood``."""
    if position == len(data):
        return {}, False
    headers = headers_before(len(data) - position)
    if not headers or not data.startswith(headers, position):
        raise MalformedDocument("extensions and their wrappers end at different places")
    return _extensions(data, position + len(headers), len(data), understood)


def read_extension_list(
    data: bytes, position: int, end: int, understood: frozenset[bytes]
) -> tuple[Mapping[bytes, bytes], bool]:
    """Read Extensions; also whether a critical one is not ``understood``."""
    position, entries_end = step(data, position, SEQUENCE)
    require_end(entries_end, end)
    return _extensions(data, position, end, understood)


def _extensions(
    data: bytes, position: int, end: int, understood: frozenset[bytes]
) -> tuple[Mapping[bytes, bytes], bool]:
    found: dict[bytes, bytes] = {}
    has_unknown_critical = False
    while position < end:
        begin = position
        _, position = step(data, begin, SEQUENCE)
        oid, value, is_critical = _extension(data[begin:position])
        if oid in found:
            raise MalformedDocument("certificate extension stands twice")
        if is_critical and oid not in understood:
            has_unknown_critical = True
        found[oid] = value
    require_end(position, end)
    return found, has_unknown_critical


@lru_cache(maxsize=256)
def _extension(encoded: bytes) -> tuple[bytes, bytes, bool]:
    """Read Extension; an issuer's certificates share all of theirs but the identifier of the key."""
    start, end = step(encoded, 0, SEQUENCE)
    oid, oid_end = step(encoded, start, OBJECT_IDENTIFIER)
    is_critical = encoded[oid_end] == _BOOLEAN
    value = oid_end
    if is_critical:
        _, value = step(encoded, oid_end, _BOOLEAN)
        is_critical = encoded[oid_end:value] != _CRITICAL_FALSE
    start, value_end = step(encoded, value, OCTET_STRING)
    if not value_end == end == len(encoded):
        raise MalformedDocument("certificate extension is malformed")
    return encoded[oid:oid_end], encoded[start:value_end], is_critical


@lru_cache(maxsize=16)
def _key_usage(value: bytes) -> int:
    """Read KeyUsage, of which there are a few; the first octet of its bits."""
    # BIT STRING, length, number of unused bits, then one octet of bits or two.
    if len(value) not in (4, 5) or value[0] != BIT_STRING or value[1] != len(value) - 2 or value[2] > 7:
        raise MalformedDocument("key usage is not a named bit list")
    return value[3]


@lru_cache(maxsize=16)
def _document_types(value: bytes) -> tuple[str, ...]:
    """Read DocumentTypeListSyntax; an issuer's signers all carry the same one."""
    reader = DerReader(value)
    types = reader.enter(SEQUENCE)
    reader.finish()
    types.take(INTEGER)
    members = types.enter(SET)
    types.finish()
    found = []
    while members.peek() is not None:
        found.append(_text(members.take(PRINTABLE_STRING)))
    return tuple(found)


def authority_key_id(extensions: Mapping[bytes, bytes]) -> bytes | None:
    """The key identifier in an authority key identifier extension (RFC 5280, 4.2.1.1)."""
    value = extensions.get(AUTHORITY_KEY_ID)
    if value is None:
        return None
    if len(value) == len(_SHA_1_KEY_ID) + 20 and value.startswith(_SHA_1_KEY_ID):
        return value[len(_SHA_1_KEY_ID) :]
    try:
        start, end = step(value, 0, SEQUENCE)
        require_end(end, len(value))
        if start == end or value[start] != _KEY_IDENTIFIER:
            return None
        start, identifier_end = step(value, start, _KEY_IDENTIFIER)
    except IndexError:
        raise MalformedDocument("authority key identifier is cut off") from None
    return value[start:identifier_end]


def _text(value: bytes) -> str:
    try:
        return value.decode("ascii")
    except UnicodeDecodeError:
        raise MalformedDocument("text in a certificate is not ASCII") from None
