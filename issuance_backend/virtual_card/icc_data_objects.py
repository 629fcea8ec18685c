"""Dynamic authentication data, and what a protocol run leaves behind (ICAO 9303-11, 4.4.5 and 6.2.4)."""

from __future__ import annotations

from typing import NamedTuple

from issuance_backend.virtual_card.icc_commands import SW_DATA_INCORRECT, CommandRefused, data_objects
from issuance_backend.virtual_card.icc_secure_messaging import CardSecureMessaging
from verification.encoding.tlv import Tlv

DYNAMIC_AUTHENTICATION_DATA = 0x7C


class Established(NamedTuple):
    """What a protocol answers last, and the session that starts after that answer.

    ``card_identity`` is ID_IC and ``terminal_key`` the compressed ephemeral key of the terminal,
    both as terminal authentication signs them (ICAO 9303-11, 7.1.2); None where this protocol
    does not set them.
    """

    answer: bytes
    session: CardSecureMessaging
    card_identity: bytes | None = None
    terminal_key: bytes | None = None


def dynamic_data(data: bytes) -> Tlv | None:
    """The one data object inside tag 7C, None where it is empty; raises CommandRefused (6A80)."""
    outer = data_objects(data)
    if len(outer) != 1 or outer[0].tag != DYNAMIC_AUTHENTICATION_DATA:
        raise CommandRefused(SW_DATA_INCORRECT)
    inner = data_objects(outer[0].value)
    if len(inner) > 1:
        raise CommandRefused(SW_DATA_INCORRECT)
    return inner[0] if inner else None


def value_of(part: Tlv | None, tag: int) -> bytes:
    """The value under this tag; raises CommandRefused (6A80) for any other."""
    if part is None or part.tag != tag:
        raise CommandRefused(SW_DATA_INCORRECT)
    return part.value
