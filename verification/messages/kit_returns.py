"""What comes back to a kit: its captures that the centre returned, and what is to be taken again of each.

The centre signs the list for one opening key of one kit, and encrypts it to that key. Of a person it holds
what that very kit captured, as it stands: the kit itself keeps nothing, and an answer repeats the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from verification.errors import LimitExceeded, SignatureInvalid
from verification.messages import packet_encryption
from verification.messages.compact_signature import read_statement, sign_statement
from verification.messages.enrollment import PersonFields
from verification.messages.signing_key import PublicKey, SigningKey, thumbprint

RETURNS_TYPE = "kit-returns+jws"
MAX_RETURNS = 500
"""No list holds more: those that wait longest come first, and the others when they are answered."""

MAX_TOKEN = 4 * 1024 * 1024
_CONTEXT = b"kit returns"


class ReturnedCapture(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A dossier that was returned: which items are taken again, and which particulars may change then.

    ``packet`` is the kit's packet that stands, ``codes`` are the rules' reasons, ``comment`` an officer's.
    """

    dossier: str
    packet: str
    returned_at: str
    items: tuple[str, ...]
    fields: tuple[str, ...]
    codes: tuple[str, ...]
    comment: str | None
    citizen_number: str
    person: PersonFields


class KitReturns(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything of one kit that is returned at a moment; ``kit_key`` is its opening key's thumbprint."""

    kit: str
    kit_key: str
    as_of: str
    returned: tuple[ReturnedCapture, ...]


class SealedReturns(msgspec.Struct, frozen=True):
    """The list as it travels, and beside it which packets were refused (``kit_refusals``).

    Kits from before there were such lists pass over them; a centre from then sends none.
    """

    returns: str
    refused: str | None = None


def returns_file(kit: str) -> str:
    """How a kit's list is called on a stick."""
    return f"{kit}-returns.jwe"


def seal_returns(
    returns: KitReturns, key: SigningKey, kit: ec.EllipticCurvePublicKey, random: Callable[[int], bytes]
) -> str:
    """The list, signed for this kit's opening key and readable by it alone."""
    signed = sign_statement(msgspec.json.encode(returns), RETURNS_TYPE, key)
    return packet_encryption.encrypt(signed.encode(), _CONTEXT, kit, random)


def open_returns(
    token: str, centre: Mapping[str, PublicKey], key: ec.EllipticCurvePrivateKey, kit: str
) -> KitReturns:
    """The list, if the centre (keys by thumbprint) signed it for this key of this kit.

    Raises LimitExceeded, PacketMalformed, PacketAltered and SignatureInvalid.
    """
    if len(token) > MAX_TOKEN:
        raise LimitExceeded(f"a list of {len(token)} bytes")
    signed = packet_encryption.decrypt(token, _CONTEXT, key).decode("ascii", "replace")
    try:
        returns = msgspec.json.decode(read_statement(signed, RETURNS_TYPE, centre), type=KitReturns)
        is_dated = datetime.fromisoformat(returns.as_of).tzinfo is not None
    except ValueError:
        raise SignatureInvalid("what was signed is no list of returns") from None
    if (returns.kit, returns.kit_key) != (kit, thumbprint(key.public_key())) or not is_dated:
        raise SignatureInvalid("signed for another kit, or undated")
    return returns
