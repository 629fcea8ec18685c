"""Seeded defects: a card with any of them never leaves the office."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import Any

import msgspec
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from PIL import Image, ImageFilter

from issuance_backend.csca.ceremony import Ceremony, CeremonyPlan, hold_ceremony
from issuance_backend.csca.document_signer import sign_security_object
from issuance_backend.personalization.card_faces.face_inspection import FACE_CHECKS, FaceControl
from issuance_backend.personalization.card_faces.fonts import CardFonts
from issuance_backend.personalization.card_faces.printed_faces import PrintedFaces, print_job
from issuance_backend.personalization.data_preparation import (
    CardOrder,
    card_dg1,
    card_dg13,
    ordered_faces,
    person_record,
    prepare,
)
from issuance_backend.personalization.portrait_pictures import chip_portrait
from issuance_backend.personalization.quality_control import ExpectedCard, QualityControl, passed
from issuance_backend.population_registry.domain import extract
from issuance_backend.virtual_card.card_image import CardImage
from issuance_backend.virtual_card.virtual_card import VirtualCard
from tests.support.card_fingers import card_dg3, office_access
from tests.support.group_hashes import data_group_hashes
from tests.support.issuance_office import NOW, citizens, picture
from tests.support.pki import trust_store
from verification.chip.terminal_authentication import Terminal
from verification.face.image import decode_portrait, encode_jp2
from verification.iso7816.transport import CardTransport
from verification.lds.dg2 import Dg2, Portrait, build_dg2
from verification.lds.dg13 import Dg13, Dg13Field, build_dg13
from verification.lds.files import LdsFile
from verification.lds.security_object import parse_security_object
from verification.messages.credential_status import status_key

HOLDER, OTHER = citizens()[0], citizens()[3]


@cache
def issuer() -> Ceremony:
    return hold_ceremony(CeremonyPlan(), NOW - timedelta(days=1))


def sign(hashes: Mapping[LdsFile, bytes]) -> bytes:
    return sign_security_object(hashes, issuer().document_signer, signing_time=NOW)


def order(person: Any = HOLDER, portrait: int = 1) -> CardOrder:
    return CardOrder(
        person=person_record(person.citizen_number, extract(person).person),
        portrait=chip_portrait(picture(portrait)),
        dg3=card_dg3(portrait),
        chip_id="0123456789ABCDEF",
        issued_on=date(2026, 11, 21),
        expires_on=date(2039, 10, 20),
    )


@cache
def good() -> CardImage:
    return prepare(order(), sign, trust_points=office_access().trust_points)


def resigned(image: CardImage, **files: bytes) -> CardImage:
    """The image with other data groups, properly signed: the defect is ours, not a forger's."""
    changed = {**image.files, **{LdsFile[name]: content for name, content in files.items()}}
    return msgspec.structs.replace(image, files={**changed, LdsFile.SOD: sign(data_group_hashes(changed))})


@cache
def printed_as_ordered() -> PrintedFaces:
    return print_job(ordered_faces(order()), CardFonts()).faces


def findings(
    image: CardImage,
    *,
    key: str | None = None,
    printed: PrintedFaces | None = None,
    terminal: Terminal | None = None,
) -> dict[str, str | None]:
    recorded = key or status_key(parse_security_object(image.files[LdsFile.SOD]).signature)
    control = QualityControl(lambda: trust_store(issuer()), os.urandom, FaceControl(CardFonts()))

    def insert() -> CardTransport:
        card = VirtualCard(image)
        card.power_on()
        return card

    expected = ExpectedCard(order=order(), captured=picture(1), status_key=recorded, terminal=terminal)
    found = control.inspect(insert, expected, printed or printed_as_ordered(), NOW)
    failed = {finding.name: finding.code for finding in found if not finding.passed}
    assert passed(found) is not bool(failed)
    return failed


def _flip(content: bytes) -> bytes:
    return content[:-20] + bytes((content[-20] ^ 1,)) + content[-19:]


def _other_key() -> bytes:
    key = ec.generate_private_key(ec.BrainpoolP256R1())
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def _dg13(field: Dg13Field, text: str) -> bytes:
    fields = dict(card_dg13(order()).fields)
    fields[field] = (text,)
    return build_dg13(Dg13(fields))


