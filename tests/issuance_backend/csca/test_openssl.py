"""Independent answers: OpenSSL accepts everything we sign, in every algorithm, and nothing altered."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from issuance_backend.csca.ceremony import Ceremony, CeremonyPlan, hold_ceremony, issue_master_list_signer
from issuance_backend.csca.crl import issue_revocation_list
from issuance_backend.csca.document_signer import sign_card_security
from issuance_backend.csca.master_list import sign_master_list
from issuance_backend.csca.signer import PrivateKey
from issuance_backend.csca.signing_algorithms import KeyProfile, SigningAlgorithm
from tests.support import pki
from verification.inspection.card_security import authenticate_card_security
from verification.inspection.passive_authentication import authenticate
from verification.lds.files import LdsFile
from verification.lds.security_object import parse_security_object
from verification.pki.master_list import examine_master_list

ATTIME = "-attime 1777887600"  # 2026-05-04, as pki.NOW


def _plan(csca: KeyProfile, signer: KeyProfile) -> CeremonyPlan:
    return CeremonyPlan(csca_profile=csca, signer_profile=signer)


def _rsa(bits: int, name: str) -> KeyProfile:
    return KeyProfile(bits, SigningAlgorithm.named(name))


def _ecdsa(curve: ec.EllipticCurve, hash_name: str) -> KeyProfile:
    return KeyProfile.ecdsa(curve, hash_name)


PLANS = {
    "product curves": CeremonyPlan(),
    "P-256": pki.P256,
    "P-521 over brainpoolP512r1": _plan(
        _ecdsa(ec.SECP521R1(), "sha512"), _ecdsa(ec.BrainpoolP512R1(), "sha512")
    ),
    "RSA-3072 over RSA-2048": _plan(_rsa(3072, "rsa-pkcs1-sha256"), _rsa(2048, "rsa-pkcs1-sha256")),
    "RSA-PSS": _plan(_rsa(4096, "rsa-pss-sha512"), _rsa(2048, "rsa-pss-sha256")),
    "RSA-PSS over ECDSA": _plan(_rsa(3072, "rsa-pss-sha384"), _ecdsa(ec.BrainpoolP256R1(), "sha384")),
}


@cache
def ceremony_of(name: str) -> Ceremony:
    return hold_ceremony(PLANS[name], pki.CEREMONY)


@cache
def master_list_of(name: str) -> tuple[x509.Certificate, bytes]:
    """A master list signer's certificate and a list of three."""
    ceremony, plan = ceremony_of(name), PLANS[name]
    key = PrivateKey.of_profile(plan.signer_key)
    signer = key.with_certificate(issue_master_list_signer(ceremony.csca, key, plan, pki.CEREMONY))
    members = [
        issuer.csca.certificate.public_bytes(Encoding.DER)
        for issuer in (ceremony, pki.issuer(), pki.quick_issuer())
    ]
    signed = sign_master_list(members, signer, ceremony.csca.certificate, pki.SIGNED)
    return signer.certificate, signed


