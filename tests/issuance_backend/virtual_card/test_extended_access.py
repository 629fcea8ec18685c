"""Terminal authentication on the whole chip: which command when, and what a reset leaves."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from issuance_backend.csca.cv_authorities import (
    CVCA_DAYS,
    CvSigner,
    issue_cvca_link,
    sign_plain,
)
from issuance_backend.csca.cv_authorities import CvPlan as Plan
from issuance_backend.csca.signer import PrivateKey
from issuance_backend.virtual_card.card_image import CardImage
from issuance_backend.virtual_card.chip_profiles import ChipProfile, PaceOffer
from issuance_backend.virtual_card.icc_pace import NonceMapping
from issuance_backend.virtual_card.virtual_card import VirtualCard
from tests.support import synthetic_cards
from tests.support.chip_card import Interposed, profiled
from verification.chip import chip_authentication
from verification.chip.keys import MrzKey
from verification.chip.reading import DocumentReader
from verification.encoding.tlv import build
from verification.iso7816.command import CommandApdu, read_binary, select_file, select_master_file
from verification.iso7816.transport import CardTransport
from verification.lds.card_verifiable import CardVerifiableCertificate
from verification.lds.ef_cvca import parse_ef_cvca
from verification.lds.files import LdsFile

ARRIVED = 0x9000


def people() -> tuple[CvSigner, CvSigner, CvSigner]:
    made = synthetic_cards.terminals()
    return made.cvca, made.document_verifier, made.terminal


def image(profile: ChipProfile | None = None) -> CardImage:
    return profiled(profile or ChipProfile(fingers=True), trust_points=(people()[0].certificate.encoded,))


class Session:
    """Single commands in a session of our own making."""

    def __init__(self, card: CardTransport, source: CardImage) -> None:
        self.image = source
        self.reader = DocumentReader(card, os.urandom)
        self.reader.open(MrzKey(source.mrz_information))
        self.terminal_key = b""

    def send(self, command: CommandApdu) -> int:
        return self.reader.channel.exchange(command)[1]

    def read(self, file: LdsFile) -> bytes | int:
        status = self.send(select_file(file.file_id))
        return self.reader.channel.send(read_binary(0, 256)) if status == ARRIVED else status

    def prove_chip(self) -> None:
        dg14 = self.image.files[LdsFile.DG14]
        self.terminal_key = chip_authentication.authenticate(self.reader.channel, dg14, os.urandom)

    def set_verifier(self, reference: str) -> int:
        return self.send(CommandApdu(0x00, 0x22, 0x81, 0xB6, build(0x83, reference.encode())))

    def show(self, certificate: CardVerifiableCertificate) -> int:
        status = self.set_verifier(certificate.authority_reference)
        if status != ARRIVED:
            return status
        return self.send(CommandApdu(0x00, 0x2A, 0x00, 0xBE, certificate.content_octets))

    def set_terminal(self) -> int:
        name = people()[2].certificate.holder_reference.encode()
        return self.send(CommandApdu(0x00, 0x22, 0x81, 0xA4, build(0x83, name)))

    def authenticate(self) -> int:
        challenge = self.reader.channel.send(CommandApdu(0x00, 0x84, 0x00, 0x00, expected=8))
        signed = self.reader.chip_identity + challenge + self.terminal_key
        return self.external_authenticate(sign_plain(people()[2].key, signed))

    def external_authenticate(self, signature: bytes) -> int:
        return self.send(CommandApdu(0x00, 0x82, 0x00, 0x00, signature))

    def admit(self) -> list[int]:
        steps: list[Callable[[], int]] = [
            lambda: self.show(people()[1].certificate),
            lambda: self.show(people()[2].certificate),
            self.set_terminal,
            self.authenticate,
        ]
        return [step() for step in steps]


def begun(profile: ChipProfile | None = None) -> tuple[VirtualCard, Session]:
    source = image(profile)
    card = VirtualCard(source)
    return card, Session(card, source)


def test_the_fingerprints_open_by_the_steps_in_their_order_and_by_no_other() -> None:
    _, session = begun()
    assert session.read(LdsFile.DG3) == 0x6982
    session.prove_chip()
    assert session.read(LdsFile.DG3) == 0x6982
    assert session.set_terminal() == 0x6A88
    assert session.external_authenticate(bytes(64)) == 0x6985
    assert session.admit() == [ARRIVED] * 4
    assert session.read(LdsFile.DG3) == session.image.files[LdsFile.DG3]
    # The other files stay open, and the access is this session's only.
    assert session.read(LdsFile.DG15) == session.image.files[LdsFile.DG15]


def test_without_chip_authentication_there_is_nothing_to_bind_the_access_to() -> None:
    _, session = begun()
    assert session.admit() == [ARRIVED, ARRIVED, ARRIVED, 0x6982]
    assert session.read(LdsFile.DG3) == 0x6982


def test_chip_authentication_mapping_binds_it_as_well() -> None:
    """The terminal's key of PACE is signed, where no chip authentication came after it (9303-11, 7.1.2)."""
    source = image(ChipProfile(pace=(PaceOffer(NonceMapping.CHIP_AUTHENTICATION),), fingers=True))
    sent: list[bytes] = []
    card = VirtualCard(source)

    def overhear(_index: int, command: bytes, answer: bytes) -> bytes:
        sent.append(command)
        return answer

    session = Session(Interposed(card, overhear), source)
    key = next(command for command in sent if command[5:].startswith(b"\x7c\x43\x83\x41\x04"))
    session.terminal_key = key[10:42]
    assert session.admit() == [ARRIVED] * 4
    assert session.read(LdsFile.DG3) == source.files[LdsFile.DG3]


