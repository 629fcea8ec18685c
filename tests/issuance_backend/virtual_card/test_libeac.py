"""The software chip read by a terminal of other people: OpenPACE's libeac, as Debian has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from issuance_backend.csca.cv_authorities import (
    CvCeremony,
    CvHolder,
    CvPlan,
    CvSigner,
    hold_cv_ceremony,
    issue_cvca,
    issue_cvca_link,
    issue_document_verifier,
    issue_terminal,
)
from issuance_backend.csca.signer import PrivateKey
from issuance_backend.csca.signing_algorithms import KeyProfile, SigningAlgorithm
from issuance_backend.virtual_card.card_image import CardImage
from issuance_backend.virtual_card.chip_profiles import PROFILES, AgreementOffer, ChipProfile, PaceOffer
from issuance_backend.virtual_card.icc_groups import GROUPS
from issuance_backend.virtual_card.icc_modular_groups import MODULAR_GROUPS
from issuance_backend.virtual_card.icc_pace import NonceMapping
from issuance_backend.virtual_card.tampering import clone
from issuance_backend.virtual_card.virtual_card import VirtualCard
from tests.support import synthetic_cards
from tests.support.chip_card import filled, profiled
from tests.support.libeac import EAC_ID_CA, EacContext, LibeacFailed, Library
from tests.support.libeac_terminal import ChipKey, LibeacTerminal, Password
from tests.support.machine import lacks
from verification.chip.keys import Suite
from verification.encoding.tlv import BIT_STRING, SEQUENCE, DerReader
from verification.lds.card_verifiable import READ_DG3, READ_DG4, CardVerifiableCertificate
from verification.lds.dg1 import parse_dg1
from verification.lds.files import LdsFile
from verification.lds.security_infos import parse_dg14

GENERIC, INTEGRATED, CHIP = NonceMapping
OWN_CURVE = AgreementOffer()
TODAY = datetime.now(UTC).date()
EVERY_PACE = [PaceOffer(GENERIC, suite, parameter_id) for suite in Suite for parameter_id in sorted(GROUPS)]
EVERY_AGREEMENT = [AgreementOffer(suite, parameter_id) for suite in Suite for parameter_id in sorted(GROUPS)]


def name_of(offer: PaceOffer | AgreementOffer) -> str:
    return f"{offer.suite.value[0]}-{offer.parameter_id}"


@pytest.fixture(scope="module")
def library() -> Library:
    try:
        return Library()
    except OSError:
        lacks("libeac3 is not installed: run `make setup`")


def opened(library: Library, image: CardImage, offer: PaceOffer, password: Password) -> LibeacTerminal:
    """libeac in a session with this card.

    Over a prime field it drops the leading zeros of the shared secret, which the chip must refuse:
    one time in 256 it has to be asked again. TestWhatLibeacLacks proves that the fault is its own.
    """
    while True:
        terminal = LibeacTerminal(library, VirtualCard(image))
        try:
            terminal.open(image.files[LdsFile.CARD_ACCESS], offer.info.protocol, password)
        except LibeacFailed:
            if not is_short(terminal.context.pace_secret, offer.parameter_id):
                raise
        else:
            return terminal


def is_short(secret: bytes, parameter_id: int) -> bool:
    """Whether a shared secret lacks octets that the standard wants (PKCS #3: as many as the prime has)."""
    group = MODULAR_GROUPS.get(parameter_id)
    return group is not None and 0 < len(secret) < (group.prime.bit_length() + 7) // 8


def test_the_matrix_is_that_of_the_standard() -> None:
    assert sorted(GROUPS) == [0, 1, 2, *range(8, 19)]
    assert len(EVERY_PACE) == len(EVERY_AGREEMENT) == 4 * 14


@pytest.mark.parametrize("offer", EVERY_PACE, ids=name_of)
def test_libeac_opens_and_reads_the_chip(library: Library, offer: PaceOffer) -> None:
    image = profiled(ChipProfile(pace=(offer,)))
    terminal = opened(library, image, offer, Password(number=image.can))
    for file in (LdsFile.DG1, LdsFile.SOD):
        assert terminal.read(file.file_id) == image.files[file]


def test_libeac_reads_with_extended_length(library: Library) -> None:
    image = profiled(ChipProfile())
    terminal = opened(library, image, PaceOffer(), Password(number=image.can))
    assert terminal.read(LdsFile.DG2.file_id, block=4096) == image.files[LdsFile.DG2]


def test_libeac_is_refused_with_a_wrong_number(library: Library) -> None:
    image = profiled(ChipProfile())
    with pytest.raises(LibeacFailed, match="6300"):
        opened(library, image, PaceOffer(), Password(number="654321"))


def test_libeac_is_refused_what_is_locked(library: Library) -> None:
    image = profiled(ChipProfile(fingers=True))
    terminal = opened(library, image, PaceOffer(), Password(number=image.can))
    with pytest.raises(LibeacFailed, match="6982"):
        terminal.read(LdsFile.DG3.file_id)


@pytest.mark.parametrize("by", ["number", "zone"])
@pytest.mark.parametrize("profile", [name for name, p in PROFILES.items() if PaceOffer() in p.pace])
def test_libeac_reads_the_cards_that_outside_readers_are_given(
    library: Library, profile: str, by: str
) -> None:
    card = synthetic_cards.card(profile)
    zone = parse_dg1(card.files[LdsFile.DG1]).mrz
    password = Password(number=card.can) if by == "number" else Password(zone=zone)
    terminal = opened(library, card, PaceOffer(), password)
    for file in sorted(card.files.keys() - card.locked - {LdsFile.CVCA}):
        if file.is_data_group or file in {LdsFile.COM, LdsFile.SOD}:
            assert terminal.read(file.file_id) == card.files[file], file


class TestWhatLibeacLacks:
    """Why nothing above runs these: not our choice, but what the library answers by itself."""

    @pytest.mark.parametrize("parameter_id", sorted(GROUPS))
    @pytest.mark.parametrize("suite", Suite)
    def test_it_refuses_integrated_mapping(self, library: Library, suite: Suite, parameter_id: int) -> None:
        number = library.number_of(PaceOffer(INTEGRATED, suite, parameter_id).info.protocol)
        assert number
        with pytest.raises(LibeacFailed):
            EacContext(library).does("EAC_CTX_init_pace", number, parameter_id)
        generic = library.number_of(PaceOffer(GENERIC, suite, parameter_id).info.protocol)
        EacContext(library).does("EAC_CTX_init_pace", generic, parameter_id)

    @pytest.mark.parametrize("suite", Suite)
    def test_it_does_not_know_chip_authentication_mapping(self, library: Library, suite: Suite) -> None:
        assert library.number_of(PaceOffer(CHIP, suite).info.protocol) == 0

    def test_it_drops_leading_zeros_of_a_secret(self, library: Library) -> None:
        """PKCS #3: a secret has as many octets as the prime."""
        side, _ = with_a_key(library, AgreementOffer(Suite.AES_128, 0))
        own = int.from_bytes(side.gives("CA_STEP2_get_eph_pubkey"), "big")
        group = MODULAR_GROUPS[0]
        number = next(n for n in range(2, 10_000) if pow(own, n, group.prime).bit_length() <= 1016)
        public, secret = (
            pow(base, number, group.prime).to_bytes(128, "big") for base in (group.generator, own)
        )
        side.does("CA_STEP4_compute_shared_secret", public)
        assert secret[0] == 0
        assert side.chip_authentication_secret == secret.lstrip(b"\x00")

    def test_it_drops_leading_zeros_of_a_compressed_key(self, library: Library) -> None:
        """The x-coordinate is a field element, as long as the prime (TR-03111, 3.1.3)."""
        side, _ = with_a_key(library, OWN_CURVE)
        keys = (ec.derive_private_key(n, ec.BrainpoolP256R1()).public_key() for n in range(1, 10_000))
        points = (key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint) for key in keys)
        point = next(point for point in points if point[1] == 0)
        assert side.gives("EAC_Comp", EAC_ID_CA, point) == point[1:33].lstrip(b"\x00")

    def test_it_drops_leading_zeros_of_a_signature(self, library: Library) -> None:
        """The numbers r and s have the length of the order (TR-03111, 5.2.1), not that of the longer one."""
        people = ceremony(KeyProfile.ecdsa(ec.SECP521R1(), "sha512"))
        lengths = {len(signed(library, people)) for _ in range(100)}
        assert max(lengths) == len(people.terminal.certificate.signature) == 132
        assert min(lengths) < 132

    @pytest.mark.parametrize("name", ["rsa-pss-sha256", "rsa-pss-sha512"])
    def test_it_salts_pss_as_long_as_the_key_allows(self, library: Library, name: str) -> None:
        """The salt should be as long as the hash (TR-03110-3, A.6.4.1)."""
        people = ceremony(KeyProfile(2048, SigningAlgorithm.named(name)))
        key, digest = people.terminal_key.public_key, hashes.SHA512() if "512" in name else hashes.SHA256()
        assert isinstance(key, rsa.RSAPublicKey)
        signature = signed(library, people)
        longest, standard = (
            padding.PSS(padding.MGF1(digest), length)
            for length in (padding.PSS.MAX_LENGTH, digest.digest_size)
        )
        key.verify(signature, SIGNED_DATA, longest, digest)
        with pytest.raises(InvalidSignature):
            key.verify(signature, SIGNED_DATA, standard, digest)


