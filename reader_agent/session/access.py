"""From what the teller scanned or typed to the secret that opens the chip."""

from __future__ import annotations

import msgspec

from verification.chip.keys import AccessSecret, Can, MrzKey
from verification.errors import AccessDenied, AccessSecretMalformed, MalformedDocument, RequestMalformed
from verification.identity.card_qr import parse_card_qr
from verification.identity.citizen_number import CitizenNumber

MAX_TEXT = 512
"""Longer than the QR code of any card: seven or eleven short fields."""


class Access(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of: the six digits on the card, its MRZ, the text of its QR code, the citizen number."""

    can: str | None = None
    mrz: str | None = None
    qr: str | None = None
    citizen_number: str | None = None

    def __repr__(self) -> str:
        """Nothing of it: this names a person."""
        return "Access(...)"


def access_secret(access: Access) -> AccessSecret:
    """The CAN or MRZ key.

    Raises RequestMalformed unless exactly one is given, AccessSecretMalformed when it cannot be right.
    """
    given = [name for name in access.__struct_fields__ if getattr(access, name) is not None]
    if len(given) != 1:
        raise RequestMalformed("give exactly one of can, mrz, qr, citizen_number")
    kind = given[0]
    text = str(getattr(access, kind)).strip()
    if not 0 < len(text) <= MAX_TEXT:
        raise AccessSecretMalformed(f"{kind} is empty or too long")
    try:
        return _secret(kind, text)
    except AccessSecretMalformed:
        raise
    except (AccessDenied, MalformedDocument):
        # Whatever part of it is wrong: the teller looks at one field and types it again.
        raise AccessSecretMalformed(f"{kind} cannot be read") from None


def _secret(kind: str, text: str) -> AccessSecret:
    if kind == "can":
        return Can(text)
    if kind == "mrz":
        return MrzKey(text)
    if kind == "qr":
        # The CAN of a CCCD is the end of the 12-digit number that its QR code starts with.
        return Can(parse_card_qr(text).citizen_number.can)
    return Can(CitizenNumber(text).can)
