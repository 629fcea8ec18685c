"""Odd encodings of EF.SOD that genuine documents have: accepted; what only looks like them: refused."""

from __future__ import annotations

import pytest

from tests.support import pki
from tests.support.cms_writer import build_signed_data
from tests.support.signed_files import genuine, signature_over
from verification.encoding.tlv import (
    NULL,
    PRINTABLE_STRING,
    SEQUENCE,
    SET,
    DerReader,
    build,
)
from verification.errors import LimitExceeded, MalformedDocument, SecurityObjectInvalid, VerificationError
from verification.inspection.inspect import inspect
from verification.inspection.passive_authentication import Authenticated, authenticate
from verification.inspection.report import Check, Verdict
from verification.lds.files import LdsFile
from verification.lds.hash_algorithms import hash_algorithm_identifier
from verification.lds.security_object import build_lds_security_object, parse_security_object
from verification.lds.signed_data import ID_DATA, LDS_SECURITY_OBJECT, SignerInfo
from verification.pki.certificate import parse_certificate
from verification.pki.cms_signature import MAX_CARRIED
from verification.pki.trust_store import TrustStore

GENUINE = genuine()
CERTIFICATE = GENUINE.certificates[0]
OTHER_CERTIFICATE = parse_security_object(pki.card().files[LdsFile.SOD]).certificates[0]
KEY_ID = parse_certificate(CERTIFICATE).subject_key_id or b""


@pytest.fixture(scope="module")
def trust_store() -> TrustStore:
    return pki.trust_store(pki.quick_issuer())


def card_with(sod: bytes) -> dict[LdsFile, bytes]:
    return pki.quick_card().with_files({LdsFile.SOD: sod})


def security_object(
    signer: SignerInfo = GENUINE.signer,
    certificates: bytes = CERTIFICATE,
    content_type: str = LDS_SECURITY_OBJECT,
) -> bytes:
    return build(LdsFile.SOD.tag, build_signed_data(content_type, GENUINE.content, signer, certificates))


def judged(sod: bytes, trust_store: TrustStore) -> Authenticated:
    return authenticate(card_with(sod), trust_store, pki.NOW)


class TestNameOfTheSigner:
    def test_by_key_identifier(self, trust_store: TrustStore) -> None:
        sod = security_object(GENUINE.signer._replace(subject_key_id=KEY_ID))
        assert parse_security_object(sod).signer.subject_key_id == KEY_ID
        judged(sod, trust_store)

    def test_by_another_key_identifier(self, trust_store: TrustStore) -> None:
        sod = security_object(GENUINE.signer._replace(subject_key_id=KEY_ID[:-1] + b"\x00"))
        with pytest.raises(SecurityObjectInvalid):
            judged(sod, trust_store)

    def test_with_its_parts_in_another_order(self, trust_store: TrustStore) -> None:
        parts = []
        reader = DerReader(GENUINE.signer.issuer).enter(SEQUENCE)
        while reader.peek() is not None:
            parts.append(reader.take_encoded(SET))
        turned = build(SEQUENCE, b"".join(reversed(parts)))
        assert turned != GENUINE.signer.issuer
        judged(security_object(GENUINE.signer._replace(issuer=turned)), trust_store)

    def test_with_a_part_left_out(self, trust_store: TrustStore) -> None:
        reader = DerReader(GENUINE.signer.issuer).enter(SEQUENCE)
        first = build(SEQUENCE, reader.take_encoded(SET))
        with pytest.raises(SecurityObjectInvalid):
            judged(security_object(GENUINE.signer._replace(issuer=first)), trust_store)


