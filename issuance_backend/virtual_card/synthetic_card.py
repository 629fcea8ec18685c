"""A fresh card of an invented citizen, signed by any document signer: for test stands and outside readers."""

from __future__ import annotations

import hashlib
import io
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import wsq  # type: ignore[import-untyped]
from PIL import Image

from issuance_backend.virtual_card.card_image import CardImage
from issuance_backend.virtual_card.chip_profiles import (
    ChipKeys,
    ChipProfile,
    card_access_infos,
    card_security_infos,
    dg14_infos,
)
from verification.encoding.dates import slashed, yymmdd
from verification.encoding.mrz import Td1
from verification.face.image import encode_jp2
from verification.face.procedural_portrait import person, render
from verification.fingerprint.procedural_finger import render_finger
from verification.identity.citizen_number import CitizenNumber
from verification.identity.person_name import mrz_name
from verification.lds.common_data import CommonData, build_common_data
from verification.lds.dg1 import Dg1, build_dg1
from verification.lds.dg2 import Dg2, Portrait, build_dg2
from verification.lds.dg3 import Dg3, FingerImage, FingerPosition, build_dg3
from verification.lds.dg13 import Dg13, Dg13Field, build_dg13
from verification.lds.dg15 import Dg15, build_dg15
from verification.lds.files import LdsFile
from verification.lds.security_infos import build_card_access, build_dg14

_PORTRAIT_SEEDS = 400
_FINGER_SEEDS = 2**31
_FINGERS = (FingerPosition.RIGHT_INDEX, FingerPosition.LEFT_INDEX)
_WSQ = wsq.WsqImagePlugin.WsqImageFile.format