SIGNED_DATA = b"identitychallengkey"


def with_a_key(library: Library, offer: AgreementOffer) -> tuple[EacContext, bytes]:
    """One side of chip authentication with a fresh key, and that key compressed."""
    side = EacContext(library)
    side.does("EAC_CTX_init_ca", library.number_of(offer.info.protocol), offer.parameter_id)
    return side, side.gives("TA_STEP3_generate_ephemeral_key")


def signed(library: Library, people: CvCeremony) -> bytes:
    """libeac's signature over SIGNED_DATA in terminal authentication."""
    side = EacContext(library)
    side.begins_chain(people.terminal.certificate.encoded, people.terminal_key.to_pkcs8())
    side.does("TA_STEP4_set_nonce", b"challeng")
    return side.gives("TA_STEP5_sign", b"key", b"identity", None)


def chip_key(image: CardImage, offer: AgreementOffer) -> ChipKey:
    """The public value that DG14 holds, without our own reading of keys."""
    infos = parse_dg14(image.files[LdsFile.DG14]).chip_authentication_keys
    info = next(key for key in infos if key.key_id == offer.key_id).public_key_info
    reader = DerReader(info).enter(SEQUENCE)
    reader.take_encoded(SEQUENCE)
    value = reader.take(BIT_STRING)[1:]
    if offer.parameter_id in MODULAR_GROUPS:
        number = DerReader(value).take_integer()
        value = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return ChipKey(offer.info.protocol, offer.parameter_id, value, offer.key_id)


