"""Whom the chip lets read fingerprints: certificates, rights, dates, and the order of the commands."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

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
    sign_plain,
)
from issuance_backend.csca.signer import PrivateKey
from issuance_backend.csca.signing_algorithms import KeyProfile, SigningAlgorithm
from issuance_backend.virtual_card.icc_commands import CommandRefused
from issuance_backend.virtual_card.icc_curves import CURVES
from issuance_backend.virtual_card.icc_cv_certificates import EllipticKey, Role, parse_certificate
from issuance_backend.virtual_card.icc_terminal_authentication import TerminalAuthentication, TrustMemory
from tests.support import vectors
from tests.support.chip_terminal import scripted
from tests.support.textbook_curve import TextbookCurve
from verification.encoding.tlv import build, children, only
from verification.lds.card_verifiable import (
    READ_DG3,
    READ_DG4,
    CardVerifiableCertificate,
    HolderRole,
    build_cv_certificate,
    build_cv_certificate_body,
    parse_cv_certificate,
)
from verification.lds.files import LdsFile

EAC = vectors.load("eacv1_ca_ta_synthetic")
DAY = date(2026, 3, 2)
CARD = b"0901234562"
TERMINAL_KEY = bytes(range(32))


@cache
def people() -> CvCeremony:
    return hold_cv_ceremony(CvPlan(rights=READ_DG3), DAY)


def key(like: CvSigner | None = None) -> PrivateKey:
    """A fresh key; ``like`` an RSA signer it is RSA too: with it comes no curve to inherit."""
    if like is not None and isinstance(like.key.public_key, rsa.RSAPublicKey):
        return PrivateKey.of_profile(KeyProfile(2048, like.key.algorithm))
    return PrivateKey.of_profile(CvPlan().key)


def holder(private: PrivateKey, reference: str, rights: int) -> CvHolder:
    return CvHolder(private.public_key, private.algorithm, reference, rights)


def verifier(
    cvca: CvSigner,
    rights: int = READ_DG3 | READ_DG4,
    day: date = DAY,
    role: HolderRole = HolderRole.DV_DOMESTIC,
) -> CvSigner:
    private = key(cvca)
    named = holder(private, "VNOTHERDV00001", rights)
    return CvSigner(private, issue_document_verifier(cvca, named, day, role=role))


def terminal(above: CvSigner, rights: int = READ_DG3 | READ_DG4, day: date = DAY, days: int = 31) -> CvSigner:
    private = key(above)
    named = holder(private, "VNOTHERIS00001", rights)
    return CvSigner(private, issue_terminal(above, named, day, days))


class Chip:
    """One session of a chip that trusts some authorities."""

    def __init__(self, *trusted: CardVerifiableCertificate) -> None:
        self.trust = TrustMemory([certificate.encoded for certificate in trusted])
        self.session = TerminalAuthentication(self.trust, scripted("0102030405060708"))

    def show(self, certificate: CardVerifiableCertificate, signed_by: str | None = None) -> None:
        authority = signed_by or certificate.authority_reference
        self.session.set_verification_key(build(0x83, authority.encode()))
        self.session.verify_certificate(certificate.content_octets)

    def admit(self, who: CvSigner) -> frozenset[LdsFile]:
        self.session.set_terminal_key(build(0x83, who.certificate.holder_reference.encode()))
        challenge = self.session.challenge()
        return self.session.authenticate(
            sign_plain(who.key, CARD + challenge + TERMINAL_KEY), CARD, TERMINAL_KEY
        )


def refused(call: Callable[[], object]) -> int:
    with pytest.raises(CommandRefused) as refusal:
        call()
    return refusal.value.status_word


def whole_chain(*, dg3_terminal: CvSigner | None = None, chip: Chip | None = None) -> Chip:
    """A chip that has been shown the document verifier and the terminal of ``people``."""
    chip = chip or Chip(people().cvca.certificate)
    chip.show(people().document_verifier.certificate)
    chip.show((dg3_terminal or people().terminal).certificate)
    return chip


def test_the_chain_and_signature_of_the_worked_example_open_dg3() -> None:
    chain = {name: bytes.fromhex(encoded) for name, encoded in EAC["cv_chain"].items()}
    session = TerminalAuthentication(TrustMemory([chain["cvca"]]), scripted(EAC["r_picc"]))
    for authority, name in ((b"VNTESTCVCA00001", "dv"), (b"VNTESTDV00001", "is_dg3")):
        session.set_verification_key(build(0x83, authority))
        session.verify_certificate(only(chain[name], 0x7F21))
    session.set_terminal_key(build(0x83, b"VNTESTIS00001"))
    challenge, terminal_key = session.challenge(), bytes.fromhex(EAC["comp_pk_pcd_x"])
    assert (EAC["id_picc"].encode() + challenge + terminal_key).hex() == EAC["ta_signed_data"]
    signature = bytes.fromhex(EAC["ta_signature_plain"])
    assert session.authenticate(signature, EAC["id_picc"].encode(), terminal_key) == {LdsFile.DG3}


@pytest.mark.parametrize(("example", "cvca"), [("tr03110_eac_ecdh", "cvca_cert"), ("tr03110_eac_dh", "cvca")])
def test_certificates_of_the_technical_guideline_are_read_and_proven(example: str, cvca: str) -> None:
    """An authority for every kind of terminal; below it they are for terminals that read no passports."""
    values = vectors.load(example)["values"]
    encoded = bytes.fromhex(values[cvca])
    authority = parse_certificate(encoded)
    assert (authority.role, authority.holder) == (Role.AUTHORITY, authority.authority)
    assert authority.public_key.is_signature(authority.signature, authority.signed)
    below = bytes.fromhex(values["dv_cert"])
    body, signature = children(only(below, 0x7F21))
    assert authority.public_key.is_signature(signature.value, body.encoded)
    assert not authority.public_key.is_signature(signature.value, body.encoded + b"\x00")
    for name in ("dv_cert", "ta_cert"):
        other = bytes.fromhex(values[name])
        assert refused(lambda other=other: parse_certificate(other, authority.public_key)) == 0x6A80  # type: ignore[misc]


@pytest.mark.parametrize(
    ("of_verifier", "of_terminal", "opened"),
    [
        (READ_DG3 | READ_DG4, READ_DG3 | READ_DG4, {LdsFile.DG3, LdsFile.DG4}),
        (READ_DG3, READ_DG3 | READ_DG4, {LdsFile.DG3}),
        (READ_DG3 | READ_DG4, READ_DG4, {LdsFile.DG4}),
        (READ_DG3, READ_DG4, set()),
        (0, READ_DG3, set()),
    ],
)
def test_a_terminal_has_the_rights_that_everybody_above_it_has(
    of_verifier: int, of_terminal: int, opened: set[LdsFile]
) -> None:
    chip = Chip(people().cvca.certificate)
    above = verifier(people().cvca, of_verifier)
    below = terminal(above, of_terminal)
    chip.show(above.certificate)
    chip.show(below.certificate)
    assert chip.admit(below) == opened


@pytest.mark.parametrize("hash_name", ["sha256", "sha512"])
@pytest.mark.parametrize("scheme", ["rsa-pkcs1", "rsa-pss"])
def test_rsa_chains_open_the_card_as_well(scheme: str, hash_name: str) -> None:
    cvca = rsa_cvca(SigningAlgorithm.named(f"{scheme}-{hash_name}"))
    chip = Chip(cvca.certificate)
    above = verifier(cvca)
    below = terminal(above)
    chip.show(above.certificate)
    chip.show(below.certificate)
    assert chip.admit(below) == {LdsFile.DG3, LdsFile.DG4}


@pytest.mark.parametrize("named", [ec.SECP224R1(), ec.SECP384R1(), ec.BrainpoolP512R1(), ec.SECP521R1()])
def test_every_curve_signs_certificates(named: ec.EllipticCurve) -> None:
    made = hold_cv_ceremony(CvPlan(curve=named, hash_name="sha512"), DAY)
    chip = Chip(made.cvca.certificate)
    chip.show(made.document_verifier.certificate)
    chip.show(made.terminal.certificate)
    assert chip.admit(made.terminal) == {LdsFile.DG3}


@pytest.mark.parametrize("parameter_id", [9, 11, 14])
def test_signatures_on_the_curves_that_openssl_lacks(parameter_id: int) -> None:
    curve = CURVES[parameter_id]
    numbers = curve.numbers
    textbook = TextbookCurve(numbers.p, numbers.a, numbers.b, numbers.n, (numbers.x, numbers.y))
    private, nonce = 0x5E6331B8870151C5BAFFC94C1B2D, 0x28E3DF6406742CE135935BF74C
    half = (numbers.n.bit_length() + 7) // 8
    for digest in (hashes.SHA224(), hashes.SHA512()):
        public = EllipticKey(curve, textbook.encode(textbook.multiply(private, textbook.base)), digest)
        hashed = hashlib.new(digest.name, b"body").digest()
        e = int.from_bytes(hashed, "big") >> max(0, 8 * len(hashed) - numbers.n.bit_length())
        point = textbook.multiply(nonce, textbook.base)
        assert point is not None
        r = point[0] % numbers.n
        s = pow(nonce, -1, numbers.n) * (e + r * private) % numbers.n
        signature = r.to_bytes(half, "big") + s.to_bytes(half, "big")
        assert public.is_signature(signature, b"body")
        assert not public.is_signature(signature, b"ydob")
        assert not public.is_signature(signature[:-1] + bytes((signature[-1] ^ 1,)), b"body")
        for bad in (b"", bytes(2 * half), signature + b"\x00", b"\xff" * 2 * half):
            assert not public.is_signature(bad, b"body")


def test_every_octet_of_a_certificate_flipped_once_is_refused() -> None:
    certificate = people().document_verifier.certificate
    for position in range(len(certificate.content_octets)):
        flipped = bytearray(certificate.content_octets)
        flipped[position] ^= 0x01
        chip = Chip(people().cvca.certificate)
        chip.session.set_verification_key(build(0x83, certificate.authority_reference.encode()))
        assert refused(lambda chip=chip, f=bytes(flipped): chip.session.verify_certificate(f)) in (  # type: ignore[misc]
            0x6300,
            0x6A80,
        )
        assert chip.trust.today == DAY


def test_a_link_certificate_moves_the_trust_on_and_two_points_are_kept() -> None:
    chip = Chip(people().cvca.certificate)
    first, references = people().cvca, []
    for year in (1, 2, 3):
        day = DAY + timedelta(days=300 * year)
        private = key()
        second = CvSigner(private, issue_cvca_link(first, private, day))
        chip.show(second.certificate)
        references.append(second.certificate.holder_reference.encode())
        assert chip.trust.today == day
        assert chip.trust.references()[0] == references[-1]
        first = second
    assert chip.trust.references() == [references[2], references[1]]
    assert chip.trust.ef_cvca() == build(0x42, references[2]) + build(0x42, references[1]) + b"\x00" * (
        36 - 4 - len(references[2]) - len(references[1])
    )
    # The first is forgotten: a verifier of its day is nobody's any more.
    assert refused(lambda: chip.show(people().document_verifier.certificate)) == 0x6A88
    above = verifier(first, day=day)
    chip.show(above.certificate)
    below = terminal(above, day=day)
    chip.show(below.certificate)
    assert chip.admit(below)


def test_a_link_is_taken_late_and_once() -> None:
    private = key()
    link = issue_cvca_link(people().cvca, private, DAY, 183)
    chip = Chip(people().cvca.certificate)
    late = verifier(people().cvca, day=DAY + timedelta(days=400))
    chip.show(late.certificate)
    assert chip.trust.today > link.expiration
    chip.show(link)
    assert refused(lambda: chip.show(link)) == 0x6A80
    assert refused(lambda: chip.show(people().cvca.certificate)) == 0x6A80
    # Expired by the chip's date, it admits nobody.
    above = verifier(CvSigner(private, link), day=DAY + timedelta(days=401))
    assert refused(lambda: chip.show(above.certificate)) == 0x6300


def test_expired_certificates_are_refused_by_the_date_that_the_chip_has_seen() -> None:
    chip = Chip(people().cvca.certificate)
    above = verifier(people().cvca)
    early = terminal(above, days=1)
    chip.show(above.certificate)
    chip.show(early.certificate)  # its last day is the day the chip believes it is
    later = terminal(above, day=DAY + timedelta(days=1))
    chip.show(above.certificate)
    chip.show(later.certificate)
    assert chip.trust.today == DAY + timedelta(days=1)
    chip.show(above.certificate)
    assert refused(lambda: chip.show(early.certificate)) == 0x6300


def test_a_terminal_of_another_state_does_not_move_the_date() -> None:
    chip = Chip(people().cvca.certificate)
    foreign = verifier(people().cvca, role=HolderRole.DV_FOREIGN)
    below = terminal(foreign, day=DAY + timedelta(days=5))
    chip.show(foreign.certificate)
    chip.show(below.certificate)
    assert chip.trust.today == DAY
    assert chip.admit(below)


def test_only_the_right_role_issues() -> None:
    above, chip = verifier(people().cvca), Chip(people().cvca.certificate)
    below = terminal(above)
    chip.show(above.certificate)
    for role in (HolderRole.CVCA, HolderRole.DV_DOMESTIC):
        forged = resigned(below.certificate, above, role)
        assert refused(lambda forged=forged: chip.show(forged)) == 0x6A80  # type: ignore[misc]
    straight = resigned(below.certificate, people().cvca, HolderRole.IS)
    assert refused(lambda: chip.show(straight)) == 0x6A80
    chip.show(below.certificate)
    assert refused(lambda: chip.show(resigned(below.certificate, below, HolderRole.IS))) == 0x6A80


def test_certificates_of_somebody_else_are_refused() -> None:
    rogue = hold_cv_ceremony(CvPlan(), DAY)
    chip = Chip(people().cvca.certificate)
    assert refused(lambda: chip.show(rogue.document_verifier.certificate)) == 0x6300
    assert refused(lambda: chip.show(rogue.terminal.certificate)) == 0x6A88
    # What failed changed nothing.
    assert whole_chain(chip=chip).admit(people().terminal) == {LdsFile.DG3}


def test_a_wrong_signature_uses_the_challenge_up() -> None:
    chip = whole_chain()
    chip.session.set_terminal_key(build(0x83, people().terminal.certificate.holder_reference.encode()))
    challenge = chip.session.challenge()
    good = sign_plain(people().terminal.key, CARD + challenge + TERMINAL_KEY)
    bad = sign_plain(people().terminal.key, CARD + challenge + bytes(32))
    assert refused(lambda: chip.session.authenticate(bad, CARD, TERMINAL_KEY)) == 0x6300
    assert refused(lambda: chip.session.authenticate(good, CARD, TERMINAL_KEY)) == 0x6985


@pytest.mark.parametrize("bound", ["card", "terminal"])
def test_the_signature_binds_this_card_and_this_session(bound: str) -> None:
    chip = whole_chain()
    chip.session.set_terminal_key(build(0x83, people().terminal.certificate.holder_reference.encode()))
    signature = sign_plain(people().terminal.key, CARD + chip.session.challenge() + TERMINAL_KEY)
    card, key_ = (b"0901234579", TERMINAL_KEY) if bound == "card" else (CARD, bytes(32))
    assert refused(lambda: chip.session.authenticate(signature, card, key_)) == 0x6300


def test_steps_out_of_order_are_refused() -> None:
    chip = Chip(people().cvca.certificate)
    session, name = chip.session, people().terminal.certificate.holder_reference.encode()
    content = people().document_verifier.certificate.content_octets
    assert refused(lambda: session.verify_certificate(content)) == 0x6985
    assert refused(lambda: session.set_terminal_key(build(0x83, name))) == 0x6A88
    assert refused(lambda: session.set_verification_key(b"")) == 0x6A80
    assert refused(lambda: session.authenticate(bytes(64), CARD, TERMINAL_KEY)) == 0x6985
    whole_chain(chip=chip)
    # A verifier's key signs no challenge, and a certificate needs its issuer named again.
    verifier_name = people().document_verifier.certificate.holder_reference.encode()
    assert refused(lambda: session.set_terminal_key(build(0x83, verifier_name))) == 0x6A88
    assert refused(lambda: session.verify_certificate(content)) == 0x6985
    session.forget()
    assert refused(lambda: session.set_terminal_key(build(0x83, name))) == 0x6A88


def test_a_certificate_is_read_as_it_was_made() -> None:
    made = people().terminal.certificate
    read = parse_certificate(made.encoded, EllipticKey(CURVES[13], CURVES[13].base, hashes.SHA256()))
    assert (read.role, read.rights) == (Role.TERMINAL, READ_DG3)
    assert (read.effective, read.expiration) == (made.effective, made.expiration)
    assert read.holder.decode() == made.holder_reference
    # Without an issuer there is no curve to take the point for.
    assert refused(lambda: parse_certificate(made.encoded)) == 0x6A80


def test_curve_parameters_that_are_nearly_those_of_a_curve_are_refused() -> None:
    encoded = people().cvca.certificate.encoded
    for parameter in (CURVES[13].numbers.b, CURVES[13].numbers.y, CURVES[13].numbers.n):
        octets = parameter.to_bytes(32, "big")
        assert encoded.count(octets) == 1
        altered = encoded.replace(octets, octets[:-1] + bytes((octets[-1] ^ 1,)))
        assert refused(lambda altered=altered: parse_certificate(altered)) == 0x6A80  # type: ignore[misc]


def test_a_forged_length_or_a_heap_of_octets_is_refused_at_once() -> None:
    for encoded in (
        b"",
        b"\x7f",
        b"\x7f\x21",
        bytes(5000),
        b"\x7f\x4e\x83\xff\xff\xff",
        b"\x7f\x4e\x00\x5f\x37\x00",
    ):
        chip = Chip(people().cvca.certificate)
        chip.session.set_verification_key(build(0x83, people().cvca.certificate.holder_reference.encode()))
        assert refused(lambda chip=chip, e=encoded: chip.session.verify_certificate(e)) == 0x6A80  # type: ignore[misc]


def resigned(
    certificate: CardVerifiableCertificate, by: CvSigner, role: HolderRole
) -> CardVerifiableCertificate:
    """The certificate with another role and issuer, properly signed."""
    changed = replace(
        certificate,
        authority_reference=by.certificate.holder_reference,
        authorization=replace(certificate.authorization, role=role),
    )
    body = build_cv_certificate_body(changed)
    return parse_cv_certificate(build_cv_certificate(body, sign_plain(by.key, body)))


@cache
def rsa_cvca(algorithm: SigningAlgorithm) -> CvSigner:
    private = PrivateKey.of_profile(KeyProfile(2048, algorithm))
    return CvSigner(private, issue_cvca(private, "VNRSACVCA00001", DAY))