def test_terminal_authentication_happens_once_a_session() -> None:
    _, session = begun()
    session.prove_chip()
    assert session.admit() == [ARRIVED] * 4
    assert session.admit() == [ARRIVED, ARRIVED, ARRIVED, 0x6982]
    assert session.read(LdsFile.DG3) == session.image.files[LdsFile.DG3]
    # A new key of the terminal is a new session: what the old one had opened is closed.
    session.prove_chip()
    assert session.read(LdsFile.DG3) == 0x6982
    assert session.admit() == [ARRIVED] * 4


def test_a_failed_proof_leaves_the_session_and_opens_nothing() -> None:
    _, session = begun()
    session.prove_chip()
    genuine, session.terminal_key = session.terminal_key, bytes(32)
    assert session.admit() == [ARRIVED, ARRIVED, ARRIVED, 0x6300]
    assert session.read(LdsFile.DG3) == 0x6982
    session.terminal_key = genuine
    assert session.admit() == [ARRIVED] * 4


def test_nothing_is_shown_to_a_chip_that_has_not_been_opened() -> None:
    card = VirtualCard(image())
    card.transmit(bytes.fromhex("00A4040C07A0000002471001"))
    authority, certificate = people()[0].certificate, people()[1].certificate
    reference = build(0x83, authority.holder_reference.encode())
    for command in (
        CommandApdu(0x00, 0x22, 0x81, 0xB6, reference),
        CommandApdu(0x00, 0x22, 0x81, 0xA4, reference),
        CommandApdu(0x00, 0x2A, 0x00, 0xBE, certificate.content_octets),
    ):
        assert card.transmit(command.encode()).hex() == "6982"


def test_a_chip_that_trusts_nobody_knows_no_certificates() -> None:
    source = profiled(ChipProfile())
    session = Session(VirtualCard(source), source)
    session.prove_chip()
    assert session.set_verifier("VNCVCA00001") == 0x6A86
    assert session.send(CommandApdu(0x00, 0x2A, 0x00, 0xBE, b"\x00")) == 0x6D00
    assert session.external_authenticate(bytes(64)) == 0x6985
    assert session.read(LdsFile.CVCA) == 0x6A82


