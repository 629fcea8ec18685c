"""A test PKI and a whole signed card of an invented person.

``card()`` gives every file a card has, signed by ``issuer()``; ``trust_store()`` trusts that
issuer. Both are made once for a test run; nothing in them is kept between runs.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from PIL import Image

from issuance_backend.csca.ceremony import Ceremony, CeremonyPlan, hold_ceremony
from issuance_backend.csca.document_signer import sign_security_object
from issuance_backend.csca.signer import Signer
from tests.support.group_hashes import data_group_hashes
from verification.encoding.mrz import Td1
from verification.identity.citizen_number import CitizenNumber
from verification.identity.person_name import mrz_name
from verification.lds.common_data import CommonData, build_common_data
from verification.lds.dg1 import Dg1, build_dg1
from verification.lds.dg2 import Dg2, Portrait, build_dg2
from verification.lds.dg13 import Dg13, Dg13Field, build_dg13
from verification.lds.dg15 import Dg15, build_dg15
from verification.lds.files import LdsFile
from verification.lds.security_infos import (
    ChipAuthenticationInfo,
    ChipAuthenticationPublicKey,
    PaceInfo,
    SecurityInfos,
    TerminalAuthenticationInfo,
    build_card_access,
    build_dg14,
)
from verification.pki.trust_store import TrustStore

CEREMONY = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SIGNED = datetime(2026, 4, 1, 9, 30, tzinfo=UTC)
NOW = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
"""Inside the validity of everything that ``issuer()`` makes, its revocation list included."""

P256 = CeremonyPlan(csca_curve=ec.SECP256R1(), signer_curve=ec.SECP256R1())
"""The quickest curve, for tests that verify thousands of signatures."""

_PACE_ECDH_GM_AES_128 = "0.4.0.127.0.7.2.2.4.2.2"
_CA_ECDH_AES_128 = "0.4.0.127.0.7.2.2.3.2.2"
_CA_PUBLIC_KEY_ECDH = "0.4.0.127.0.7.2.2.1.2"
_BRAINPOOL_P256_R1 = 13


@dataclass(frozen=True)
class Holder:
    """The invented person on the card."""

    citizen_number: str = "001090123456"
    full_name: str = "Nguyễn Thị Thử Nghiệm"
    date_of_birth: str = "01/01/1990"
    mrz_date_of_birth: str = "900101"
    sex: str = "Nữ"
    date_of_issue: str = "01/04/2026"
    date_of_expiry: str = "01/01/2030"
    mrz_date_of_expiry: str = "300101"

    @property
    def number(self) -> CitizenNumber:
        return CitizenNumber(self.citizen_number)


@dataclass(frozen=True)
class SignedCard:
    """Every file, and the private keys that make the chip genuine."""

    files: Mapping[LdsFile, bytes]
    holder: Holder
    chip_authentication_key: ec.EllipticCurvePrivateKey
    active_authentication_key: ec.EllipticCurvePrivateKey

    def with_files(self, changed: Mapping[LdsFile, bytes]) -> dict[LdsFile, bytes]:
        """The files with some of them replaced; the signature stays as it was."""
        return {**self.files, **changed}

    def without(self, *left_out: LdsFile) -> dict[LdsFile, bytes]:
        """The files without some of them."""
        return {file: content for file, content in self.files.items() if file not in left_out}


@dataclass(frozen=True)
class Keys:
    """The chip's own key pairs."""

    chip: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.BrainpoolP256R1())
    )
    active: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )


@cache
def issuer() -> Ceremony:
    """The issuer as the product makes one: CSCA on P-384, document signer on brainpoolP384r1."""
    return hold_ceremony(CeremonyPlan(), CEREMONY)


@cache
def quick_issuer() -> Ceremony:
    """An issuer on P-256 throughout."""
    return hold_ceremony(P256, CEREMONY)


def rogue(plan: CeremonyPlan | None = None) -> Ceremony:
    """Another issuer under the very same names."""
    return hold_ceremony(plan or CeremonyPlan(), CEREMONY)


def trust_store(ceremony: Ceremony | None = None) -> TrustStore:
    """A store that trusts one issuer and has its revocation list."""
    trusted = ceremony or issuer()
    return TrustStore.from_certificates(
        [trusted.csca.certificate.public_bytes(Encoding.DER)],
        [trusted.revocation_list.public_bytes(Encoding.DER)],
    )


@cache
def card() -> SignedCard:
    """The genuine card of the default holder."""
    return make_card()


@cache
def quick_card() -> SignedCard:
    """The same signed by ``quick_issuer()``."""
    return make_card(signer=quick_issuer().document_signer)


