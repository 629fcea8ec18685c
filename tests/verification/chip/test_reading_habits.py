"""Cards carry different things: how each of them is read whole, fingerprints too."""

from __future__ import annotations

import os

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from issuance_backend.virtual_card.quirks import Quirks
from issuance_backend.virtual_card.virtual_card import VirtualCard
from tests.support.chip_card import (
    CAN,
    Interposed,
    dg14,
    filled,
    image,
    private_info,
    public_info,
)
from tests.support.chip_reader import MRZ, READABLE, reader_of
from tests.support.terminal_pki import terminal_chain
from verification.chip.active_authentication import verify_active_authentication
from verification.chip.card_types import CardLimits, CardTypeMemory
from verification.chip.keys import Can, MrzKey
from verification.chip.reading import DocumentReader, ReadPolicy
from verification.chip.terminal_authentication import Terminal
from verification.errors import (
    UnexpectedStatusWord,
    VerificationError,
)
from verification.lds.dg15 import Dg15, build_dg15
from verification.lds.files import LdsFile
from verification.lds.security_infos import PaceInfo, SecurityInfos, build_card_access

# -- what cards carry -------------------------------------------------------------------------

CARDS = {
    "SELECT MF 6985": {"selects_master_file": False, "quirks": Quirks(master_file_status=0x6985)},
    "SELECT MF 6A86": {"selects_master_file": False, "quirks": Quirks(master_file_status=0x6A86)},
    "SELECT MF 6700": {"selects_master_file": False, "quirks": Quirks(master_file_status=0x6700)},
    "no extended length": {"extended_length": False},
    "no extended length, errors end the session": {
        "extended_length": False,
        "quirks": Quirks(errors_end_session=True),
    },
    "1000 octets, 9000": {"quirks": Quirks(largest_block=1000, beyond_block=0x9000)},
    "1000 octets, 6282": {"quirks": Quirks(largest_block=1000, beyond_block=0x6282)},
    "160 octets, 6282": {"quirks": Quirks(largest_block=160, beyond_block=0x6282)},
    "160 octets, 6700": {"quirks": Quirks(largest_block=160, beyond_block=0x6700)},
    "160 octets, 6700 ends the session": {
        "quirks": Quirks(largest_block=160, beyond_block=0x6700, errors_end_session=True)
    },
    "112 octets, 6B00 ends the session": {
        "quirks": Quirks(largest_block=112, beyond_block=0x6B00, errors_end_session=True)
    },
    "200 octets, 6CC8": {"extended_length": False, "quirks": Quirks(largest_block=200, beyond_block=0x6C00)},
    "200 octets, 6CC8 ends the session": {
        "extended_length": False,
        "quirks": Quirks(largest_block=200, beyond_block=0x6C00, errors_end_session=True),
    },
    "answers in parts": {"extended_length": False, "quirks": Quirks(answers_in_parts=True)},
    "MSE wants tag 84": {"quirks": Quirks(wants_domain_parameters=True)},
}


@pytest.mark.parametrize("habits", CARDS.values(), ids=CARDS.keys())
@pytest.mark.parametrize("secret", [Can(CAN), MRZ], ids=["PACE", "BAC"])
def test_a_card_of_any_habit_is_read_whole(habits: dict[str, object], secret: Can | MrzKey) -> None:
    if isinstance(secret, Can):
        card = image(**habits)
    else:
        without_pace = {LdsFile.DG14: dg14(pace=())}
        card = image(without=(LdsFile.CARD_ACCESS,), pace=False, files=without_pace, **habits)
    reader = reader_of(VirtualCard(card))
    reader.open(secret)
    expected = {file: content for file, content in card.files.items() if file is not LdsFile.DG3}
    assert reader.read_files() == expected
    assert reader.locked == [LdsFile.DG3]
    signature = reader.sign_challenge(bytes(8))
    verify_active_authentication(expected[LdsFile.DG15], bytes(8), signature, dg14=expected[LdsFile.DG14])


@pytest.mark.parametrize("habits", [{"extended_length": False}, {}], ids=["short", "extended"])
@pytest.mark.parametrize("in_parts", [True, False])
def test_a_signature_longer_than_a_short_answer_comes_whole(habits: dict[str, bool], in_parts: bool) -> None:
    key = rsa.generate_private_key(65537, 2048)
    card = image(
        files={LdsFile.DG15: build_dg15(Dg15(public_info(key)))},
        active_authentication_key=private_info(key),
        quirks=Quirks(answers_in_parts=in_parts),
        **habits,
    )
    reader = reader_of(VirtualCard(card), files=(LdsFile.DG15,))
    reader.open(Can(CAN))
    reader.read_files()
    signature = reader.sign_challenge(bytes(8))
    verify_active_authentication(card.files[LdsFile.DG15], bytes(8), signature, dg14=None)


class Counted:
    """Counts how often a card is opened."""

    def __init__(self, **changes: object) -> None:
        self.openings = 0
        self._card = VirtualCard(image(**changes))

    def transmit(self, command: bytes) -> bytes:
        self.openings += command[1:4].hex() in ("22c1a4", "820000")
        return self._card.transmit(command)


