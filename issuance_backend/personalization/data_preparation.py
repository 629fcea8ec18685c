"""From an approved dossier to what is written on a chip (profile: the facts in the chip documentation).

EF.CardAccess offers PACE-GM over brainpoolP256r1 with AES-128; DG14 holds the chip authentication key
on the same curve, DG15 an active authentication key of its own; EF.SOD signs every data group.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from issuance_backend.personalization.card_faces.contents import FaceContents, face_contents
from issuance_backend.virtual_card.card_image import CardImage
from verification.encoding.dates import slashed, yymmdd
from verification.encoding.mrz import Td1
from verification.identity.citizen_number import CitizenNumber
from verification.identity.person_name import mrz_name
from verification.identity.person_record import PersonRecord
from verification.lds.common_data import CommonData, build_common_data
from verification.lds.dg1 import Dg1, build_dg1
from verification.lds.dg2 import Dg2, Portrait, build_dg2
from verification.lds.dg13 import Dg13, Dg13Field, build_dg13
from verification.lds.dg15 import Dg15, build_dg15
from verification.lds.files import LdsFile
from verification.lds.security_infos import (
    PUBLIC_KEY_ECDH,
    ActiveAuthenticationInfo,
    ChipAuthenticationInfo,
    ChipAuthenticationPublicKey,
    PaceInfo,
    SecurityInfos,
    TerminalAuthenticationInfo,
    build_card_access,
    build_dg14,
)
from verification.messages.enrollment import PersonFields

PACE_ECDH_GM_AES_128 = "0.4.0.127.0.7.2.2.4.2.2"
CHIP_AUTHENTICATION_ECDH_AES_128 = "0.4.0.127.0.7.2.2.3.2.2"
ECDSA_PLAIN_SHA256 = "0.4.0.127.0.7.1.1.4.1.3"
BRAINPOOL_P256R1 = 13
"""Standardized domain parameters (ICAO 9303-11, 9.5.1)."""

NO_EXPIRY_MRZ = "991231"
NO_EXPIRY_TEXT = "Không thời hạn"
_SEX_WORDS = {"M": "Nam", "F": "Nữ"}

SodSigner = Callable[[Mapping[LdsFile, bytes]], bytes]
"""Makes EF.SOD over the SHA-256 hashes of the data groups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardOrder:
    """Everything that one card says; ``portrait`` is the encoded image for DG2, ``dg3`` that whole file."""

    person: PersonRecord
    portrait: bytes
    dg3: bytes
    chip_id: str
    issued_on: date
    expires_on: date | None


def person_record(citizen_number: str, person: PersonFields) -> PersonRecord:
    """A dossier's particulars as one record."""
    return PersonRecord(
        citizen_number=CitizenNumber(citizen_number),
        full_name=person.full_name,
        date_of_birth=date.fromisoformat(person.date_of_birth),
        sex=person.sex,
        nationality=person.nationality,
        ethnicity=person.ethnicity,
        religion=person.religion,
        place_of_origin=person.place_of_origin,
        place_of_residence=person.place_of_residence,
        identification=person.identification,
        father=person.father,
        mother=person.mother,
        spouse=person.spouse,
        old_id=person.old_id,
    )


@dataclass(frozen=True, slots=True, repr=False)
class ChipKeys:
    """The keys of one chip: for chip authentication and for active authentication."""

    chip: ec.EllipticCurvePrivateKey
    active: ec.EllipticCurvePrivateKey

    @classmethod
    def made(cls) -> ChipKeys:
        """New keys; they go on one blank and are never used again."""
        return cls(*(ec.generate_private_key(ec.BrainpoolP256R1()) for _ in range(2)))


