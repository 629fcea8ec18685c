"""The key with which an office signs lists of local approvals, the same wherever its database is opened."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from issuance_backend.dossiers.intake import kit_repository
from issuance_backend.dossiers.intake.domain import Signer, SignerKind
from issuance_backend.moments import rfc3339
from monitoring.database import Database
from verification.messages.approval_list import OFFICE
from verification.messages.signing_key import SigningKey, public_jwk, thumbprint

LISTING_KEY = ec.derive_private_key(0x5EA1ED, ec.SECP256R1())


def admit(database: Database, key: SigningKey, since: datetime) -> str:
    """Let lists be signed with a key from a moment on; the key's name."""
    public = key.public_key()
    signer = Signer(
        thumbprint=thumbprint(public),
        kind=SignerKind.OFFICE,
        owner=OFFICE,
        jwk=msgspec.json.encode(public_jwk(public), order="sorted").decode(),
        valid_from=rfc3339(since - timedelta(days=3650)),
    )
    with database.reading() as connection:
        is_admitted = bool(kit_repository.signers(connection, [signer.thumbprint]))
    if not is_admitted:
        with database.writing() as connection:
            kit_repository.add_signer(connection, signer)
    return signer.thumbprint


def listing_key(database: Database, since: datetime) -> SigningKey:
    """The key of every office here, admitted."""
    admit(database, LISTING_KEY, since)
    return LISTING_KEY
