"""Independent answers: OpenSSL accepts our EF.SOD, our certificates and our list."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from issuance_backend.csca.ceremony import Ceremony
from issuance_backend.csca.crl import issue_revocation_list
from tests.support import pki
from verification.lds.files import LdsFile
from verification.lds.security_object import parse_security_object


@pytest.fixture(params=["product curves", "P-256"])
def ceremony(request: pytest.FixtureRequest) -> Ceremony:
    return pki.issuer() if request.param == "product curves" else pki.quick_issuer()


@pytest.fixture
def folder(tmp_path: Path, ceremony: Ceremony) -> Path:
    (tmp_path / "csca.pem").write_bytes(ceremony.csca.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "ds.pem").write_bytes(ceremony.document_signer.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "crl.der").write_bytes(ceremony.revocation_list.public_bytes(Encoding.DER))
    (tmp_path / "crl.pem").write_bytes(ceremony.revocation_list.public_bytes(Encoding.PEM))
    sod = pki.make_card(signer=ceremony.document_signer).files[LdsFile.SOD]
    (tmp_path / "sod.der").write_bytes(sod[4:])
    return tmp_path


def openssl(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["openssl", *command.split()], cwd=folder, capture_output=True, text=True, check=False
    )


CMS = (
    "cms -verify -inform DER -in sod.der -CAfile csca.pem -purpose any -attime 1777887600 "
    "-binary -out content.der"
)


def test_cms_verify_accepts_the_security_object(folder: Path) -> None:
    answer = openssl(folder, CMS)
    assert answer.returncode == 0, answer.stderr
    sod = (folder / "sod.der").read_bytes()
    signed = parse_security_object(b"\x77\x82" + len(sod).to_bytes(2, "big") + sod).content
    assert (folder / "content.der").read_bytes() == signed


def test_cms_verify_refuses_an_altered_one(folder: Path) -> None:
    sod = bytearray((folder / "sod.der").read_bytes())
    sod[-1] ^= 1
    (folder / "sod.der").write_bytes(sod)
    assert openssl(folder, CMS).returncode != 0


def test_verify_accepts_the_document_signer(folder: Path) -> None:
    answer = openssl(
        folder, "verify -x509_strict -attime 1777887600 -crl_check -CRLfile crl.pem -CAfile csca.pem ds.pem"
    )
    assert answer.stdout == "ds.pem: OK\n", answer.stderr


def test_verify_refuses_a_revoked_document_signer(folder: Path, ceremony: Ceremony) -> None:
    serial_number = ceremony.document_signer.certificate.serial_number
    crl = issue_revocation_list(
        ceremony.csca, pki.SIGNED, previous=ceremony.revocation_list, revoke=[serial_number]
    )
    (folder / "crl.pem").write_bytes(crl.public_bytes(Encoding.PEM))
    answer = openssl(folder, "verify -attime 1777887600 -crl_check -CRLfile crl.pem -CAfile csca.pem ds.pem")
    assert "certificate revoked" in answer.stderr


def test_crl_accepts_the_list(folder: Path) -> None:
    answer = openssl(folder, "crl -inform DER -in crl.der -CAfile csca.pem -noout -text")
    assert answer.stderr == "verify OK\n"
    assert "No Revoked Certificates" in answer.stdout


def test_the_profiles_are_those_of_cards_in_circulation(folder: Path) -> None:
    """ICAO 9303-12, table 2; curves and hashes as read from cards (CSCA P-384, DS brainpoolP384r1)."""
    issuer = pki.issuer()
    csca = openssl(folder, "x509 -in csca.pem -noout -text").stdout
    signer = openssl(folder, "x509 -in ds.pem -noout -text").stdout
    assert isinstance(issuer.csca.public_key.curve, ec.SECP384R1)
    assert isinstance(issuer.document_signer.public_key.curve, ec.BrainpoolP384R1)
    assert issuer.document_signer.hash_name == "sha256"
    assert "Signature Algorithm: ecdsa-with-SHA384" in signer
    assert "CA:TRUE, pathlen:0" in csca
    assert "Certificate Sign, CRL Sign" in csca
    assert "X509v3 Key Usage: critical\n                Digital Signature\n" in signer
    assert "2.23.136.1.1.6.2" in signer
    for name in ("Private Key Usage Period", "Subject Key Identifier", "Authority Key Identifier"):
        assert name in csca
        assert name in signer
    assert "DirName:/L=VNM" in signer