def blurred_portrait() -> bytes:
    picture_of_chip = Image.fromarray(decode_portrait(order().portrait))
    return encode_jp2(np.asarray(picture_of_chip.filter(ImageFilter.GaussianBlur(2.5))), 15_000)


def without(image: CardImage, file: LdsFile) -> CardImage:
    files = {name: content for name, content in image.files.items() if name is not file}
    return msgspec.structs.replace(image, files=files)


def test_a_good_card_passes_every_check() -> None:
    assert findings(good()) == {}


def test_a_good_card_passes_before_a_terminal_that_reads_its_prints() -> None:
    assert findings(good(), terminal=office_access().terminal) == {}


def test_prints_of_another_are_stopped_by_their_hash_where_nobody_may_read_them() -> None:
    theirs = resigned(good(), DG3=card_dg3(2))
    assert findings(theirs) == {"fingerprints_as_captured": "QC_FINGERPRINTS_DIFFER"}


def test_a_print_of_which_a_byte_was_lost_is_stopped_by_who_reads_it() -> None:
    lost = {**good().files, LdsFile.DG3: _flip(good().files[LdsFile.DG3])}
    found = findings(msgspec.structs.replace(good(), files=lost), terminal=office_access().terminal)
    assert found["fingerprints_as_captured"] == "QC_FINGERPRINTS_DIFFER"
    assert found["data_group_hashes"] == "CHIP_DATA_ALTERED"


def test_a_chip_that_does_not_know_the_authority_of_terminals_is_stopped() -> None:
    found = findings(prepare(order(), sign), terminal=office_access().terminal)
    assert found.keys() == {"fingerprints_opened", "fingerprints_as_captured"}


def test_a_card_without_prints_is_stopped() -> None:
    found = findings(without(good(), LdsFile.DG3), terminal=office_access().terminal)
    assert {"fingerprints_closed", "fingerprints_as_captured"} <= found.keys()


DEFECTS: list[tuple[str, Callable[[], CardImage], str, str]] = [
    (
        "swapped portrait",
        lambda: resigned(good(), DG2=build_dg2(Dg2((Portrait.of(chip_portrait(picture(9))),)))),
        "portrait_as_captured",
        "QC_PORTRAIT_DIFFERS",
    ),
    (
        "blurred portrait in DG2",
        lambda: resigned(good(), DG2=build_dg2(Dg2((Portrait.of(blurred_portrait()),)))),
        "portrait_as_sharp",
        "QC_PORTRAIT_BLURRED",
    ),
    (
        "MRZ on the chip that is not the printed one",
        lambda: resigned(good(), DG1=prepare(order(OTHER), sign).files[LdsFile.DG1]),
        "printed_mrz",
        "QC_PRINTED_MRZ_DIFFERS",
    ),
    (
        "residence on the chip that is not the printed one",
        lambda: resigned(good(), DG13=_dg13(Dg13Field.PLACE_OF_RESIDENCE, "Xã Khác, Huyện Khác")),
        "printed_qr",
        "QC_PRINTED_QR_DIFFERS",
    ),
    (
        "wrong residence in DG13",
        lambda: resigned(good(), DG13=_dg13(Dg13Field.PLACE_OF_RESIDENCE, "Xã Khác, Huyện Khác")),
        "holder_data_as_ordered",
        "QC_HOLDER_DATA_DIFFERS",
    ),
    (
        "name in DG13 of somebody else",
        lambda: resigned(good(), DG13=_dg13(Dg13Field.FULL_NAME, OTHER.full_name)),
        "holder_consistency",
        "CHIP_HOLDER_INCONSISTENT",
    ),
    (
        "MRZ of somebody else",
        lambda: resigned(good(), DG1=prepare(order(OTHER), sign).files[LdsFile.DG1]),
        "mrz_as_ordered",
        "QC_MRZ_DIFFERS",
    ),
    (
        "wrong chip authentication key",
        lambda: msgspec.structs.replace(good(), chip_authentication_key=_other_key()),
        "chip_authentication",
        "CHIP_CLONED",
    ),
    (
        "wrong active authentication key",
        lambda: msgspec.structs.replace(good(), active_authentication_key=_other_key()),
        "active_authentication",
        "CHIP_AA_FAILED",
    ),
    (
        "a byte of DG13 lost in writing",
        lambda: msgspec.structs.replace(
            good(), files={**good().files, LdsFile.DG13: _flip(good().files[LdsFile.DG13])}
        ),
        "data_group_hashes",
        "CHIP_DATA_ALTERED",
    ),
    (
        "date of issue before any layout",
        lambda: resigned(good(), DG13=_dg13(Dg13Field.DATE_OF_ISSUE, "01/02/2019")),
        "faces_as_chip",
        "CARD_LAYOUT_UNKNOWN",
    ),
    ("no portrait", lambda: without(good(), LdsFile.DG2), "portrait_as_captured", "QC_FILE_MISSING"),
    ("no EF.SOD", lambda: without(good(), LdsFile.SOD), "status_key_as_recorded", "QC_FILE_MISSING"),
    (
        "wrong CAN",
        lambda: msgspec.structs.replace(good(), can="000001"),
        "reads_by_can",
        "ACCESS_SECRET_WRONG",
    ),
    (
        "wrong MRZ secret",
        lambda: msgspec.structs.replace(good(), mrz_information=prepare(order(OTHER), sign).mrz_information),
        "opens_by_mrz",
        "ACCESS_SECRET_WRONG",
    ),
]


