"""The signature in EF.SOD (RFC 5652, 5.4 and 5.6; ICAO 9303-10, 4.6.2.2)."""

from __future__ import annotations

from hmac import compare_digest

from cryptography.exceptions import InvalidSignature

from verification.encoding.object_identifier import encode_oid
from verification.errors import AlgorithmRefused, SecurityObjectInvalid
from verification.lds.security_object import ID_DATA, LDS_SECURITY_OBJECT, SecurityObject
from verification.pki.certificate import Certificate, relative_names
from verification.pki.public_keys import PublicKey
from verification.pki.signature_algorithms import DIGESTS, signature_verifier

# Chinese documents state id-data; the structure inside is the same and is checked all the same.
CONTENT_TYPES = frozenset({LDS_SECURITY_OBJECT, ID_DATA})


def only_certificate(security_object: SecurityObject) -> bytes:
    """The document signer's certificate; each of the real documents seen carries exactly one."""
    if len(security_object.certificates) != 1:
        raise SecurityObjectInvalid(f"EF.SOD carries {len(security_object.certificates)} certificates")
    return security_object.certificates[0]


def require_named(security_object: SecurityObject, certificate: Certificate) -> None:
    """The signer is named as the certificate names itself; else raises SecurityObjectInvalid."""
    signer = security_object.signer
    if signer.subject_key_id is not None:
        named = signer.subject_key_id == certificate.subject_key_id
    else:
        named = signer.serial_number == certificate.serial_number and (
            signer.issuer == certificate.issuer
            # Malaysian documents name the issuer with its parts in another order.
            or relative_names(signer.issuer) == relative_names(certificate.issuer)
        )
    if not named:
        raise SecurityObjectInvalid("EF.SOD names another signer than it carries")


def require_signature(security_object: SecurityObject, key: PublicKey) -> None:
    """The key signed this content; raises SecurityObjectInvalid or AlgorithmRefused.

    A signature straight over the content is refused: ICAO 9303-10 prescribes signed attributes,
    and without them an attacker may present a signed SET of attributes as content.
    """
    signer = security_object.signer
    attributes = signer.attributes
    if attributes is None:
        raise SecurityObjectInvalid("EF.SOD has no signed attributes")
    if security_object.content_type not in CONTENT_TYPES:
        raise SecurityObjectInvalid("EF.SOD holds another content type")
    if attributes.content_type != encode_oid(security_object.content_type):
        raise SecurityObjectInvalid("signed content type differs")
    digest = DIGESTS.get(signer.digest_algorithm)
    if digest is None:
        raise AlgorithmRefused(f"EF.SOD relies on {signer.digest_algorithm}")
    if not compare_digest(digest(security_object.content).digest(), attributes.message_digest):
        raise SecurityObjectInvalid("signed digest differs from the content")
    verify = signature_verifier(signer.signature_algorithm, signer.digest_algorithm)
    try:
        verify(key, signer.signature, attributes.encoded)
    except InvalidSignature:
        raise SecurityObjectInvalid("signature does not verify") from None
