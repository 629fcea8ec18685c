"""An issuing office's keys and lists, by the command that an operator types."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from issuance_backend.csca.__main__ import main
from issuance_backend.csca.document_signer import sign_security_object
from issuance_backend.csca.pki_directory import PkiDirectory
from tests.support import pki
from tests.support.group_hashes import data_group_hashes
from verification.inspection.passive_authentication import authenticate
from verification.lds.files import LdsFile
from verification.pki.trust_store import TrustStore


def run(directory: Path, command: str, *options: str) -> int:
    return main([command, "--out", str(directory), *options])


def signed_card(directory: Path) -> dict[LdsFile, bytes]:
    moment = datetime.now(UTC)
    signer = PkiDirectory(directory).open_document_signers().signer_for(moment)
    files = pki.card().without(LdsFile.SOD)
    sod = sign_security_object(data_group_hashes(files), signer, signing_time=moment)
    return {**files, LdsFile.SOD: sod}


def trust(directory: Path) -> TrustStore:
    """What everybody is given who verifies cards."""
    handed_out = [*directory.glob("csca*.der"), *directory.glob("*.crl")]
    return TrustStore.from_files([path.read_bytes() for path in handed_out])


def log(directory: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (directory / "ceremony.log").read_text().splitlines()]


def require_authentic(card: dict[LdsFile, bytes], directory: Path) -> None:
    found = authenticate(card, trust(directory), datetime.now(UTC))
    assert found.revocation_known


def the_list(directory: Path) -> x509.CertificateRevocationList:
    return x509.load_der_x509_crl((directory / "csca.crl").read_bytes())


def certificate(directory: Path, name: str = "ds.der") -> x509.Certificate:
    return x509.load_der_x509_certificate((directory / name).read_bytes())
