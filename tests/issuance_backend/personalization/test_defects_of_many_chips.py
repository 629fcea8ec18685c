"""Seeded defects of chips over many people: every bad card is stopped for its own reason, no good one is.

What is printed is judged in ``card_faces/test_face_inspection.py``: here the print is taken for good.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import cache, partial

import msgspec
import numpy as np
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from PIL import Image

from issuance_backend.csca.ceremony import Ceremony, CeremonyPlan, hold_ceremony
from issuance_backend.csca.crl import issue_revocation_list
from issuance_backend.csca.document_signer import sign_security_object
from issuance_backend.personalization.card_faces.captured_picture import CapturedPicture
from issuance_backend.personalization.card_faces.contents import FaceContents
from issuance_backend.personalization.card_faces.face_inspection import FACE_CHECKS
from issuance_backend.personalization.card_faces.printed_faces import PrintedFaces
from issuance_backend.personalization.data_preparation import CardOrder, card_dg13, person_record, prepare
from issuance_backend.personalization.portrait_pictures import chip_portrait
from issuance_backend.personalization.quality_control import ExpectedCard, QualityControl, passed
from issuance_backend.population_registry.domain import extract
from issuance_backend.virtual_card.card_image import CardImage
from issuance_backend.virtual_card.virtual_card import VirtualCard
from tests.support.blurs import Blur, moved, out_of_focus
from tests.support.card_fingers import card_dg3, office_access
from tests.support.group_hashes import data_group_hashes
from tests.support.issuance_office import NOW, citizens, picture
from tests.support.pki import trust_store
from verification.face.image import decode_portrait, encode_jp2
from verification.iso7816.transport import CardTransport
from verification.lds.common_data import CommonData, build_common_data, parse_common_data
from verification.lds.dg2 import Dg2, Portrait, build_dg2
from verification.lds.dg13 import Dg13, Dg13Field, build_dg13
from verification.lds.files import LdsFile
from verification.lds.security_object import parse_security_object
from verification.messages.credential_status import status_key
from verification.pki.trust_store import TrustStore

CARDS = range(9)


class GoodPrint:
    """A print in which nothing is wrong."""

    def faults(
        self, printed: PrintedFaces, chip: FaceContents, captured: CapturedPicture
    ) -> dict[str, str | None]:
        return dict.fromkeys(FACE_CHECKS)


@cache
def issuer() -> Ceremony:
    return hold_ceremony(CeremonyPlan(), NOW - timedelta(days=1))


@cache
def stranger() -> Ceremony:
    """Another State's issuer, or a forger's."""
    return hold_ceremony(CeremonyPlan(), NOW - timedelta(days=1))


def sign(hashes: Mapping[LdsFile, bytes], by: Callable[[], Ceremony] = issuer) -> bytes:
    return sign_security_object(hashes, by().document_signer, signing_time=NOW)


@cache
def order(number: int) -> CardOrder:
    person = citizens(len(CARDS))[number]
    return CardOrder(
        person=person_record(person.citizen_number, extract(person).person),
        portrait=chip_portrait(picture(number)),
        dg3=card_dg3(number),
        chip_id=f"{number:016X}",
        issued_on=date(2026, 11, 21),
        expires_on=date(2039, 10, 20),
    )


@cache
def good(number: int) -> CardImage:
    return prepare(order(number), sign, trust_points=office_access().trust_points)


def resigned(number: int, file: LdsFile, content: bytes) -> CardImage:
    """Signed by ourselves: the defect is the office's own."""
    files = {**good(number).files, file: content}
    files = {**files, LdsFile.SOD: sign(data_group_hashes(files))}
    return msgspec.structs.replace(good(number), files=files)


def swapped_portrait(number: int) -> CardImage:
    theirs = order((number + 1) % len(CARDS)).portrait
    return resigned(number, LdsFile.DG2, build_dg2(Dg2((Portrait.of(theirs),))))


def blurred_portrait(number: int, blur: Blur) -> CardImage:
    """As if data preparation had made it so: everything is signed, only the capture is sharper."""
    soft = blur(Image.fromarray(decode_portrait(order(number).portrait)))
    return resigned(number, LdsFile.DG2, build_dg2(Dg2((Portrait.of(encode_jp2(np.asarray(soft), 15_000)),))))


def mrz_of_another(number: int) -> CardImage:
    return resigned(number, LdsFile.DG1, good((number + 1) % len(CARDS)).files[LdsFile.DG1])


def another_residence(number: int) -> CardImage:
    fields = {**card_dg13(order(number)).fields, Dg13Field.PLACE_OF_RESIDENCE: ("Nơi khác",)}
    return resigned(number, LdsFile.DG13, build_dg13(Dg13(fields)))


def prints_of_another(number: int) -> CardImage:
    return resigned(number, LdsFile.DG3, order((number + 1) % len(CARDS)).dg3)


def altered_print(number: int) -> CardImage:
    """One byte within an image, not what was signed: seen only by who opens the file."""
    dg3 = bytearray(order(number).dg3)
    dg3[-100 - number] ^= 1
    return msgspec.structs.replace(good(number), files={**good(number).files, LdsFile.DG3: bytes(dg3)})


def open_prints(number: int) -> CardImage:
    return msgspec.structs.replace(good(number), locked=frozenset())


