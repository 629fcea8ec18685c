"""Every mapping, group and cipher of the standard between the reader's code and the chip's.

The two share the key derivation and the numbers of the curves, and nothing else.
"""

from __future__ import annotations

import os

import pytest

from issuance_backend.csca.cv_authorities import CvCeremony, CvPlan, hold_cv_ceremony, sign_plain
from issuance_backend.virtual_card.card_image import CardImage, RsaHash
from issuance_backend.virtual_card.chip_profiles import AgreementOffer, ChipProfile, PaceOffer
from issuance_backend.virtual_card.icc_groups import GROUPS
from issuance_backend.virtual_card.icc_modular_groups import MODULAR_GROUPS
from issuance_backend.virtual_card.icc_pace import NonceMapping
from issuance_backend.virtual_card.quirks import Quirks
from issuance_backend.virtual_card.tampering import clone, swap_dg14
from issuance_backend.virtual_card.virtual_card import VirtualCard
from tests.support import synthetic_cards
from tests.support.chip_card import CAN, MRZ_INFORMATION, profiled
from verification.chip import pace
from verification.chip.active_authentication import verify_active_authentication
from verification.chip.keys import Can, MrzKey, Suite
from verification.chip.pace import PaceResult
from verification.chip.reading import DocumentReader
from verification.chip.terminal_authentication import Terminal
from verification.encoding.tlv import SEQUENCE, only
from verification.errors import (
    AccessSecretWrong,
    ActiveAuthenticationFailed,
    ChipAuthenticationFailed,
    TerminalAuthenticationFailed,
)
from verification.iso7816.channel import Channel
from verification.iso7816.command import read_binary, select_application, select_file
from verification.lds.card_verifiable import READ_DG4
from verification.lds.files import LdsFile
from verification.lds.security_infos import SecurityInfos, parse_card_access

GENERIC, INTEGRATED, CHIP = NonceMapping
SECP224R1 = 10
APPLICATION = bytes.fromhex("A0000002471001")


def is_in_the_standard(offer: PaceOffer) -> bool:
    if offer.mapping is INTEGRATED:
        return offer.parameter_id != SECP224R1
    if offer.mapping is CHIP:
        return offer.parameter_id not in MODULAR_GROUPS and offer.suite is not Suite.TRIPLE_DES
    return True


EVERY_PACE = [
    offer
    for mapping in NonceMapping
    for suite in Suite
    for parameter_id in sorted(GROUPS)
    if is_in_the_standard(offer := PaceOffer(mapping, suite, parameter_id))
]
EVERY_AGREEMENT = [AgreementOffer(suite, parameter_id) for suite in Suite for parameter_id in sorted(GROUPS)]


def name_of(offer: PaceOffer | AgreementOffer) -> str:
    mapping = [offer.mapping.value] if isinstance(offer, PaceOffer) else []
    return "-".join((*mapping, offer.suite.value[0], str(offer.parameter_id)))


def establish(card: VirtualCard, image: CardImage, secret: Can | MrzKey) -> tuple[Channel, PaceResult]:
    protocol = pace.choose_protocol(parse_card_access(image.files[LdsFile.CARD_ACCESS]).pace)
    assert protocol is not None
    channel = Channel(card)
    result = pace.establish(channel, protocol, secret, os.urandom)
    channel.secure(result.session)
    return channel, result


def mapping_infos(image: CardImage) -> SecurityInfos:
    """What EF.CardSecurity says, its signature left aside."""
    return parse_card_access(only(image.files[LdsFile.CARD_SECURITY], SEQUENCE))


def test_the_matrix_is_that_of_the_standard() -> None:
    counted = [sum(offer.mapping is mapping for offer in EVERY_PACE) for mapping in NonceMapping]
    assert counted == [4 * 14, 4 * 13, 3 * 11]
    assert len(EVERY_AGREEMENT) == 4 * 14


