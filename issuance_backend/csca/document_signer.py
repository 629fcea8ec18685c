"""What a document signer signs: EF.SOD (ICAO 9303-10, 4.6.2) and EF.CardSecurity (9303-11, 9.2.11)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache

from issuance_backend.csca.signed_object import SignedObject
from issuance_backend.csca.signer import Signer
from verification.encoding.tlv import build
from verification.lds.card_security import SECURITY_OBJECT
from verification.lds.files import LdsFile
from verification.lds.security_object import build_lds_security_object
from verification.lds.signed_data import LDS_SECURITY_OBJECT


def sign_security_object(
    hashes: Mapping[LdsFile, bytes],
    signer: Signer,
    *,
    hash_algorithm: str = "sha256",
    version_info: tuple[str, str] | None = None,
    signing_time: datetime | None = None,
) -> bytes:
    """Sign data group hashes and return EF.SOD.

    ``version_info`` is LDS and Unicode version, as ``("0108", "040000")``, for an LDS security
    object of version 1. The signing time is signed too, now unless stated: a card without
    expiry outlives its signer, and then this is what tells that the signer was valid.
    """
    content = build_lds_security_object(hashes, hash_algorithm, version_info)
    moment = signing_time if signing_time is not None else datetime.now(UTC)
    return build(LdsFile.SOD.tag, _template(LDS_SECURITY_OBJECT, signer).sign(content, moment))


def sign_card_security(
    security_infos: bytes, signer: Signer, *, signing_time: datetime | None = None
) -> bytes:
    """Sign encoded SecurityInfos and return EF.CardSecurity."""
    moment = signing_time if signing_time is not None else datetime.now(UTC)
    return _template(SECURITY_OBJECT, signer).sign(security_infos, moment)


@lru_cache(maxsize=16)
def _template(content_type: str, signer: Signer) -> SignedObject:
    return SignedObject(content_type, signer)
