"""Signatures of the quick test issuer over any content, for files that no honest issuer writes."""

from __future__ import annotations

import hashlib
from datetime import datetime

from tests.support import pki
from tests.support.cms_writer import build_security_object
from verification.encoding.object_identifier import encode_oid
from verification.lds.files import LdsFile
from verification.lds.security_object import SecurityObject, parse_security_object
from verification.lds.signed_data import (
    LDS_SECURITY_OBJECT,
    SignedAttributes,
    SignerInfo,
    build_signed_attributes,
)


def genuine() -> SecurityObject:
    """EF.SOD of the quick card, taken apart."""
    return parse_security_object(pki.quick_card().files[LdsFile.SOD])


def signature_over(
    content: bytes, content_type: str = LDS_SECURITY_OBJECT, signing_time: datetime | None = pki.SIGNED
) -> SignerInfo:
    """The quick issuer's signature over a content of any type."""
    digest = hashlib.sha256(content).digest()
    encoded = build_signed_attributes(digest, signing_time, content_type)
    return genuine().signer._replace(
        attributes=SignedAttributes(encoded, encode_oid(content_type), digest, signing_time),
        signature=pki.quick_issuer().document_signer.sign(encoded),
    )


def without_signing_time() -> bytes:
    """EF.SOD of the quick card as most issuers write it."""
    content, certificate = genuine().content, genuine().certificates[0]
    return build_security_object(content, signature_over(content, signing_time=None), certificate)


def without_signed_attributes() -> bytes:
    """EF.SOD of the quick card with a signature straight over the list of hashes."""
    content, certificate = genuine().content, genuine().certificates[0]
    signature = pki.quick_issuer().document_signer.sign(content)
    signer = genuine().signer._replace(attributes=None, signature=signature)
    return build_security_object(content, signer, certificate)
