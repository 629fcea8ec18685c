"""Chip authentication over curves and finite fields (ICAO 9303-11, 6.2; BSI TR-03110-1, 3.4).

The chip proves that it holds the private key to DG14 by the first answer protected with the
new session keys. That DG14 is the issuer's is not shown here but by passive authentication.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from verification.chip.authentication_commands import exchange_key
from verification.chip.keys import SessionKeys, Suite, session_keys
from verification.chip.sessions import SUITE_BY_OID_ARC, open_session
from verification.chip.subject_public_keys import DhKey, EcKey, load_public_key
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
from verification.lds.security_infos import (
    CHIP_AUTHENTICATION,
    PUBLIC_KEY_DH,
    PUBLIC_KEY_ECDH,
    ChipAuthenticationPublicKey,
    SecurityInfos,
    parse_dg14,
)

# Version 2 of TR-03110 comes after terminal authentication and runs another way.
_VERSION = 1
# The arcs under id-CA (9.2.7), and the protocols of a key that no ChipAuthenticationInfo goes with.
_FAMILIES = {PUBLIC_KEY_DH: f"{CHIP_AUTHENTICATION}.1.", PUBLIC_KEY_ECDH: f"{CHIP_AUTHENTICATION}.2."}
_TRIPLE_DES_ARC = "1"

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
    key: EcKey | DhKey
    key_id: int | None


@dataclass(frozen=True, slots=True, repr=False)
class KeyAgreement:
    """The commands that hand our ephemeral key to the chip, and the keys that result.

    ``ephemeral`` is Comp() of that key: what terminal authentication signs.
    """

    commands: tuple[CommandApdu, ...]
    suite: Suite
    keys: SessionKeys
    ephemeral: bytes


def choose_key(dg14: bytes) -> ChipKey:
    """The strongest chip authentication that DG14 offers and this reader speaks.

    Raises ChipAuthenticationUnsupported where there is none, MalformedDocument for a DG14
    that cannot be parsed.
    """
    offers = _offers(parse_dg14(dg14))
    if not offers:
        raise ChipAuthenticationUnsupported("DG14 offers no chip authentication that is spoken here")
    return max(offers, key=_rank)


def _rank(offer: ChipKey) -> tuple[int, int, int]:
    strengths = offer.suite.strength, offer.key.group.strength
    return min(strengths), *strengths


def _offers(infos: SecurityInfos) -> list[ChipKey]:
    offers = []
    for held in infos.chip_authentication_keys:
        key = _spoken_key(held)
        if key is None:
            continue
        for protocol, key_id in _protocols_of(held, infos):
            arc = protocol.removeprefix(_FAMILIES[held.protocol])
            suite = SUITE_BY_OID_ARC.get(int(arc)) if arc.isdigit() else None
            if suite:
                offers.append(ChipKey(protocol, suite, key, key_id))
    return offers


def _protocols_of(held: ChipAuthenticationPublicKey, infos: SecurityInfos) -> list[tuple[str, int | None]]:
    """The protocols named for a key, each with the number that the chip knows the key by."""
    if not infos.chip_authentication:
        # Some issuers give a key and no ChipAuthenticationInfo: then it is 3DES.
        return [(_FAMILIES[held.protocol] + _TRIPLE_DES_ARC, held.key_id)]
    return [
        (info.protocol, info.key_id if held.key_id is None else held.key_id)
        for info in infos.chip_authentication
        if info.version == _VERSION and (None in (held.key_id, info.key_id) or held.key_id == info.key_id)
    ]


def _spoken_key(held: ChipAuthenticationPublicKey) -> EcKey | DhKey | None:
    """The key, None where another of the same DG14 has to do."""
    try:
        key = load_public_key(held.public_key_info)
    except MalformedDocument:
        return None
    kind = EcKey if held.protocol == PUBLIC_KEY_ECDH else DhKey
    return key if isinstance(key, kind) else None


def agree(chip_key: ChipKey, random: Callable[[int], bytes]) -> KeyAgreement:
    """Make an ephemeral key and compute the session keys; the chip is not asked yet.

    Raises MalformedDocument where the chip's key is no element of its group.
    """
    group, theirs = chip_key.key
    private = group.key(random)
    ours = private.public
    return KeyAgreement(
        commands=_commands(chip_key, ours),
        suite=chip_key.suite,
        keys=session_keys(private.shared_secret(theirs), chip_key.suite),
        ephemeral=group.compress(ours),
    )


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


def authenticate(channel: Channel, dg14: bytes, random: Callable[[int], bytes]) -> bytes:
    """Run chip authentication and leave the channel in the new session.

    Returns Comp() of our ephemeral key, which terminal authentication signs. Raises
    ChipAuthenticationFailed where the chip refuses or cannot use the new keys,
    ChipAuthenticationUnsupported where DG14 offers nothing to run; faults of the transport
    pass unchanged.
    """
    agreement = agree(choose_key(dg14), random)
    for command in agreement.commands:
        _require_success(channel, command)
    channel.secure(open_session(agreement.suite, agreement.keys))
    _require_success(channel, select_file(LdsFile.SOD.file_id))
    return agreement.ephemeral


def _require_success(channel: Channel, command: CommandApdu) -> None:
    try:
        _, status = exchange_key(channel, command)
    except SecureMessagingFailed:
        raise ChipAuthenticationFailed(f"{command.name}: the answer is not protected") from None
    if status != status_word.SUCCESS:
        raise ChipAuthenticationFailed(f"{command.name}: status word {status:04X}")
