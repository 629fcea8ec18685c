"""Approvers' own signing keys, the same wherever their office's database is opened."""

from __future__ import annotations

import hashlib

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from issuance_backend.dossiers.intake import kit_repository
from issuance_backend.dossiers.intake.domain import Signer, SignerKind
from issuance_backend.officers.certificates import Level
from monitoring.database import Database
from tests.support.certified import certify
from verification.messages.signing_key import public_jwk, thumbprint

LONG_AGO = "2016-01-01T00:00:00.000000Z"


def approver_key(officer: str) -> ec.EllipticCurvePrivateKey:
    """An officer's key; every name has another one."""
    seed = int.from_bytes(hashlib.sha256(officer.encode()).digest()[:31])
    return ec.derive_private_key(seed, ec.SECP256R1())


def let_approve(database: Database, *officers: str) -> None:
    """Certify officers to approve, and let them sign with keys of their own."""
    certify(database, *officers, level=Level.APPROVAL)
    for officer in officers:
        register(database, officer)


def register(
    database: Database, officer: str, key: ec.EllipticCurvePrivateKey | None = None, since: str = LONG_AGO
) -> str:
    """Let an officer sign with a key, without anybody's record of it; the key's name."""
    public = (key or approver_key(officer)).public_key()
    signer = Signer(
        thumbprint=thumbprint(public),
        kind=SignerKind.OFFICER,
        owner=officer,
        jwk=msgspec.json.encode(public_jwk(public), order="sorted").decode(),
        valid_from=since,
    )
    with database.writing() as connection:
        if not kit_repository.signers(connection, [signer.thumbprint]):
            kit_repository.add_signer(connection, signer)
    return signer.thumbprint
