"""Who may seal at a kit, as the centre tells it: a small signed list beside the extract of the commune."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import msgspec

from verification.errors import SignatureInvalid
from verification.messages.compact_signature import read_statement, sign_statement
from verification.messages.signing_key import PublicKey, SigningKey

LIST_TYPE = "certified-officers+jws"
MAX_LIST = 4 * 1024 * 1024
"""No province has so many officers who capture."""


class CertifiedOfficer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From which day to which an officer may seal what they capture; both days count."""

    officer: str
    valid_from: str
    valid_until: str


class CertifiedOfficers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everybody who may seal at a kit, as it was known at a moment; nobody else may."""

    kit: str
    as_of: str
    officers: tuple[CertifiedOfficer, ...]

    def lets_seal(self, officer: str, day: date) -> bool:
        """Whether an officer may seal on a day in Viet Nam."""
        held = (each for each in self.officers if each.officer == officer)
        return any(each.valid_from <= day.isoformat() <= each.valid_until for each in held)


def officers_file(kit: str) -> str:
    """How a kit's list is called on a stick."""
    return f"{kit}-certified_officers.jws"


def sign_officers(listed: CertifiedOfficers, key: SigningKey) -> str:
    """The list as a compact JWS."""
    return sign_statement(msgspec.json.encode(listed), LIST_TYPE, key)


def read_officers(token: str, centre: Mapping[str, PublicKey], kit: str) -> CertifiedOfficers:
    """The list, if the centre (keys by thumbprint) signed it for this kit; raises SignatureInvalid."""
    if len(token) > MAX_LIST:
        raise SignatureInvalid("longer than any list")
    try:
        listed = msgspec.json.decode(read_statement(token, LIST_TYPE, centre), type=CertifiedOfficers)
    except msgspec.DecodeError:
        raise SignatureInvalid("no list of officers") from None
    if listed.kit != kit:
        raise SignatureInvalid("the list of another kit")
    return listed
