"""The chip as a whole: status words, access conditions, and that nothing outlives a reset."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from issuance_backend.virtual_card.virtual_card import VirtualCard
from tests.support import chip_card, synthetic_cards
from tests.support.chip_terminal import CAN, MRZ_INFORMATION, SELECT_APPLICATION, image
from verification.chip.keys import Can, MrzKey
from verification.chip.reading import DocumentReader
from verification.encoding.tlv import build
from verification.errors import AccessSecretWrong, CardRemoved, UnexpectedStatusWord, VerificationError
from verification.iso7816.command import CommandApdu, read_binary, select_file
from verification.lds.files import LdsFile

SELECT_COM = "00A4020C02011E"
READ = "00B0000000"
GET_CHALLENGE = "0084000008"
SET_PACE_CAN = "0022C1A40F800A04007F00070202040202830102"
FIRST_STEP = "10860000027C0000"
INSTRUCTIONS = [0x22, 0x2A, 0x82, 0x84, 0x86, 0x88, 0xA4, 0xB0, 0xB1, 0xC0]
PARAMETERS = [0x0000, 0x00BE, 0xC1A4, 0x41A4, 0x41A6, 0x81A4, 0x81B6, 0x020C, 0x040C, 0x8100]
TRUST_POINTS = (synthetic_cards.terminals().cvca.certificate.encoded,)


def answer(card: VirtualCard, command: str) -> str:
    return card.transmit(bytes.fromhex(command)).hex().upper()


def opened(**changes: object) -> tuple[VirtualCard, DocumentReader]:
    card = VirtualCard(image(**changes))
    reader = DocumentReader(card, os.urandom)
    reader.open(Can(CAN))
    return card, reader


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("", "6700"),
        ("00A4", "6700"),
        ("00A4040C07A0", "6700"),  # Lc says more than is there
        ("00A4040C02A0000000", "6700"),  # more than Lc and Le
        ("00B0000000000000FF", "6700"),  # extended, Lc 0 and data
        ("00D6000001FF", "6D00"),
        ("00FF000000", "6D00"),
        ("80B0000000", "6E00"),
        ("FFB0000000", "6882"),  # marked as protected, and there is no session
        ("0CB000000D9701048E08000000000000000000", "6882"),
        ("10B0000000", "6884"),
        ("00A4040C07A0000002471002", "6A82"),
        ("00A4040C06A00000024710", "6A82"),
        ("00A4080C023F00", "6A86"),
        ("00A402FF02011E", "6A86"),
        ("00A4020C02011E", "6A82"),  # the application is not selected
        ("00A4020C0101", "6700"),
        ("00A4000C022F00", "6A82"),
        (READ, "6986"),
        ("00B09E0008", "6A82"),
        ("00B0FE0008", "6A86"),
        ("00B1000003540100", "6986"),
        ("0084000004", "6700"),
        ("0084010008", "6A86"),
        ("0082000028" + "00" * 40 + "28", "6985"),  # no application, no challenge
        ("0088000008" + "11" * 8 + "00", "6982"),
        ("0022C1A4028000", "6A80"),
        ("0022C1A40F800A04007F00070202040204830102", "6A80"),  # AES-256 is not offered
        ("0022C1A40F800A04007F00070202040202830103", "6A88"),  # no PIN on this chip
        ("0022C1A412800A04007F0007020204020283010284010C", "6A88"),  # another curve
        ("0022C1A403FF8000", "6A80"),
        ("002241A40C800A04007F00070202030202", "6982"),
        ("002281B600", "6A86"),
        ("00860000027C0000", "6985"),
        (FIRST_STEP, "6985"),
    ],
)
def test_commands_that_a_fresh_chip_refuses(command: str, status: str) -> None:
    assert answer(VirtualCard(image()), command) == status


@pytest.mark.parametrize(
    ("sequence", "status"),
    [
        ([SELECT_APPLICATION, SELECT_COM], "6982"),
        ([SELECT_APPLICATION, "00B09E0008"], "6982"),
        ([SELECT_APPLICATION, "00A4020C020101"], "6982"),
        ([SELECT_APPLICATION, "00A4020C02010B"], "6A82"),
        ([SELECT_APPLICATION, "00A4020C02011C"], "6A82"),  # EF.CardAccess is in the master file
        ([SELECT_APPLICATION, READ], "6986"),
        ([SELECT_APPLICATION, "0082000028" + "00" * 40 + "28"], "6985"),
        ([SELECT_APPLICATION, GET_CHALLENGE, "0082000028" + "00" * 40 + "28"], "6300"),
        ([SELECT_APPLICATION, GET_CHALLENGE, "0082000010" + "00" * 16], "6700"),
        (["00A4020C02011C", "00B07FFF01"], "6B00"),
        (["00A4020C02011C", "00B00000"], "6700"),  # no Le
        ([SET_PACE_CAN, "00860000027C0000"], "6985"),  # the first step says it is the last
        ([SET_PACE_CAN, "10860000047C02800000"], "6A80"),
        ([SET_PACE_CAN, FIRST_STEP, FIRST_STEP], "6A80"),
        ([SET_PACE_CAN, FIRST_STEP, "1086000005" + "7C03810104" + "00"], "6A80"),  # not a point
        ([SET_PACE_CAN, FIRST_STEP, "1086000045" + "7C43814104" + "00" * 64 + "00"], "6A80"),
        ([SET_PACE_CAN, FIRST_STEP, "1086000045" + "7C43814104" + "FF" * 64 + "00"], "6A80"),
        ([SET_PACE_CAN, FIRST_STEP, GET_CHALLENGE, "1086000005" + "7C03810104" + "00"], "6985"),
        ([SET_PACE_CAN, SET_PACE_CAN, FIRST_STEP, SELECT_APPLICATION, FIRST_STEP], "6985"),
    ],
)
def test_commands_out_of_order(sequence: list[str], status: str) -> None:
    card = VirtualCard(image())
    for command in sequence[:-1]:
        card.transmit(bytes.fromhex(command))
    assert answer(card, sequence[-1]) == status


def test_a_challenge_is_good_for_one_attempt_only() -> None:
    card = VirtualCard(image())
    answer(card, SELECT_APPLICATION)
    answer(card, GET_CHALLENGE)
    attempt = "0082000028" + "00" * 40 + "28"
    assert [answer(card, attempt), answer(card, attempt)] == ["6300", "6985"]


def test_card_access_is_readable_before_access_and_nothing_else_is() -> None:
    card = VirtualCard(image())
    assert answer(card, "00A4020C02011C") == "9000"
    assert answer(card, READ) == image().files[LdsFile.CARD_ACCESS].hex().upper() + "9000"
    readable = []
    for application in (False, True):
        card.power_on()
        if application:
            answer(card, SELECT_APPLICATION)
        for identifier in range(0x20):
            readable += [identifier] if len(answer(card, f"00B0{0x80 | identifier:02X}0000")) > 4 else []
    assert readable == [LdsFile.CARD_ACCESS]


def test_the_end_of_a_file_is_said_and_an_open_length_takes_what_there_is() -> None:
    card = VirtualCard(image())
    answer(card, "00A4020C02011C")
    assert answer(card, "00B0001020").endswith("6282")
    assert answer(card, "00B0001000").endswith("9000")
    assert answer(card, "00B00010000000").endswith("9000")


def test_extended_length_can_be_missing() -> None:
    card = VirtualCard(image(extended_length=False))
    answer(card, "00A4020C02011C")
    assert answer(card, "00B00000000400") == "6700"


@pytest.mark.parametrize("secret", [Can(CAN), MrzKey(MRZ_INFORMATION)], ids=["CAN", "MRZ"])
def test_pace_opens_every_file_but_the_locked_one(secret: Can | MrzKey) -> None:
    chip = image()
    reader = DocumentReader(VirtualCard(chip), os.urandom)
    assert reader.open(secret).method == "PACE-GM"
    for file in (LdsFile.COM, LdsFile.DG1):
        assert read(reader, file) == chip.files[file]
    assert status_of(reader, "00A4020C020103") == 0x6982
    assert status_of(reader, "00B0830001") == 0x6982


def test_bac_opens_a_chip_without_pace() -> None:
    files = {file: content for file, content in image().files.items() if file is not LdsFile.CARD_ACCESS}
    chip = image(files=files, pace=False)
    reader = DocumentReader(VirtualCard(chip), os.urandom)
    assert reader.open(MrzKey(MRZ_INFORMATION)).method == "BAC"
    assert read(reader, LdsFile.DG1) == chip.files[LdsFile.DG1]


def test_a_wrong_can_opens_nothing_and_the_right_one_works_at_once_after_it() -> None:
    card = VirtualCard(image())
    with pytest.raises(AccessSecretWrong):
        DocumentReader(card, os.urandom).open(Can("654321"))
    answer(card, SELECT_APPLICATION)
    assert answer(card, SELECT_COM) == "6982"
    assert DocumentReader(card, os.urandom).open(Can(CAN)).method == "PACE-GM"


def test_a_chip_without_bac_refuses_it_by_name() -> None:
    card = VirtualCard(image(bac=False))
    answer(card, SELECT_APPLICATION)
    answer(card, GET_CHALLENGE)
    assert answer(card, "0082000028" + "00" * 40 + "28") == "6A88"


def test_a_far_offset_is_read_with_the_odd_instruction() -> None:
    chip = image()
    _, reader = opened()
    content = chip.files[LdsFile.DG2]
    data = bytes.fromhex("5402") + (39_000).to_bytes(2, "big")
    for expected, octets in ((3, 1), (129, 127), (130, 127), (131, 128), (0xDF, 220), (258, 255), (260, 256)):
        response = reader.channel.send(CommandApdu(0x00, 0xB1, 0x01, 0x02, data, expected))
        # Ne counts the header of the data object as well.
        assert len(response) <= expected
        assert response == build(0x53, content[39_000 : 39_000 + octets])
    for expected in (1, 2):
        with pytest.raises(UnexpectedStatusWord):
            reader.channel.send(CommandApdu(0x00, 0xB1, 0x01, 0x02, data, expected))


@pytest.mark.parametrize(
    "point",
    [
        b"",
        b"\x00",
        b"\x04" + bytes(64),
        b"\x04" + b"\xff" * 64,
        b"\x04" + bytes(31) + b"\x01" + bytes(31) + b"\x01",
        b"\x02" + bytes(32),
        b"\x04" + bytes(63),
    ],
    ids=["none", "infinity", "zero", "above the prime", "beside the curve", "compressed", "cut"],
)
def test_a_key_that_is_no_point_of_the_curve_is_refused_in_every_protocol(point: bytes) -> None:
    reader = DocumentReader(VirtualCard(chip_card.image()), os.urandom)
    reader.open(Can(chip_card.CAN))
    choose = bytes.fromhex("800A04007F00070202030202")
    reader.channel.send(CommandApdu(0x00, 0x22, 0x41, 0xA4, choose))
    agree = build(0x7C, build(0x80, point))
    assert reader.channel.exchange(CommandApdu(0x00, 0x86, 0x00, 0x00, agree, 256)) == (b"", 0x6A80)
    for step in (0x81, 0x83):
        card = VirtualCard(image())
        assert answer(card, SET_PACE_CAN) == "9000"
        assert answer(card, FIRST_STEP).endswith("9000")
        if step == 0x83:
            good = ec.generate_private_key(ec.BrainpoolP256R1()).public_key()
            mapping = good.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
            assert card.transmit(general_authenticate(0x81, mapping))[-2:] == b"\x90\x00"
        assert card.transmit(general_authenticate(step, point)) == b"\x6a\x80"


def general_authenticate(tag: int, point: bytes) -> bytes:
    return CommandApdu(0x10, 0x86, 0x00, 0x00, build(0x7C, build(tag, point)), 256).encode()


def test_a_plain_command_ends_the_session_and_what_it_had_opened() -> None:
    card, reader = opened()
    read(reader, LdsFile.COM)
    assert answer(card, READ) == "6982"
    assert answer(card, "00B09E0008") == "6982"
    with pytest.raises(VerificationError):
        read(reader, LdsFile.COM)


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("0CB000000D9701048E080000000000000000" + "00", "6988"),
        ("0CB000000397010400", "6987"),
        ("0CB0000000", "6987"),
        ("0CB00000028E0800", "6987"),
    ],
)
def test_bad_protection_ends_the_session(command: str, status: str) -> None:
    card, _ = opened()
    assert answer(card, command) == status
    assert answer(card, "0CB000000D9701048E08000000000000000000") == "6882"


@pytest.mark.parametrize("ending", [VirtualCard.power_off, VirtualCard.power_on])
def test_nothing_outlives_a_reset_at_any_point(ending: Callable[[VirtualCard], object]) -> None:
    """Cut a whole session after each of its commands: the chip is as new, and can be opened again."""
    total = commands_of_a_session()
    assert total > 8
    for cut in range(total):
        card = VirtualCard(image())
        with pytest.raises(CardRemoved):
            session(CutAfter(card, cut))
        ending(card)
        assert answer(card, READ) == "6986"
        assert answer(card, "0CB000000D9701048E08000000000000000000") == "6882"
        assert answer(card, FIRST_STEP) == "6985"
        assert answer(card, SELECT_APPLICATION) == "9000"
        assert answer(card, SELECT_COM) == "6982"
        assert session(CutAfter(card, total)) == hashlib.sha256(image().files[LdsFile.DG1]).digest()


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(min_size=0, max_size=40), min_size=1, max_size=6))
def test_any_bytes_get_an_answer_and_none_reads_a_file_before_access(commands: list[bytes]) -> None:
    card = VirtualCard(image())
    card.transmit(bytes.fromhex(SELECT_APPLICATION))
    secret_parts = [content[:3] for file, content in image().files.items() if file is not LdsFile.CARD_ACCESS]
    for command in commands:
        response = card.transmit(command)
        assert len(response) >= 2
        assert not any(part in response for part in secret_parts)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(INSTRUCTIONS),
    st.sampled_from([0x00, 0x0C, 0x10]),
    st.sampled_from(PARAMETERS),
    st.binary(max_size=80),
)
def test_any_data_in_a_known_command_gets_an_answer(ins: int, cla: int, parameters: int, data: bytes) -> None:
    for start in ([], [SET_PACE_CAN], [SET_PACE_CAN, FIRST_STEP]):
        card = VirtualCard(image(trust_points=TRUST_POINTS))
        for command in start:
            answer(card, command)
        body = bytes((len(data),)) + data if data else b""
        assert len(card.transmit(bytes((cla, ins)) + parameters.to_bytes(2, "big") + body + b"\x00")) >= 2


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(INSTRUCTIONS),
            st.sampled_from([0x00, 0x10]),
            st.sampled_from(PARAMETERS),
            st.binary(max_size=60),
            st.sampled_from([None, 8, 256]),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_any_commands_in_a_session_get_protected_answers_and_open_no_fingerprints(
    commands: list[tuple[int, int, int, bytes, int | None]],
) -> None:
    source = chip_card.image(trust_points=TRUST_POINTS)
    reader = DocumentReader(VirtualCard(source), os.urandom)
    reader.open(Can(chip_card.CAN))
    for ins, cla, parameters, data, expected in commands:
        command = CommandApdu(cla, ins, parameters >> 8, parameters & 0xFF, data, expected)
        reader.channel.exchange(command)
        assert not reader.channel.is_session_lost
    # An unfinished chain is in the way once, and the master file may have been selected.
    for _ in range(2):
        reader.channel.exchange(CommandApdu.parse(bytes.fromhex(SELECT_APPLICATION)))
    assert status_of(reader, "00A4020C020103") == 0x6982
    assert status_of(reader, SELECT_COM) == 0x9000


def read(reader: DocumentReader, file: LdsFile) -> bytes:
    reader.channel.send(select_file(file.file_id))
    return reader.channel.send(read_binary(0, 256))


def status_of(reader: DocumentReader, command: str) -> int:
    return reader.channel.exchange(CommandApdu.parse(bytes.fromhex(command)))[1]


class CutAfter:
    """A transport that loses the card after some commands."""

    def __init__(self, card: VirtualCard, commands: int) -> None:
        self._card = card
        self._left = commands
        self.used = 0

    def transmit(self, command: bytes) -> bytes:
        if self._left == 0:
            raise CardRemoved("pulled")
        self._left -= 1
        self.used += 1
        return self._card.transmit(command)


def session(transport: CutAfter) -> bytes:
    reader = DocumentReader(transport, os.urandom)
    reader.open(Can(CAN))
    return hashlib.sha256(read(reader, LdsFile.DG1)).digest()


def commands_of_a_session() -> int:
    transport = CutAfter(VirtualCard(image()), 10_000)
    session(transport)
    return transport.used
