"""EF.CardSecurity is believed when a trusted signer made it, and for nothing less."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from issuance_backend.csca.crl import issue_revocation_list
from issuance_backend.csca.document_signer import sign_card_security
from tests.support import pki
from tests.support.cms_writer import build_card_security, build_signed_data
from tests.support.signed_files import signature_over
from verification.encoding.object_identifier import encode_oid
from verification.encoding.tlv import build
from verification.errors import (
    AlgorithmRefused,
    MalformedDocument,
    SecurityObjectInvalid,
    SignerNotValidThen,
    SignerRevoked,
    SignerUntrusted,
    SigningTimeUnknown,
    VerificationError,
)
from verification.inspection.card_security import authenticate_card_security
from verification.inspection.inspect import inspect
from verification.inspection.report import Check, Outcome
from verification.lds.card_security import SECURITY_OBJECT, parse_card_security
from verification.lds.files import LdsFile
from verification.lds.security_infos import parse_card_access
from verification.lds.signed_data import LDS_SECURITY_OBJECT, SignedAttributes, build_signed_attributes
from verification.pki.signature_policy import SignaturePolicy
from verification.pki.trust_store import TrustStore

INFOS = pki.quick_card().files[LdsFile.CARD_ACCESS]
FILE = sign_card_security(INFOS, pki.quick_issuer().document_signer, signing_time=pki.SIGNED)
GENUINE = parse_card_security(FILE)
MASKS = (0x01, 0x20, 0x80, 0xFF)


@pytest.fixture(scope="module")
def trust_store() -> TrustStore:
    return pki.trust_store(pki.quick_issuer())


def test_a_genuine_one_says_what_the_issuer_wrote(trust_store: TrustStore) -> None:
    found = authenticate_card_security(FILE, trust_store, pki.NOW)
    assert found == (parse_card_access(INFOS), frozenset())


def test_what_only_the_policy_accepts_is_told() -> None:
    """A weak digest in EF.CardSecurity is no more silent than one in EF.SOD."""
    issuer = pki.quick_issuer()
    digest = hashlib.sha1(INFOS, usedforsecurity=False).digest()
    attributes = build_signed_attributes(digest, pki.SIGNED, SECURITY_OBJECT)
    signer = GENUINE.signer._replace(
        digest_algorithm="sha1",
        attributes=SignedAttributes(attributes, encode_oid(SECURITY_OBJECT), digest, pki.SIGNED),
        signature=issuer.document_signer.sign(attributes),
    )
    file = build_card_security(INFOS, signer, GENUINE.certificates[0])
    csca = [issuer.csca.certificate.public_bytes(Encoding.DER)]
    with pytest.raises(AlgorithmRefused):
        authenticate_card_security(file, TrustStore.from_certificates(csca), pki.NOW)
    tolerant = TrustStore.from_certificates(csca, policy=SignaturePolicy(accepts_legacy=True))
    files = pki.quick_card().with_files({LdsFile.CARD_SECURITY: file})
    result = inspect(files, tolerant, pki.NOW).checks[Check.CARD_SECURITY]
    assert (result.outcome, result.code) == (Outcome.SUCCESSFUL, "CHIP_ALGORITHM_LEGACY")


@pytest.mark.parametrize("mask", MASKS)
def test_a_flipped_byte_is_refused(trust_store: TrustStore, mask: int) -> None:
    accepted = []
    for position in range(len(FILE)):
        altered = bytearray(FILE)
        altered[position] ^= mask
        try:
            authenticate_card_security(bytes(altered), trust_store, pki.NOW)
        except VerificationError:
            continue
        accepted.append(position)
    assert accepted == []


def test_a_file_cut_short_or_gone_on_is_refused(trust_store: TrustStore) -> None:
    for altered in (*(FILE[:length] for length in range(len(FILE))), FILE + b"\x00"):
        with pytest.raises(VerificationError):
            authenticate_card_security(altered, trust_store, pki.NOW)


def test_another_issuer_of_the_same_name_is_refused(trust_store: TrustStore) -> None:
    forged = sign_card_security(INFOS, pki.rogue(pki.P256).document_signer, signing_time=pki.SIGNED)
    with pytest.raises(SignerUntrusted):
        authenticate_card_security(forged, trust_store, pki.NOW)


def test_other_infos_under_the_genuine_signature_are_refused(trust_store: TrustStore) -> None:
    other = build_card_security(build(0x31, INFOS[2:-1] + b"\x0e"), GENUINE.signer, GENUINE.certificates[0])
    with pytest.raises(VerificationError):
        authenticate_card_security(other, trust_store, pki.NOW)


def test_a_security_object_in_its_place_is_refused(trust_store: TrustStore) -> None:
    """The same signer signs both: only the content type tells one from the other."""
    signer = signature_over(INFOS, LDS_SECURITY_OBJECT)
    honest = build_signed_data(LDS_SECURITY_OBJECT, INFOS, signer, GENUINE.certificates[0])
    with pytest.raises(SecurityObjectInvalid):
        authenticate_card_security(honest, trust_store, pki.NOW)
    relabelled = build_card_security(INFOS, signer, GENUINE.certificates[0])
    with pytest.raises(SecurityObjectInvalid):
        authenticate_card_security(relabelled, trust_store, pki.NOW)
    with pytest.raises(MalformedDocument):
        authenticate_card_security(pki.quick_card().files[LdsFile.SOD], trust_store, pki.NOW)


def test_a_revoked_signer_is_refused() -> None:
    issuer = pki.quick_issuer()
    crl = issue_revocation_list(
        issuer.csca, pki.SIGNED, revoke=[issuer.document_signer.certificate.serial_number]
    )
    store = TrustStore.from_certificates(
        [issuer.csca.certificate.public_bytes(Encoding.DER)], [crl.public_bytes(Encoding.DER)]
    )
    with pytest.raises(SignerRevoked):
        authenticate_card_security(FILE, store, pki.NOW)


class TestTime:
    LATE = pki.NOW.replace(year=2060)

    def unsigned_time(self) -> bytes:
        signer = signature_over(INFOS, SECURITY_OBJECT, signing_time=None)
        return build_card_security(INFOS, signer, GENUINE.certificates[0])

    def test_it_outlives_its_signer(self, trust_store: TrustStore) -> None:
        authenticate_card_security(FILE, trust_store, self.LATE)

    def test_a_signer_not_valid_yet_is_refused(self, trust_store: TrustStore) -> None:
        with pytest.raises(SignerNotValidThen):
            authenticate_card_security(FILE, trust_store, pki.CEREMONY - timedelta(days=2))

    def test_without_a_time_the_date_of_issue_tells(self, trust_store: TrustStore) -> None:
        file = self.unsigned_time()
        authenticate_card_security(file, trust_store, pki.NOW)
        with pytest.raises(SigningTimeUnknown):
            authenticate_card_security(file, trust_store, self.LATE)
        authenticate_card_security(file, trust_store, self.LATE, files=pki.quick_card().files)
