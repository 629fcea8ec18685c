"""EF.SOD: the signed list of data group hashes (ICAO 9303-10, 4.6.2; RFC 5652).

The parser is a strict walk that reads every byte once and skips none unseen; it stands on the
hot path of passive authentication. It says what is written there; whether a signature holds
and whether its maker is trusted is judged in ``verification.pki``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from struct import Struct
from typing import NamedTuple

from verification.encoding.asn1_time import build_time, read_time
from verification.encoding.der_walk import require_end, step
from verification.encoding.object_identifier import build_oid, decode_oid, encode_oid
from verification.encoding.tlv import (
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    PRINTABLE_STRING,
    SEQUENCE,
    SET,
    build,
    build_integer,
)
from verification.errors import LimitExceeded, MalformedDocument
from verification.lds.definite_lengths import with_definite_lengths
from verification.lds.files import LdsFile
from verification.lds.hash_algorithms import HASH_ALGORITHMS, HASH_LENGTHS, hash_algorithm_identifier
from verification.lds.template import MAX_FILE

LDS_SECURITY_OBJECT = "2.23.136.1.1.1"
SIGNED_DATA = "1.2.840.113549.1.7.2"
ID_DATA = "1.2.840.113549.1.7.1"

_CONTEXT_0 = 0xA0
_CONTEXT_1 = 0xA1
_SUBJECT_KEY_ID = 0x80
_OID_SIGNED_DATA = encode_oid(SIGNED_DATA)
_OID_ID_DATA = encode_oid(ID_DATA)
_OID_CONTENT_TYPE = encode_oid("1.2.840.113549.1.9.3")
_OID_MESSAGE_DIGEST = encode_oid("1.2.840.113549.1.9.4")
_OID_SIGNING_TIME = encode_oid("1.2.840.113549.1.9.5")
_DATA_GROUPS: Mapping[int, LdsFile] = {file.value: file for file in LdsFile if file.is_data_group}


class SignedAttributes(NamedTuple):
    """What the document signer signed; ``encoded`` is the SET its signature is taken over."""

    encoded: bytes
    content_type: bytes
    message_digest: bytes
    signing_time: datetime | None


class SignerInfo(NamedTuple):
    """The one signature in EF.SOD and the name of its maker.

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


class SecurityObject(NamedTuple):
    """EF.SOD taken apart; ``content`` is the LDS security object as it was signed.

    ``lds_version`` is 0 or 1; only version 1 states ``lds_version_info``, for example
    ``("0108", "040000")``. ``content_type`` is a dotted identifier.
    """

    content: bytes
    content_type: str
    lds_version: int
    lds_version_info: tuple[str, str] | None
    hash_algorithm: str
    hashes: Mapping[LdsFile, bytes]
    signer: SignerInfo
    certificates: tuple[bytes, ...]

    @property
    def signature(self) -> bytes:
        """The signature value: it names this very document among all that were issued."""
        return self.signer.signature


def parse_security_object(encoded: bytes) -> SecurityObject:
    """Take EF.SOD apart; raises MalformedDocument or LimitExceeded.

    BER with indefinite lengths is rewritten first; everything else must be DER.
    """
    if len(encoded) > MAX_FILE:
        raise LimitExceeded(f"EF.SOD of {len(encoded)} bytes")
    try:
        return _parse(encoded)
    except MalformedDocument:
        definite = with_definite_lengths(encoded)
        if definite == encoded:
            raise
        return _parse(definite)


def _parse(data: bytes) -> SecurityObject:
    try:
        size = len(data)
        file, file_end = step(data, 0, LdsFile.SOD.tag)
        envelope, envelope_end = step(data, file, SEQUENCE)
        oid, oid_end = step(data, envelope, OBJECT_IDENTIFIER)
        explicit, explicit_end = step(data, oid_end, _CONTEXT_0)
        signed_data, end = step(data, explicit, SEQUENCE)
        if data[oid:oid_end] != _OID_SIGNED_DATA:
            raise MalformedDocument("EF.SOD is not SignedData")
        # Each of these wrappers holds the next as its last member: all end with the file.
        if not size == file_end == envelope_end == explicit_end == end:
            raise MalformedDocument("wrappers of EF.SOD end at different places")
        return _signed_data(data, signed_data, end)
    except IndexError:
        raise MalformedDocument("EF.SOD is cut off") from None


def _signed_data(data: bytes, position: int, end: int) -> SecurityObject:
    start, position = step(data, position, INTEGER)
    version = data[start:position]
    listed, position = step(data, position, SET)
    listed_end = position
    content_type, content, position = _encapsulated_content(data, position)
    # RFC 5652, 5.1: version 3 goes with any content type but id-data.
    if version != b"\x03" and not (version == b"\x01" and content_type == _OID_ID_DATA):
        raise MalformedDocument("version of SignedData does not fit its content")
    certificates, position = _certificates(data, position)
    if data[position] == _CONTEXT_1:
        # Lists carried in the document itself are never used (9303-10, table 38).
        _, position = step(data, position, _CONTEXT_1)
    signers, signers_end = step(data, position, SET)
    if signers_end != end:
        raise MalformedDocument("SignedData goes on after its signers")
    signer = _signer_info(data, signers, signers_end)
    _require_listed(signer.digest_algorithm, data, listed, listed_end)
    return SecurityObject(
        content, decode_oid(content_type), *_lds_security_object(content), signer, certificates
    )