def prepare(
    order: CardOrder,
    sign: SodSigner,
    keys: ChipKeys | None = None,
    trust_points: tuple[bytes, ...] = (),
) -> CardImage:
    """Build every file and have EF.SOD signed; the chip's keys are made here unless they were beforehand.

    DG3 opens only to terminals under the authorities whose certificates are ``trust_points``.
    """
    keys = keys or ChipKeys.made()
    chip_key, active_key = keys.chip, keys.active
    dg1 = card_dg1(order)
    groups = {
        LdsFile.DG1: build_dg1(dg1),
        LdsFile.DG2: build_dg2(Dg2((Portrait.of(order.portrait),))),
        LdsFile.DG3: order.dg3,
        LdsFile.DG13: build_dg13(card_dg13(order)),
        LdsFile.DG14: build_dg14(_chip_protocols(chip_key)),
        LdsFile.DG15: build_dg15(Dg15(_public_key_info(active_key))),
    }
    files = {
        LdsFile.CARD_ACCESS: build_card_access(_access_protocols()),
        LdsFile.COM: build_common_data(CommonData("0107", "040000", tuple(groups))),
        LdsFile.SOD: sign({file: hashlib.sha256(content).digest() for file, content in groups.items()}),
        **groups,
    }
    return CardImage(
        files=files,
        can=order.person.citizen_number.can,
        mrz_information=dg1.zone.information,
        chip_authentication_key=_private_key(chip_key),
        active_authentication_key=_private_key(active_key),
        trust_points=trust_points,
        locked=frozenset({LdsFile.DG3}),
    )


def card_dg1(order: CardOrder) -> Dg1:
    """The machine readable zone of the national card: nine digits, then the whole number."""
    person = order.person
    primary, secondary = mrz_name(person.full_name)
    return Dg1.of(
        Td1(
            document_code="ID",
            issuing_state="VNM",
            document_number=person.citizen_number.mrz_document_number,
            optional_data_1=person.citizen_number.mrz_optional_data,
            date_of_birth=yymmdd(person.date_of_birth),
            sex=person.sex,
            date_of_expiry=yymmdd(order.expires_on) if order.expires_on else NO_EXPIRY_MRZ,
            nationality="VNM",
            primary_identifier=primary,
            secondary_identifier=secondary,
        )
    )


def card_dg13(order: CardOrder) -> Dg13:
    """The holder's data with diacritics; a field that the person does not have stays empty."""
    person = order.person
    fields: dict[int, tuple[str, ...]] = {
        Dg13Field.NUMBER: (str(person.citizen_number),),
        Dg13Field.FULL_NAME: (person.full_name,),
        Dg13Field.DATE_OF_BIRTH: (slashed(person.date_of_birth),),
        Dg13Field.SEX: (_SEX_WORDS[person.sex],),
        Dg13Field.NATIONALITY: (person.nationality,),
        Dg13Field.ETHNICITY: (person.ethnicity,),
        Dg13Field.RELIGION: (person.religion,),
        Dg13Field.PLACE_OF_ORIGIN: (person.place_of_origin,),
        Dg13Field.PLACE_OF_RESIDENCE: (person.place_of_residence,),
        Dg13Field.IDENTIFICATION: (person.identification,),
        Dg13Field.DATE_OF_ISSUE: (slashed(order.issued_on),),
        Dg13Field.DATE_OF_EXPIRY: (slashed(order.expires_on) if order.expires_on else NO_EXPIRY_TEXT,),
        Dg13Field.PARENTS: (person.father, person.mother),
        Dg13Field.SPOUSE: (person.spouse,) if person.spouse else (),
        Dg13Field.CARD_ID: (order.chip_id,),
    }
    if person.old_id:
        fields[Dg13Field.OLD_ID] = (person.old_id,)
    return Dg13(fields)


def ordered_faces(order: CardOrder) -> FaceContents:
    """What the card's faces say; raises CardLayoutUnknown and CardQrMalformed."""
    return face_contents(card_dg1(order), card_dg13(order), order.portrait)


def _access_protocols() -> SecurityInfos:
    return SecurityInfos(
        pace=(PaceInfo(PACE_ECDH_GM_AES_128, 2, BRAINPOOL_P256R1),),
        chip_authentication=(ChipAuthenticationInfo(CHIP_AUTHENTICATION_ECDH_AES_128, 1),),
        terminal_authentication=(TerminalAuthenticationInfo(1),),
    )


def _chip_protocols(chip_key: ec.EllipticCurvePrivateKey) -> SecurityInfos:
    return SecurityInfos(
        pace=(PaceInfo(PACE_ECDH_GM_AES_128, 2, BRAINPOOL_P256R1),),
        chip_authentication=(ChipAuthenticationInfo(CHIP_AUTHENTICATION_ECDH_AES_128, 1),),
        chip_authentication_keys=(ChipAuthenticationPublicKey(PUBLIC_KEY_ECDH, _public_key_info(chip_key)),),
        active_authentication=(ActiveAuthenticationInfo(1, ECDSA_PLAIN_SHA256),),
        terminal_authentication=(TerminalAuthenticationInfo(1),),
    )


def _public_key_info(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _private_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
