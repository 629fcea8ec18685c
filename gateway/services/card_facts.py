"""What the authentic files of a card say: for the questions to the registries, and for the answer."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import date
from hmac import compare_digest

from msgspec import structs

from verification.errors import VerificationError
from verification.inspection.report import Check, InspectionReport
from verification.lds.dg13 import parse_dg13
from verification.lds.files import CardFiles, LdsFile
from verification.lds.security_infos import parse_dg14
from verification.lds.security_object import SecurityObject, parse_security_object
from verification.messages.credential_status import CredentialStatusQuery, status_key
from verification.messages.decision import ChipAssurance, Holder
from verification.messages.evidence import FaceClaim
from verification.messages.person_query import PersonQuery


@dataclass(frozen=True, slots=True, repr=False)
class CardFacts:
    """Read only from files whose issuer's signature was verified."""

    security_object: SecurityObject
    person: PersonQuery
    expiry: date | None

    def status_query(self) -> CredentialStatusQuery:
        """The question about this very card."""
        return CredentialStatusQuery(status_key(self.security_object.signer.signature))

    def holder(self, release: tuple[str, ...]) -> Holder:
        """The attributes that the purpose releases."""
        known = {
            "full_name": self.person.full_name,
            "citizen_number": self.person.citizen_number,
            "date_of_birth": self.person.date_of_birth,
            "sex": self.person.sex,
        }
        return Holder(**{name: known[name] for name in release})

    def signs_portrait(self, face: FaceClaim | None, files: CardFiles) -> bool:
        """Whether the portrait that the counter compared is the one that EF.SOD signs.

        The claim names DG2 by SHA-256. Where EF.SOD hashes with another function, DG2 itself must
        be in the evidence; its own hash was then checked with the other files'.
        """
        if face is None:
            return False
        if self.security_object.hash_algorithm.replace("-", "").lower() == "sha256":
            signed = self.security_object.hashes.get(LdsFile.DG2, b"")
        else:
            signed = hashlib.sha256(files[LdsFile.DG2]).digest() if LdsFile.DG2 in files else b""
        return compare_digest(signed, face.portrait_digest)


def card_facts(report: InspectionReport, files: CardFiles) -> CardFacts | None:
    """The facts; None unless the data are authentic and name a person completely."""
    if not report.is_data_authentic or report.failures:
        return None
    try:
        dg13 = parse_dg13(files[LdsFile.DG13])
        security_object = parse_security_object(files[LdsFile.SOD])
    except VerificationError:
        return None
    if not (dg13.citizen_number and dg13.full_name and dg13.sex and dg13.birth_year):
        return None
    born = dg13.date_of_birth.isoformat() if dg13.date_of_birth else str(dg13.birth_year)
    person = PersonQuery(dg13.citizen_number, dg13.full_name, born, dg13.sex)
    return CardFacts(security_object, person, dg13.date_of_expiry)


def asked_by(known: CardFacts | None, partner: str, purpose: str) -> CardFacts | None:
    """The facts with what the registry is told of who asks: the person may see it there."""
    if known is None:
        return None
    return replace(known, person=structs.replace(known.person, agency=partner, purpose=purpose))


def chip_assurance(report: InspectionReport, files: CardFiles) -> ChipAssurance:
    """How far the chip was proven, by this gateway alone.

    Active authentication counts only where the card offers no chip authentication: a counter may
    not choose the weaker proof (its signature is transferable, and bound to no channel).
    """
    if not report.is_data_authentic:
        return ChipAssurance.NONE
    if report.failures:
        return ChipAssurance.SIGNED_DATA
    if report.passed(Check.CHIP_AUTHENTICATION):
        return ChipAssurance.CHIP_LIVE_GATEWAY
    if report.passed(Check.ACTIVE_AUTHENTICATION) and not _offers_chip_authentication(files):
        return ChipAssurance.CHIP_LIVE_GATEWAY
    return ChipAssurance.SIGNED_DATA


def _offers_chip_authentication(files: CardFiles) -> bool:
    try:
        if LdsFile.DG14 not in parse_security_object(files[LdsFile.SOD]).hashes:
            return False
        # A DG14 that EF.SOD lists and the evidence leaves out may hold a key: it counts as offered.
        return LdsFile.DG14 not in files or bool(parse_dg14(files[LdsFile.DG14]).chip_authentication_keys)
    except VerificationError:
        return True
