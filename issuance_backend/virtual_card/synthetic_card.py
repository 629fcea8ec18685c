"""A fresh card of an invented citizen, signed by any document signer: for test stands and outside readers."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from issuance_backend.virtual_card.card_image import CardImage
from verification.encoding.dates import slashed, yymmdd
from verification.encoding.mrz import Td1
from verification.encoding.tlv import OCTET_STRING, build
from verification.face.image import encode_jp2
from verification.face.procedural_portrait import person, render
from verification.identity.citizen_number import CitizenNumber
from verification.identity.person_name import mrz_name
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

_PACE_ECDH_GM_AES_128 = "0.4.0.127.0.7.2.2.4.2.2"
_CA_ECDH_3DES = "0.4.0.127.0.7.2.2.3.2.1"
_CA_ECDH_AES_128 = "0.4.0.127.0.7.2.2.3.2.2"
_ECDSA_PLAIN_SHA256 = "0.4.0.127.0.7.1.1.4.1.3"
_BRAINPOOL_P256R1 = 13
_RSA_BITS = 2048
_PORTRAIT_SEEDS = 400

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

SodSigner = Callable[[Mapping[LdsFile, bytes]], bytes]
"""Makes EF.SOD over the SHA-256 hashes of the data groups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipProfile:
    """Which protocols and files a card has."""

    pace: bool = True
    national: bool = False
    agreement: str = _CA_ECDH_AES_128
    rsa: bool = False


PROFILES = {
    "bac": ChipProfile(pace=False, agreement=_CA_ECDH_3DES, rsa=True),
    "pace-gm": ChipProfile(),
    "cccd": ChipProfile(national=True),
}
PROFILES_TO_COME = ("pace-im", "pace-cam")


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
    profile: ChipProfile, holder: Holder, sign: SodSigner, portrait_bytes: int = 15_000
) -> CardImage:
    """Make every file and key of a card; ``portrait_bytes`` is the size its picture is pressed to."""
    agreement_key = ec.generate_private_key(ec.BrainpoolP256R1())
    signing_key = _signing_key(rsa_key=profile.rsa)
    dg1 = _dg1(holder)
    groups = {
        LdsFile.DG1: build_dg1(dg1),
        LdsFile.DG2: build_dg2(Dg2((Portrait.of(_portrait(portrait_bytes)),))),
        **(_national_groups(holder) if profile.national else {}),
        LdsFile.DG14: build_dg14(_chip_protocols(profile, agreement_key)),
        LdsFile.DG15: build_dg15(Dg15(_public_info(signing_key))),
    }
    files = groups | {
        LdsFile.COM: build_common_data(CommonData("0107", "040000", tuple(groups))),
        LdsFile.SOD: sign({file: hashlib.sha256(content).digest() for file, content in groups.items()}),
    }
    if profile.pace:
        files[LdsFile.CARD_ACCESS] = build_card_access(_access_protocols(profile))
    return CardImage(
        files=files,
        can=holder.number.can,
        mrz_information=dg1.zone.information,
        chip_authentication_key=_private_info(agreement_key),
        active_authentication_key=_private_info(signing_key),
        pace=profile.pace,
        locked=frozenset({LdsFile.DG3}) & groups.keys(),
        selects_master_file=not profile.national,
    )


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


def _national_groups(holder: Holder) -> dict[LdsFile, bytes]:
    """DG3 and DG13 as the national card has them; fingerprints are random, no reader of ours opens them."""
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
    return {
        LdsFile.DG3: build(LdsFile.DG3.tag, build(OCTET_STRING, secrets.token_bytes(12_000))),
        LdsFile.DG13: build_dg13(Dg13(fields)),
    }


def _parent(sex: str) -> str:
    names = (_FAMILY_NAMES, _MIDDLE_NAMES[sex], _GIVEN_NAMES[sex])
    return " ".join(secrets.choice(part) for part in names)


def _portrait(size: int) -> bytes:
    return encode_jp2(render(person(secrets.randbelow(_PORTRAIT_SEEDS))), size)


def _access_protocols(profile: ChipProfile) -> SecurityInfos:
    infos = SecurityInfos(pace=(PaceInfo(_PACE_ECDH_GM_AES_128, 2, _BRAINPOOL_P256R1),))
    if not profile.national:
        return infos
    # The national card announces chip and terminal authentication here too.
    return SecurityInfos(
        pace=infos.pace,
        chip_authentication=(ChipAuthenticationInfo(profile.agreement, 1),),
        terminal_authentication=(TerminalAuthenticationInfo(1),),
    )


def _chip_protocols(profile: ChipProfile, key: ec.EllipticCurvePrivateKey) -> SecurityInfos:
    return SecurityInfos(
        pace=_access_protocols(profile).pace if profile.pace else (),
        chip_authentication=(ChipAuthenticationInfo(profile.agreement, 1),),
        chip_authentication_keys=(ChipAuthenticationPublicKey(PUBLIC_KEY_ECDH, _public_info(key)),),
        active_authentication=() if profile.rsa else (ActiveAuthenticationInfo(1, _ECDSA_PLAIN_SHA256),),
        terminal_authentication=(TerminalAuthenticationInfo(1),) if profile.national else (),
    )


def _signing_key(*, rsa_key: bool) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    if rsa_key:
        return rsa.generate_private_key(65537, _RSA_BITS)
    return ec.generate_private_key(ec.BrainpoolP256R1())


def _public_info(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _private_info(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