@pytest.mark.parametrize(
    ("make", "check", "code"), [defect[1:] for defect in DEFECTS], ids=[defect[0] for defect in DEFECTS]
)
def test_a_seeded_defect_is_stopped(make: Callable[[], CardImage], check: str, code: str) -> None:
    original = status_key(parse_security_object(good().files[LdsFile.SOD]).signature)
    image = make()
    key = None if LdsFile.SOD in image.files else original
    assert findings(image, key=key)[check] == code


def test_a_whole_card_of_somebody_else_is_stopped() -> None:
    image = prepare(order(OTHER, portrait=4), sign)
    failed = findings(image)
    assert failed["reads_by_can"] == "ACCESS_SECRET_WRONG"


def test_a_card_of_another_order_of_the_same_person_is_stopped() -> None:
    again = prepare(replace(order(), chip_id="FEDCBA9876543210"), sign)
    recorded = status_key(parse_security_object(good().files[LdsFile.SOD]).signature)
    assert findings(again, key=recorded) == {
        "holder_data_as_ordered": "QC_HOLDER_DATA_DIFFERS",
        "status_key_as_recorded": "QC_STATUS_KEY_DIFFERS",
    }


def test_a_card_of_an_issuer_we_do_not_trust_is_stopped() -> None:
    rogue = hold_ceremony(CeremonyPlan(), NOW).document_signer
    image = prepare(order(), lambda hashes: sign_security_object(hashes, rogue, signing_time=NOW))
    assert findings(image)["signer_trust"] == "CHIP_DS_UNTRUSTED"


def test_the_chip_portrait_fits_its_budget() -> None:
    portrait = Portrait.of(chip_portrait(picture(5)))
    assert (portrait.width, portrait.height, portrait.media_type) == (480, 640, "image/jp2")
    assert len(portrait.image) <= 15_000


def test_an_older_holder_gets_a_card_without_expiry() -> None:
    endless = replace(order(), expires_on=None)
    assert card_dg1(endless).zone.date_of_expiry == "991231"
    assert card_dg13(endless).fields[Dg13Field.DATE_OF_EXPIRY] == ("Không thời hạn",)


def test_keys_are_made_anew_for_every_chip() -> None:
    one, other = prepare(order(), sign), prepare(order(), sign)
    for name in ("chip_authentication_key", "active_authentication_key"):
        assert getattr(one, name) != getattr(other, name)
    assert (
        hashlib.sha256(one.files[LdsFile.DG14]).digest() != hashlib.sha256(other.files[LdsFile.DG14]).digest()
    )


def test_the_faces_of_another_card_are_stopped() -> None:
    theirs = print_job(ordered_faces(order(OTHER, portrait=4)), CardFonts()).faces
    assert set(FACE_CHECKS) - {"faces_scanned", "printed_lines"} <= findings(good(), printed=theirs).keys()