class TestCertificates:
    @pytest.mark.parametrize("by_key_id", [False, True])
    @pytest.mark.parametrize("order", ["own first", "own last"])
    def test_the_named_one_among_several_is_the_signers(
        self, trust_store: TrustStore, order: str, by_key_id: bool
    ) -> None:
        carried = [CERTIFICATE, OTHER_CERTIFICATE]
        both = b"".join(carried if order == "own first" else reversed(carried))
        signer = GENUINE.signer._replace(subject_key_id=KEY_ID) if by_key_id else GENUINE.signer
        found = judged(security_object(signer, both), trust_store)
        assert found.signer.certificate.encoded == CERTIFICATE

    @pytest.mark.parametrize(
        "carried",
        [b"", OTHER_CERTIFICATE, OTHER_CERTIFICATE * 2, CERTIFICATE * 2],
        ids=["none", "other", "others", "twice"],
    )
    def test_without_exactly_one_of_the_signers_it_is_refused(
        self, trust_store: TrustStore, carried: bytes
    ) -> None:
        with pytest.raises(VerificationError):
            judged(security_object(certificates=carried), trust_store)

    def test_more_than_anybody_carries_are_refused(self, trust_store: TrustStore) -> None:
        with pytest.raises(LimitExceeded):
            judged(security_object(certificates=OTHER_CERTIFICATE * (MAX_CARRIED + 1)), trust_store)


class TestContentType:
    @pytest.mark.parametrize("content_type", [ID_DATA, "1.3.27.1.1.1"])
    def test_another_label_over_the_same_list_is_noted(
        self, trust_store: TrustStore, content_type: str
    ) -> None:
        sod = security_object(signature_over(GENUINE.content, content_type), content_type=content_type)
        assert judged(sod, trust_store).departures == {"CHIP_SOD_CONTENT_TYPE"}
        report = inspect(card_with(sod), trust_store, pki.NOW)
        assert report.verdict is Verdict.VALID
        assert report.notes[Check.SOD_SIGNATURE].code == "CHIP_SOD_CONTENT_TYPE"

    @pytest.mark.parametrize("content_type", [ID_DATA, "2.23.136.1.1.2", "0.4.0.127.0.7.3.2.1"])
    def test_a_label_that_was_not_signed_is_refused(self, trust_store: TrustStore, content_type: str) -> None:
        with pytest.raises(SecurityObjectInvalid):
            judged(security_object(content_type=content_type), trust_store)

    def test_a_signed_master_list_is_no_security_object(self, trust_store: TrustStore) -> None:
        sod = security_object(
            signature_over(GENUINE.content, "2.23.136.1.1.2"), content_type="2.23.136.1.1.2"
        )
        with pytest.raises(SecurityObjectInvalid):
            judged(sod, trust_store)


class TestParameters:
    """NULL or nothing behind a hash's name, and both inside one file."""

    WITHOUT = hash_algorithm_identifier("sha256")
    WITH_NULL = build(SEQUENCE, WITHOUT[2:] + build(NULL, b""))

    def test_in_the_list_of_hashes(self, trust_store: TrustStore) -> None:
        content = build_lds_security_object(GENUINE.hashes)
        changed = rebuilt(content, self.WITHOUT, self.WITH_NULL)
        signer = signature_over(changed)
        sod = build(LdsFile.SOD.tag, build_signed_data(LDS_SECURITY_OBJECT, changed, signer, CERTIFICATE))
        assert judged(sod, trust_store).security_object.hashes == GENUINE.hashes

    @pytest.mark.parametrize(
        "parameters", [build(NULL, b"\x00"), build(PRINTABLE_STRING, b""), b"\x05\x00\x05\x00"]
    )
    def test_anything_else_is_refused(self, trust_store: TrustStore, parameters: bytes) -> None:
        odd = build(SEQUENCE, self.WITHOUT[2:] + parameters)
        changed = rebuilt(build_lds_security_object(GENUINE.hashes), self.WITHOUT, odd)
        signer = signature_over(changed)
        sod = build(LdsFile.SOD.tag, build_signed_data(LDS_SECURITY_OBJECT, changed, signer, CERTIFICATE))
        with pytest.raises(MalformedDocument):
            judged(sod, trust_store)


def rebuilt(content: bytes, before: bytes, after: bytes) -> bytes:
    """The LDS security object with another AlgorithmIdentifier in it, lengths put right."""
    reader = DerReader(content).enter(SEQUENCE)
    version = reader.take_encoded(0x02)
    assert reader.take_encoded(SEQUENCE) == before
    return build(SEQUENCE, version + after + reader.remaining())
