"""What real chips do otherwise, one quirk at a time, and that the reader copes with each."""

from __future__ import annotations

import os

import pytest

from issuance_backend.virtual_card.card_image import CardImage
from issuance_backend.virtual_card.chip_profiles import AgreementOffer, ChipProfile
from issuance_backend.virtual_card.quirks import STANDARD, Quirks
from issuance_backend.virtual_card.virtual_card import VirtualCard
from tests.support.chip_card import CAN, profiled
from verification.chip.keys import Can, Suite
from verification.chip.reading import DocumentReader
from verification.errors import CardCommunication
from verification.iso7816.command import CommandApdu
from verification.lds.files import LdsFile

CARD_ACCESS = "00A4020C02011C"


def answers(card: VirtualCard, *commands: str) -> list[str]:
    return [card.transmit(bytes.fromhex(command)).hex().upper() for command in commands]


def image(**quirks: object) -> CardImage:
    return profiled(ChipProfile(quirks=Quirks(**quirks)))  # type: ignore[arg-type]


def read_whole(source: CardImage) -> DocumentReader:
    reader = DocumentReader(VirtualCard(source), os.urandom)
    reader.open(Can(CAN))
    files = reader.read_files()
    for file in (LdsFile.DG1, LdsFile.DG2, LdsFile.DG14, LdsFile.SOD):
        assert files[file] == source.files[file]
    return reader


def test_no_quirk_is_the_standard() -> None:
    assert ChipProfile().quirks == STANDARD == Quirks()
    assert CardImage.from_bytes(image(largest_block=64).to_bytes()).quirks.largest_block == 64


@pytest.mark.parametrize("status", [0x6D00, 0x6985, 0x6A86, 0x6700, 0x6A87])
def test_select_mf_is_refused_with_many_a_word(status: int) -> None:
    source = profiled(ChipProfile(quirks=Quirks(master_file_status=status)), selects_master_file=False)
    card = VirtualCard(source)
    assert answers(card, "00A4000C023F00", CARD_ACCESS) == [f"{status:04X}", "9000"]
    read_whole(source)


@pytest.mark.parametrize(
    ("beyond", "expected"), [(0x6700, "6700"), (0x6B00, "6B00"), (0x6C00, "6C10"), (0x6F00, "6F00")]
)
def test_a_block_too_long_is_refused_by_the_word_of_this_chip(beyond: int, expected: str) -> None:
    card = VirtualCard(image(largest_block=16, beyond_block=beyond))
    content = image().files[LdsFile.CARD_ACCESS]
    assert answers(card, CARD_ACCESS, "00B0000011") == ["9000", expected]
    assert answers(card, "00B0000010") == [content[:16].hex().upper() + "9000"]


@pytest.mark.parametrize(("beyond", "status"), [(0x6282, "6282"), (0x9000, "9000")])
def test_a_block_too_long_is_cut(beyond: int, status: str) -> None:
    card = VirtualCard(image(largest_block=16, beyond_block=beyond))
    content = image().files[LdsFile.CARD_ACCESS]
    assert answers(card, CARD_ACCESS, "00B0000000")[1] == content[:16].hex().upper() + status


@pytest.mark.parametrize("beyond", [0x6700, 0x6B00, 0x6C00, 0x6282, 0x9000])
@pytest.mark.parametrize("largest", [0xA0, 0xDF])
def test_the_reader_finds_the_block_that_goes(largest: int, beyond: int) -> None:
    read_whole(image(largest_block=largest, beyond_block=beyond))


def test_a_chip_without_extended_length_is_read() -> None:
    read_whole(profiled(ChipProfile(extended_length=False)))


def test_a_session_that_ends_with_every_error_is_opened_again() -> None:
    source = image(errors_end_session=True)
    reader = DocumentReader(VirtualCard(source), os.urandom)
    reader.open(Can(CAN))
    assert reader.channel.exchange(CommandApdu(0x00, 0xA4, 0x02, 0x0C, b"\x01\x0b"))[1] == 0x6A82
    with pytest.raises(CardCommunication):
        reader.channel.send(CommandApdu(0x00, 0xA4, 0x02, 0x0C, b"\x01\x01"))
    read_whole(source)


def test_a_long_answer_comes_in_parts_by_get_response() -> None:
    card = VirtualCard(profiled(ChipProfile(rsa_hash="sha256", quirks=Quirks(answers_in_parts=True))))
    reader = DocumentReader(card, os.urandom)
    reader.open(Can(CAN))
    signature = reader.sign_challenge(bytes(8))
    assert len(signature) == 256
    # Nothing is left to be fetched, and it was there for one request only.
    assert answers(card, "00C0000010") == ["6D00"]


def test_the_parts_of_an_answer_are_whole_in_any_division() -> None:
    source = profiled(
        ChipProfile(quirks=Quirks(answers_in_parts=True)),
        files={LdsFile.CARD_ACCESS: b"\x31" + bytes(range(255)) * 3},
    )
    card = VirtualCard(source)
    content = source.files[LdsFile.CARD_ACCESS]
    answers(card, CARD_ACCESS)
    # A short READ BINARY never needs parts; an extended one carries its answer whole.
    assert answers(card, "00B0000000") == [content[:256].hex().upper() + "9000"]
    assert answers(card, "00B00000000300")[0][:-4] == content.hex().upper()


def test_another_command_drops_the_rest_of_an_answer() -> None:
    card = VirtualCard(profiled(ChipProfile(rsa_hash="sha256", quirks=Quirks(answers_in_parts=True))))
    reader = DocumentReader(card, os.urandom)
    reader.open(Can(CAN))
    session = reader.channel.secure_messaging
    assert session is not None
    first = card.transmit(session.protect(CommandApdu(0x00, 0x88, 0x00, 0x00, bytes(8), 256)))
    assert (len(first), first[-2]) == (258, 0x61)
    left = first[-1]
    pieces = [card.transmit(bytes((0x00, 0xC0, 0x00, 0x00, 8))) for _ in range((left - 1) // 8)]
    assert [piece[-2:].hex() for piece in pieces[:2]] == [f"61{left - 8:02x}", f"61{left - 16:02x}"]
    assert card.transmit(bytes.fromhex(CARD_ACCESS)) == b"\x6a\x82"
    assert card.transmit(bytes.fromhex("00C0000008")) == b"\x6d\x00"


def test_a_chip_without_set_kat_takes_set_at_for_3des() -> None:
    profile = ChipProfile(
        agreement=(AgreementOffer(Suite.TRIPLE_DES, 13),), quirks=Quirks(lacks_key_agreement_template=True)
    )
    source = profiled(profile)
    reader = DocumentReader(VirtualCard(source), os.urandom)
    reader.open(Can(CAN))
    at_once = CommandApdu(0x00, 0x22, 0x41, 0xA6, b"\x91\x00")
    assert reader.channel.exchange(at_once)[1] == 0x6A80
    choose = CommandApdu(0x00, 0x22, 0x41, 0xA4, bytes.fromhex("800A04007F00070202030201"))
    assert reader.channel.exchange(choose)[1] == 0x9000