_FAMILY_NAMES = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Huỳnh", "Vũ", "Đặng", "Bùi", "Đỗ")
_MIDDLE_NAMES = {"M": ("Văn", "Đức", "Quốc", "Minh"), "F": ("Thị", "Ngọc", "Thuỳ", "Bích")}
_GIVEN_NAMES = {"M": ("An", "Dũng", "Hải", "Khôi", "Tuấn"), "F": ("Ánh", "Hường", "Lan", "Mỹ", "Yến")}
_PROVINCES = {
    "001": "Hà Nội",
    "031": "Hải Phòng",
    "046": "Thừa Thiên Huế",
    "048": "Đà Nẵng",
    "092": "Cần Thơ",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CardIssuer:
    """Who signs a card: EF.SOD over SHA-256 hashes of the data groups, EF.CardSecurity over its content.

    ``trust_points`` are certificates of the authorities whose terminals may read fingerprints.
    """

    sign_security_object: Callable[[Mapping[LdsFile, bytes]], bytes]
    sign_card_security: Callable[[bytes], bytes]
    trust_points: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """An invented citizen."""

    number: CitizenNumber
    full_name: str
    sex: str
    born: date
    issued: date
    province: str


def invent_holder(today: date) -> Holder:
    """Draw a citizen between 20 and 55 years old, with a number of the right structure."""
    sex = secrets.choice("MF")
    born = today - timedelta(days=20 * 366 + secrets.randbelow(35 * 365))
    names = (_FAMILY_NAMES, _MIDDLE_NAMES[sex], _GIVEN_NAMES[sex])
    province = secrets.choice(tuple(_PROVINCES))
    century_and_sex = 2 * (born.year // 100 - 19) + (sex == "F")
    number = f"{province}{century_and_sex}{born.year % 100:02}{secrets.randbelow(10**6):06}"
    return Holder(
        number=CitizenNumber(number),
        full_name=" ".join(secrets.choice(part) for part in names),
        sex=sex,
        born=born,
        issued=today,
        province=_PROVINCES[province],
    )


def make_card(
    profile: ChipProfile, holder: Holder, issuer: CardIssuer, portrait_bytes: int = 15_000
) -> CardImage:
    """Make every file and key of a card; ``portrait_bytes`` is the size its picture is pressed to."""
    keys = ChipKeys.generate(profile, os.urandom)
    dg1 = _dg1(holder)
    groups = {
        LdsFile.DG1: build_dg1(dg1),
        LdsFile.DG2: build_dg2(Dg2((Portrait.of(_portrait(portrait_bytes)),))),
        **({LdsFile.DG3: build_dg3(_fingers())} if profile.fingers else {}),
        **({LdsFile.DG13: build_dg13(_national_data(holder))} if profile.national else {}),
        LdsFile.DG14: build_dg14(dg14_infos(profile, keys)),
        LdsFile.DG15: build_dg15(Dg15(keys.signing_info)),
    }
    hashes = {file: hashlib.sha256(content).digest() for file, content in groups.items()}
    files = groups | {
        LdsFile.COM: build_common_data(CommonData("0107", "040000", tuple(groups))),
        LdsFile.SOD: issuer.sign_security_object(hashes),
        **_master_files(profile, keys, issuer),
    }
    own, further = _agreement_keys(profile, keys)
    return CardImage(
        files=files,
        can=holder.number.can,
        mrz_information=dg1.zone.information,
        chip_authentication_key=own,
        further_agreement_keys=further,
        mapping_key=keys.mapping_private,
        active_authentication_key=keys.signing_private,
        active_authentication_hash=profile.rsa_hash or "sha256",
        trust_points=issuer.trust_points if profile.fingers else (),
        pace=bool(profile.pace),
        bac=profile.bac,
        locked=frozenset({LdsFile.DG3}) & groups.keys(),
        selects_master_file=not profile.national,
        extended_length=profile.extended_length,
        quirks=profile.quirks,
    )


def _master_files(profile: ChipProfile, keys: ChipKeys, issuer: CardIssuer) -> dict[LdsFile, bytes]:
    files: dict[LdsFile, bytes] = {}
    if profile.pace:
        files[LdsFile.CARD_ACCESS] = build_card_access(card_access_infos(profile))
    if keys.mapping is not None:
        # The same SET OF SecurityInfo as in EF.CardAccess, and signed.
        content = build_card_access(card_security_infos(profile, keys.mapping))
        files[LdsFile.CARD_SECURITY] = issuer.sign_card_security(content)
    return files


def _agreement_keys(profile: ChipProfile, keys: ChipKeys) -> tuple[bytes | None, dict[int, bytes]]:
    """The key without a number of its own on the chip, and the others by theirs."""
    private = keys.agreement_private
    numbered = {
        offer.key_id: key
        for offer, key in zip(profile.agreement[1:], private[1:], strict=True)
        if offer.key_id is not None
    }
    return (private[0] if private else None), numbered


def _dg1(holder: Holder) -> Dg1:
    primary, secondary = mrz_name(holder.full_name)
    return Dg1.of(
        Td1(
            document_code="ID",
            issuing_state="VNM",
            document_number=holder.number.mrz_document_number,
            optional_data_1=holder.number.mrz_optional_data,
            date_of_birth=yymmdd(holder.born),
            sex=holder.sex,
            date_of_expiry=yymmdd(_expiry(holder)),
            nationality="VNM",
            primary_identifier=primary,
            secondary_identifier=secondary,
        )
    )


def _expiry(holder: Holder) -> date:
    """Cards are renewed at 25, 40 and 60; one given shortly before holds until the next."""
    next_age = next(age for age in (25, 40, 60) if holder.born.year + age > holder.issued.year + 2)
    # A citizen born on a leap day renews on the first of March.
    return date(holder.born.year + next_age, holder.born.month, 1) + timedelta(days=holder.born.day - 1)


def _fingers() -> Dg3:
    seed = secrets.randbelow(_FINGER_SEEDS)
    return Dg3(tuple(FingerImage.of(position, _finger(seed, position)) for position in _FINGERS))


def _finger(seed: int, position: FingerPosition) -> bytes:
    out = io.BytesIO()
    Image.fromarray(render_finger(seed, position)).save(out, _WSQ)
    return out.getvalue()


def _national_data(holder: Holder) -> Dg13:
    fields: dict[int, tuple[str, ...]] = {
        Dg13Field.NUMBER: (str(holder.number),),
        Dg13Field.FULL_NAME: (holder.full_name,),
        Dg13Field.DATE_OF_BIRTH: (slashed(holder.born),),
        Dg13Field.SEX: ({"M": "Nam", "F": "Nữ"}[holder.sex],),
        Dg13Field.NATIONALITY: ("Việt Nam",),
        Dg13Field.ETHNICITY: ("Kinh",),
        Dg13Field.RELIGION: ("Không",),
        Dg13Field.PLACE_OF_ORIGIN: (holder.province,),
        Dg13Field.PLACE_OF_RESIDENCE: (f"Số 12 đường Hoà Bình, {holder.province}",),
        Dg13Field.IDENTIFICATION: ("Nốt ruồi cách 1 cm dưới mắt trái",),
        Dg13Field.DATE_OF_ISSUE: (slashed(holder.issued),),
        Dg13Field.DATE_OF_EXPIRY: (slashed(_expiry(holder)),),
        Dg13Field.PARENTS: (_parent("M"), _parent("F")),
        Dg13Field.SPOUSE: (),
        Dg13Field.CARD_ID: (secrets.token_hex(8),),
    }
    return Dg13(fields)


def _parent(sex: str) -> str:
    names = (_FAMILY_NAMES, _MIDDLE_NAMES[sex], _GIVEN_NAMES[sex])
    return " ".join(secrets.choice(part) for part in names)


def _portrait(size: int) -> bytes:
    return encode_jp2(render(person(secrets.randbelow(_PORTRAIT_SEEDS))), size)
