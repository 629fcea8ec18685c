"""SecurityInfos: EF.CardAccess and DG14 say which protocols the chip speaks (ICAO 9303-11, 9.2)."""

from __future__ import annotations

from dataclasses import dataclass

from verification.encoding.der_scan import scan
from verification.encoding.object_identifier import build_oid, decode_oid
from verification.encoding.tlv import (
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    SET,
    DerReader,
    build,
    build_integer,
    children,
    only,
)
from verification.errors import LimitExceeded, MalformedDocument
from verification.lds.files import LdsFile
from verification.lds.public_key_info import require_public_key_info
from verification.lds.template import MAX_FILE, template_value

PACE = "0.4.0.127.0.7.2.2.4"
CHIP_AUTHENTICATION = "0.4.0.127.0.7.2.2.3"
PUBLIC_KEY_DH = "0.4.0.127.0.7.2.2.1.1"
PUBLIC_KEY_ECDH = "0.4.0.127.0.7.2.2.1.2"
TERMINAL_AUTHENTICATION = "0.4.0.127.0.7.2.2.2"
ACTIVE_AUTHENTICATION = "2.23.136.1.1.5"

MAX_INFOS = 64
"""Documents have up to twenty. Every key is tried with every protocol, so thousands would cost seconds."""
# Version numbers, parameter ids and key ids are a byte or two in every document seen.
_MAX_NUMBER = 2**31 - 1


@dataclass(frozen=True, slots=True)
class PaceInfo:
    """A PACE variant; ``parameter_id`` names standardized domain parameters (9303-11, 9.5.1)."""

    protocol: str
    version: int
    parameter_id: int | None = None


@dataclass(frozen=True, slots=True)
class ChipAuthenticationInfo:
    """A chip authentication variant; ``key_id`` is there when the chip has several keys."""

    protocol: str
    version: int
    key_id: int | None = None


@dataclass(frozen=True, slots=True)
class ChipAuthenticationPublicKey:
    """The chip's static key as SubjectPublicKeyInfo, as the file holds it."""

    protocol: str
    public_key_info: bytes
    key_id: int | None = None


@dataclass(frozen=True, slots=True)
class ActiveAuthenticationInfo:
    """The signature algorithm of active authentication with ECDSA (9303-11, 9.2.3)."""

    version: int
    signature_algorithm: str


@dataclass(frozen=True, slots=True)
class TerminalAuthenticationInfo:
    """The chip asks for terminal authentication before it opens DG3 (TR-03110-3, A.1.1.3).

    ``cvca_file_id`` and ``cvca_short_id`` tell where EF.CVCA is, None where it is at its usual place.
    """

    version: int
    cvca_file_id: bytes | None = None
    cvca_short_id: int | None = None


@dataclass(frozen=True, slots=True)
class UnknownSecurityInfo:
    """Anything else, whole and unread."""

    protocol: str
    encoded: bytes