@pytest.mark.parametrize("pace", [True, False])
def test_what_a_card_carries_is_found_out_once_for_its_type(pace: bool) -> None:
    quirks = Quirks(largest_block=160, beyond_block=0x6700, errors_end_session=True)
    changes = {"quirks": quirks, "pace": pace, "extended_length": False}
    if not pace:
        changes |= {"without": (LdsFile.CARD_ACCESS,), "files": {LdsFile.DG14: dg14(pace=())}}
    memory = CardTypeMemory()
    openings = []
    for _ in range(3):
        card = Counted(**changes)
        reader = DocumentReader(
            card, os.urandom, policy=ReadPolicy(files=(LdsFile.COM, LdsFile.DG2)), memory=memory
        )
        reader.open(MRZ)
        assert reader.read_files()[LdsFile.DG2] == READABLE[LdsFile.DG2]
        openings.append(card.openings)
    assert openings[0] > 1
    assert openings[1:] == [1, 1]


def test_one_type_of_card_is_not_held_against_another() -> None:
    memory = CardTypeMemory()
    quirks = Quirks(largest_block=112, beyond_block=0x6700, errors_end_session=True)
    weak = DocumentReader(VirtualCard(image(quirks=quirks)), os.urandom, memory=memory)
    weak.open(Can(CAN))
    weak.read_files()
    other = PaceInfo("0.4.0.127.0.7.2.2.4.2.2", 2, 12)
    files = {
        LdsFile.CARD_ACCESS: build_card_access(SecurityInfos(pace=(other,))),
        LdsFile.DG14: dg14(pace=(other,)),
        LdsFile.DG2: filled(LdsFile.DG2, 18_000),
    }
    strong = DocumentReader(VirtualCard(image(files=files)), os.urandom, memory=memory)
    strong.open(Can(CAN))
    strong.read_files()
    assert strong.channel.apdu_count <= 30
    assert memory.recall(files[LdsFile.CARD_ACCESS]) == CardLimits(4096, past_the_end=True)


def test_a_fault_in_any_answer_costs_a_new_session_and_nothing_else() -> None:
    whole = Interposed(VirtualCard(image()), lambda _, __, answer: answer)
    reader = reader_of(whole)
    reader.open(Can(CAN))
    opened_after = whole.count
    reader.read_files()
    for position in range(opened_after, whole.count):

        def alter(index: int, _: bytes, answer: bytes, position: int = position) -> bytes:
            return answer[:-3] + bytes((answer[-3] ^ 1,)) + answer[-2:] if index == position else answer

        reader = reader_of(Interposed(VirtualCard(image()), alter))
        access = reader.open(Can(CAN))
        assert reader.read_files() == READABLE
        assert reader.locked == [LdsFile.DG3]
        assert reader.access == access


def test_a_card_that_ends_every_session_is_given_up() -> None:
    card = VirtualCard(image())

    def drop(_: int, command: bytes, answer: bytes) -> bytes:
        if command[0] & 0x0C and command[1] == 0xB0:
            card.power_off()
            return b"\x69\x88"
        return answer

    reader = reader_of(Interposed(card, drop))
    reader.open(Can(CAN))
    with pytest.raises((UnexpectedStatusWord, VerificationError)):
        reader.read_files()
    assert reader.channel.apdu_count < 120


# -- terminal authentication ------------------------------------------------------------------


@pytest.mark.parametrize(
    "habits",
    [
        {"extended_length": False},
        {"extended_length": False, "quirks": Quirks(answers_in_parts=True)},
        {"quirks": Quirks(largest_block=160, beyond_block=0x6700, errors_end_session=True)},
    ],
    ids=["chained", "chained, answers in parts", "errors end the session"],
)
def test_fingerprints_are_read_from_a_card_of_any_habit(habits: dict[str, object]) -> None:
    root, verifier, own = terminal_chain()
    fingers = filled(LdsFile.DG3, 900)
    card = image(files={LdsFile.DG3: fingers}, trust_points=(root.certificate.encoded,), **habits)
    reader = reader_of(VirtualCard(card))
    reader.open(Can(CAN))
    files = reader.read_files()
    reader.authenticate_chip(files[LdsFile.DG14])
    reader.authenticate_terminal(Terminal((verifier.certificate, own.certificate), own.sign))
    assert reader.locked == [LdsFile.DG3]
    assert reader.read_locked()[LdsFile.DG3] == fingers
    assert reader.locked == []


def test_a_session_lost_among_the_fingerprints_is_proven_again() -> None:
    root, verifier, own = terminal_chain()
    fingers = filled(LdsFile.DG3, 9_000)
    card = image(files={LdsFile.DG3: fingers}, trust_points=(root.certificate.encoded,))
    state = {"armed": False}

    def alter_once(_: int, command: bytes, answer: bytes) -> bytes:
        if state["armed"] and command[1] == 0xB0 and len(answer) > 4000:
            state["armed"] = False
            return bytes((answer[0] ^ 1,)) + answer[1:]
        return answer

    reader = reader_of(Interposed(VirtualCard(card), alter_once))
    reader.open(Can(CAN))
    reader.authenticate_chip(reader.read_files()[LdsFile.DG14])
    reader.authenticate_terminal(Terminal((verifier.certificate, own.certificate), own.sign))
    state["armed"] = True
    assert reader.read_locked()[LdsFile.DG3] == fingers
    assert not state["armed"]