def group_of_another_card(number: int) -> CardImage:
    """A data group that was written to the wrong chip: no longer what EF.SOD signs."""
    theirs = good((number + 1) % len(CARDS)).files[LdsFile.DG13]
    return msgspec.structs.replace(good(number), files={**good(number).files, LdsFile.DG13: theirs})


def another_signer(number: int) -> CardImage:
    return prepare(order(number), lambda hashes: sign(hashes, stranger))


BLURS = {
    **{f"portrait blurred by {sigma} dots": out_of_focus(sigma) for sigma in (1.0, 1.3, 1.5, 2.0, 2.5)},
    **{f"portrait moved at {angle} degrees": moved(angle) for angle in (0, 22.5, 45, 90)},
}

DEFECTS: dict[str, tuple[Callable[[int], CardImage], str, str]] = {
    "swapped portrait": (swapped_portrait, "portrait_as_captured", "QC_PORTRAIT_DIFFERS"),
    **{
        name: (partial(blurred_portrait, blur=blur), "portrait_as_sharp", "QC_PORTRAIT_BLURRED")
        for name, blur in BLURS.items()
    },
    "MRZ of another": (mrz_of_another, "mrz_as_ordered", "QC_MRZ_DIFFERS"),
    "another residence": (another_residence, "holder_data_as_ordered", "QC_HOLDER_DATA_DIFFERS"),
    "prints of another": (prints_of_another, "fingerprints_as_captured", "QC_FINGERPRINTS_DIFFER"),
    "altered print": (altered_print, "fingerprints_as_captured", "QC_FINGERPRINTS_DIFFER"),
    "prints open to all": (open_prints, "fingerprints_closed", "QC_FINGERPRINTS_OPEN"),
    "group of another card": (group_of_another_card, "data_group_hashes", "CHIP_DATA_ALTERED"),
    "another signer": (another_signer, "signer_trust", "CHIP_DS_UNTRUSTED"),
}


def findings(number: int, image: CardImage, anchors: TrustStore | None = None) -> dict[str, str | None]:
    """The codes of what quality control does not accept of a card, by check."""
    trusted = anchors or trust_store(issuer())
    control = QualityControl(lambda: trusted, os.urandom, GoodPrint())  # type: ignore[arg-type]

    def insert() -> CardTransport:
        card = VirtualCard(image)
        card.power_on()
        return card

    key = status_key(parse_security_object(image.files[LdsFile.SOD]).signature)
    expected = ExpectedCard(
        order=order(number),
        captured=picture(number),
        status_key=key,
        terminal=office_access().terminal,
    )
    found = control.inspect(insert, expected, PrintedFaces(b"", b""), NOW)
    failed = {finding.name: finding.code for finding in found if not finding.passed}
    assert passed(found) is not bool(failed)
    return failed


def test_no_good_chip_is_stopped() -> None:
    assert {number: findings(number, good(number)) for number in CARDS} == {number: {} for number in CARDS}


@pytest.mark.parametrize("defect", DEFECTS)
def test_every_seeded_chip_defect_is_stopped(defect: str) -> None:
    make, check, code = DEFECTS[defect]
    found = {number: findings(number, make(number)).get(check) for number in CARDS}
    assert {number: each for number, each in found.items() if each != code} == {}


def test_a_chip_whose_signer_was_revoked_since_is_stopped() -> None:
    """The list is read for every card: a signer may be revoked between the signature and the check."""
    signer, authority = issuer().document_signer, issuer().csca
    revoked = issue_revocation_list(
        authority,
        NOW,
        previous=issuer().revocation_list,
        revoke=[signer.certificate.serial_number],
    )
    anchors = TrustStore.from_files(
        [each.public_bytes(Encoding.DER) for each in (authority.certificate, revoked)]
    )
    assert findings(0, good(0), anchors) == {"signer_revocation": "CHIP_DS_REVOKED"}


def test_a_chip_that_was_signed_after_its_signers_last_day_is_stopped() -> None:
    signer = issuer().document_signer
    late = signer.certificate.not_valid_after_utc + timedelta(days=1)
    image = prepare(order(0), lambda hashes: sign_security_object(hashes, signer, signing_time=late))
    assert "signer_validity_at_signing" in findings(0, image)


def test_a_chip_whose_signature_was_not_written_whole_is_stopped() -> None:
    content = good(0).files[LdsFile.SOD]
    cut = content[:-1] + bytes((content[-1] ^ 1,))
    image = msgspec.structs.replace(good(0), files={**good(0).files, LdsFile.SOD: cut})
    assert findings(0, image)["sod_signature"] == "CHIP_SOD_INVALID"


def test_a_chip_whose_list_of_files_leaves_one_out_is_stopped() -> None:
    listed = parse_common_data(good(0).files[LdsFile.COM])
    short = CommonData(listed.lds_version, listed.unicode_version, listed.data_groups[:-1])
    files = {**good(0).files, LdsFile.COM: build_common_data(short)}
    failed = findings(0, msgspec.structs.replace(good(0), files=files))
    assert failed.keys() == {"com_consistency"}


def test_above_a_hundred_bad_chips_are_tried() -> None:
    assert len(CARDS) * len(DEFECTS) >= 100
