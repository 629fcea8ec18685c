"""Inputs to begin with: genuine files of every kind, made here, so that the fuzzer starts deep inside."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding

from issuance_backend.csca.master_list import sign_master_list
from issuance_backend.virtual_card.virtual_card import VirtualCard
from tests.support import images as pictures
from tests.support import pki, synthetic_cards
from tests.support.counter_bench import card_image
from tests.support.vectors import load
from verification.chip.keys import Can, MrzKey
from verification.lds.biometric_template import RecordFormat
from verification.lds.dg2 import Dg2, Portrait, build_dg2
from verification.lds.dg3 import Dg3, FingerImage, FingerPosition, build_dg3
from verification.lds.ef_cvca import build_ef_cvca
from verification.lds.files import LdsFile

CAN = Can(pki.Holder().number.can)
_DER = Encoding.DER


def file(name: LdsFile) -> Callable[[], list[bytes]]:
    """One file of the quick card."""
    return lambda: [pki.quick_card().files[name]]


def all_files() -> list[bytes]:
    """Every file of the quick card but the portrait."""
    return [content for name, content in pki.quick_card().files.items() if name is not LdsFile.DG2]


def images() -> list[bytes]:
    """Headers of every kind of picture, without the pixels: those are somebody else's parser."""
    kinds = (pictures.jpeg, pictures.jp2, pictures.codestream, pictures.png, pictures.wsq)
    return [make(64, 48) for make in kinds]


def portraits() -> list[bytes]:
    """DG2 in both standards."""
    held = [Dg2((Portrait.of(picture),)) for picture in images()[:2]]
    formats = (RecordFormat.ISO_19794_5, RecordFormat.ISO_39794_5)
    return [build_dg2(dg2, chosen) for dg2 in held for chosen in formats]


def fingers() -> list[bytes]:
    """DG3 in both standards, and with no finger in it."""
    held = Dg3((FingerImage.of(FingerPosition.RIGHT_INDEX, pictures.wsq(64, 48), ppi=500),))
    formats = (RecordFormat.ISO_19794_4, RecordFormat.ISO_39794_4)
    return [build_dg3(held, chosen) for chosen in formats] + [build_dg3(Dg3((), bytes(8)))]


def zones() -> list[bytes]:
    """Machine readable zones of the worked examples."""
    return ["\n".join(case["mrz"]).encode() for case in load("cccd_mrz_synthetic")["vectors"]]


def qr_codes() -> list[bytes]:
    """A code of each layout."""
    cases = load("qr_synthetic")["vectors"]
    return [case["text"].encode() for case in cases if case["name"].startswith("cccd2021_")]


def certificates() -> list[bytes]:
    """A CSCA and a document signer."""
    made = pki.quick_issuer()
    return [held.certificate.public_bytes(_DER) for held in (made.csca, made.document_signer)]


def public_keys() -> list[bytes]:
    """Keys on a named curve."""
    return [pki.public_key_info(pki.quick_card().chip_authentication_key)]


def revocation_lists() -> list[bytes]:
    """The issuer's own list."""
    return [pki.quick_issuer().revocation_list.public_bytes(_DER)]


def master_lists() -> list[bytes]:
    """A list of one CSCA. Its signer is none that may sign lists: parsing does not ask."""
    made = pki.quick_issuer()
    members = [made.csca.certificate.public_bytes(_DER)]
    return [sign_master_list(members, made.document_signer, made.csca.certificate, pki.SIGNED)]


def cv_certificates() -> list[bytes]:
    """A chain from the CVCA's own certificate to a terminal's."""
    return list(synthetic_cards.terminals().chain)


def card_security() -> list[bytes]:
    """EF.CardSecurity of a card that speaks PACE with chip authentication mapping."""
    return [synthetic_cards.card("pace-cam").files[LdsFile.CARD_SECURITY]]


def ef_cvca() -> list[bytes]:
    """One trust point, and two."""
    return [build_ef_cvca(["VNCVCA00001"]), build_ef_cvca(["VNCVCA00002", "VNCVCA00001"])]


def answers() -> list[bytes]:
    """Success without data, EF.CardAccess in one piece, a file header, refusals."""
    access = pki.quick_card().files[LdsFile.CARD_ACCESS]
    replies = [b"\x90\x00", access + b"\x90\x00", access[:4] + b"\x90\x00", b"\x6a\x82", b"\x61\x10"]
    return [b"".join(bytes((len(reply) - 2,)) + reply for reply in replies)]


def changes() -> list[bytes]:
    """Nothing changed, and one octet changed in each of the first commands."""
    return [b"", *(bytes((index, 3, 0x40)) for index in range(0, 60, 6))]


@cache
def _chip() -> VirtualCard:
    # BAC and one short file after the other: thousands of readings a minute.
    image = card_image(pki.quick_card())
    files = {name: content for name, content in image.files.items() if name is not LdsFile.CARD_ACCESS}
    return VirtualCard(msgspec.structs.replace(image, files=files, pace=False))


def genuine_chip() -> VirtualCard:
    """The quick card as a chip, opened by its machine readable zone."""
    return _chip()


@cache
def genuine_secret() -> MrzKey:
    """What opens it."""
    return MrzKey(card_image(pki.quick_card()).mrz_information)
