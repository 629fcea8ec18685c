"""EF.CardSecurity: the signature that binds the key of PACE-CAM to the issuer (ICAO 9303-11, 4.4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from verification.errors import SecurityObjectInvalid
from verification.inspection.passive_authentication import (
    require_entitled,
    require_valid_when_signed,
)
from verification.lds.card_security import SECURITY_OBJECT, parse_card_security
from verification.lds.files import LdsFile
from verification.lds.security_infos import SecurityInfos
from verification.pki.cms_signature import (
    Departures,
    require_content_signature,
    require_named,
    signer_certificate,
)
from verification.pki.revocation import require_not_listed
from verification.pki.trust_store import TrustStore

_NO_FILES: Mapping[LdsFile, bytes] = MappingProxyType({})


class AuthenticatedCardSecurity(NamedTuple):
    """What EF.CardSecurity says, and what the policy accepted although it departs from the standard."""

    security_infos: SecurityInfos
    departures: Departures


def authenticate_card_security(
    encoded: bytes,
    trust_store: TrustStore,
    moment: datetime,
    *,
    files: Mapping[LdsFile, bytes] = _NO_FILES,
) -> AuthenticatedCardSecurity:
    """Prove that a trusted country signed EF.CardSecurity and return what it says.

    ``files`` are data groups already proven; they tell the kind of document and, once the signer
    has expired, the date of issue. Raises MalformedDocument or UntrustedDocument, as passive
    authentication does. A signer on a revocation list is refused; having no current list is left
    to the caller, who judges the signer of EF.SOD by the same lists.
    """
    card_security = parse_card_security(encoded)
    # An EF.SOD of the same signer is no EF.CardSecurity: the signed content type tells them apart.
    if card_security.content_type != SECURITY_OBJECT:
        raise SecurityObjectInvalid("EF.CardSecurity holds another content type")
    signer = trust_store.document_signer(signer_certificate(card_security))
    require_named(card_security, signer.certificate)
    departures = require_content_signature(card_security, signer.key, trust_store.policy)
    require_entitled(signer.certificate, files)
    require_valid_when_signed(card_security, signer.certificate, files, moment)
    require_not_listed(signer.certificate, signer.revocation_lists)
    return AuthenticatedCardSecurity(card_security.security_infos, departures | signer.departures)