def make_card(
    holder: Holder | None = None,
    *,
    signer: Signer | None = None,
    keys: Keys | None = None,
    signing_time: datetime = SIGNED,
) -> SignedCard:
    """Make and sign a card."""
    person, chip_keys = holder or Holder(), keys or Keys()
    files = unsigned_files(person, chip_keys)
    files[LdsFile.SOD] = sign_security_object(
        data_group_hashes(files), signer or issuer().document_signer, signing_time=signing_time
    )
    return SignedCard(files, person, chip_keys.chip, chip_keys.active)


def unsigned_files(holder: Holder, keys: Keys) -> dict[LdsFile, bytes]:
    """Every file but EF.SOD."""
    pace = PaceInfo(_PACE_ECDH_GM_AES_128, 2, _BRAINPOOL_P256_R1)
    chip_authentication = ChipAuthenticationInfo(_CA_ECDH_AES_128, 1)
    chip_key = ChipAuthenticationPublicKey(_CA_PUBLIC_KEY_ECDH, public_key_info(keys.chip))
    files = {
        LdsFile.CARD_ACCESS: build_card_access(
            SecurityInfos(
                pace=(pace,),
                chip_authentication=(chip_authentication,),
                terminal_authentication=(TerminalAuthenticationInfo(1),),
            )
        ),
        LdsFile.DG1: build_dg1(Dg1.of(machine_readable_zone(holder))),
        LdsFile.DG2: build_dg2(Dg2((Portrait.of(portrait()),))),
        LdsFile.DG13: build_dg13(holder_data(holder)),
        LdsFile.DG14: build_dg14(
            SecurityInfos(chip_authentication=(chip_authentication,), chip_authentication_keys=(chip_key,))
        ),
        LdsFile.DG15: build_dg15(Dg15(public_key_info(keys.active))),
    }
    listed = tuple(file for file in sorted(files) if file.is_data_group)
    files[LdsFile.COM] = build_common_data(CommonData("0107", "040000", listed))
    return files


def machine_readable_zone(holder: Holder) -> Td1:
    """DG1 as the issuer writes it."""
    primary, secondary = mrz_name(holder.full_name)
    return Td1(
        document_code="ID",
        issuing_state="VNM",
        document_number=holder.number.mrz_document_number,
        optional_data_1=holder.number.mrz_optional_data,
        date_of_birth=holder.mrz_date_of_birth,
        sex="F" if holder.sex == "Nữ" else "M",
        date_of_expiry=holder.mrz_date_of_expiry,
        nationality="VNM",
        primary_identifier=primary,
        secondary_identifier=secondary,
    )


def holder_data(holder: Holder) -> Dg13:
    """DG13 as the issuer writes it."""
    return Dg13(
        {
            Dg13Field.NUMBER: (holder.citizen_number,),
            Dg13Field.FULL_NAME: (holder.full_name,),
            Dg13Field.DATE_OF_BIRTH: (holder.date_of_birth,),
            Dg13Field.SEX: (holder.sex,),
            Dg13Field.NATIONALITY: ("Việt Nam",),
            Dg13Field.ETHNICITY: ("Kinh",),
            Dg13Field.RELIGION: ("Không",),
            Dg13Field.PLACE_OF_ORIGIN: ("Xã Thử, Huyện Nghiệm, Hà Nội",),
            Dg13Field.PLACE_OF_RESIDENCE: ("1 Phố Thử, Phường Thử Nghiệm, Hà Nội",),
            Dg13Field.IDENTIFICATION: ("Nốt ruồi cách 1cm dưới sau mắt trái",),
            Dg13Field.DATE_OF_ISSUE: (holder.date_of_issue,),
            Dg13Field.DATE_OF_EXPIRY: (holder.date_of_expiry,),
            Dg13Field.PARENTS: ("Nguyễn Cha Thử", "Trần Mẹ Thử"),
            Dg13Field.SPOUSE: (),
            Dg13Field.CARD_ID: ("0123456789ABCDEF",),
        }
    )


def no_expiry(holder: Holder | None = None) -> Holder:
    """The same person with a card that never expires."""
    return replace(holder or Holder(), date_of_expiry="Không thời hạn", mrz_date_of_expiry="991231")


def public_key_info(key: ec.EllipticCurvePrivateKey) -> bytes:
    """SubjectPublicKeyInfo in DER."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@cache
def portrait() -> bytes:
    """A picture of nobody: a JPEG of the size a chip carries, about 18 KB."""
    noise = Image.effect_noise((240, 320), 60).convert("RGB")
    encoded = io.BytesIO()
    noise.save(encoded, "JPEG", quality=25)
    return encoded.getvalue()