@pytest.fixture(params=PLANS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def ceremony(name: str) -> Ceremony:
    return ceremony_of(name)


@pytest.fixture
def folder(tmp_path: Path, name: str, ceremony: Ceremony) -> Path:
    mls, master_list = master_list_of(name)
    certificates = {"csca": ceremony.csca.certificate, "ds": ceremony.document_signer.certificate, "mls": mls}
    for file, certificate in certificates.items():
        (tmp_path / f"{file}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (tmp_path / "crl.der").write_bytes(ceremony.revocation_list.public_bytes(Encoding.DER))
    (tmp_path / "crl.pem").write_bytes(ceremony.revocation_list.public_bytes(Encoding.PEM))
    card = pki.make_card(signer=ceremony.document_signer).files
    (tmp_path / "sod.der").write_bytes(card[LdsFile.SOD][4:])
    security = sign_card_security(
        card[LdsFile.CARD_ACCESS], ceremony.document_signer, signing_time=pki.SIGNED
    )
    (tmp_path / "card_security.der").write_bytes(security)
    (tmp_path / "masterlist.der").write_bytes(master_list)
    return tmp_path


def openssl(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["openssl", *command.split()], cwd=folder, capture_output=True, text=True, check=False
    )


def cms(file: str) -> str:
    return (
        f"cms -verify -inform DER -in {file} -CAfile csca.pem -purpose any {ATTIME} -binary -out content.der"
    )


SIGNED_FILES = ["sod.der", "card_security.der", "masterlist.der"]


@pytest.mark.parametrize("file", SIGNED_FILES)
def test_cms_verify_accepts_it(folder: Path, file: str) -> None:
    answer = openssl(folder, cms(file))
    assert answer.returncode == 0, answer.stderr
    assert (folder / "content.der").stat().st_size


@pytest.mark.parametrize("file", SIGNED_FILES)
def test_cms_verify_refuses_an_altered_one(folder: Path, file: str) -> None:
    altered = bytearray((folder / file).read_bytes())
    altered[-1] ^= 1
    (folder / file).write_bytes(altered)
    assert openssl(folder, cms(file)).returncode != 0


def test_cms_verify_finds_the_content_that_was_signed(folder: Path) -> None:
    openssl(folder, cms("sod.der"))
    sod = (folder / "sod.der").read_bytes()
    signed = parse_security_object(b"\x77\x82" + len(sod).to_bytes(2, "big") + sod).content
    assert (folder / "content.der").read_bytes() == signed


@pytest.mark.parametrize("certificate", ["ds", "mls"])
def test_verify_accepts_the_certificates(folder: Path, certificate: str) -> None:
    answer = openssl(
        folder,
        f"verify -x509_strict {ATTIME} -crl_check -CRLfile crl.pem -CAfile csca.pem {certificate}.pem",
    )
    assert answer.stdout == f"{certificate}.pem: OK\n", answer.stderr


def test_verify_accepts_the_csca(folder: Path) -> None:
    answer = openssl(folder, f"verify -x509_strict -check_ss_sig {ATTIME} -CAfile csca.pem csca.pem")
    assert answer.stdout == "csca.pem: OK\n", answer.stderr


def test_verify_refuses_a_revoked_document_signer(folder: Path, ceremony: Ceremony) -> None:
    serial_number = ceremony.document_signer.certificate.serial_number
    crl = issue_revocation_list(
        ceremony.csca, pki.SIGNED, previous=ceremony.revocation_list, revoke=[serial_number]
    )
    (folder / "crl.pem").write_bytes(crl.public_bytes(Encoding.PEM))
    answer = openssl(folder, f"verify {ATTIME} -crl_check -CRLfile crl.pem -CAfile csca.pem ds.pem")
    assert "certificate revoked" in answer.stderr


def test_crl_accepts_the_list(folder: Path) -> None:
    answer = openssl(folder, "crl -inform DER -in crl.der -CAfile csca.pem -noout -text")
    assert answer.stderr == "verify OK\n"
    assert "No Revoked Certificates" in answer.stdout


def test_our_own_verification_agrees(folder: Path, ceremony: Ceremony) -> None:
    trusted = pki.trust_store(ceremony)
    card = pki.make_card(signer=ceremony.document_signer).files
    assert authenticate(card, trusted, pki.NOW).revocation_known
    security = (folder / "card_security.der").read_bytes()
    assert authenticate_card_security(security, trusted, pki.NOW).security_infos.pace
    findings = examine_master_list(
        (folder / "masterlist.der").read_bytes(),
        ceremony.csca.certificate.public_bytes(Encoding.DER),
        pki.NOW,
    )
    assert (findings.signature, findings.refused) == ("successful", ())
    assert findings.loaded == findings.usable_keys == findings.certificates


def test_the_profiles_are_those_of_cards_in_circulation(tmp_path: Path) -> None:
    """ICAO 9303-12, table 2; curves and hashes as read from cards (CSCA P-384, DS brainpoolP384r1)."""
    issuer = pki.issuer()
    texts = {}
    for name, signer in (("csca", issuer.csca), ("ds", issuer.document_signer)):
        (tmp_path / name).write_bytes(signer.certificate.public_bytes(Encoding.PEM))
        texts[name] = openssl(tmp_path, f"x509 -in {name} -noout -text").stdout
    assert isinstance(issuer.csca.public_key, ec.EllipticCurvePublicKey)
    assert isinstance(issuer.csca.public_key.curve, ec.SECP384R1)
    assert isinstance(issuer.document_signer.public_key, ec.EllipticCurvePublicKey)
    assert isinstance(issuer.document_signer.public_key.curve, ec.BrainpoolP384R1)
    assert str(issuer.document_signer.algorithm) == "ecdsa-sha256"
    assert "Signature Algorithm: ecdsa-with-SHA384" in texts["ds"]
    assert "CA:TRUE, pathlen:0" in texts["csca"]
    assert "Certificate Sign, CRL Sign" in texts["csca"]
    assert "X509v3 Key Usage: critical\n                Digital Signature\n" in texts["ds"]
    assert "2.23.136.1.1.6.2" in texts["ds"]
    for extension in ("Private Key Usage Period", "Subject Key Identifier", "Authority Key Identifier"):
        assert extension in texts["csca"]
        assert extension in texts["ds"]
    assert "DirName:/L=VNM" in texts["ds"]


def test_a_master_list_signer_is_for_nothing_else(tmp_path: Path) -> None:
    certificate, _ = master_list_of("P-256")
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert usage.critical
    assert [oid.dotted_string for oid in usage.value] == ["2.23.136.1.1.3"]
    key_usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert key_usage.critical
    assert key_usage.value.digital_signature
    assert not key_usage.value.key_cert_sign


def test_a_list_is_published_where_the_certificates_say(tmp_path: Path) -> None:
    url = "http://crl.example.vn/csca.crl"
    ceremony = hold_ceremony(replace(pki.P256, crl_url=url), pki.CEREMONY)
    for signer in (ceremony.csca, ceremony.document_signer):
        points = signer.certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
        assert [name.value for point in points for name in point.full_name or ()] == [url]