def proven(library: Library, image: CardImage, offer: AgreementOffer) -> LibeacTerminal:
    """libeac in a session that chip authentication has renewed; asked again where it drops zeros."""
    while True:
        terminal = opened(library, image, PaceOffer(), Password(number=image.can))
        terminal.authenticate_chip(chip_key(image, offer), at_once=offer.suite is Suite.TRIPLE_DES)
        if not is_short(terminal.context.chip_authentication_secret, offer.parameter_id):
            return terminal


@pytest.mark.parametrize("offer", EVERY_AGREEMENT, ids=name_of)
def test_libeac_authenticates_the_chip(library: Library, offer: AgreementOffer) -> None:
    image = profiled(ChipProfile(agreement=(offer,)))
    terminal = proven(library, image, offer)
    assert terminal.read(LdsFile.SOD.file_id) == image.files[LdsFile.SOD]
    with pytest.raises(LibeacFailed):
        proven(library, clone(image), offer).read(LdsFile.SOD.file_id)


@pytest.mark.parametrize("key_id", [1, 2, 3])
def test_libeac_authenticates_each_of_several_keys(library: Library, key_id: int) -> None:
    offers = (
        AgreementOffer(Suite.TRIPLE_DES, 12, 1),
        AgreementOffer(Suite.AES_192, 0, 2),
        AgreementOffer(Suite.AES_256, 16, 3),
    )
    image = profiled(ChipProfile(agreement=offers))
    terminal = proven(library, image, offers[key_id - 1])
    assert terminal.read(LdsFile.DG1.file_id) == image.files[LdsFile.DG1]


def finger_card(people: CvCeremony, agreement: AgreementOffer = OWN_CURVE) -> CardImage:
    profile = ChipProfile(agreement=(agreement,), fingers=True)
    fingers = {LdsFile.DG3: filled(LdsFile.DG3, 20_000)}
    return profiled(profile, trust_points=(people.cvca.certificate.encoded,), files=fingers)


def ceremony(profile: KeyProfile, rights: int = READ_DG3) -> CvCeremony:
    """A chain for today, which libeac believes the clock for."""
    keys = [PrivateKey.of_profile(profile) for _ in range(3)]
    verifier, terminal = (
        CvHolder(key.public_key, key.algorithm, name, rights)
        for key, name in zip(keys[1:], ("VNDV00001", "VNIS00001"), strict=True)
    )
    cvca = CvSigner(keys[0], issue_cvca(keys[0], "VNCVCA00001", TODAY))
    admitted = CvSigner(keys[1], issue_document_verifier(cvca, verifier, TODAY))
    return CvCeremony(cvca, admitted, CvSigner(keys[2], issue_terminal(admitted, terminal, TODAY)), keys[2])


