"""The signature over EF.SOD: what holds, what is accepted with a note, what a policy decides."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.cms_writer import build_signed_data
from tests.support.signing_suites import SUITES, SuiteIssuer, card_files
from tests.support.trust_material import ECDSA_SHA_256, SIGNED
from verification.encoding.object_identifier import build_oid
from verification.encoding.tlv import SEQUENCE, SET, build, children, only
from verification.errors import AlgorithmRefused, LimitExceeded, SecurityObjectInvalid
from verification.lds.files import LdsFile
from verification.lds.security_object import SecurityObject, build_lds_security_object, parse_security_object
from verification.lds.signed_data import (
    ID_DATA,
    LDS_SECURITY_OBJECT,
    SignedAttributes,
    SignerInfo,
    build_signed_attributes,
)
from verification.pki.certificate import parse_certificate
from verification.pki.cms_signature import (
    MAX_CARRIED,
    require_content_digest,
    require_content_signature,
    require_named,
    require_signature,
    signer_certificate,
)
from verification.pki.public_keys import load_public_key
from verification.pki.signature_policy import Departure, SignaturePolicy

ISSUER = SuiteIssuer(SUITES["p256"])
SIGNER = ISSUER.signer()
CERTIFICATE = parse_certificate(SIGNER.certificate)
KEY = load_public_key(CERTIFICATE.public_key_info)
CONTENT = build_lds_security_object({LdsFile.DG1: hashlib.sha256(b"DG1").digest()})
LEGACY = SignaturePolicy(accepts_legacy=True)
BARE = SignaturePolicy(accepts_no_signed_attributes=True)
ECDSA_SHA_1 = build(SEQUENCE, build_oid("1.2.840.10045.4.1"))


def attributes_over(content: bytes, content_type: str = LDS_SECURITY_OBJECT, digest: str = "sha256") -> bytes:
    return build_signed_attributes(hashlib.new(digest, content).digest(), SIGNED, content_type)


def signed(
    attributes: bytes | None,
    *,
    content_type: str = LDS_SECURITY_OBJECT,
    over: bytes | None = None,
    digest: str = "sha256",
    algorithm: bytes = ECDSA_SHA_256,
) -> SecurityObject:
    """EF.SOD with these attributes, the signature ``over`` them or over something else."""
    chosen = hashes.SHA1() if digest == "sha1" else hashes.SHA256()  # noqa: S303
    assert isinstance(SIGNER.key, ec.EllipticCurvePrivateKey)
    signature = SIGNER.key.sign(over or attributes or CONTENT, ec.ECDSA(chosen))
    info = SignerInfo(
        CERTIFICATE.issuer,
        CERTIFICATE.serial_number,
        None,
        digest,
        None if attributes is None else SignedAttributes(attributes, b"", b"", None),
        algorithm,
        signature,
    )
    return parse_security_object(
        build(0x77, build_signed_data(content_type, CONTENT, info, SIGNER.certificate))
    )


class TestWhatHolds:
    def test_a_plain_signature_departs_from_nothing(self) -> None:
        security_object = signed(attributes_over(CONTENT))
        assert require_signature(security_object, KEY) == frozenset()
        require_content_digest(security_object)
        require_named(security_object, CERTIFICATE)
        assert signer_certificate(security_object) == SIGNER.certificate

    def test_another_key_signed(self) -> None:
        other = load_public_key(parse_certificate(ISSUER.signer().certificate).public_key_info)
        with pytest.raises(SecurityObjectInvalid, match="does not verify"):
            require_signature(signed(attributes_over(CONTENT)), other)

    def test_the_signed_digest_is_of_this_content(self) -> None:
        altered = signed(attributes_over(CONTENT + b"."))
        for check in (lambda: require_signature(altered, KEY), lambda: require_content_digest(altered)):
            with pytest.raises(SecurityObjectInvalid, match="digest differs"):
                check()

    def test_the_signed_type_is_that_of_the_content(self) -> None:
        altered = signed(attributes_over(CONTENT, ID_DATA))
        for check in (lambda: require_signature(altered, KEY), lambda: require_content_digest(altered)):
            with pytest.raises(SecurityObjectInvalid, match="content type differs"):
                check()

    def test_attributes_in_another_order_than_they_were_signed(self) -> None:
        """RFC 5652, 5.4 signs the DER; some signers of real master lists write BER."""
        encoded = attributes_over(CONTENT)
        members = [member.encoded for member in children(only(encoded, SET))]
        reversed_order = build(SET, b"".join(reversed(members)))
        assert require_signature(signed(reversed_order, over=encoded), KEY) == frozenset()
        assert require_signature(signed(reversed_order, over=reversed_order), KEY) == frozenset()
        with pytest.raises(SecurityObjectInvalid):
            require_signature(signed(encoded, over=reversed_order), KEY)


class TestContentTypes:
    @pytest.mark.parametrize("content_type", [ID_DATA, "1.3.27.1.1.1"])
    def test_an_odd_one_is_accepted_with_a_note(self, content_type: str) -> None:
        odd = signed(attributes_over(CONTENT, content_type), content_type=content_type)
        assert require_signature(odd, KEY) == {Departure.OTHER_CONTENT_TYPE}

    def test_any_other_is_refused(self) -> None:
        other = signed(attributes_over(CONTENT, "2.23.136.1.1.2"), content_type="2.23.136.1.1.2")
        with pytest.raises(SecurityObjectInvalid, match="another content type"):
            require_signature(other, KEY)


class TestPolicy:
    def test_no_signed_attributes(self) -> None:
        bare = signed(None)
        with pytest.raises(SecurityObjectInvalid, match="without signed attributes"):
            require_signature(bare, KEY)
        with pytest.raises(SecurityObjectInvalid, match="without signed attributes"):
            require_content_digest(bare)
        assert require_signature(bare, KEY, BARE) == {Departure.NO_SIGNED_ATTRIBUTES}
        with pytest.raises(SecurityObjectInvalid, match="does not verify"):
            require_signature(signed(None, over=CONTENT + b"."), KEY, BARE)

    def test_a_signed_set_of_attributes_is_never_content(self) -> None:
        """What one document's signer signed must not serve as another document's content."""
        genuine = signed(attributes_over(CONTENT))
        assert genuine.signer.attributes is not None
        forged = genuine._replace(
            content=genuine.signer.attributes.encoded, signer=genuine.signer._replace(attributes=None)
        )
        with pytest.raises(SecurityObjectInvalid):
            require_content_signature(forged, KEY, BARE)

    @pytest.mark.parametrize(
        ("digest", "algorithm"), [("sha1", ECDSA_SHA_1), ("sha1", ECDSA_SHA_256), ("sha256", ECDSA_SHA_1)]
    )
    def test_sha_1_anywhere_needs_the_policy(self, digest: str, algorithm: bytes) -> None:
        weak = signed(attributes_over(CONTENT, digest=digest), digest=digest, algorithm=algorithm)
        with pytest.raises(AlgorithmRefused, match="sha1"):
            require_signature(weak, KEY)
        if (digest, algorithm) == ("sha1", ECDSA_SHA_1):
            assert require_signature(weak, KEY, LEGACY) == {Departure.LEGACY_ALGORITHM}

    def test_a_policy_makes_no_difference_where_it_is_not_needed(self) -> None:
        everything = SignaturePolicy(accepts_legacy=True, accepts_no_signed_attributes=True)
        assert require_signature(signed(attributes_over(CONTENT)), KEY, everything) == frozenset()


class TestWhoSigned:
    def test_another_serial_number_or_issuer_is_another_signer(self) -> None:
        security_object = signed(attributes_over(CONTENT))
        signer = security_object.signer
        for changed in (
            signer._replace(serial_number=b"\x01"),
            signer._replace(issuer=CERTIFICATE.subject),
            signer._replace(subject_key_id=bytes(20)),
        ):
            with pytest.raises(SecurityObjectInvalid, match="names another"):
                require_named(security_object._replace(signer=changed), CERTIFICATE)

    def test_a_key_identifier_names_the_signer_too(self) -> None:
        security_object = signed(attributes_over(CONTENT))
        by_key_id = security_object.signer._replace(subject_key_id=CERTIFICATE.subject_key_id)
        require_named(security_object._replace(signer=by_key_id), CERTIFICATE)

    def test_parts_of_the_name_in_another_order(self) -> None:
        """As Malaysian documents have it."""
        security_object = signed(attributes_over(CONTENT))
        parts = [part.encoded for part in children(only(CERTIFICATE.issuer, SEQUENCE))]
        swapped = build(SEQUENCE, b"".join(reversed(parts)))
        assert swapped != CERTIFICATE.issuer
        signer = security_object.signer._replace(issuer=swapped)
        require_named(security_object._replace(signer=signer), CERTIFICATE)

    def test_among_several_certificates_the_one_that_is_named_is_taken(self) -> None:
        security_object = signed(attributes_over(CONTENT))
        other = ISSUER.signer().certificate
        for certificates in ((SIGNER.certificate, other), (other, SIGNER.certificate)):
            several = security_object._replace(certificates=certificates)
            assert signer_certificate(several) == SIGNER.certificate
        for certificates in ((), (other, ISSUER.certificate), (SIGNER.certificate, SIGNER.certificate)):
            with pytest.raises(SecurityObjectInvalid, match="carries"):
                signer_certificate(security_object._replace(certificates=certificates))

    def test_a_limit_comes_first(self) -> None:
        crowded = signed(attributes_over(CONTENT))._replace(certificates=(b"junk",) * (MAX_CARRIED + 1))
        with pytest.raises(LimitExceeded):
            signer_certificate(crowded)


@pytest.mark.parametrize("name", SUITES)
def test_every_suite_verifies(name: str) -> None:
    issuer = SuiteIssuer(SUITES[name])
    signer = issuer.signer()
    found = parse_security_object(card_files(issuer, signer, {LdsFile.DG1: b"DG1"})[LdsFile.SOD])
    key = load_public_key(parse_certificate(signer.certificate).public_key_info)
    assert require_signature(found, key) == frozenset()


@pytest.mark.shared_data
def test_a_german_document_of_2008_holds_by_the_policy_of_its_time(shared: Path) -> None:
    """Explicit parameters of brainpoolP224r1 and SHA-1 throughout: a known answer for our own arithmetic."""
    found = parse_security_object((shared / "data/emrtd/bsi2008/EF_SOD.bin").read_bytes())
    certificate = parse_certificate(signer_certificate(found))
    with pytest.raises(AlgorithmRefused):
        load_public_key(certificate.public_key_info)
    key = load_public_key(certificate.public_key_info, accepts_legacy=True)
    assert key.key_size == 224
    with pytest.raises(AlgorithmRefused):
        require_signature(found, key)
    assert require_signature(found, key, LEGACY) == {Departure.LEGACY_ALGORITHM}
    altered = found._replace(
        signer=found.signer._replace(
            signature=found.signer.signature[:-1] + bytes((found.signature[-1] ^ 1,))
        )
    )
    with pytest.raises(SecurityObjectInvalid):
        require_signature(altered, key, LEGACY)
