"""Whole synthetic cards read by the reader's code, and what a forger's copies of them come to."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from issuance_backend.csca.cv_authorities import sign_plain
from issuance_backend.refusals import TamperingImpossible
from issuance_backend.virtual_card.card_image import CardImage
from issuance_backend.virtual_card.chip_profiles import PROFILES
from issuance_backend.virtual_card.tampering import TAMPERING, clone, flip_dg13, swap_dg14
from issuance_backend.virtual_card.virtual_card import VirtualCard
from tests.support import synthetic_cards
from tests.support.chip_terminal import image
from verification.chip.active_authentication import verify_active_authentication
from verification.chip.keys import Can, MrzKey
from verification.chip.reading import DocumentReader
from verification.chip.remote_chip_authentication import begin, finish
from verification.chip.terminal_authentication import Terminal
from verification.errors import (
    ActiveAuthenticationFailed,
    CardRemoved,
    ChipAuthenticationFailed,
    MalformedDocument,
)
from verification.inspection.inspect import inspect
from verification.inspection.report import InspectionReport
from verification.lds.dg13 import parse_dg13
from verification.lds.files import LdsFile
from verification.pki.trust_store import TrustStore


def read(card: CardImage, secret: Can | MrzKey | None = None) -> tuple[DocumentReader, dict[LdsFile, bytes]]:
    reader = DocumentReader(VirtualCard(card), os.urandom)
    reader.open(secret or MrzKey(card.mrz_information))
    return reader, reader.read_files()


def judge(files: dict[LdsFile, bytes]) -> InspectionReport:
    csca = synthetic_cards.ceremony().csca.certificate.public_bytes(Encoding.DER)
    return inspect(files, TrustStore.from_certificates([csca]), synthetic_cards.MOMENT)


METHODS = {"bac": "BAC", "pace-im": "PACE-IM", "pace-cam": "PACE-CAM"}


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_a_card_of_every_profile_is_read_whole_and_proves_itself(profile: str) -> None:
    card = synthetic_cards.card(profile)
    reader, files = read(card)
    assert reader.access is not None
    assert reader.access.method == METHODS.get(profile, "PACE-GM")
    assert reader.locked == sorted(card.locked)
    assert files == {file: card.files[file] for file in card.files if file not in card.locked}
    challenge = os.urandom(8)
    signature = reader.sign_challenge(challenge)
    dg14 = files[LdsFile.DG14]
    verify_active_authentication(files[LdsFile.DG15], challenge, signature, dg14=dg14)
    with pytest.raises(ActiveAuthenticationFailed):
        verify_active_authentication(files[LdsFile.DG15], bytes(8), signature, dg14=dg14)
    reader.authenticate_chip(dg14)
    remote = begin(dg14, len(files[LdsFile.SOD]), random=os.urandom)
    responses = reader.relay(remote.agent_wrapped, remote.relayed)
    finish(remote.state, responses, dg14=dg14, sod=files[LdsFile.SOD])
    assert judge(files).fault_code is None


def test_the_can_opens_the_national_card() -> None:
    card = synthetic_cards.card("cccd")
    _, files = read(card, Can(card.can))
    assert LdsFile.DG13 in files
    assert LdsFile.DG3 not in files


@pytest.mark.parametrize("profile", ["bac", "cccd"])
def test_a_clone_reads_well_and_cannot_prove_itself(profile: str) -> None:
    card = synthetic_cards.card(profile)
    reader, files = read(clone(card))
    assert judge(files).fault_code is None
    signature = reader.sign_challenge(bytes(8))
    with pytest.raises(ActiveAuthenticationFailed):
        verify_active_authentication(files[LdsFile.DG15], bytes(8), signature, dg14=files[LdsFile.DG14])
    with pytest.raises(ChipAuthenticationFailed):
        reader.authenticate_chip(files[LdsFile.DG14])


def test_a_clone_cannot_answer_the_gateway_either() -> None:
    reader, files = read(clone(synthetic_cards.card("cccd")))
    remote = begin(files[LdsFile.DG14], len(files[LdsFile.SOD]), random=os.urandom)
    responses = reader.relay(remote.agent_wrapped, remote.relayed)
    with pytest.raises(ChipAuthenticationFailed):
        finish(remote.state, responses, dg14=files[LdsFile.DG14], sod=files[LdsFile.SOD])


def test_a_swapped_dg14_passes_chip_authentication_and_fails_the_signature() -> None:
    reader, files = read(swap_dg14(synthetic_cards.card("cccd")))
    reader.authenticate_chip(files[LdsFile.DG14])
    assert judge(files).fault_code == "CHIP_DATA_ALTERED"


def test_a_flipped_dg13_is_well_formed_and_fails_the_signature() -> None:
    card = synthetic_cards.card("cccd")
    forged = flip_dg13(card)
    differing = [a ^ b for a, b in zip(card.files[LdsFile.DG13], forged.files[LdsFile.DG13], strict=True)]
    assert [bits for bits in differing if bits] == [0x01]
    before, after = (parse_dg13(each.files[LdsFile.DG13]).birth_year for each in (card, forged))
    assert before is not None
    assert after is not None
    assert abs(before - after) == 1
    assert judge(read(forged)[1]).fault_code == "CHIP_DATA_ALTERED"


@pytest.mark.parametrize("tamper", [swap_dg14, flip_dg13])
def test_tampering_says_when_the_card_lacks_what_it_needs(tamper: Callable[[CardImage], CardImage]) -> None:
    with pytest.raises(TamperingImpossible):
        tamper(image())


@pytest.mark.parametrize("tamper", sorted(TAMPERING))
def test_tampering_leaves_the_genuine_card_alone(tamper: str) -> None:
    card = synthetic_cards.card("cccd")
    before = card.to_bytes()
    assert TAMPERING[tamper](card) != card
    assert card.to_bytes() == before


class PulledAt:
    """A card that is taken off the reader before its n-th command."""

    def __init__(self, card: VirtualCard, commands: int) -> None:
        self._card = card
        self._left = commands
        self.count = 0

    def transmit(self, command: bytes) -> bytes:
        if self.count == self._left:
            raise CardRemoved("pulled")
        self.count += 1
        return self._card.transmit(command)


@pytest.mark.parametrize("profile", ["pace-cam", "cccd"])
def test_a_card_pulled_at_every_command_is_read_whole_afterwards(profile: str) -> None:
    """From the first command to the fingerprints; what the chip trusts outlives the pulling."""
    card = synthetic_cards.card(profile)
    chip = VirtualCard(card)
    people = synthetic_cards.terminals()
    certificates = (
        people.cvca.certificate,
        people.document_verifier.certificate,
        people.terminal.certificate,
    )
    terminal = Terminal(certificates, lambda data: sign_plain(people.terminal_key, data))

    def attempt(commands: int) -> PulledAt:
        chip.power_on()
        transport = PulledAt(chip, commands)
        reader = DocumentReader(transport, os.urandom)
        reader.open(Can(card.can))
        reader.read_files()
        reader.authenticate_chip(card.files[LdsFile.DG14])
        reader.authenticate_terminal(terminal)
        assert reader.read_locked()[LdsFile.DG3] == card.files[LdsFile.DG3]
        return transport

    total = attempt(10_000).count
    for commands in range(total):
        with pytest.raises(CardRemoved):
            attempt(commands)
    assert attempt(10_000).count == total


def test_an_image_survives_its_drawer() -> None:
    card = synthetic_cards.card("cccd")
    assert CardImage.from_bytes(card.to_bytes()) == card


def test_a_card_file_cut_off_or_altered_is_malformed_or_another_card() -> None:
    encoded = image().to_bytes()
    small = encoded[:600]
    for length in range(0, len(small), 7):
        with pytest.raises(MalformedDocument):
            CardImage.from_bytes(small[:length])


def test_an_image_shows_nobody_and_no_key() -> None:
    card = synthetic_cards.card("cccd")
    for secret in (card.can, card.mrz_information, "\\x"):
        assert secret not in repr(card)
