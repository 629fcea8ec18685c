"""What a kit asks the centre for: its own signature says so, and names the key that is sealed to."""

from __future__ import annotations

from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import Connection

from issuance_backend.dossiers.intake import kit_repository
from issuance_backend.dossiers.intake.domain import CLOCK_AHEAD, SignerKind
from issuance_backend.dossiers.intake.refusals import CommuneExtractRefused
from issuance_backend.moments import parse_moment, rfc3339
from verification.errors import SignatureInvalid
from verification.messages.commune_extract import ExtractRequest, read_request
from verification.messages.signing_key import public_key_of

LONGEST_WAY = timedelta(days=7)
"""How old a request may be that came on a stick."""


def opening_key(connection: Connection, asked: ExtractRequest, now: datetime) -> ec.EllipticCurvePublicKey:
    """The key to seal to, as a key of the kit that is trusted now signed it; raises CommuneExtractRefused."""
    at = rfc3339(now)
    trusted = {
        signer.thumbprint: signer.key
        for signer in kit_repository.signers_of(connection, SignerKind.KIT, asked.kit)
        if signer.is_valid_at(at) and signer.is_trusted(at, at)
    }
    try:
        wanted = read_request(asked, trusted)
        key = public_key_of(wanted.opening)
    except SignatureInvalid:
        raise CommuneExtractRefused("signed by no key of this kit, or for a key that is none") from None
    if not now - LONGEST_WAY <= parse_moment(wanted.asked_at) < now + CLOCK_AHEAD:
        raise CommuneExtractRefused("asked too long ago, or at a time that has not come")
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise CommuneExtractRefused("an opening key is on P-256")
    return key
