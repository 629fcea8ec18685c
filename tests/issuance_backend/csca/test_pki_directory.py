"""The ceremony and what follows it, by the command that an operator types."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from issuance_backend.csca.__main__ import main
from issuance_backend.csca.crl import issue_revocation_list
from issuance_backend.csca.document_signer import data_group_hashes, sign_security_object
from issuance_backend.csca.pki_directory import PkiDirectory
from issuance_backend.csca.signer import KeyFileSigner, PrivateKey
from issuance_backend.refusals import SigningKeyUnavailable
from tests.support import pki
from verification.errors import SignerRevoked
from verification.inspection.passive_authentication import authenticate
from verification.lds.files import LdsFile
from verification.pki.trust_store import TrustStore


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    assert main(["ceremony", "--out", str(tmp_path / "pki")]) == 0
    return tmp_path / "pki"


def signed_card(directory: Path) -> dict[LdsFile, bytes]:
    signer = PkiDirectory(directory).open_document_signer()
    files = pki.card().without(LdsFile.SOD)
    return {**files, LdsFile.SOD: sign_security_object(data_group_hashes(files), signer)}


def trust(directory: Path) -> TrustStore:
    return TrustStore.from_files([(directory / name).read_bytes() for name in ("csca.der", "csca.crl")])


def log(directory: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (directory / "ceremony.log").read_text().splitlines()]


def test_a_card_signed_after_the_ceremony_is_authentic(directory: Path) -> None:
    found = authenticate(signed_card(directory), trust(directory), datetime.now(UTC))
    assert found.revocation_known


def test_keys_are_encrypted_and_for_their_owner_only(directory: Path) -> None:
    assert stat.S_IMODE((directory / "keys").stat().st_mode) == 0o700
    secrets = sorted((directory / "keys").iterdir())
    assert [path.name for path in secrets] == ["csca.passphrase", "csca.pem", "ds.passphrase", "ds.pem"]
    for path in secrets:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for name in ("csca.pem", "ds.pem"):
        assert (directory / "keys" / name).read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY")


def test_the_log_tells_what_was_made_and_no_secret(directory: Path) -> None:
    events = [entry["event"] for entry in log(directory)]
    assert events == [
        "ceremony begun",
        "certificate issued",
        "certificate issued",
        "revocation list issued",
        "ceremony ended",
    ]
    certificate = x509.load_der_x509_certificate((directory / "csca.der").read_bytes())
    assert log(directory)[1]["sha256"] == certificate.fingerprint(hashes.SHA256()).hex()
    text = (directory / "ceremony.log").read_text()
    for name in ("csca.passphrase", "ds.passphrase"):
        assert (directory / "keys" / name).read_text().strip() not in text


def test_a_second_ceremony_does_not_overwrite_keys(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (directory / "keys" / "csca.pem").read_bytes()
    assert main(["ceremony", "--out", str(directory)]) == 1
    assert "already holds keys" in capsys.readouterr().err
    assert (directory / "keys" / "csca.pem").read_bytes() == before


def test_revoking_the_signer_refuses_its_cards(directory: Path) -> None:
    card = signed_card(directory)
    assert main(["revoke", "--out", str(directory)]) == 0
    with pytest.raises(SignerRevoked):
        authenticate(card, trust(directory), datetime.now(UTC))


def test_the_next_list_keeps_what_was_revoked(directory: Path) -> None:
    main(["revoke", "--out", str(directory)])
    assert main(["crl", "--out", str(directory), "--crl-days", "30"]) == 0
    found = x509.load_der_x509_crl((directory / "csca.crl").read_bytes())
    assert len(found) == 1
    assert found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 3
    assert found.next_update_utc == found.last_update_utc + timedelta(days=30)


def test_a_list_that_somebody_put_in_its_place_is_not_gone_on_with(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Otherwise a foreign empty list would make the CSCA itself forget whom it revoked."""
    main(["revoke", "--out", str(directory)])
    genuine = (directory / "csca.crl").read_bytes()
    foreign = pki.rogue().revocation_list.public_bytes(Encoding.DER)
    altered = genuine[:-1] + bytes((genuine[-1] ^ 1,))
    for planted in (foreign, altered):
        (directory / "csca.crl").write_bytes(planted)
        assert main(["crl", "--out", str(directory)]) == 1
        assert "not signed by this CSCA" in capsys.readouterr().err
        assert (directory / "csca.crl").read_bytes() == planted