@pytest.mark.parametrize("offer", EVERY_PACE, ids=name_of)
def test_pace_opens_the_chip_in_every_way_of_the_standard(offer: PaceOffer) -> None:
    image = profiled(ChipProfile(pace=(offer,)))
    card = VirtualCard(image)
    channel, result = establish(card, image, Can(CAN))
    assert result.mapping.value == offer.mapping.value
    channel.send(select_application(APPLICATION))
    channel.send(select_file(LdsFile.DG1.file_id))
    assert channel.send(read_binary(0, 60)) == image.files[LdsFile.DG1][:60]
    if offer.mapping is CHIP:
        assert result.chip_mapping is not None
        result.chip_mapping.verify(mapping_infos(image))
    else:
        assert result.chip_mapping is None


@pytest.mark.parametrize("offer", [o for o in EVERY_PACE if o.parameter_id in (0, 11, 13)], ids=name_of)
def test_a_wrong_password_opens_in_no_way(offer: PaceOffer) -> None:
    image = profiled(ChipProfile(pace=(offer,)))
    with pytest.raises(AccessSecretWrong):
        establish(VirtualCard(image), image, Can("654321"))


@pytest.mark.parametrize("parameter_id", sorted(set(GROUPS) - set(MODULAR_GROUPS)))
def test_a_copied_chip_does_not_prove_the_key_of_its_mapping(parameter_id: int) -> None:
    offer = PaceOffer(CHIP, Suite.AES_256, parameter_id)
    image = profiled(ChipProfile(pace=(offer,)))
    _, result = establish(VirtualCard(clone(image)), image, MrzKey(MRZ_INFORMATION))
    assert result.chip_mapping is not None
    with pytest.raises(ChipAuthenticationFailed):
        result.chip_mapping.verify(mapping_infos(image))


def test_a_chip_that_wants_the_domain_parameters_is_told_them() -> None:
    image = profiled(ChipProfile(quirks=Quirks(wants_domain_parameters=True)))
    establish(VirtualCard(image), image, Can(CAN))


def test_several_groups_of_one_protocol_are_told_apart() -> None:
    offers = tuple(PaceOffer(GENERIC, Suite.AES_128, parameter_id) for parameter_id in (12, 13, 17))
    image = profiled(ChipProfile(pace=offers))
    establish(VirtualCard(image), image, Can(CAN))


def opened(image: CardImage, secret: Can | MrzKey | None = None) -> DocumentReader:
    reader = DocumentReader(VirtualCard(image), os.urandom)
    reader.open(secret or MrzKey(image.mrz_information))
    return reader


@pytest.mark.parametrize("offer", EVERY_AGREEMENT, ids=name_of)
def test_the_chip_proves_its_key_in_every_way_of_the_standard(offer: AgreementOffer) -> None:
    image = profiled(ChipProfile(agreement=(offer,)))
    dg14 = image.files[LdsFile.DG14]
    reader = opened(image)
    reader.authenticate_chip(dg14)
    assert reader.channel.send(select_file(LdsFile.DG1.file_id)) == b""
    with pytest.raises(ChipAuthenticationFailed):
        opened(clone(image)).authenticate_chip(dg14)


def test_of_several_keys_each_answers_to_its_number() -> None:
    offers = (
        AgreementOffer(Suite.TRIPLE_DES, 12, 1),
        AgreementOffer(Suite.AES_192, 0, 2),
        AgreementOffer(Suite.AES_256, 16, 3),
        AgreementOffer(Suite.AES_128, 17, 300),
    )
    image = profiled(ChipProfile(agreement=offers))
    opened(image).authenticate_chip(image.files[LdsFile.DG14])
    forged = swap_dg14(image)
    opened(forged).authenticate_chip(forged.files[LdsFile.DG14])
    with pytest.raises(ChipAuthenticationFailed):
        opened(clone(image)).authenticate_chip(image.files[LdsFile.DG14])


@pytest.mark.parametrize("hash_name", ["sha1", "sha224", "sha256", "sha384", "sha512"])
def test_active_authentication_with_rsa_and_every_hash(hash_name: RsaHash) -> None:
    image = profiled(ChipProfile(rsa_hash=hash_name))
    reader = opened(image)
    challenge = os.urandom(8)
    signature = reader.sign_challenge(challenge)
    dg14, dg15 = image.files[LdsFile.DG14], image.files[LdsFile.DG15]
    verify_active_authentication(dg15, challenge, signature, dg14=dg14)
    with pytest.raises(ActiveAuthenticationFailed):
        verify_active_authentication(dg15, bytes(8), signature, dg14=dg14)