SecurityInfo = (
    PaceInfo
    | ChipAuthenticationInfo
    | ChipAuthenticationPublicKey
    | ActiveAuthenticationInfo
    | TerminalAuthenticationInfo
    | UnknownSecurityInfo
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityInfos:
    """All entries of one file by kind, each kind in the order of the file."""

    pace: tuple[PaceInfo, ...] = ()
    chip_authentication: tuple[ChipAuthenticationInfo, ...] = ()
    chip_authentication_keys: tuple[ChipAuthenticationPublicKey, ...] = ()
    active_authentication: tuple[ActiveAuthenticationInfo, ...] = ()
    terminal_authentication: tuple[TerminalAuthenticationInfo, ...] = ()
    unknown: tuple[UnknownSecurityInfo, ...] = ()


def parse_card_access(encoded: bytes) -> SecurityInfos:
    """Read EF.CardAccess; raises MalformedDocument. Nothing in it is signed before PACE."""
    if len(encoded) > MAX_FILE:
        raise LimitExceeded(f"EF.CardAccess has {len(encoded)} bytes")
    return _parse(encoded)


def build_card_access(infos: SecurityInfos) -> bytes:
    """Write EF.CardAccess."""
    return _build(infos)


def parse_dg14(encoded: bytes) -> SecurityInfos:
    """Read DG14; raises MalformedDocument."""
    return _parse(template_value(encoded, LdsFile.DG14))


def build_dg14(infos: SecurityInfos) -> bytes:
    """Write DG14."""
    return build(LdsFile.DG14.tag, _build(infos))


def _parse(encoded: bytes) -> SecurityInfos:
    scan(encoded)
    reader = DerReader(only(encoded, SET))
    found: list[SecurityInfo] = []
    while reader.peek() is not None:
        if len(found) == MAX_INFOS:
            raise LimitExceeded(f"more than {MAX_INFOS} SecurityInfos")
        found.append(_info(reader.take_encoded(SEQUENCE)))
    return SecurityInfos(
        pace=tuple(info for info in found if isinstance(info, PaceInfo)),
        chip_authentication=tuple(info for info in found if isinstance(info, ChipAuthenticationInfo)),
        chip_authentication_keys=tuple(
            info for info in found if isinstance(info, ChipAuthenticationPublicKey)
        ),
        active_authentication=tuple(info for info in found if isinstance(info, ActiveAuthenticationInfo)),
        terminal_authentication=tuple(info for info in found if isinstance(info, TerminalAuthenticationInfo)),
        unknown=tuple(info for info in found if isinstance(info, UnknownSecurityInfo)),
    )


def _info(encoded: bytes) -> SecurityInfo:
    content = DerReader(encoded).enter(SEQUENCE)
    protocol = decode_oid(content.take(OBJECT_IDENTIFIER))
    info = _known_info(protocol, content)
    if info is None:
        return UnknownSecurityInfo(protocol, encoded)
    content.finish()
    return info


def _known_info(protocol: str, content: DerReader) -> SecurityInfo | None:
    if _is_variant(protocol, PACE):
        return PaceInfo(protocol, _number(content), _optional_number(content))
    if _is_variant(protocol, CHIP_AUTHENTICATION):
        return ChipAuthenticationInfo(protocol, _number(content), _optional_number(content))
    if protocol in {PUBLIC_KEY_DH, PUBLIC_KEY_ECDH}:
        public_key_info = content.take_encoded(SEQUENCE)
        require_public_key_info(public_key_info)
        return ChipAuthenticationPublicKey(protocol, public_key_info, _optional_number(content))
    if protocol == ACTIVE_AUTHENTICATION:
        return ActiveAuthenticationInfo(_number(content), decode_oid(content.take(OBJECT_IDENTIFIER)))
    if protocol == TERMINAL_AUTHENTICATION and content.peek() == INTEGER:
        return _terminal_authentication(content)
    return None


def _terminal_authentication(content: DerReader) -> TerminalAuthenticationInfo | None:
    version = _number(content)
    if content.peek() is None:
        return TerminalAuthenticationInfo(version)
    if content.peek() != SEQUENCE:
        return None
    place = children(content.take(SEQUENCE))
    identifiers = [found.value for found in place]
    sizes = [len(identifier) for identifier in identifiers]
    if sizes not in ([2], [2, 1]) or any(found.tag != OCTET_STRING for found in place):
        return None  # kept unread: EF.CVCA is then looked for at its usual place
    return TerminalAuthenticationInfo(version, identifiers[0], identifiers[1][0] if identifiers[1:] else None)


def _is_variant(protocol: str, family: str) -> bool:
    """Whether the identifier is mapping and cipher under the family (two arcs, 9303-11, 9.2.4).

    With one arc fewer it is PACEDomainParameterInfo or its like, which has another content.
    """
    return protocol.startswith(family + ".") and protocol.count(".") == family.count(".") + 2


def _number(content: DerReader) -> int:
    number = content.take_integer()
    if not 0 <= number <= _MAX_NUMBER:
        raise MalformedDocument("number in a SecurityInfo out of range")
    return number


def _optional_number(content: DerReader) -> int | None:
    return None if content.peek() is None else _number(content)


def _build(infos: SecurityInfos) -> bytes:
    entries = [_numbered(info.protocol, info.version, info.parameter_id) for info in infos.pace]
    entries += [_numbered(info.protocol, info.version, info.key_id) for info in infos.chip_authentication]
    entries += [
        build(SEQUENCE, build_oid(key.protocol) + key.public_key_info + _optional(key.key_id))
        for key in infos.chip_authentication_keys
    ]
    entries += [
        build(
            SEQUENCE,
            build_oid(ACTIVE_AUTHENTICATION)
            + build_integer(info.version)
            + build_oid(info.signature_algorithm),
        )
        for info in infos.active_authentication
    ]
    entries += [
        build(
            SEQUENCE,
            build_oid(TERMINAL_AUTHENTICATION) + build_integer(info.version) + _cvca_file(info),
        )
        for info in infos.terminal_authentication
    ]
    entries += [info.encoded for info in infos.unknown]
    # SET OF in DER: the encodings in ascending order (X.690, 11.6).
    return build(SET, b"".join(sorted(entries)))


def _numbered(protocol: str, version: int, number: int | None) -> bytes:
    return build(SEQUENCE, build_oid(protocol) + build_integer(version) + _optional(number))


def _cvca_file(info: TerminalAuthenticationInfo) -> bytes:
    if info.cvca_file_id is None:
        return b""
    short = b"" if info.cvca_short_id is None else build(OCTET_STRING, bytes((info.cvca_short_id,)))
    return build(SEQUENCE, build(OCTET_STRING, info.cvca_file_id) + short)


def _optional(number: int | None) -> bytes:
    return b"" if number is None else build_integer(number)