@pytest.mark.parametrize("size", [1, 60, 128, 223])
def test_a_certificate_comes_in_any_number_of_links(size: int) -> None:
    _, session = begun()
    session.prove_chip()
    for certificate in (people()[1].certificate, people()[2].certificate):
        content = certificate.content_octets
        parts = [content[start : start + size] for start in range(0, len(content), size)]
        assert session.set_verifier(certificate.authority_reference) == ARRIVED
        for part in parts[:-1]:
            assert session.send(CommandApdu(0x10, 0x2A, 0x00, 0xBE, part)) == ARRIVED
        assert session.send(CommandApdu(0x00, 0x2A, 0x00, 0xBE, parts[-1])) == ARRIVED


def test_a_chain_is_broken_by_another_command_and_ends_somewhere() -> None:
    _, session = begun()
    session.prove_chip()
    content = people()[1].certificate.content_octets
    session.set_verifier(people()[0].certificate.holder_reference)
    assert session.send(CommandApdu(0x10, 0x2A, 0x00, 0xBE, content[:100])) == ARRIVED
    assert session.send(CommandApdu(0x00, 0x84, 0x00, 0x00, expected=8)) == 0x6883
    assert session.send(CommandApdu(0x00, 0x2A, 0x00, 0xBE, content[100:])) == 0x6A80
    statuses = [session.send(CommandApdu(0x10, 0x2A, 0x00, 0xBE, bytes(200))) for _ in range(22)]
    assert statuses == [ARRIVED] * 20 + [0x6700, ARRIVED]
    # And then a certificate as if nothing had been.
    assert session.send(CommandApdu(0x00, 0x84, 0x00, 0x00, expected=8)) == 0x6883
    assert session.show(people()[1].certificate) == ARRIVED


def test_ef_cvca_follows_the_trust_and_both_outlive_a_reset() -> None:
    card, session = begun()
    cvca = people()[0]
    first = cvca.certificate.holder_reference
    content = session.read(LdsFile.CVCA)
    assert isinstance(content, bytes)
    assert (len(content), parse_ef_cvca(content)) == (36, (first,))
    private = PrivateKey.of_profile(Plan().key)
    day = synthetic_cards.MOMENT.date()
    link = issue_cvca_link(cvca, private, day, CVCA_DAYS[0])
    session.prove_chip()
    assert session.show(link) == ARRIVED
    card.power_on()
    again = Session(card, session.image)
    content = again.read(LdsFile.CVCA)
    assert isinstance(content, bytes)
    assert parse_ef_cvca(content) == (link.holder_reference, first)
    # Imported for a session only: the verifier has to be shown again.
    again.prove_chip()
    assert again.set_terminal() == 0x6A88
    assert again.admit() == [ARRIVED] * 4


def test_files_of_the_two_places_do_not_mix() -> None:
    _, session = begun(ChipProfile(pace=(PaceOffer(NonceMapping.CHIP_AUTHENTICATION),), fingers=True))
    files = session.image.files
    assert session.read(LdsFile.SOD) == files[LdsFile.SOD][:256]
    assert session.read(LdsFile.CVCA) != files[LdsFile.CARD_ACCESS]
    assert session.send(select_master_file()) == ARRIVED
    # The same two identifiers are EF.CardSecurity and EF.CardAccess here.
    assert session.read(LdsFile.SOD) == files[LdsFile.CARD_SECURITY][:256]
    assert session.read(LdsFile.CVCA) == files[LdsFile.CARD_ACCESS]
    assert session.read(LdsFile.DG1) == 0x6A82


def test_ef_card_security_is_closed_before_access() -> None:
    source = image(ChipProfile(pace=(PaceOffer(NonceMapping.CHIP_AUTHENTICATION),)))
    card = VirtualCard(source)
    assert card.transmit(bytes.fromhex("00A4020C02011D")).hex() == "6982"
    assert card.transmit(bytes.fromhex("00B09D0000")).hex() == "6982"