@pytest.mark.parametrize("in_der", [False, True])
def test_active_authentication_with_ecdsa_plain_and_in_der(in_der: bool) -> None:
    image = profiled(ChipProfile(quirks=Quirks(der_signatures=in_der)))
    signature = opened(image).sign_challenge(bytes(8))
    assert (signature[0] == 0x30 and len(signature) != 64) or not in_der
    verify_active_authentication(
        image.files[LdsFile.DG15], bytes(8), signature, dg14=image.files[LdsFile.DG14]
    )


def terminal_of(people: CvCeremony) -> Terminal:
    holders = (people.cvca, people.document_verifier, people.terminal)
    certificates = tuple(holder.certificate for holder in holders)
    return Terminal(certificates, lambda data: sign_plain(people.terminal_key, data))


EXTENDED_ACCESS = {
    "BAC": ChipProfile(pace=(), fingers=True),
    "GM": ChipProfile(fingers=True),
    "GM 2048/256": ChipProfile(pace=(PaceOffer(GENERIC, Suite.AES_256, 2),), fingers=True),
    "IM": ChipProfile(pace=(PaceOffer(INTEGRATED),), fingers=True),
    "CAM": ChipProfile(pace=(PaceOffer(CHIP),), fingers=True),
    "DH keys": ChipProfile(agreement=(AgreementOffer(Suite.AES_128, 0),), fingers=True),
    "3DES": ChipProfile(agreement=(AgreementOffer(Suite.TRIPLE_DES, 12),), fingers=True),
    "brainpoolP320r1": ChipProfile(
        pace=(PaceOffer(GENERIC, Suite.AES_128, 14),),
        agreement=(AgreementOffer(Suite.AES_128, 14),),
        fingers=True,
    ),
}


@pytest.mark.parametrize("name", EXTENDED_ACCESS)
def test_a_trusted_terminal_opens_the_fingerprints_after_any_access(name: str) -> None:
    cvca = synthetic_cards.terminals().cvca.certificate.encoded
    image = profiled(EXTENDED_ACCESS[name], trust_points=(cvca,))
    reader = opened(image)
    reader.read_files()
    assert reader.locked == [LdsFile.DG3]
    reader.authenticate_chip(image.files[LdsFile.DG14])
    reader.authenticate_terminal(terminal_of(synthetic_cards.terminals()))
    files = reader.read_locked()
    assert files[LdsFile.DG3] == image.files[LdsFile.DG3]
    assert reader.locked == []


def test_a_terminal_without_the_right_opens_nothing() -> None:
    people = hold_cv_ceremony(CvPlan(rights=READ_DG4), synthetic_cards.MOMENT.date())
    image = profiled(ChipProfile(fingers=True), trust_points=(people.cvca.certificate.encoded,))
    reader = opened(image)
    reader.read_files()
    reader.authenticate_chip(image.files[LdsFile.DG14])
    reader.authenticate_terminal(terminal_of(people))
    assert LdsFile.DG3 not in reader.read_locked()


def test_a_terminal_with_another_key_is_refused_and_the_session_goes_on() -> None:
    cvca = synthetic_cards.terminals().cvca.certificate.encoded
    image = profiled(ChipProfile(fingers=True), trust_points=(cvca,))
    reader = opened(image)
    reader.authenticate_chip(image.files[LdsFile.DG14])
    thief = hold_cv_ceremony(CvPlan(), synthetic_cards.MOMENT.date()).terminal_key
    stolen = Terminal(
        terminal_of(synthetic_cards.terminals()).certificates, lambda data: sign_plain(thief, data)
    )
    with pytest.raises(TerminalAuthenticationFailed):
        reader.authenticate_terminal(stolen)
    assert reader.channel.send(select_file(LdsFile.DG1.file_id)) == b""
