"""The steps of passive authentication, each attacked by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from issuance_backend.csca.ceremony import CeremonyPlan, issue_document_signer
from issuance_backend.csca.crl import issue_revocation_list
from issuance_backend.csca.document_signer import sign_security_object
from issuance_backend.csca.signer import PrivateKey
from tests.support import pki
from tests.support.cms_writer import build_security_object
from tests.support.group_hashes import data_group_hashes
from verification.errors import (
    AlgorithmRefused,
    DataGroupMismatch,
    DataGroupNotSigned,
    MalformedDocument,
    SecurityObjectInvalid,
    SignerNotValidThen,
    SignerRevoked,
    SignerUntrusted,
    SigningTimeUnknown,
)
from verification.inspection.passive_authentication import authenticate
from verification.lds.files import LdsFile
from verification.lds.security_object import build_lds_security_object, parse_security_object
from verification.lds.signed_data import SignerInfo
from verification.pki.trust_store import TrustStore


def der(certificate: object) -> bytes:
    return certificate.public_bytes(Encoding.DER)  # type: ignore[attr-defined,no-any-return]


def test_a_genuine_card_is_authentic() -> None:
    found = authenticate(pki.card().files, pki.trust_store(), pki.NOW)
    assert found.revocation_known
    assert found.signer.certificate.encoded == der(pki.issuer().document_signer.certificate)


def test_known_signers_are_verified_once_and_keep_their_verdict() -> None:
    store = pki.trust_store()
    first = authenticate(pki.card().files, store, pki.NOW)
    assert authenticate(pki.card().files, store, pki.NOW).signer is first.signer


def test_another_issuer_of_the_same_name_is_refused() -> None:
    rogue = pki.rogue()
    forged = pki.make_card(signer=rogue.document_signer)
    assert rogue.csca.certificate.subject == pki.issuer().csca.certificate.subject
    with pytest.raises(SignerUntrusted):
        authenticate(forged.files, pki.trust_store(), pki.NOW)


def test_an_empty_trust_store_trusts_nobody() -> None:
    with pytest.raises(SignerUntrusted):
        authenticate(pki.card().files, TrustStore.from_certificates([]), pki.NOW)


def test_the_signature_of_another_card_is_refused() -> None:
    files = pki.card().with_files({LdsFile.SOD: pki.make_card().files[LdsFile.SOD]})
    with pytest.raises(DataGroupMismatch):
        authenticate(files, pki.trust_store(), pki.NOW)


def test_a_data_group_that_was_not_signed_is_refused() -> None:
    with pytest.raises(DataGroupNotSigned):
        authenticate(pki.card().with_files({LdsFile.DG11: b"\x6b\x00"}), pki.trust_store(), pki.NOW)


def test_a_security_object_without_files_proves_nothing() -> None:
    with pytest.raises(MalformedDocument):
        authenticate({LdsFile.SOD: pki.card().files[LdsFile.SOD]}, pki.trust_store(), pki.NOW)


def test_files_without_a_security_object_are_refused() -> None:
    with pytest.raises(MalformedDocument):
        authenticate(pki.card().without(LdsFile.SOD), pki.trust_store(), pki.NOW)


def test_the_portrait_may_be_left_out() -> None:
    authenticate(pki.card().without(LdsFile.DG2), pki.trust_store(), pki.NOW)


class TestRevocation:
    def revoked(self) -> TrustStore:
        issuer = pki.issuer()
        serial_number = issuer.document_signer.certificate.serial_number
        crl = issue_revocation_list(
            issuer.csca, pki.SIGNED, previous=issuer.revocation_list, revoke=[serial_number]
        )
        return TrustStore.from_certificates([der(issuer.csca.certificate)], [der(crl)])

    def test_a_revoked_signer_is_refused(self) -> None:
        with pytest.raises(SignerRevoked):
            authenticate(pki.card().files, self.revoked(), pki.NOW)

    def test_also_by_a_list_that_is_out_of_date(self) -> None:
        with pytest.raises(SignerRevoked):
            authenticate(pki.card().files, self.revoked(), pki.NOW + timedelta(days=400))

    def test_a_new_list_counts_for_signers_already_known(self) -> None:
        store, issuer = pki.trust_store(), pki.issuer()
        authenticate(pki.card().files, store, pki.NOW)
        serial_number = issuer.document_signer.certificate.serial_number
        crl = issue_revocation_list(issuer.csca, pki.SIGNED, revoke=[serial_number])
        before = store.generation
        store.replace_revocation_lists([der(crl)])
        assert store.generation == before + 1
        with pytest.raises(SignerRevoked):
            authenticate(pki.card().files, store, pki.NOW)

    def test_without_a_current_list_the_answer_says_so(self) -> None:
        store = TrustStore.from_certificates([der(pki.issuer().csca.certificate)])
        assert not authenticate(pki.card().files, store, pki.NOW).revocation_known
        late = pki.NOW + timedelta(days=120)
        assert not authenticate(pki.card().files, pki.trust_store(), late).revocation_known

    def test_a_list_by_another_issuer_of_the_same_name_does_not_count(self) -> None:
        rogue = pki.rogue()
        store = TrustStore.from_certificates(
            [der(pki.issuer().csca.certificate)], [der(rogue.revocation_list)]
        )
        assert [rejected.code for rejected in store.rejected] == ["CHIP_DS_UNTRUSTED"]
        assert not authenticate(pki.card().files, store, pki.NOW).revocation_known


class TestValidity:
    """A document signer expires long before some cards do."""

    LATE = pki.NOW.replace(year=2060)

    def test_a_card_without_expiry_outlives_its_signer(self) -> None:
        card = pki.make_card(pki.no_expiry())
        authenticate(card.files, pki.trust_store(), self.LATE)

    def test_a_signature_made_after_expiry_is_refused(self) -> None:
        card = pki.make_card(signing_time=pki.NOW.replace(year=2058))
        with pytest.raises(SignerNotValidThen):
            authenticate(card.files, pki.trust_store(), self.LATE)

    def test_a_signature_made_before_validity_is_refused(self) -> None:
        card = pki.make_card(signing_time=pki.CEREMONY - timedelta(days=3))
        with pytest.raises(SignerNotValidThen):
            authenticate(card.files, pki.trust_store(), pki.NOW)

    def test_a_signer_that_is_not_valid_yet_is_refused(self) -> None:
        with pytest.raises(SignerNotValidThen):
            authenticate(pki.card().files, pki.trust_store(), pki.CEREMONY - timedelta(days=2))

    def test_without_a_signing_time_the_date_of_issue_tells(self) -> None:
        files = without_signing_time(pki.Holder(date_of_issue="01/04/2026"))
        authenticate(files, pki.trust_store(), pki.NOW)
        authenticate(files, pki.trust_store(), self.LATE)

    def test_a_date_of_issue_after_expiry_is_refused(self) -> None:
        files = without_signing_time(pki.Holder(date_of_issue="01/04/2055"))
        with pytest.raises(SignerNotValidThen):
            authenticate(files, pki.trust_store(), self.LATE)

    def test_without_any_time_an_expired_signer_is_not_believed(self) -> None:
        files = without_signing_time(pki.Holder())
        del files[LdsFile.DG13]
        authenticate(files, pki.trust_store(), pki.NOW)
        with pytest.raises(SigningTimeUnknown):
            authenticate(files, pki.trust_store(), self.LATE)


class TestSigner:
    """Who may sign documents, and what."""

    def test_a_signer_for_another_kind_of_document_is_refused(self) -> None:
        files = signed_under(replace(CeremonyPlan(), document_type="P"))
        with pytest.raises(SignerUntrusted):
            authenticate(files, pki.trust_store(), pki.NOW)

    @pytest.mark.parametrize("document_type", ["ID", "I"])
    def test_a_code_is_allowed_by_itself_or_by_its_letter(self, document_type: str) -> None:
        files = signed_under(replace(CeremonyPlan(), document_type=document_type))
        authenticate(files, pki.trust_store(), pki.NOW)

    def test_the_csca_itself_may_not_sign_documents(self) -> None:
        card = pki.make_card(signer=pki.issuer().csca)
        with pytest.raises(SignerUntrusted):
            authenticate(card.files, pki.trust_store(), pki.NOW)

    def test_a_signer_certificate_made_after_the_csca_expired_is_refused(self) -> None:
        key = PrivateKey.generate(ec.SECP256R1(), "sha256")
        certificate = issue_document_signer(
            pki.issuer().csca, key, CeremonyPlan(), datetime(2050, 1, 1, tzinfo=UTC)
        )
        card = pki.make_card(signer=key.with_certificate(certificate))
        with pytest.raises(SignerUntrusted):
            authenticate(card.files, pki.trust_store(), datetime(2050, 2, 1, tzinfo=UTC))


class TestSignature:
    """What a forger can build around a genuine signature."""

    def rebuilt(self, **changes: object) -> dict[LdsFile, bytes]:
        genuine = parse_security_object(pki.card().files[LdsFile.SOD])
        content = changes.pop("content", genuine.content)
        signer = genuine.signer._replace(**changes)  # type: ignore[arg-type]
        encoded = build_security_object(content, signer, genuine.certificates[0])  # type: ignore[arg-type]
        return pki.card().with_files({LdsFile.SOD: encoded})

    def test_rebuilding_changes_nothing(self) -> None:
        assert self.rebuilt() == pki.card().files

    def test_new_hashes_under_the_old_signature_are_refused(self) -> None:
        hashes = {**parse_security_object(pki.card().files[LdsFile.SOD]).hashes, LdsFile.DG1: bytes(32)}
        with pytest.raises(SecurityObjectInvalid):
            authenticate(self.rebuilt(content=build_lds_security_object(hashes)), pki.trust_store(), pki.NOW)

    def test_a_signature_straight_over_the_content_is_refused(self) -> None:
        issuer, genuine = pki.issuer(), parse_security_object(pki.card().files[LdsFile.SOD])
        signature = issuer.document_signer.sign(genuine.content)
        with pytest.raises(SecurityObjectInvalid):
            authenticate(self.rebuilt(attributes=None, signature=signature), pki.trust_store(), pki.NOW)

    def test_another_name_of_the_signer_is_refused(self) -> None:
        with pytest.raises(SecurityObjectInvalid):
            authenticate(self.rebuilt(serial_number=b"\x05"), pki.trust_store(), pki.NOW)

    def test_sha_1_is_refused(self) -> None:
        files = pki.card().without(LdsFile.SOD)
        hashes = data_group_hashes(files, "sha1")
        files[LdsFile.SOD] = sign_security_object(
            hashes, pki.issuer().document_signer, hash_algorithm="sha1", signing_time=pki.SIGNED
        )
        with pytest.raises(AlgorithmRefused):
            authenticate(files, pki.trust_store(), pki.NOW)

    @pytest.mark.parametrize("name", ["sha256", "sha384", "sha512"])
    def test_other_hashes_and_version_1_are_accepted(self, name: str) -> None:
        files = pki.card().without(LdsFile.SOD)
        files[LdsFile.SOD] = sign_security_object(
            data_group_hashes(files, name),
            pki.issuer().document_signer,
            hash_algorithm=name,
            version_info=("0108", "040000"),
            signing_time=pki.SIGNED,
        )
        found = authenticate(files, pki.trust_store(), pki.NOW)
        assert found.security_object.lds_version_info == ("0108", "040000")


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.BrainpoolP256R1()], ids=lambda curve: curve.name)
def test_no_valid_security_object_is_refused(curve: ec.EllipticCurve) -> None:
    """Keys and signatures whose numbers begin with zero octets are as valid as any other.

    A signature number is one octet shorter once in 256 times: 300 cards, with a key of their
    own each, meet it on every side.
    """
    plan = replace(pki.P256, signer_curve=curve)
    files = pki.quick_card().without(LdsFile.SOD, LdsFile.DG2)
    hashes, csca = data_group_hashes(pki.quick_card().files), pki.quick_issuer().csca
    store = pki.trust_store(pki.quick_issuer())
    for _ in range(300):
        key = PrivateKey.generate(curve, "sha256")
        certificate = issue_document_signer(csca, key, plan, pki.CEREMONY)
        files[LdsFile.SOD] = sign_security_object(
            hashes, key.with_certificate(certificate), signing_time=pki.SIGNED
        )
        authenticate(files, store, pki.NOW)


def without_signing_time(holder: pki.Holder) -> dict[LdsFile, bytes]:
    """A card whose signature states no time, as most real ones."""
    card = pki.make_card(holder)
    genuine = parse_security_object(card.files[LdsFile.SOD])
    attributes = genuine.signer.attributes
    assert attributes is not None
    time = attributes.encoded.index(bytes.fromhex("06092a864886f70d010905")) - 2
    rest = attributes.encoded[2:time] + attributes.encoded[time + 2 + attributes.encoded[time + 1] :]
    encoded = bytes((0x31, len(rest))) + rest
    signer: SignerInfo = genuine.signer._replace(
        attributes=attributes._replace(encoded=encoded, signing_time=None),
        signature=pki.issuer().document_signer.sign(encoded),
    )
    sod = build_security_object(genuine.content, signer, genuine.certificates[0])
    return card.with_files({LdsFile.SOD: sod})


def signed_under(plan: CeremonyPlan) -> dict[LdsFile, bytes]:
    """The default card signed by a document signer with another profile, under the trusted CSCA."""
    key = PrivateKey.generate(ec.SECP256R1(), "sha256")
    certificate = issue_document_signer(pki.issuer().csca, key, plan, pki.CEREMONY)
    return dict(pki.make_card(signer=key.with_certificate(certificate)).files)
