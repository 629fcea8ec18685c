"""The folder of ``read --cvc``: what a terminal is made of, and what is told before a card comes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from monitoring.environment import ConfigurationFault
from reader_agent.terminal_keys import KEY_FILE, MAX_CERTIFICATES, load_terminal
from tests.support.terminal_pki import ECDSA_SHA256, TODAY, Party, cvca, issue, link, terminal_chain
from verification.encoding.curve_parameters import DomainParameters
from verification.errors import TerminalCertificateExpired, TerminalCertificateInvalid, TerminalNotTrusted
from verification.lds.card_verifiable import CardVerifiableCertificate, CvEcKey, HolderRole
from verification.pki.card_verifiable_key import require_cv_signature

RSA_PSS_SHA256 = "0.4.0.127.0.7.2.2.2.1.4"


def folder_of(
    path: Path, private: Any, certificates: list[CardVerifiableCertificate], encoding: Encoding = Encoding.DER
) -> Path:
    for number, certificate in enumerate(certificates):
        (path / f"cvc_{number}.cvcert").write_bytes(certificate.encoded)
    key = private.private_bytes(encoding, PrivateFormat.PKCS8, NoEncryption())
    (path / KEY_FILE).write_bytes(key)
    return path


def chain_of(*parties: Party) -> list[CardVerifiableCertificate]:
    return [party.certificate for party in parties]


def curve_of(root: Party) -> DomainParameters | None:
    key = root.certificate.public_key.key
    return key.curve if isinstance(key, CvEcKey) else None


@pytest.mark.parametrize("encoding", [Encoding.DER, Encoding.PEM])
@pytest.mark.parametrize("algorithm", [ECDSA_SHA256, "0.4.0.127.0.7.2.2.2.2.5", RSA_PSS_SHA256])
def test_a_terminal_signs_as_its_certificate_says(tmp_path: Path, algorithm: str, encoding: Encoding) -> None:
    root, verifier, own = parties = terminal_chain(algorithm)
    terminal = load_terminal(folder_of(tmp_path, own.private, chain_of(*parties), encoding), TODAY)
    assert terminal.certificates[-1] == own.certificate
    assert set(terminal.certificates) == {party.certificate for party in parties}
    path = terminal.path_from([root.name])
    assert path.certificates == (verifier.certificate, own.certificate)
    assert path.rights.reads_dg3
    require_cv_signature(own.certificate.public_key, curve_of(root), b"data", terminal.sign(b"data"))


def test_certificates_of_several_terminals_and_trust_points(tmp_path: Path) -> None:
    old, new = cvca("VNCVCA00001"), cvca("VNCVCA00002", curve="secp384r1")
    verifier = issue(new, "VNDV00001", HolderRole.DV_DOMESTIC)
    other, own = (issue(verifier, name, HolderRole.IS) for name in ("VNIS00001", "VNIS00002"))
    held = [own.certificate, other.certificate, verifier.certificate, link(old, new)]
    held += chain_of(old, new)
    terminal = load_terminal(folder_of(tmp_path, own.private, held), TODAY)
    assert terminal.certificates[-1] == own.certificate
    assert len(terminal.path_from(["VNCVCA00001"]).certificates) == 3
    assert len(terminal.path_from(["VNCVCA00002"]).certificates) == 2
    with pytest.raises(TerminalNotTrusted):
        terminal.path_from(["DECVCA00001"])


def test_of_several_certificates_of_the_key_the_one_valid_longest_is_used(tmp_path: Path) -> None:
    root = cvca()
    verifier = issue(root, "VNDV00001", HolderRole.DV_DOMESTIC)
    short = issue(verifier, "VNIS00001", HolderRole.IS, expiration=TODAY)
    long = issue(verifier, "VNIS00002", HolderRole.IS, private=short.private)
    early = issue(
        verifier,
        "VNIS00003",
        HolderRole.IS,
        private=short.private,
        effective=TODAY + timedelta(1),
        expiration=TODAY + timedelta(100),
    )
    held = chain_of(early, long, short, verifier, root)
    assert load_terminal(folder_of(tmp_path, short.private, held), TODAY).certificates[-1] == long.certificate


def test_without_the_authoritys_own_certificate_the_chip_alone_judges(tmp_path: Path) -> None:
    root, verifier, own = terminal_chain()
    terminal = load_terminal(folder_of(tmp_path, own.private, chain_of(verifier, own)), TODAY)
    assert terminal.path_from([root.name]).trust_point is None


@pytest.mark.parametrize("days", [-60, 60])
def test_a_chain_that_is_not_valid_today(tmp_path: Path, days: int) -> None:
    parties = terminal_chain()
    folder = folder_of(tmp_path, parties[-1].private, chain_of(*parties))
    with pytest.raises(TerminalCertificateExpired):
        load_terminal(folder, TODAY + timedelta(days))


def test_a_chain_with_another_signature(tmp_path: Path) -> None:
    root, verifier, own = terminal_chain()
    twin = cvca()
    folder = folder_of(tmp_path, own.private, chain_of(twin, verifier, own))
    assert twin.name == root.name
    with pytest.raises(TerminalCertificateInvalid, match="signature"):
        load_terminal(folder, TODAY)


def test_a_verifier_whose_key_is_none(tmp_path: Path) -> None:
    root = cvca()
    key = root.certificate.public_key
    verifier = issue(
        root,
        "VNDV00001",
        HolderRole.DV_DOMESTIC,
        public_key=type(key)(key.algorithm, CvEcKey(None, b"\x04" + bytes(64))),
    )
    own = issue(verifier, "VNIS00001", HolderRole.IS)
    with pytest.raises(TerminalCertificateInvalid, match="curve"):
        load_terminal(folder_of(tmp_path, own.private, chain_of(root, verifier, own)), TODAY)


def test_a_key_without_a_certificate(tmp_path: Path) -> None:
    root, verifier, own = terminal_chain()
    folder = folder_of(tmp_path, verifier.private, chain_of(root, verifier, own))
    with pytest.raises(TerminalCertificateInvalid, match="no terminal certificate"):
        load_terminal(folder, TODAY)


@pytest.mark.parametrize(
    "private", [ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())]
)
def test_another_kind_of_key(tmp_path: Path, private: Any) -> None:
    folder = folder_of(tmp_path, private, chain_of(*terminal_chain()))
    with pytest.raises(TerminalCertificateInvalid):
        load_terminal(folder, TODAY)


@pytest.mark.parametrize(
    "content", [b"", b"\x30\x03\x02\x01\x00", b"-----BEGIN PRIVATE KEY-----\n", bytes(20_000)]
)
def test_a_key_file_that_is_none_shows_nothing_of_itself(tmp_path: Path, content: bytes) -> None:
    root, verifier, own = terminal_chain()
    folder = folder_of(tmp_path, own.private, chain_of(root, verifier, own))
    (folder / KEY_FILE).write_bytes(content)
    with pytest.raises(TerminalCertificateInvalid, match=KEY_FILE):
        load_terminal(folder, TODAY)


def test_a_key_under_a_password_is_refused(tmp_path: Path) -> None:
    root, verifier, own = terminal_chain()
    folder = folder_of(tmp_path, own.private, chain_of(root, verifier, own))
    sealed = own.private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    (folder / KEY_FILE).write_bytes(sealed)
    with pytest.raises(TerminalCertificateInvalid, match="TypeError"):
        load_terminal(folder, TODAY)


@pytest.mark.parametrize("content", [b"", b"\x7f\x21\x00", bytes(5000)])
def test_a_certificate_file_that_is_none_is_named(tmp_path: Path, content: bytes) -> None:
    root, verifier, own = terminal_chain()
    folder = folder_of(tmp_path, own.private, chain_of(root, verifier, own))
    (folder / "cvc_9_extra.cvcert").write_bytes(content)
    with pytest.raises(TerminalCertificateInvalid, match=r"cvc_9_extra\.cvcert"):
        load_terminal(folder, TODAY)


def test_what_is_missing_is_a_fault_of_the_command(tmp_path: Path) -> None:
    root, verifier, own = terminal_chain()
    with pytest.raises(ConfigurationFault, match="0 files"):
        load_terminal(tmp_path / "nowhere", TODAY)
    folder = folder_of(tmp_path, own.private, chain_of(root, verifier, own))
    (folder / KEY_FILE).unlink()
    with pytest.raises(ConfigurationFault, match=KEY_FILE):
        load_terminal(folder, TODAY)
    for number in range(MAX_CERTIFICATES):
        (folder / f"cvc_x{number}.cvcert").write_bytes(root.certificate.encoded)
    with pytest.raises(ConfigurationFault, match="files cvc"):
        load_terminal(folder, TODAY)