@pytest.mark.parametrize("left", [(), ("ds.pem",), ("ds.pem", "ds.passphrase")])
def test_a_renewal_that_was_cut_off_is_done_again(directory: Path, left: tuple[str, ...]) -> None:
    for name in {"ds.pem", "ds.passphrase"} - set(left):
        (directory / "keys" / name).unlink()
    assert main(["document-signer", "--out", str(directory)]) == 0
    authenticate(signed_card(directory), trust(directory), datetime.now(UTC))


def test_a_new_signer_replaces_the_old_key_and_old_cards_stay_good(directory: Path) -> None:
    old_card, old = signed_card(directory), (directory / "ds.der").read_bytes()
    assert main(["document-signer", "--out", str(directory), "--name", "Document Signer 2"]) == 0
    new_card = signed_card(directory)
    assert (directory / "ds.der").read_bytes() != old
    kept = f"ds-{x509.load_der_x509_certificate(old).serial_number:x}.der"
    assert (directory / kept).read_bytes() == old
    for card in (old_card, new_card):
        authenticate(card, trust(directory), datetime.now(UTC))


@pytest.mark.parametrize("days", ["0", "91"])
def test_a_list_is_not_valid_for_longer_than_90_days(directory: Path, days: str) -> None:
    before = (directory / "csca.crl").read_bytes()
    assert main(["crl", "--out", str(directory), "--crl-days", days]) == 1
    assert (directory / "csca.crl").read_bytes() == before


def test_commands_in_an_empty_directory_are_refused(tmp_path: Path) -> None:
    for command in ("crl", "revoke", "document-signer"):
        assert main([command, "--out", str(tmp_path)]) == 1


class TestKeyFile:
    def open(self, directory: Path) -> KeyFileSigner:
        keys = directory / "keys"
        return KeyFileSigner.open(keys / "ds.pem", keys / "ds.passphrase", directory / "ds.der")

    def test_it_opens(self, directory: Path) -> None:
        signer = self.open(directory)
        signer.public_key.verify(signer.sign(b"data"), b"data", ec.ECDSA(hashes.SHA256()))
        assert "PRIVATE" not in repr(signer)

    def test_a_wrong_passphrase_is_refused(self, directory: Path) -> None:
        (directory / "keys" / "ds.passphrase").write_text("wrong")
        with pytest.raises(SigningKeyUnavailable):
            self.open(directory)

    @pytest.mark.parametrize("missing", ["keys/ds.pem", "keys/ds.passphrase", "ds.der"])
    def test_a_missing_file_is_refused(self, directory: Path, missing: str) -> None:
        (directory / missing).unlink()
        with pytest.raises(SigningKeyUnavailable):
            self.open(directory)

    def test_a_certificate_for_another_key_is_refused(self, directory: Path) -> None:
        (directory / "ds.der").write_bytes((directory / "csca.der").read_bytes())
        with pytest.raises(SigningKeyUnavailable):
            self.open(directory)

    def test_a_key_that_is_not_encrypted_is_refused(self, directory: Path) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (directory / "keys" / "ds.pem").write_bytes(plain)
        with pytest.raises(SigningKeyUnavailable):
            self.open(directory)

    def test_a_key_of_another_kind_is_refused(self, directory: Path) -> None:
        passphrase = (directory / "keys" / "ds.passphrase").read_bytes().strip()
        key = rsa.generate_private_key(65537, 2048)
        encoded = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase))
        (directory / "keys" / "ds.pem").write_bytes(encoded)
        with pytest.raises(SigningKeyUnavailable):
            self.open(directory)

    def test_an_existing_key_file_is_not_overwritten(self, directory: Path) -> None:
        with pytest.raises(FileExistsError):
            PrivateKey.generate(ec.SECP256R1(), "sha256").save(directory / "keys" / "ds.pem", b"secret")


def test_revoking_twice_keeps_the_first_date() -> None:
    issuer = pki.quick_issuer()
    first = issue_revocation_list(issuer.csca, pki.SIGNED, revoke=[7])
    second = issue_revocation_list(issuer.csca, pki.NOW, previous=first, revoke=[7])
    assert [entry.revocation_date_utc for entry in second] == [pki.SIGNED]
