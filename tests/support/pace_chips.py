"""PACE offers, and a chip of somebody else's making (``textbook_pace``) for each of them."""

from __future__ import annotations

import random
from typing import Any

from tests.support.textbook_curve import TextbookCurve
from tests.support.textbook_pace import OverCurve, OverFiniteField, TextbookCipher, TextbookPaceChip, der
from verification.chip import pace
from verification.chip.elliptic_curves import Curve
from verification.chip.finite_field_groups import FiniteFieldGroup
from verification.chip.keys import Can, Suite, session_keys
from verification.chip.pace import PaceProtocol, PaceResult
from verification.chip.sessions import open_session
from verification.encoding.object_identifier import encode_oid
from verification.iso7816.channel import Channel
from verification.iso7816.command import CommandApdu
from verification.lds.security_infos import ChipAuthenticationPublicKey, PaceInfo, SecurityInfos

ARCS = {
    ("DH", "GM"): 1,
    ("ECDH", "GM"): 2,
    ("DH", "IM"): 3,
    ("ECDH", "IM"): 4,
    ("ECDH", "CAM"): 6,
}
CIPHERS = {
    Suite.TRIPLE_DES: TextbookCipher("3DES", 16),
    Suite.AES_128: TextbookCipher("AES", 16),
    Suite.AES_192: TextbookCipher("AES", 24),
    Suite.AES_256: TextbookCipher("AES", 32),
}
PROBE = CommandApdu(0, 0xB0, 0, 0, expected=8)
CAN = Can("123456")
STATIC_PRIVATE = 0x5E6331B8870151C5


def offer(mapping: str, arc: int, parameter_id: int) -> PaceInfo:
    kind = "DH" if parameter_id < 8 else "ECDH"
    return PaceInfo(f"0.4.0.127.0.7.2.2.4.{ARCS[kind, mapping]}.{arc}", 2, parameter_id)


def spoken(mapping: str, arc: int, parameter_id: int) -> PaceProtocol:
    protocol = pace.choose_protocol((offer(mapping, arc, parameter_id),))
    assert protocol is not None
    return protocol


def textbook(protocol: PaceProtocol) -> OverCurve | OverFiniteField:
    group = protocol.group
    if isinstance(group, Curve):
        known = group.parameters
        return OverCurve(TextbookCurve(known.p, known.a, known.b, known.n, (known.x, known.y)))
    assert isinstance(group, FiniteFieldGroup)
    return OverFiniteField(group.p, group.g, group.q)


def chip(protocol: PaceProtocol, source: random.Random, **how: Any) -> TextbookPaceChip:
    return TextbookPaceChip(
        textbook(protocol),
        CIPHERS[protocol.suite],
        encode_oid(protocol.oid),
        protocol.mapping.value,
        b"123456",
        source,
        static_private=STATIC_PRIVATE,
        **how,
    )


def agree(protocol: PaceProtocol, card: TextbookPaceChip, source: random.Random) -> PaceResult:
    """One session with fresh values on both sides; both must hold the same keys."""
    result = pace.establish(Channel(card), protocol, CAN, source.randbytes)
    keys = session_keys(card.shared, protocol.suite)
    # DES ignores the lowest bit of every octet, and the textbook does not set it.
    mask = 0xFE if protocol.suite is Suite.TRIPLE_DES else 0xFF
    assert [[octet & mask for octet in key] for key in card.keys] == [[o & mask for o in key] for key in keys]
    assert result.session.protect(PROBE) == open_session(protocol.suite, keys).protect(PROBE)
    assert result.mapping is protocol.mapping
    assert result.chip_identity == card.identity
    return result


def card_security(public_key: bytes, parameter_id: int, *more: bytes) -> SecurityInfos:
    """EF.CardSecurity with this key, and with further SubjectPublicKeyInfos in front of it."""
    algorithm = der(b"\x06", encode_oid("0.4.0.127.0.7.1.2")) + der(b"\x02", bytes((parameter_id,)))
    info = der(b"\x30", der(b"\x30", algorithm) + der(b"\x03", b"\x00" + public_key))
    return SecurityInfos(
        chip_authentication_keys=tuple(
            ChipAuthenticationPublicKey("0.4.0.127.0.7.2.2.1.2", held, parameter_id) for held in (*more, info)
        )
    )
