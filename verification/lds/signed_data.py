"""SignedData as EF.SOD, EF.CardSecurity and master lists carry it (RFC 5652, 5; ICAO 9303-10, 4.6.2).

The reader is a strict walk that reads every byte once and skips none unseen; it stands on the
hot path of passive authentication, so that a file laid out as one before it is read without the
walk. It says what is written there; whether a signature holds and whether its maker is trusted
is judged in ``verification.pki``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple, Protocol, TypeVar

from verification.encoding.asn1_time import UTC_TIME, build_time, read_time
from verification.encoding.der_layout import KnownLayouts
from verification.encoding.der_walk import require_end, step
from verification.encoding.object_identifier import build_oid, decode_oid, encode_oid
from verification.encoding.tlv import (
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    SET,
    build,
    build_integer,
)
from verification.errors import LimitExceeded, MalformedDocument
from verification.lds.definite_lengths import with_definite_lengths
from verification.lds.hash_algorithms import HASH_ALGORITHMS, HASH_LENGTHS
from verification.lds.template import MAX_FILE

LDS_SECURITY_OBJECT = "2.23.136.1.1.1"
"""The content type of EF.SOD."""
SIGNED_DATA = "1.2.840.113549.1.7.2"
ID_DATA = "1.2.840.113549.1.7.1"

_CONTEXT_0 = 0xA0
_CONTEXT_1 = 0xA1
_SUBJECT_KEY_ID = 0x80
_VERSION_1, _VERSION_3 = (build_integer(number) for number in (1, 3))
_OID_SIGNED_DATA = encode_oid(SIGNED_DATA)
_OID_ID_DATA = encode_oid(ID_DATA)
_OID_LDS_SECURITY_OBJECT = encode_oid(LDS_SECURITY_OBJECT)
_OID_CONTENT_TYPE = encode_oid("1.2.840.113549.1.9.3")
_OID_MESSAGE_DIGEST = encode_oid("1.2.840.113549.1.9.4")
_OID_SIGNING_TIME = encode_oid("1.2.840.113549.1.9.5")

FileType = TypeVar("FileType")


class SignedAttributes(NamedTuple):
    """What the signer signed; ``encoded`` is the SET its signature is taken over."""

    encoded: bytes
    content_type: bytes
    message_digest: bytes
    signing_time: datetime | None


class SignerInfo(NamedTuple):
    """The one signature and the name of its maker.

    The maker is named by ``issuer`` (an encoded Name) and ``serial_number`` (INTEGER octets),
    or by ``subject_key_id``. ``signature_algorithm`` is the encoded AlgorithmIdentifier.
    """

    issuer: bytes
    serial_number: bytes
    subject_key_id: bytes | None
    digest_algorithm: str
    attributes: SignedAttributes | None
    signature_algorithm: bytes
    signature: bytes


class SignedContent(Protocol):
    """What every signed file has: the content, its dotted type, the signer and the certificates carried."""

    @property
    def content(self) -> bytes:
        """The octets that were signed."""

    @property
    def content_type(self) -> str:
        """The dotted identifier of what the content is."""

    @property
    def signer(self) -> SignerInfo:
        """The one signature."""

    @property
    def certificates(self) -> tuple[bytes, ...]:
        """Encoded certificates, in the order of the file; none of them is trusted."""


class SignedData(NamedTuple):
    """A signed file taken apart, its content still unread."""

    content: bytes
    content_type: str
    signer: SignerInfo
    certificates: tuple[bytes, ...]


def parse_signed_file(
    encoded: bytes, read: Callable[[bytes], FileType], name: str, limit: int = MAX_FILE
) -> FileType:
    """Take a signed file apart by ``read``; raises MalformedDocument or LimitExceeded, naming the file.

    BER with indefinite lengths is rewritten first; everything else must be DER.
    """
    if len(encoded) > limit:
        raise LimitExceeded(f"{name} of {len(encoded)} bytes")
    try:
        return read(encoded)
    except (MalformedDocument, IndexError):
        return _read_or_refuse(with_definite_lengths(encoded), read, name)


def _read_or_refuse(encoded: bytes, read: Callable[[bytes], FileType], name: str) -> FileType:
    try:
        return read(encoded)
    except IndexError:
        raise MalformedDocument(f"{name} is cut off") from None


def read_signed_data(data: bytes, position: int = 0) -> SignedData:
    """Read the ContentInfo that fills ``data`` from ``position`` on; raises MalformedDocument.

    Everything must be DER. A walk past the end raises IndexError, which ``parse_signed_file`` turns
    into MalformedDocument.
    """
    places = _layouts.find(data, position)
    if places is None:
        places = _walk(data, position)
        _layouts.learn(data, position, places, _values(data, places))
    certificates = tuple([data[place] for place in places.certificates])
    return SignedData(data[places.content], places.content_type, _signer(data, places.signer), certificates)


class _SignerPlaces(NamedTuple):
    """Where the fields of SignerInfo stand; ``attributes`` and what names the signer are optional."""

    issuer: slice | None
    serial_number: slice | None
    subject_key_id: slice | None
    digest_algorithm: str
    attributes: slice | None
    signature_algorithm: bytes
    signature: slice


class _Places(NamedTuple):
    """Where the fields of SignedData stand, and what the walk has read on its way."""

    content: slice
    content_type: str
    certificates: tuple[slice, ...]
    signer: _SignerPlaces


_layouts = KnownLayouts[_Places]()
"""Walked files; what one differs in from the next of its size are nearly always values only."""


def _values(data: bytes, places: _Places) -> list[slice]:
    """The values that the walk leaves unread; of certificates, issuer and attributes it reads the header."""
    signer = places.signer
    whole = [place for place in (*places.certificates, signer.issuer, signer.attributes) if place]
    inner = [slice(*step(data, place.start, data[place.start])) for place in whole]
    named_by = signer.serial_number or signer.subject_key_id
    values = [places.content, *inner, signer.signature, *([named_by] if named_by else ())]
    return sorted(values, key=lambda value: value.start)


def _walk(data: bytes, position: int) -> _Places:
    envelope, envelope_end = step(data, position, SEQUENCE)
    oid, oid_end = step(data, envelope, OBJECT_IDENTIFIER)
    explicit, explicit_end = step(data, oid_end, _CONTEXT_0)
    signed_data, end = step(data, explicit, SEQUENCE)
    if data[oid:oid_end] != _OID_SIGNED_DATA:
        raise MalformedDocument("file is not SignedData")
    # Each of these wrappers holds the next as its last member: all end with the file.
    if not len(data) == envelope_end == explicit_end == end:
        raise MalformedDocument("wrappers of SignedData end at different places")
    return _signed_data(data, signed_data, end)


def _signed_data(data: bytes, position: int, end: int) -> _Places:
    listed = position + len(_VERSION_3)
    version = data[position:listed]
    listed, position = step(data, listed, SET)
    listed_end = position
    content_type, content, position = _encapsulated_content(data, position)
    # RFC 5652, 5.1: version 3 goes with any content type but id-data.
    if version != _VERSION_3 and not (version == _VERSION_1 and content_type == _OID_ID_DATA):
        raise MalformedDocument("version of SignedData does not fit its content")
    certificates, position = _certificates(data, position)
    if data[position] == _CONTEXT_1:
        # Lists carried in the document itself are never used (9303-10, table 38).
        _, position = step(data, position, _CONTEXT_1)
    signers, signers_end = step(data, position, SET)
    if signers_end != end:
        raise MalformedDocument("SignedData goes on after its signers")
    signer = _signer_info(data, signers, signers_end)
    if HASH_ALGORITHMS.get(data[listed:listed_end]) != signer.digest_algorithm:
        _require_listed(signer.digest_algorithm, data, listed, listed_end)
    return _Places(content, decode_oid(content_type), certificates, signer)


def _encapsulated_content(data: bytes, position: int) -> tuple[bytes, slice, int]:
    start, end = step(data, position, SEQUENCE)
    oid, oid_end = step(data, start, OBJECT_IDENTIFIER)
    explicit, explicit_end = step(data, oid_end, _CONTEXT_0)
    content, content_end = step(data, explicit, OCTET_STRING)
    if not end == explicit_end == content_end:
        raise MalformedDocument("wrappers of the signed content end at different places")
    return data[oid:oid_end], slice(content, content_end), end


def _certificates(data: bytes, position: int) -> tuple[tuple[slice, ...], int]:
    if data[position] != _CONTEXT_0:
        return (), position
    found = []
    position, end = step(data, position, _CONTEXT_0)
    while position < end:
        begin = position
        _, position = step(data, begin, SEQUENCE)
        found.append(slice(begin, position))
    require_end(position, end)
    return tuple(found), end


def _require_listed(digest_algorithm: str, data: bytes, position: int, end: int) -> None:
    """RFC 5652, 5.1: the set names the digest algorithms of the signers."""
    names = []
    while position < end:
        name, position = read_hash_algorithm(data, position)
        names.append(name)
    require_end(position, end)
    if digest_algorithm not in names:
        raise MalformedDocument("the signer's digest algorithm is not among those announced")


def read_hash_algorithm(data: bytes, position: int) -> tuple[str, int]:
    """Read the hash AlgorithmIdentifier at ``position``; also return where it ends."""
    # The table holds whole identifiers, tag and length included: every other octet is refused by it.
    end = position + 2 + data[position + 1]
    name = HASH_ALGORITHMS.get(data[position:end])
    if name is None:
        raise MalformedDocument("unknown hash algorithm")
    return name, end


def _signer_info(data: bytes, position: int, end: int) -> _SignerPlaces:
    position, signer_end = step(data, position, SEQUENCE)
    require_end(signer_end, end)
    name = position + len(_VERSION_1)
    issuer, serial_number, subject_key_id, position = _signer_name(data, data[position:name], name)
    digest_algorithm, position = read_hash_algorithm(data, position)
    attributes = None
    if data[position] == _CONTEXT_0:
        begin = position
        _, position = step(data, begin, _CONTEXT_0)
        attributes = slice(begin, position)
    begin = position
    _, position = step(data, begin, SEQUENCE)
    algorithm = data[begin:position]
    start, position = step(data, position, OCTET_STRING)
    signature = slice(start, position)
    if position < end and data[position] == _CONTEXT_1:
        # Unsigned attributes: a receiving State may ignore them (9303-10, table 38).
        _, position = step(data, position, _CONTEXT_1)
    require_end(position, end)
    return _SignerPlaces(
        issuer, serial_number, subject_key_id, digest_algorithm, attributes, algorithm, signature
    )


def _signer_name(
    data: bytes, version: bytes, position: int
) -> tuple[slice | None, slice | None, slice | None, int]:
    """RFC 5652, 5.3: version 1 names the signer by issuer and serial number, 3 by key identifier."""
    if version == _VERSION_1:
        begin, end = step(data, position, SEQUENCE)
        _, issuer_end = step(data, begin, SEQUENCE)
        serial, serial_end = step(data, issuer_end, INTEGER)
        require_end(serial_end, end)
        return slice(begin, issuer_end), slice(serial, serial_end), None, end
    if version == _VERSION_3:
        begin, end = step(data, position, _SUBJECT_KEY_ID)
        return None, None, slice(begin, end), end
    raise MalformedDocument("version of SignerInfo is neither 1 nor 3")


def _signer(data: bytes, places: _SignerPlaces) -> SignerInfo:
    issuer, serial_number, subject_key_id, digest_algorithm, attributes, algorithm, signature = places
    return SignerInfo(
        data[issuer] if issuer else b"",
        data[serial_number] if serial_number else b"",
        data[subject_key_id] if subject_key_id else None,
        digest_algorithm,
        # RFC 5652, 5.4: the signature is over the SET OF tag, not over the [0] in the file.
        _signed_attributes(b"\x31" + data[attributes][1:]) if attributes else None,
        algorithm,
        data[signature],
    )


def _signed_attributes(encoded: bytes) -> SignedAttributes:
    usual = _USUAL_ATTRIBUTES.get(len(encoded))
    if usual is not None and encoded.startswith(usual.before_time):
        time = len(usual.before_time)
        digest = len(encoded) - usual.hash_length
        if encoded[time + _TIME_DIGITS : digest] == usual.before_digest:
            signing_time = read_time(UTC_TIME, encoded[time : time + _TIME_DIGITS])
            return SignedAttributes(encoded, _OID_LDS_SECURITY_OBJECT, encoded[digest:], signing_time)
    return _walk_attributes(encoded)


def _walk_attributes(encoded: bytes) -> SignedAttributes:
    found: dict[bytes, tuple[int, int]] = {}
    position, end = step(encoded, 0, SET)
    while position < end:
        attribute, position = step(encoded, position, SEQUENCE)
        oid, oid_end = step(encoded, attribute, OBJECT_IDENTIFIER)
        values, values_end = step(encoded, oid_end, SET)
        name = encoded[oid:oid_end]
        if values_end != position or name in found:
            raise MalformedDocument("signed attribute is malformed or stands twice")
        found[name] = (values, values_end)
    if not position == end == len(encoded):
        raise MalformedDocument("signed attributes end at different places")
    signing_time = None
    if _OID_SIGNING_TIME in found:
        tag = encoded[found[_OID_SIGNING_TIME][0]]
        signing_time = read_time(tag, _attribute(encoded, found, _OID_SIGNING_TIME, tag))
    return SignedAttributes(
        encoded,
        _attribute(encoded, found, _OID_CONTENT_TYPE, OBJECT_IDENTIFIER),
        _attribute(encoded, found, _OID_MESSAGE_DIGEST, OCTET_STRING),
        signing_time,
    )


def _attribute(encoded: bytes, found: Mapping[bytes, tuple[int, int]], oid: bytes, tag: int) -> bytes:
    """RFC 5652, 11: these attributes have exactly one value."""
    bounds = found.get(oid)
    if bounds is None:
        raise MalformedDocument("signed attribute is missing")
    start, end = step(encoded, bounds[0], tag)
    if end != bounds[1]:
        raise MalformedDocument("signed attribute has several values")
    return encoded[start:end]


def build_signed_attributes(
    message_digest: bytes, signing_time: datetime | None = None, content_type: str = LDS_SECURITY_OBJECT
) -> bytes:
    """Encode the SET a signer signs: type and digest of the content, and the time."""
    attributes = [
        _build_attribute(_OID_CONTENT_TYPE, build_oid(content_type)),
        _build_attribute(_OID_MESSAGE_DIGEST, build(OCTET_STRING, message_digest)),
    ]
    if signing_time is not None:
        attributes.append(_build_attribute(_OID_SIGNING_TIME, build_time(signing_time)))
    # X.690, 11.6: the members of a SET OF stand in ascending order of their encodings.
    return build(SET, b"".join(sorted(attributes)))


def _build_attribute(oid: bytes, value: bytes) -> bytes:
    return build(SEQUENCE, build(OBJECT_IDENTIFIER, oid) + build(SET, value))


class _UsualAttributes(NamedTuple):
    """The DER of content type, signing time and digest of an EF.SOD, around the two that vary."""

    before_time: bytes
    before_digest: bytes
    hash_length: int


def _usual_attributes(hash_length: int) -> tuple[int, _UsualAttributes]:
    moment = datetime(2000, 1, 1, tzinfo=UTC)
    encoded = build_signed_attributes(bytes(hash_length), moment)
    before_time, _, rest = encoded.partition(build_time(moment)[2:])
    return len(encoded), _UsualAttributes(before_time, rest[: len(rest) - hash_length], hash_length)


_TIME_DIGITS = 13
# By length, which differs from hash to hash. Comparing costs a third of the walk.
_USUAL_ATTRIBUTES = dict(_usual_attributes(length) for length in HASH_LENGTHS.values())
