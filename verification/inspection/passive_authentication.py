"""Passive authentication: the issuer signed these files (ICAO 9303-11, 5.1; BSI TR-03135-1).

Each step raises when it fails; ``authenticate`` runs them all. ``inspect`` runs the same steps
one by one, to report an outcome for each.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from hmac import compare_digest
from typing import TYPE_CHECKING, NamedTuple

from verification.errors import (
    AlgorithmRefused,
    DataGroupMismatch,
    DataGroupNotSigned,
    MalformedDocument,
    SignerNotValidThen,
    SignerUntrusted,
    SigningTimeUnknown,
)
from verification.lds.dg13 import parse_dg13
from verification.lds.files import CardFiles, LdsFile
from verification.lds.security_object import SecurityObject, parse_security_object
from verification.lds.signed_data import SignedContent
from verification.pki.certificate import Certificate
from verification.pki.cms_signature import Departures, require_named, require_signature, signer_certificate
from verification.pki.revocation import has_current_list, require_not_listed
from verification.pki.signature_algorithms import DIGESTS, LEGACY_DIGESTS
from verification.pki.signature_policy import STRICT, SignaturePolicy
from verification.pki.trust_store import DocumentSigner, TrustStore

if TYPE_CHECKING:
    import hashlib

# To look a member of an enumeration up costs as much as a step of the walk.
_SOD, _DG1 = LdsFile.SOD, LdsFile.DG1
_DATA_GROUPS = frozenset(file for file in LdsFile if file.is_data_group)
_DG1_AND_ZONE_TAGS = b"\x61\x5f\x1f"
# The printed date of issue has no time of day and no zone.
_DATE_SLACK = timedelta(days=1)


class Authenticated(NamedTuple):
    """What passive authentication found; ``revocation_known`` is false without a current list.

    ``departures`` is what the policy accepted although ICAO 9303 prescribes something else.
    """

    security_object: SecurityObject
    signer: DocumentSigner
    revocation_known: bool
    departures: Departures


def authenticate(files: CardFiles, trust_store: TrustStore, moment: datetime) -> Authenticated:
    """Prove that a trusted country signed every data group in ``files``, by the store's policy.

    Raises MalformedDocument or UntrustedDocument, each by the class that names the step.
    """
    if _SOD not in files:
        raise MalformedDocument("EF.SOD is missing")
    security_object = parse_security_object(files[_SOD])  # 1. read EF.SOD
    signer = trust_store.document_signer(signer_certificate(security_object))  # 2. made by a CSCA we trust
    require_named(security_object, signer.certificate)  # 3. the signer it names is the one it carries
    departures = require_signature(security_object, signer.key, trust_store.policy)  # 4. it signed this
    require_signed_files(security_object, files, trust_store.policy)  # 5. every file read is the file signed
    require_entitled(signer.certificate, files)  # 6. for this kind of document
    require_valid_when_signed(security_object, signer.certificate, files, moment)  # 7. at that time
    require_not_listed(signer.certificate, signer.revocation_lists)  # 8. and was not revoked
    revocation_known = has_current_list(signer.revocation_lists, moment)
    return Authenticated(security_object, signer, revocation_known, departures | signer.departures)


def data_group_digest(
    security_object: SecurityObject, policy: SignaturePolicy = STRICT
) -> Callable[[bytes], hashlib._Hash]:
    """The hash over data groups, when it is relied on; else raises AlgorithmRefused."""
    digests = LEGACY_DIGESTS if policy.accepts_legacy else DIGESTS
    digest = digests.get(security_object.hash_algorithm)
    if digest is None:
        raise AlgorithmRefused(f"data group hashes by {security_object.hash_algorithm}")
    return digest


def require_signed_files(
    security_object: SecurityObject, files: CardFiles, policy: SignaturePolicy = STRICT
) -> None:
    """Every data group has the hash that was signed, and there is one at least.

    A file that EF.SOD does not list is refused as well: an injected data group would otherwise
    be shown to the teller as if the issuer had signed it.
    """
    digest = data_group_digest(security_object, policy)
    signed_hashes = security_object.hashes
    compared = 0
    for file, content in files.items():
        signed = signed_hashes.get(file)
        if signed is None:
            if file in _DATA_GROUPS:
                raise DataGroupNotSigned(f"{file.name} is not in EF.SOD")
            continue
        if not compare_digest(digest(content).digest(), signed):
            raise DataGroupMismatch(f"{file.name} is not the file that was signed")
        compared += 1
    if not compared:
        raise MalformedDocument("no data group to compare")


def require_entitled(certificate: Certificate, files: CardFiles) -> None:
    """The signer may sign documents of this code (ICAO 9303-12, 7.1.1.6); else SignerUntrusted."""
    types = certificate.document_types
    if not types or _DG1 not in files:
        return
    dg1 = files[_DG1]
    # The two length octets before the zone are short: no zone has 128 characters.
    if dg1[:1] + dg1[2:4] != _DG1_AND_ZONE_TAGS:
        raise MalformedDocument("DG1 does not begin with a zone")
    code = dg1[5:7].rstrip(b"<").decode("ascii", "replace")
    # "I" stands for every code that begins with it.
    if not code or (code not in types and code[0] not in types):
        raise SignerUntrusted("document signer may not sign documents of this kind")


def require_valid_when_signed(
    signed: SignedContent, certificate: Certificate, files: CardFiles, moment: datetime
) -> None:
    """The signer's certificate was valid when it signed; it may have expired since.

    A card without expiry outlives every signer, so the present does not decide. The time is the
    signed signing time, or else, once the signer has expired, the date of issue in DG13.
    Raises SignerNotValidThen, or SigningTimeUnknown when nothing tells.
    """
    if moment < certificate.not_before:
        raise SignerNotValidThen("document signer is not valid yet")
    attributes = signed.signer.attributes
    signing_time = attributes.signing_time if attributes is not None else None
    if signing_time is not None:
        if not certificate.is_valid_at(signing_time):
            raise SignerNotValidThen("document signer was not valid at the signing time")
    elif moment > certificate.not_after:
        issued = _date_of_issue(files)
        if issued is None:
            raise SigningTimeUnknown("document signer has expired and the signing time is not known")
        if issued > (certificate.not_after + _DATE_SLACK).date():
            raise SignerNotValidThen("document signer had expired at the date of issue")


def _date_of_issue(files: CardFiles) -> date | None:
    encoded = files.get(LdsFile.DG13)
    return None if encoded is None else parse_dg13(encoded).date_of_issue
