"""Chains of card verifiable certificates: worked values, every algorithm, every byte, every rule."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.support.terminal_pki import (
    ECDSA_SHA256,
    TODAY,
    Party,
    content,
    cvca,
    issue,
    link,
    sign,
    terminal_chain,
)
from tests.support.textbook_curve import TextbookCurve
from tests.support.vectors import load
from verification.encoding.curve_parameters import PARAMETERS_BY_NAME
from verification.errors import (
    AlgorithmRefused,
    MalformedDocument,
    TerminalCertificateExpired,
    TerminalCertificateInvalid,
    VerificationError,
)
from verification.lds.card_verifiable import (
    AUTHENTICATION_TERMINAL,
    CV_ALGORITHMS,
    INSPECTION_SYSTEM,
    CardVerifiableCertificate,
    CvEcKey,
    CvPublicKey,
    HolderAuthorization,
    HolderRole,
    build_cv_certificate,
    build_cv_certificate_body,
    parse_cv_certificate,
)
from verification.lds.card_verifiable_path import EffectiveRights
from verification.pki.card_verifiable_chain import verify_chain
from verification.pki.card_verifiable_key import require_cv_signature

EAC = load("eacv1_ca_ta_synthetic")
BSI_ECDH = load("tr03110_eac_ecdh")["values"]
BSI_DH = load("tr03110_eac_dh")["values"]


def parsed(*encoded: str) -> tuple[CardVerifiableCertificate, ...]:
    return tuple(parse_cv_certificate(bytes.fromhex(one)) for one in encoded)


# -- worked values ----------------------------------------------------------------------------


def test_the_chain_of_eac_version_1_gives_fingerprints() -> None:
    root, *chain = parsed(*(EAC["cv_chain"][name] for name in ("cvca", "dv", "is_dg3")))
    rights = verify_chain(root, chain, date(2025, 1, 15))
    assert rights == EffectiveRights(0b01)
    assert rights.reads_dg3
    assert not rights.reads_dg4


def test_the_signature_of_terminal_authentication() -> None:
    root, _, terminal = parsed(*(EAC["cv_chain"][name] for name in ("cvca", "dv", "is_dg3")))
    assert isinstance(root.public_key.key, CvEcKey)
    curve = root.public_key.key.curve
    signed = EAC["id_picc"].encode() + bytes.fromhex(EAC["r_picc"] + EAC["comp_pk_pcd_x"])
    assert signed.hex() == EAC["ta_signed_data"]
    signature = bytes.fromhex(EAC["ta_signature_plain"])
    require_cv_signature(terminal.public_key, curve, signed, signature)
    with pytest.raises(TerminalCertificateInvalid):
        require_cv_signature(terminal.public_key, curve, signed + b"\x00", signature)


@pytest.mark.parametrize("name", ["tr03110_eac_ecdh", "tr03110_eac_dh"])
def test_the_signatures_of_the_worked_example(name: str) -> None:
    """brainpoolP512r1 with SHA-512, and RSA of 1024 bits with SHA-1."""
    values = load(name)["values"]
    root, verifier, terminal = parsed(
        values.get("cvca_cert") or values["cvca"], values["dv_cert"], values["ta_cert"]
    )
    key = root.public_key.key
    curve = key.curve if isinstance(key, CvEcKey) else None
    for issuer, certificate in ((root, root), (root, verifier), (verifier, terminal)):
        require_cv_signature(issuer.public_key, curve, certificate.body, certificate.signature)
    with pytest.raises(TerminalCertificateInvalid):
        require_cv_signature(root.public_key, curve, terminal.body, terminal.signature)
    # Its CVCA is one for inspection systems and the terminal is none.
    with pytest.raises(TerminalCertificateInvalid, match="other terminals"):
        verify_chain(root, (verifier, terminal), verifier.effective)


def test_the_terminal_signature_of_the_worked_example() -> None:
    _, _, terminal = parsed(BSI_DH["cvca"], BSI_DH["dv_cert"], BSI_DH["ta_cert"])
    signed = bytes.fromhex(load("tr03110_eac_dh")["ta_signed_data"])
    require_cv_signature(terminal.public_key, None, signed, bytes.fromhex(BSI_DH["ta_pcd_signature"]))


def test_the_terminal_signature_of_the_worked_example_over_a_curve() -> None:
    """ID_PICC and Comp(PK_PCD) are the x-coordinates of the keys of PACE and chip authentication."""
    root, _, terminal = parsed(BSI_ECDH["cvca_cert"], BSI_ECDH["dv_cert"], BSI_ECDH["ta_cert"])
    picc, pcd = (BSI_ECDH[name][2:66] for name in ("picc_pub_key", "ca_pcd_pub_key"))
    signed = bytes.fromhex(picc + BSI_ECDH["ta_nonce"] + pcd)
    assert isinstance(root.public_key.key, CvEcKey)
    signature = bytes.fromhex(BSI_ECDH["ta_pcd_signature"])
    require_cv_signature(terminal.public_key, root.public_key.key.curve, signed, signature)


@pytest.mark.shared_data
@pytest.mark.parametrize("file", ["cvca-epass.cv", "cvca-eid.cv", "cvca-esign.cv"])
def test_the_german_authorities_signed_themselves(shared: Path, file: str) -> None:
    certificate = parse_cv_certificate((shared / "data" / "emrtd" / "openpace" / file).read_bytes())
    assert verify_chain(certificate, (), TODAY).reads_dg3 == (file == "cvca-epass.cv")


# -- every algorithm --------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", sorted(CV_ALGORITHMS))
def test_every_algorithm_of_the_standard(algorithm: str) -> None:
    root, verifier, terminal = terminal_chain(algorithm)
    chain = (verifier.certificate, terminal.certificate)
    assert verify_chain(root.certificate, chain, TODAY).reads_dg3
    others = [other for other in CV_ALGORITHMS if other.rpartition(".")[0] == algorithm.rpartition(".")[0]]
    other = replace(root.certificate.public_key, algorithm=next(one for one in others if one != algorithm))
    with pytest.raises(TerminalCertificateInvalid):
        verify_chain(replace(root.certificate, public_key=other), chain, TODAY)


@pytest.mark.parametrize(
    "curve", ["secp224r1", "secp256r1", "secp384r1", "secp521r1", "brainpoolP384r1", "brainpoolP512r1"]
)
def test_every_curve(curve: str) -> None:
    root, verifier, terminal = terminal_chain(ECDSA_SHA256, curve)
    verify_chain(root.certificate, (verifier.certificate, terminal.certificate), TODAY)


@pytest.mark.parametrize("name", ["brainpoolP192r1", "brainpoolP224r1", "brainpoolP320r1"])
def test_curves_that_openssl_does_not_offer(name: str) -> None:
    known = PARAMETERS_BY_NAME[name]
    curve = TextbookCurve(known.p, known.a, known.b, known.n, (known.x, known.y))
    private, nonce = (1 + int.from_bytes(os.urandom(64), "big") % (known.n - 1) for _ in range(2))
    point = curve.encode(curve.multiply(private, curve.base))
    key = CvPublicKey(ECDSA_SHA256, CvEcKey(known, point))
    body = build_cv_certificate_body(content("VNCVCA00001", "VNCVCA00001", HolderRole.CVCA, key))
    signature = _textbook_ecdsa(curve, private, nonce, body)
    root = parse_cv_certificate(build_cv_certificate(body, signature))
    assert verify_chain(root, (), TODAY).reads_dg3
    altered = bytearray(signature)
    altered[-1] ^= 1
    with pytest.raises(TerminalCertificateInvalid):
        verify_chain(replace(root, signature=bytes(altered)), (), TODAY)


def _textbook_ecdsa(curve: TextbookCurve, private: int, nonce: int, signed: bytes) -> bytes:
    digest = int.from_bytes(hashlib.sha256(signed).digest(), "big") >> max(0, 256 - curve.n.bit_length())
    commitment = curve.multiply(nonce, curve.base)
    assert commitment is not None
    r = commitment[0] % curve.n
    s = pow(nonce, -1, curve.n) * (digest + r * private) % curve.n
    return b"".join(number.to_bytes(curve.size, "big") for number in (r, s))


def test_a_signature_with_leading_zeros_keeps_its_length() -> None:
    """r or s is under 2^248 once in 128 signatures: the plain form is as long as ever."""
    root = cvca()
    public = root.certificate.public_key
    signed = b"signed"
    signatures = (sign(root.private, public.algorithm, signed) for _ in range(20_000))
    short = next(one for one in signatures if not one[0] or not one[32])
    require_cv_signature(public, None, signed, short)
    stripped = short[1:] if not short[0] else short[:32] + short[33:]
    with pytest.raises(TerminalCertificateInvalid):
        require_cv_signature(public, None, signed, stripped)


@pytest.mark.parametrize("signature", [b"", bytes(64), bytes(63), b"\xff" * 64, bytes(65)])
def test_octets_that_are_no_signature(signature: bytes) -> None:
    root = cvca()
    with pytest.raises(TerminalCertificateInvalid):
        verify_chain(replace(root.certificate, signature=signature), (), TODAY)


# -- every byte -------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", [ECDSA_SHA256, "0.4.0.127.0.7.2.2.2.1.4"])
def test_every_byte_altered_once_is_refused(algorithm: str) -> None:
    parties = terminal_chain(algorithm)
    encoded = [party.certificate.encoded for party in parties]
    assert _verified(encoded)
    for index, certificate in enumerate(encoded):
        for position in range(len(certificate)):
            altered = bytearray(certificate)
            altered[position] ^= 1 << position % 8
            with pytest.raises(VerificationError):
                _verified([*encoded[:index], bytes(altered), *encoded[index + 1 :]])


def _verified(encoded: list[bytes]) -> EffectiveRights:
    root, *chain = (parse_cv_certificate(one) for one in encoded)
    return verify_chain(root, chain, TODAY)


# -- every rule -------------------------------------------------------------------------------


def chain_of(*parties: Party) -> tuple[CardVerifiableCertificate, ...]:
    return tuple(party.certificate for party in parties)


def test_links_lead_to_another_curve() -> None:
    old, new = cvca("VNCVCA00001"), cvca("VNCVCA00002", curve="secp384r1")
    verifier = issue(new, "VNDV00001", HolderRole.DV_DOMESTIC)
    terminal = issue(verifier, "VNIS00001", HolderRole.IS)
    chain = (link(old, new), verifier.certificate, terminal.certificate)
    assert verify_chain(old.certificate, chain, TODAY).reads_dg4
    # A link is verified from the key that made it, never believed by itself.
    with pytest.raises(TerminalCertificateInvalid, match="trust point"):
        verify_chain(chain[0], chain[1:], TODAY)
    with pytest.raises(TerminalCertificateInvalid):
        verify_chain(old.certificate, chain[1:], TODAY)
    with pytest.raises(TerminalCertificateInvalid):
        verify_chain(old.certificate, (link(new, new), *chain[1:]), TODAY)


def test_a_link_stays_usable_when_it_has_expired_and_nothing_else_does() -> None:
    old, new = cvca("VNCVCA00001"), cvca("VNCVCA00002")
    verifier = issue(new, "VNDV00001", HolderRole.DV_DOMESTIC)
    expired = link(old, new, expiration=TODAY - timedelta(1))
    verify_chain(old.certificate, (expired, verifier.certificate), TODAY)
    early = link(old, new, effective=TODAY + timedelta(1))
    with pytest.raises(TerminalCertificateExpired):
        verify_chain(old.certificate, (early, verifier.certificate), TODAY)


@pytest.mark.parametrize("holder", ["verifier", "terminal"])
@pytest.mark.parametrize(
    ("effective", "expiration", "is_valid"),
    [(0, 0, True), (-30, 0, True), (0, 30, True), (1, 30, False), (-30, -1, False)],
)
def test_validity_counts_both_days(holder: str, effective: int, expiration: int, *, is_valid: bool) -> None:
    days = {"effective": TODAY + timedelta(effective), "expiration": TODAY + timedelta(expiration)}
    root = cvca()
    verifier = issue(root, "VNDV00001", HolderRole.DV_DOMESTIC, **(days if holder == "verifier" else {}))
    terminal = issue(verifier, "VNIS00001", HolderRole.IS, **(days if holder == "terminal" else {}))
    if is_valid:
        assert verify_chain(root.certificate, chain_of(verifier, terminal), TODAY).reads_dg3
    else:
        with pytest.raises(TerminalCertificateExpired):
            verify_chain(root.certificate, chain_of(verifier, terminal), TODAY)


def test_roles_follow_each_other() -> None:
    root, verifier, terminal = terminal_chain()
    below_terminal = issue(terminal, "VNIS00002", HolderRole.IS)
    verifier_below_verifier = issue(verifier, "VNDV00002", HolderRole.DV_FOREIGN)
    terminal_of_root = issue(root, "VNIS00003", HolderRole.IS)
    authority_of_verifier = issue(verifier, "VNCVCA00009", HolderRole.CVCA)
    for chain in (
        (terminal_of_root,),
        (verifier, verifier_below_verifier),
        (verifier, authority_of_verifier),
        (verifier, terminal, below_terminal),
    ):
        with pytest.raises(TerminalCertificateInvalid, match="role"):
            verify_chain(root.certificate, chain_of(*chain), TODAY)
    foreign = issue(root, "DEDV00001", HolderRole.DV_FOREIGN)
    assert verify_chain(
        root.certificate, chain_of(foreign, issue(foreign, "DEIS00001", HolderRole.IS)), TODAY
    )


def test_a_verifier_is_no_trust_point() -> None:
    _, verifier, terminal = terminal_chain()
    with pytest.raises(TerminalCertificateInvalid, match="trust point"):
        verify_chain(verifier.certificate, (terminal.certificate,), TODAY)


def test_names_follow_each_other() -> None:
    root, verifier, terminal = terminal_chain()
    with pytest.raises(TerminalCertificateInvalid, match="another authority"):
        verify_chain(root.certificate, (terminal.certificate,), TODAY)
    renamed = issue(root, "VNDV00002", HolderRole.DV_DOMESTIC, private=verifier.private)
    with pytest.raises(TerminalCertificateInvalid, match="another authority"):
        verify_chain(root.certificate, chain_of(renamed, terminal), TODAY)


def test_another_issuer_of_the_same_name_is_found_out() -> None:
    root, other = cvca(), cvca()
    verifier = issue(other, "VNDV00001", HolderRole.DV_DOMESTIC)
    assert root.name == other.name
    with pytest.raises(TerminalCertificateInvalid, match="signature"):
        verify_chain(root.certificate, (verifier.certificate,), TODAY)


def test_the_type_of_terminal_stays_the_same() -> None:
    root = cvca()
    changed = HolderAuthorization(AUTHENTICATION_TERMINAL, HolderRole.DV_DOMESTIC, 3)
    verifier = issue(root, "VNDV00001", HolderRole.DV_DOMESTIC, authorization=changed)
    assert root.certificate.authorization.oid == INSPECTION_SYSTEM
    with pytest.raises(TerminalCertificateInvalid, match="other terminals"):
        verify_chain(root.certificate, (verifier.certificate,), TODAY)


def test_keys_that_are_none_meet_our_own_errors() -> None:
    root = cvca()
    identifier = root.certificate.public_key.algorithm
    off_the_curve = CvPublicKey(identifier, CvEcKey(None, b"\x04" + bytes(63) + b"\x01"))
    verifier = issue(root, "VNDV00001", HolderRole.DV_DOMESTIC, public_key=off_the_curve)
    with pytest.raises(MalformedDocument):
        verify_chain(root.certificate, (verifier.certificate,), TODAY)
    without_curve = replace(
        root.certificate, public_key=replace(root.certificate.public_key, key=CvEcKey(None, bytes(65)))
    )
    with pytest.raises(MalformedDocument):
        verify_chain(without_curve, (), TODAY)
    rsa_root = cvca(algorithm="0.4.0.127.0.7.2.2.2.1.2")
    even = replace(
        rsa_root.certificate.public_key, key=rsa_root.certificate.public_key.key._replace(exponent=4)
    )
    with pytest.raises((AlgorithmRefused, MalformedDocument)):
        verify_chain(replace(rsa_root.certificate, public_key=even), (), TODAY)
