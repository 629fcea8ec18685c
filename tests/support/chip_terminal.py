"""A terminal for tests of the software chip: plain APDUs, and one that has opened the chip by BAC.

Its own small protocol code keeps these tests independent of the reader's.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from issuance_backend.virtual_card.card_image import CardImage
from verification.lds.files import LdsFile

MRZ_INFORMATION = "L898902C<369080619406236"
CAN = "123456"
SELECT_APPLICATION = "00A4040C07A0000002471001"
CARD_ACCESS = bytes.fromhex("31143012060a04007f0007020204020202010202010d")


def image(**changes: object) -> CardImage:
    """A small card that answers BAC and PACE; DG3 is locked."""
    fields: dict[str, object] = {
        "files": {
            LdsFile.CARD_ACCESS: CARD_ACCESS,
            LdsFile.COM: b"\x60\x03" + b"com",
            LdsFile.DG1: b"\x61\x81\xc8" + bytes(range(200)),
            LdsFile.DG2: b"\x75\x82\x9c\x40" + bytes(40_000),
            LdsFile.DG3: b"\x63\x00",
        },
        "can": CAN,
        "mrz_information": MRZ_INFORMATION,
        "locked": frozenset({LdsFile.DG3}),
    }
    return CardImage(**(fields | changes))  # type: ignore[arg-type]


def scripted(*values: str) -> Callable[[int], bytes]:
    """A random source that gives these hexadecimal values, each asked for in its own length."""
    left = [bytes.fromhex(value) for value in values]

    def draw(length: int) -> bytes:
        value = left.pop(0)
        if len(value) != length:
            raise AssertionError(json.dumps({"asked": length, "next": len(value)}))
        return value

    return draw
