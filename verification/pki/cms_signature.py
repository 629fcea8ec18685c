"""The signature of a CMS SignedData: EF.SOD, EF.CardSecurity, master lists (RFC 5652, 5.4 and 5.6)."""

from __future__ import annotations

from hmac import compare_digest

from cryptography.exceptions import InvalidSignature

from verification.encoding.object_identifier import encode_oid
from verification.encoding.tlv import SEQUENCE, SET, DerReader, build
from verification.errors import AlgorithmRefused, LimitExceeded, SecurityObjectInvalid
from verification.lds.security_object import SecurityObject
from verification.lds.signed_data import (
    ID_DATA,
    LDS_SECURITY_OBJECT,
    SignedAttributes,
    SignedContent,
    SignerInfo,
)
from verification.pki.certificate import Certificate, parse_certificate
from verification.pki.distinguished_name import relative_names
from verification.pki.public_keys import PublicKey, is_legacy_key
from verification.pki.signature_algorithms import (
    LEGACY_DIGESTS,
    WEAK_HASHES,
    SignatureAlgorithm,
    signature_algorithm,
)
from verification.pki.signature_policy import STRICT, Departure, SignaturePolicy

# Chinese documents state id-data, some of Belgium and France an arc that ICAO gave up; the structure
# inside is the same and is checked all the same.
_OTHER_CONTENT_TYPES = frozenset({ID_DATA, "1.3.27.1.1.1"})
CONTENT_TYPES = _OTHER_CONTENT_TYPES | {LDS_SECURITY_OBJECT}

_SEQUENCE = bytes((SEQUENCE,))

Departures = frozenset[Departure]
NONE: Departures = frozenset()


MAX_CARRIED = 16
"""Certificates in a signed file; each of the real documents seen carries exactly one."""


def signer_certificate(signed: SignedContent) -> bytes:
    """The signer's certificate: the sole one carried, or the one among several that the signature names.

    Raises SecurityObjectInvalid where none is the one, LimitExceeded for more than anybody carries.
    """
    carried = signed.certificates
    if len(carried) == 1:
        return carried[0]
    if len(carried) > MAX_CARRIED:
        raise LimitExceeded(f"signed file carries {len(carried)} certificates")
    named = [encoded for encoded in carried if is_named(signed.signer, parse_certificate(encoded))]
    if len(named) != 1:
        raise SecurityObjectInvalid(f"signed file carries {len(named)} certificates of its signer")
    return named[0]


def require_named(signed: SignedContent, certificate: Certificate) -> None:
    """The signer is named as the certificate names itself; else raises SecurityObjectInvalid."""
    if not is_named(signed.signer, certificate):
        raise SecurityObjectInvalid("signed file names another signer than it carries")


def is_named(signer: SignerInfo, certificate: Certificate) -> bool:
    """Whether the signer is the holder of this certificate, by what the signature says."""
    if signer.subject_key_id is not None:
        return signer.subject_key_id == certificate.subject_key_id
    return signer.serial_number == certificate.serial_number and (
        signer.issuer == certificate.issuer
        # Malaysian documents name the issuer with its parts in another order.
        or relative_names(signer.issuer) == relative_names(certificate.issuer)
    )


def require_signature(
    security_object: SecurityObject, key: PublicKey, policy: SignaturePolicy = STRICT
) -> Departures:
    """The key signed this list of hashes; returns what was accepted although it departs.

    Raises SecurityObjectInvalid or AlgorithmRefused.
    """
    content_type = security_object.content_type
    if content_type not in CONTENT_TYPES:
        raise SecurityObjectInvalid("EF.SOD holds another content type")
    departures = require_content_signature(security_object, key, policy)
    if content_type in _OTHER_CONTENT_TYPES:
        return departures | {Departure.OTHER_CONTENT_TYPE}
    return departures


def require_content_signature(
    signed: SignedContent, key: PublicKey, policy: SignaturePolicy = STRICT
) -> Departures:
    """The key signed this content; returns what was accepted although it departs.

    Whether the content is of the type that the caller expects is the caller's question. A
    signature straight over the content is a matter of policy: ICAO 9303-10 prescribes signed
    attributes. Where it is accepted the content must be a SEQUENCE, because a signed SET of
    attributes could be presented as content otherwise. Raises SecurityObjectInvalid or AlgorithmRefused.
    """
    signer = signed.signer
    algorithm = signature_algorithm(signer.signature_algorithm, signer.digest_algorithm)
    departures = _legacy(signer, algorithm, key, policy)
    attributes = signer.attributes
    if attributes is None:
        if not policy.accepts_no_signed_attributes or signed.content[:1] != _SEQUENCE:
            raise SecurityObjectInvalid("signature without signed attributes")
        _verify(algorithm, key, signer.signature, signed.content)
        return departures | {Departure.NO_SIGNED_ATTRIBUTES}
    _require_digest(attributes, signed)
    _verify_attributes(algorithm, key, signer.signature, attributes)
    return departures


def require_content_digest(signed: SignedContent) -> None:
    """The signed attributes are about this content, whoever signed them; else SecurityObjectInvalid."""
    if signed.signer.attributes is None:
        raise SecurityObjectInvalid("signature without signed attributes")
    _require_digest(signed.signer.attributes, signed)


def _require_digest(attributes: SignedAttributes, signed: SignedContent) -> None:
    if attributes.content_type != encode_oid(signed.content_type):
        raise SecurityObjectInvalid("signed content type differs")
    digest = LEGACY_DIGESTS[signed.signer.digest_algorithm]
    if not compare_digest(digest(signed.content).digest(), attributes.message_digest):
        raise SecurityObjectInvalid("signed digest differs from the content")


def _legacy(
    signer: SignerInfo, algorithm: SignatureAlgorithm, key: PublicKey, policy: SignaturePolicy
) -> Departures:
    """Raises AlgorithmRefused for a hash that is no longer relied on, unless the policy accepts it."""
    is_weak = signer.digest_algorithm in WEAK_HASHES or algorithm.hash_name in WEAK_HASHES
    if not policy.accepts_legacy:
        if is_weak:
            raise AlgorithmRefused("signature over sha1")
        return NONE  # A key that is too short was refused when it was loaded.
    return frozenset({Departure.LEGACY_ALGORITHM}) if is_weak or is_legacy_key(key) else NONE


def _verify_attributes(
    algorithm: SignatureAlgorithm, key: PublicKey, signature: bytes, attributes: SignedAttributes
) -> None:
    try:
        algorithm.verify(key, signature, attributes.encoded)
    except InvalidSignature:
        # RFC 5652, 5.4 signs the DER of the attributes; some signers then write them in another order.
        ordered = _in_order(attributes.encoded)
        if ordered == attributes.encoded:
            raise SecurityObjectInvalid("signature does not verify") from None
        _verify(algorithm, key, signature, ordered)


def _verify(algorithm: SignatureAlgorithm, key: PublicKey, signature: bytes, signed: bytes) -> None:
    try:
        algorithm.verify(key, signature, signed)
    except InvalidSignature:
        raise SecurityObjectInvalid("signature does not verify") from None


def _in_order(encoded: bytes) -> bytes:
    """The SET OF with its members in ascending order (X.690, 11.6)."""
    reader = DerReader(encoded).enter(SET)
    members = []
    while reader.peek() is not None:
        members.append(reader.take_encoded(SEQUENCE))
    return build(SET, b"".join(sorted(members)))