@dataclass(frozen=True)
class Admitted:
    """A terminal's key with its certificates after the trust point."""

    trust_point: bytes
    chain: tuple[CardVerifiableCertificate, ...]
    key: PrivateKey

    @classmethod
    def of(cls, people: CvCeremony) -> Admitted:
        chain = (people.document_verifier.certificate, people.terminal.certificate)
        return cls(people.cvca.certificate.encoded, chain, people.terminal_key)


def authenticated(
    library: Library, image: CardImage, admitted: Admitted, agreement: AgreementOffer = OWN_CURVE
) -> LibeacTerminal:
    """libeac after terminal authentication; asked again where it drops zeros of what is signed."""
    while True:
        terminal = proven(library, image, agreement)
        chain = [certificate.encoded for certificate in admitted.chain]
        try:
            terminal.authenticate_terminal(admitted.trust_point, chain, admitted.key.to_pkcs8())
        except LibeacFailed:
            wanted = {
                terminal.chip_identity: compressed_length(PaceOffer().parameter_id),
                terminal.own_key: compressed_length(agreement.parameter_id),
                terminal.signature: len(admitted.chain[0].signature),
            }
            if not any(0 < len(octets) < length for octets, length in wanted.items()):
                raise
        else:
            return terminal


def compressed_length(parameter_id: int) -> int:
    group = GROUPS[parameter_id]
    return len(group.compress(group.key(1).public))


CV_KEYS = {
    **{
        f"{curve.name} {hash_name}": KeyProfile.ecdsa(curve, hash_name)
        for curve, hash_name in (
            (ec.SECP256R1(), "sha256"),
            (ec.SECP384R1(), "sha384"),
            (ec.SECP521R1(), "sha512"),
            (ec.BrainpoolP256R1(), "sha256"),
            (ec.BrainpoolP384R1(), "sha384"),
            (ec.BrainpoolP512R1(), "sha512"),
        )
    },
    **{
        name: KeyProfile(2048, SigningAlgorithm.named(name))
        for name in ("rsa-pkcs1-sha256", "rsa-pkcs1-sha512")
    },
}


@pytest.mark.parametrize("name", CV_KEYS)
def test_libeac_opens_the_fingerprints(library: Library, name: str) -> None:
    people = ceremony(CV_KEYS[name])
    image = finger_card(people)
    terminal = authenticated(library, image, Admitted.of(people))
    assert terminal.read(LdsFile.DG3.file_id) == image.files[LdsFile.DG3]


@pytest.mark.parametrize(
    "agreement",
    [
        AgreementOffer(Suite.TRIPLE_DES, 12),
        AgreementOffer(Suite.AES_192, 18),
        AgreementOffer(Suite.AES_256, 1),
    ],
    ids=name_of,
)
def test_libeac_opens_the_fingerprints_after_any_chip_authentication(
    library: Library, agreement: AgreementOffer
) -> None:
    people = hold_cv_ceremony(CvPlan(), TODAY)
    image = finger_card(people, agreement)
    terminal = authenticated(library, image, Admitted.of(people), agreement)
    assert terminal.read(LdsFile.DG3.file_id) == image.files[LdsFile.DG3]


def test_a_link_leads_libeac_and_the_chip_to_the_new_authority(library: Library) -> None:
    former = hold_cv_ceremony(CvPlan(), TODAY)
    key = PrivateKey.of_profile(CvPlan().key)
    link = issue_cvca_link(former.cvca, key, TODAY)
    verifier, terminal_key = former.document_verifier.key, former.terminal_key
    holder = CvHolder(verifier.public_key, verifier.algorithm, "VNDV00002", READ_DG3)
    admitted = CvSigner(verifier, issue_document_verifier(CvSigner(key, link), holder, TODAY))
    holder = CvHolder(terminal_key.public_key, terminal_key.algorithm, "VNIS00002", READ_DG3)
    chain = (link, admitted.certificate, issue_terminal(admitted, holder, TODAY))
    image = finger_card(former)
    own = Admitted(former.cvca.certificate.encoded, chain, terminal_key)
    assert authenticated(library, image, own).read(LdsFile.DG3.file_id) == image.files[LdsFile.DG3]


def test_libeac_with_the_certificates_of_another_state_is_refused(library: Library) -> None:
    people, foreign = (hold_cv_ceremony(CvPlan(country=country), TODAY) for country in ("VN", "XX"))
    with pytest.raises(LibeacFailed, match="6a88"):
        authenticated(library, finger_card(people), Admitted.of(foreign))


def test_libeac_without_the_right_opens_nothing(library: Library) -> None:
    people = ceremony(CvPlan().key, READ_DG4)
    terminal = authenticated(library, finger_card(people), Admitted.of(people))
    with pytest.raises(LibeacFailed, match="6982"):
        terminal.read(LdsFile.DG3.file_id)