def _encapsulated_content(data: bytes, position: int) -> tuple[bytes, bytes, int]:
    start, end = step(data, position, SEQUENCE)
    oid, oid_end = step(data, start, OBJECT_IDENTIFIER)
    explicit, explicit_end = step(data, oid_end, _CONTEXT_0)
    content, content_end = step(data, explicit, OCTET_STRING)
    if not end == explicit_end == content_end:
        raise MalformedDocument("wrappers of the signed content end at different places")
    return data[oid:oid_end], data[content:content_end], end


def _certificates(data: bytes, position: int) -> tuple[tuple[bytes, ...], int]:
    if data[position] != _CONTEXT_0:
        return (), position
    found = []
    position, end = step(data, position, _CONTEXT_0)
    while position < end:
        begin = position
        _, position = step(data, begin, SEQUENCE)
        found.append(data[begin:position])
    require_end(position, end)
    return tuple(found), end


def _require_listed(digest_algorithm: str, data: bytes, position: int, end: int) -> None:
    """RFC 5652, 5.1: the set names the digest algorithms of the signers."""
    if HASH_ALGORITHMS.get(data[position:end]) == digest_algorithm:
        return
    names = []
    while position < end:
        name, position = _hash_algorithm(data, position)
        names.append(name)
    require_end(position, end)
    if digest_algorithm not in names:
        raise MalformedDocument("the signer's digest algorithm is not among those announced")


def _hash_algorithm(data: bytes, position: int) -> tuple[str, int]:
    _, end = step(data, position, SEQUENCE)
    name = HASH_ALGORITHMS.get(data[position:end])
    if name is None:
        raise MalformedDocument("unknown hash algorithm")
    return name, end


def _signer_info(data: bytes, position: int, end: int) -> SignerInfo:
    position, signer_end = step(data, position, SEQUENCE)
    require_end(signer_end, end)
    start, position = step(data, position, INTEGER)
    issuer, serial_number, subject_key_id, position = _signer_name(data, data[start:position], position)
    digest_algorithm, position = _hash_algorithm(data, position)
    attributes = None
    if data[position] == _CONTEXT_0:
        begin = position
        _, position = step(data, begin, _CONTEXT_0)
        # RFC 5652, 5.4: the signature is over the SET OF tag, not over the [0] in the file.
        attributes = _signed_attributes(b"\x31" + data[begin + 1 : position])
    begin = position
    _, position = step(data, begin, SEQUENCE)
    algorithm = data[begin:position]
    start, position = step(data, position, OCTET_STRING)
    signature = data[start:position]
    if position < end and data[position] == _CONTEXT_1:
        # Unsigned attributes: a receiving State may ignore them (9303-10, table 38).
        _, position = step(data, position, _CONTEXT_1)
    require_end(position, end)
    return SignerInfo(
        issuer, serial_number, subject_key_id, digest_algorithm, attributes, algorithm, signature
    )


def _signer_name(data: bytes, version: bytes, position: int) -> tuple[bytes, bytes, bytes | None, int]:
    """RFC 5652, 5.3: version 1 names the signer by issuer and serial number, 3 by key identifier."""
    if version == b"\x01":
        begin, end = step(data, position, SEQUENCE)
        _, issuer_end = step(data, begin, SEQUENCE)
        serial, serial_end = step(data, issuer_end, INTEGER)
        require_end(serial_end, end)
        return data[begin:issuer_end], data[serial:serial_end], None, end
    if version == b"\x03":
        begin, end = step(data, position, _SUBJECT_KEY_ID)
        return b"", b"", data[begin:end], end
    raise MalformedDocument("version of SignerInfo is neither 1 nor 3")


def _signed_attributes(encoded: bytes) -> SignedAttributes:
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


def _lds_security_object(
    content: bytes,
) -> tuple[int, tuple[str, str] | None, str, Mapping[LdsFile, bytes]]:
    position, end = step(content, 0, SEQUENCE)
    require_end(end, len(content))
    start, position = step(content, position, INTEGER)
    version = _LDS_VERSIONS.get(content[start:position])
    if version is None:
        raise MalformedDocument("version of the LDS security object is neither 0 nor 1")
    algorithm, position = _hash_algorithm(content, position)
    start, position = step(content, position, SEQUENCE)
    hashes = _hashes(content[start:position], HASH_LENGTHS[algorithm])
    version_info = None
    # ICAO 9303-10, 4.6.2.3: version 1 states the LDS and Unicode versions, version 0 must not.
    if version == 1:
        version_info, position = _version_info(content, position)
    require_end(position, end)
    return version, version_info, algorithm, hashes


