"""Certificate revocation lists of a CSCA (RFC 5280, 5; ICAO 9303-12, 7.1.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from verification.encoding.der_walk import headers_by_size, require_end, step
from verification.encoding.object_identifier import encode_oid
from verification.encoding.tlv import INTEGER, SEQUENCE
from verification.errors import LimitExceeded, MalformedDocument, RevocationUnknown, SignerRevoked
from verification.pki.certificate import (
    AUTHORITY_KEY_ID,
    Certificate,
    authority_key_id,
    read_extension_list,
    read_extensions,
    read_signed,
    read_single,
    take_time,
)

MAX_LIST = 2 * 1024 * 1024
"""Bytes; a national list has some kilobytes. This holds 60,000 signers and is read in a tenth of a second."""

_before_extensions = headers_by_size((0xA0, b""), (SEQUENCE, b""))
_VERSION_2 = b"\x01"
_CRL_NUMBER = encode_oid("2.5.29.20")
_MAX_CRL_NUMBER = 20  # octets; RFC 5280, 5.2.3
_UNDERSTOOD = frozenset({AUTHORITY_KEY_ID, _CRL_NUMBER, encode_oid("2.5.29.18")})
# A delta list or one that covers a part only would read as "not revoked" for what it leaves out:
# refused also where its issuer forgot to mark the extension critical.
_DELTA_LIST = encode_oid("2.5.29.27")
_ISSUING_DISTRIBUTION_POINT = encode_oid("2.5.29.28")
# Of an entry: reason, hold instruction and date are of no consequence, because every entry counts as
# revoked. With another certificate issuer the list is an indirect one and speaks of other States' signers.
_ENTRY_UNDERSTOOD = frozenset(encode_oid(oid) for oid in ("2.5.29.21", "2.5.29.23", "2.5.29.24"))
_CERTIFICATE_ISSUER = encode_oid("2.5.29.29")


class RevocationList(NamedTuple):
    """A list as it was read; ``issuer`` is an encoded Name.

    ``serial_numbers`` are INTEGER octets without leading zeros: some issuers write one number in
    two ways. ``number`` counts the issuer's lists (9303-12, 7.1.4); old lists may lack it.
    """

    issuer: bytes
    number: int | None
    this_update: datetime
    next_update: datetime
    serial_numbers: frozenset[bytes]
    issuer_key_id: bytes | None
    signed: bytes
    signature_algorithm: bytes
    signature: bytes


def parse_revocation_list(encoded: bytes) -> RevocationList:
    """Take a DER CRL apart; raises MalformedDocument or LimitExceeded."""
    if len(encoded) > MAX_LIST:
        raise LimitExceeded(f"revocation list of {len(encoded)} bytes")
    try:
        return _parse(encoded)
    except IndexError:
        raise MalformedDocument("revocation list is cut off") from None


def _parse(encoded: bytes) -> RevocationList:
    signed, algorithm, signature = read_signed(encoded)
    position, end = step(signed, 0, SEQUENCE)
    start, position = step(signed, position, INTEGER)
    if signed[start:position] != _VERSION_2:
        raise MalformedDocument("revocation list is not version 2")
    _, algorithm_end = step(signed, position, SEQUENCE)
    if signed[position:algorithm_end] != algorithm:
        raise MalformedDocument("revocation list names two signature algorithms")
    _, issuer_end = step(signed, algorithm_end, SEQUENCE)
    this_update, position = take_time(signed, issuer_end)
    # RFC 5280, 5.1.2.5 requires it; without it nobody could tell that a list is out of date.
    next_update, position = take_time(signed, position)
    if next_update < this_update:
        raise MalformedDocument("revocation list ends before it begins")
    serial_numbers, position = _serial_numbers(signed, position, end)
    require_end(end, len(signed))
    extensions, has_unknown_critical = read_extensions(signed, position, _before_extensions, _UNDERSTOOD)
    if has_unknown_critical:
        raise MalformedDocument("revocation list with a critical extension that is not understood")
    if _DELTA_LIST in extensions or _ISSUING_DISTRIBUTION_POINT in extensions:
        raise MalformedDocument("revocation list that covers a part only")
    return RevocationList(
        signed[algorithm_end:issuer_end],
        _crl_number(extensions),
        this_update,
        next_update,
        serial_numbers,
        authority_key_id(extensions),
        signed,
        algorithm,
        signature,
    )


def _crl_number(extensions: Mapping[bytes, bytes]) -> int | None:
    value = extensions.get(_CRL_NUMBER)
    if value is None:
        return None
    octets = read_single(value, INTEGER)
    if not octets or len(octets) > _MAX_CRL_NUMBER or octets[0] & 0x80:
        raise MalformedDocument("revocation list with a number out of range")
    return int.from_bytes(octets, "big")


def _serial_numbers(data: bytes, position: int, end: int) -> tuple[frozenset[bytes], int]:
    if position == end or data[position] != SEQUENCE:
        return frozenset(), position
    found = []
    position, entries_end = step(data, position, SEQUENCE)
    while position < entries_end:
        entry, position = step(data, position, SEQUENCE)
        start, entry = step(data, entry, INTEGER)
        found.append(data[start:entry].lstrip(b"\0"))
        _, entry = take_time(data, entry)
        if entry != position:
            _require_plain_entry(data, entry, position)
    require_end(position, entries_end)
    return frozenset(found), entries_end


def _require_plain_entry(data: bytes, position: int, end: int) -> None:
    extensions, has_unknown_critical = read_extension_list(data, position, end, _ENTRY_UNDERSTOOD)
    if has_unknown_critical or _CERTIFICATE_ISSUER in extensions:
        raise MalformedDocument("revocation list with entries of another kind")


def require_not_revoked(certificate: Certificate, lists: Sequence[RevocationList], moment: datetime) -> None:
    """Some current list of the issuer leaves the certificate out, and none holds it.

    Raises SignerRevoked, or RevocationUnknown when no list is current.
    """
    require_not_listed(certificate, lists)
    if not has_current_list(lists, moment):
        raise RevocationUnknown("no current revocation list of this issuer")


def require_not_listed(certificate: Certificate, lists: Sequence[RevocationList]) -> None:
    """No list holds the certificate, also none that is out of date: revocation is final."""
    for revocation_list in lists:
        if certificate.serial_number.lstrip(b"\0") in revocation_list.serial_numbers:
            raise SignerRevoked("signer is on the revocation list")


def has_current_list(lists: Sequence[RevocationList], moment: datetime) -> bool:
    """Whether what the lists leave out is known not to be revoked; a policy judges what follows."""
    return any(revocation_list.next_update >= moment for revocation_list in lists)
