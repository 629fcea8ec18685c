"""The CSCA's next key: whoever trusts the old one comes to trust it, and nothing issued before is lost."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from issuance_backend.csca.__main__ import main
from issuance_backend.csca.crl import number_of
from issuance_backend.csca.document_signer import sign_security_object
from issuance_backend.csca.pki_directory import PkiDirectory
from tests.support import pki
from tests.support.group_hashes import data_group_hashes
from verification.errors import SignerRevoked
from verification.inspection.passive_authentication import authenticate
from verification.lds.files import LdsFile
from verification.pki.trust_store import TrustStore

NAME_CHANGE = x509.ObjectIdentifier("2.23.136.1.1.6.1")
RENAMED = ("--csca-name", "CSCA under another name")


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("founded") / "pki"
    assert main(["ceremony", "--out", str(path)]) == 0
    return path


@pytest.fixture
def directory(founded: Path, tmp_path: Path) -> Path:
    return shutil.copytree(founded, tmp_path / "pki")


def run(directory: Path, command: str, *options: str) -> None:
    assert main([command, "--out", str(directory), *options]) == 0


def signed_card(directory: Path) -> dict[LdsFile, bytes]:
    moment = datetime.now(UTC)
    signer = PkiDirectory(directory).open_document_signers().signer_for(moment)
    files = pki.card().without(LdsFile.SOD)
    sod = sign_security_object(data_group_hashes(files), signer, signing_time=moment)
    return {**files, LdsFile.SOD: sod}


def store(*files: Path) -> TrustStore:
    found = TrustStore.from_files([path.read_bytes() for path in files])
    assert not found.rejected
    return found


def certificate(path: Path) -> x509.Certificate:
    return x509.load_der_x509_certificate(path.read_bytes())


@pytest.mark.parametrize("options", [(), RENAMED], ids=["same name", "new name"])
def test_who_trusts_the_old_key_trusts_cards_of_both(directory: Path, options: tuple[str, ...]) -> None:
    """A reader holds the first CSCA's certificate only; the link and the lists are published."""
    anchor = directory / "anchor"
    anchor.write_bytes((directory / "csca.der").read_bytes())
    old = signed_card(directory)
    run(directory, "rollover", *options)
    run(directory, "document-signer", *options)
    new = signed_card(directory)
    assert certificate(directory / "ds.der").issuer == certificate(directory / "csca.der").subject
    trusted = store(anchor, directory / "link-1.der", *directory.glob("*.crl"))
    for card in (old, new):
        assert authenticate(card, trusted, datetime.now(UTC)).revocation_known


@pytest.mark.parametrize("options", [(), RENAMED], ids=["same name", "new name"])
def test_what_was_revoked_before_stays_revoked(directory: Path, options: tuple[str, ...]) -> None:
    card = signed_card(directory)
    run(directory, "revoke")
    run(directory, "rollover", *options)
    run(directory, "crl")
    trusted = store(*directory.glob("csca*.der"), *directory.glob("*.crl"))
    with pytest.raises(SignerRevoked):
        authenticate(card, trusted, datetime.now(UTC))


@pytest.mark.parametrize("options", [(), RENAMED], ids=["same name", "new name"])
def test_what_the_old_key_issued_is_revoked_afterwards(directory: Path, options: tuple[str, ...]) -> None:
    card = signed_card(directory)
    run(directory, "rollover", *options)
    run(directory, "revoke", "--certificate", str(directory / "signers" / "ds-0001.der"))
    trusted = store(*directory.glob("csca*.der"), *directory.glob("*.crl"))
    with pytest.raises(SignerRevoked):
        authenticate(card, trusted, datetime.now(UTC))


def test_the_old_key_is_destroyed_and_the_numbers_go_on(directory: Path) -> None:
    run(directory, "rollover")
    assert [path.name for path in (directory / "keys" / "root").iterdir()] == ["csca-2.pem"]
    assert [path.name for path in directory.glob("*.crl")] == ["csca.crl"]
    assert number_of(x509.load_der_x509_crl((directory / "csca.crl").read_bytes())) == 2


def test_under_a_new_name_each_name_has_its_list(directory: Path) -> None:
    run(directory, "revoke")
    run(directory, "rollover", *RENAMED)
    run(directory, "rollover", *RENAMED)
    run(directory, "crl")
    lists = {path.name: x509.load_der_x509_crl(path.read_bytes()) for path in directory.glob("*.crl")}
    assert {name: (number_of(found), len(found)) for name, found in lists.items()} == {
        "csca-1.crl": (5, 1),
        "csca.crl": (3, 0),
    }
    names = {name: certificate(directory / name).subject for name in ("csca-1.der", "csca.der")}
    assert lists["csca-1.crl"].issuer == names["csca-1.der"]
    assert lists["csca.crl"].issuer == names["csca.der"]


def test_the_log_is_sealed_by_both_keys(directory: Path) -> None:
    for _ in range(3):
        run(directory, "rollover")
    findings = PkiDirectory(directory).verify_log()
    assert findings.lines == findings.sealed


@pytest.mark.parametrize("options", [(), RENAMED], ids=["same name", "new name"])
def test_openssl_follows_the_link(directory: Path, options: tuple[str, ...]) -> None:
    old = certificate(directory / "csca.der")
    run(directory, "rollover", *options)
    run(directory, "document-signer", *options)
    new, link = certificate(directory / "csca.der"), certificate(directory / "link-1.der")
    assert link.public_key() == new.public_key()
    assert (link.subject, link.issuer) == (new.subject, old.subject)
    assert (NAME_CHANGE in [extension.oid for extension in link.extensions]) == bool(options)
    for name, pem in (("old", old), ("link", link), ("ds", certificate(directory / "ds.der"))):
        (directory / f"{name}.pem").write_bytes(pem.public_bytes(Encoding.PEM))
    for arguments in (
        "-CAfile old.pem link.pem",
        # A path length of 0 admits no authority below the CSCA: self-issued links do not count.
        "-CAfile old.pem -untrusted link.pem ds.pem"
        if not options
        else "-partial_chain -CAfile link.pem ds.pem",
    ):
        answer = subprocess.run(
            ["openssl", "verify", *arguments.split()],
            cwd=directory,
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.returncode == 0, answer.stderr