_LDS_VERSIONS = {b"\x00": 0, b"\x01": 1}


def _version_info(content: bytes, position: int) -> tuple[tuple[str, str], int]:
    start, end = step(content, position, SEQUENCE)
    lds, lds_end = step(content, start, PRINTABLE_STRING)
    unicode_start, unicode_end = step(content, lds_end, PRINTABLE_STRING)
    require_end(unicode_end, end)
    texts = content[lds:lds_end], content[unicode_start:unicode_end]
    if not all(text.isdigit() and len(text) <= 8 for text in texts):
        raise MalformedDocument("LDS version information is not digits")
    return (texts[0].decode("ascii"), texts[1].decode("ascii")), end


def _hashes(entries: bytes, length: int) -> Mapping[LdsFile, bytes]:
    """Read the DataGroupHash entries: number and hash have one DER form, so all are alike in size."""
    entry = _HASH_ENTRIES[length]
    if not entries or len(entries) % entry.size or len(entries) > 16 * entry.size:
        raise MalformedDocument("data group hashes are not 1 to 16 entries of their size")
    before_number, before_hash = bytes((SEQUENCE, length + 5, INTEGER, 1)), bytes((OCTET_STRING, length))
    hashes: dict[LdsFile, bytes] = {}
    for first, number, second, value in entry.iter_unpack(entries):
        file = _DATA_GROUPS.get(number)
        if first != before_number or second != before_hash or file is None:
            raise MalformedDocument("data group hash is not one number and one hash")
        hashes[file] = value
    if len(hashes) * entry.size != len(entries):
        raise MalformedDocument("data group stands twice")
    return hashes


# Header and tag of the number, the number, header of the hash, the hash.
_HASH_ENTRIES = {length: Struct(f"4s B 2s {length}s") for length in HASH_LENGTHS.values()}


def build_lds_security_object(
    hashes: Mapping[LdsFile, bytes],
    hash_algorithm: str = "sha256",
    version_info: tuple[str, str] | None = None,
) -> bytes:
    """Encode the list to be signed: version 0, or version 1 when ``version_info`` is given."""
    entries = [
        build(SEQUENCE, build_integer(file) + build(OCTET_STRING, hashes[file])) for file in sorted(hashes)
    ]
    info = b""
    if version_info is not None:
        texts = (build(PRINTABLE_STRING, text.encode("ascii")) for text in version_info)
        info = build(SEQUENCE, b"".join(texts))
    return build(
        SEQUENCE,
        build_integer(0 if version_info is None else 1)
        + hash_algorithm_identifier(hash_algorithm)
        + build(SEQUENCE, b"".join(entries))
        + info,
    )


def build_signed_attributes(message_digest: bytes, signing_time: datetime | None = None) -> bytes:
    """Encode the SET a document signer signs: content type, digest of the content and the time."""
    attributes = [
        _build_attribute(_OID_CONTENT_TYPE, build_oid(LDS_SECURITY_OBJECT)),
        _build_attribute(_OID_MESSAGE_DIGEST, build(OCTET_STRING, message_digest)),
    ]
    if signing_time is not None:
        attributes.append(_build_attribute(_OID_SIGNING_TIME, build_time(signing_time)))
    # X.690, 11.6: the members of a SET OF stand in ascending order of their encodings.
    return build(SET, b"".join(sorted(attributes)))


def _build_attribute(oid: bytes, value: bytes) -> bytes:
    return build(SEQUENCE, build(OBJECT_IDENTIFIER, oid) + build(SET, value))


def build_security_object(content: bytes, signer: SignerInfo, certificate: bytes) -> bytes:
    """Assemble EF.SOD around a signature that was made over ``signer.attributes.encoded``."""
    digest = hash_algorithm_identifier(signer.digest_algorithm)
    attributes = b"" if signer.attributes is None else b"\xa0" + signer.attributes.encoded[1:]
    signer_info = build(
        SEQUENCE,
        build_integer(1)
        + build(SEQUENCE, signer.issuer + build(INTEGER, signer.serial_number))
        + digest
        + attributes
        + signer.signature_algorithm
        + build(OCTET_STRING, signer.signature),
    )
    encapsulated = build_oid(LDS_SECURITY_OBJECT) + build(_CONTEXT_0, build(OCTET_STRING, content))
    signed_data = build(
        SEQUENCE,
        build_integer(3)
        + build(SET, digest)
        + build(SEQUENCE, encapsulated)
        + build(_CONTEXT_0, certificate)
        + build(SET, signer_info),
    )
    envelope = build(SEQUENCE, build_oid(SIGNED_DATA) + build(_CONTEXT_0, signed_data))
    return build(LdsFile.SOD.tag, envelope)
