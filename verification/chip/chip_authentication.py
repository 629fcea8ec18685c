"""Chip authentication over elliptic curves (ICAO 9303-11, 6.2; BSI TR-03110-1, 3.4).

The chip proves that it holds the private key to DG14 by the first answer protected with the
new session keys. That DG14 is the issuer's is not shown here but by passive authentication.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec

from verification.chip.elliptic_curves import encode_key
from verification.chip.keys import SessionKeys, Suite, session_keys
from verification.chip.sessions import SUITE_BY_OID_ARC, open_session
from verification.chip.subject_public_keys import EcKey, load_public_key
from verification.encoding.object_identifier import encode_oid
from verification.encoding.tlv import build
from verification.errors import (
    ChipAuthenticationFailed,
    ChipAuthenticationUnsupported,
    MalformedDocument,
    SecureMessagingFailed,
)
from verification.iso7816 import status_word
from verification.iso7816.channel import Channel
from verification.iso7816.command import (
    MSE_SET_COMPUTATION,
    TEMPLATE_AUTHENTICATION,
    TEMPLATE_KEY_AGREEMENT,
    CommandApdu,
    general_authenticate,
    manage_security_environment,
    select_file,
)
from verification.lds.files import LdsFile
from verification.lds.security_infos import PUBLIC_KEY_ECDH, SecurityInfos, parse_dg14

_ECDH = "0.4.0.127.0.7.2.2.3.2."

_PROTOCOL = 0x80
_KEY_REFERENCE = 0x84
_EPHEMERAL_IN_TEMPLATE = 0x91
_DYNAMIC_DATA = 0x7C
_EPHEMERAL = 0x80


@dataclass(frozen=True, slots=True)
class ChipKey:
    """A static key of the chip and the protocol it is used with."""

    protocol: str
    suite: Suite
    key: EcKey
    key_id: int | None


@dataclass(frozen=True, slots=True, repr=False)
class KeyAgreement:
    """The commands that hand our ephemeral key to the chip, and the keys that result."""

    commands: tuple[CommandApdu, ...]
    suite: Suite
    keys: SessionKeys


def choose_key(dg14: bytes) -> ChipKey:
    """The strongest chip authentication that DG14 offers and this reader speaks.

    Raises ChipAuthenticationUnsupported where there is none, MalformedDocument for a DG14
    that cannot be parsed.
    """
    offers = _offers(parse_dg14(dg14))
    if not offers:
        raise ChipAuthenticationUnsupported("DG14 offers no chip authentication that is spoken here")
    return max(offers, key=lambda offer: (offer.suite.strength, offer.key.curve.field_length))


def _offers(infos: SecurityInfos) -> list[ChipKey]:
    offers = []
    for held in infos.chip_authentication_keys:
        key = _spoken_key(held.public_key_info) if held.protocol == PUBLIC_KEY_ECDH else None
        if key is None:
            continue
        # Some issuers give a key and no ChipAuthenticationInfo: then it is 3DES.
        named = [
            info.protocol
            for info in infos.chip_authentication
            if held.key_id is None or info.key_id in (None, held.key_id)
        ]
        for protocol in named if infos.chip_authentication else [f"{_ECDH}1"]:
            arc = protocol.removeprefix(_ECDH)
            suite = SUITE_BY_OID_ARC.get(int(arc)) if arc.isdigit() else None
            if suite:
                offers.append(ChipKey(protocol, suite, key, held.key_id))
    return offers


def _spoken_key(public_key_info: bytes) -> EcKey | None:
    """The key, None where another of the same DG14 has to do."""
    try:
        key = load_public_key(public_key_info)
    except MalformedDocument:
        return None
    return key if isinstance(key, EcKey) else None


def agree(chip_key: ChipKey, random: Callable[[int], bytes]) -> KeyAgreement:
    """Make an ephemeral key and compute the session keys; the chip is not asked yet."""
    private = chip_key.key.curve.private_key(random)
    shared = private.exchange(ec.ECDH(), chip_key.key.key)
    commands = _commands(chip_key, encode_key(private.public_key()))
    return KeyAgreement(commands, chip_key.suite, session_keys(shared, chip_key.suite))


def _commands(chip_key: ChipKey, ephemeral: bytes) -> tuple[CommandApdu, ...]:
    reference = b""
    if chip_key.key_id is not None:
        octets = (chip_key.key_id.bit_length() + 7) // 8 or 1
        reference = build(_KEY_REFERENCE, chip_key.key_id.to_bytes(octets, "big"))
    if chip_key.suite is Suite.TRIPLE_DES:
        # One command; AES needs the protocol named and therefore two (ICAO 9303-11, 6.2.4).
        data = build(_EPHEMERAL_IN_TEMPLATE, ephemeral) + reference
        return (manage_security_environment(MSE_SET_COMPUTATION, TEMPLATE_KEY_AGREEMENT, data),)
    protocol = build(_PROTOCOL, encode_oid(chip_key.protocol)) + reference
    return (
        manage_security_environment(MSE_SET_COMPUTATION, TEMPLATE_AUTHENTICATION, protocol),
        general_authenticate(build(_DYNAMIC_DATA, build(_EPHEMERAL, ephemeral)), last=True),
    )


def authenticate(channel: Channel, dg14: bytes, random: Callable[[int], bytes]) -> None:
    """Run chip authentication and leave the channel in the new session.

    Raises ChipAuthenticationFailed where the chip refuses or cannot use the new keys,
    ChipAuthenticationUnsupported where DG14 offers nothing to run; faults of the transport
    pass unchanged.
    """
    agreement = agree(choose_key(dg14), random)
    for command in agreement.commands:
        _require_success(channel, command)
    channel.secure(open_session(agreement.suite, agreement.keys))
    _require_success(channel, select_file(LdsFile.SOD.file_id))


def _require_success(channel: Channel, command: CommandApdu) -> None:
    try:
        _, status = channel.exchange(command)
    except SecureMessagingFailed:
        raise ChipAuthenticationFailed(f"{command.name}: the answer is not protected") from None
    if status != status_word.SUCCESS:
        raise ChipAuthenticationFailed(f"{command.name}: status word {status:04X}")
