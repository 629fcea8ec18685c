"""CMS SignedData as documents carry it, from a template of everything that stays the same (RFC 5652, 5).

EF.SOD, EF.CardSecurity and master lists differ in their content and its type only. What one
signer always writes is encoded once: the rest of a signature then costs less than making it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from issuance_backend.csca.signer import Signer
from verification.encoding.asn1_time import build_time
from verification.encoding.object_identifier import build_oid
from verification.encoding.tlv import (
    INTEGER,
    OCTET_STRING,
    SEQUENCE,
    SET,
    build,
    build_integer,
    encode_length,
)
from verification.lds.hash_algorithms import hash_algorithm_identifier
from verification.lds.signed_data import SIGNED_DATA
from verification.pki.certificate import parse_certificate

_SIGNED_DATA = build_oid(SIGNED_DATA)
_CONTENT_TYPE = build_oid("1.2.840.113549.1.9.3")
_MESSAGE_DIGEST = build_oid("1.2.840.113549.1.9.4")
_SIGNING_TIME = build_oid("1.2.840.113549.1.9.5")
_CONTEXT_0 = 0xA0
_SUBJECT_KEY_ID = 0x80
_SET_OF_ATTRIBUTES = b"\x31"
_IMPLICIT_0 = b"\xa0"


class SignedObject:
    """What one signer writes around contents of one type.

    The signer is named by issuer and serial number, or ``by_key_id``; ``further`` certificates
    are carried beside its own.
    """

    def __init__(
        self,
        content_type: str,
        signer: Signer,
        further: Iterable[x509.Certificate] = (),
        *,
        by_key_id: bool = False,
    ) -> None:
        hash_name = signer.algorithm.hash_name
        certificates = [
            certificate.public_bytes(Encoding.DER) for certificate in (signer.certificate, *further)
        ]
        # X.690, 11.6: the members of a SET OF stand in ascending order of their encodings.
        carried = build(_CONTEXT_0, b"".join(sorted(certificates)))
        digest = hash_algorithm_identifier(hash_name)
        self._signer = signer
        self._hash = getattr(hashlib, hash_name)
        self._content_type = build_oid(content_type)
        self._content_type_attribute = _attribute(_CONTENT_TYPE, self._content_type)
        self._before_content = build_integer(3) + build(SET, digest)
        self._before_attributes = _signer_name(certificates[0], by_key_id=by_key_id) + digest
        self._carried = carried
        self._identifier = signer.algorithm.identifier

    def sign(self, content: bytes, moment: datetime) -> bytes:
        """Sign and return ContentInfo; the moment is signed along."""
        attributes = self._attributes(self._hash(content).digest(), moment)
        signature = self._signer.sign(_SET_OF_ATTRIBUTES + attributes)
        signer_info = build(
            SEQUENCE,
            self._before_attributes
            + _IMPLICIT_0
            + attributes
            + self._identifier
            + build(OCTET_STRING, signature),
        )
        encapsulated = self._content_type + build(_CONTEXT_0, build(OCTET_STRING, content))
        signed_data = build(
            SEQUENCE,
            self._before_content + build(SEQUENCE, encapsulated) + self._carried + build(SET, signer_info),
        )
        return build(SEQUENCE, _SIGNED_DATA + build(_CONTEXT_0, signed_data))

    def _attributes(self, digest: bytes, moment: datetime) -> bytes:
        """Length and value of the signed attributes: one tag goes before them signed, one written."""
        members = [
            self._content_type_attribute,
            _attribute(_SIGNING_TIME, build_time(moment)),
            _attribute(_MESSAGE_DIGEST, build(OCTET_STRING, digest)),
        ]
        value = b"".join(sorted(members))
        return encode_length(len(value)) + value


def _attribute(oid: bytes, value: bytes) -> bytes:
    return build(SEQUENCE, oid + build(SET, value))


def _signer_name(certificate: bytes, *, by_key_id: bool) -> bytes:
    """Version and signer identifier (RFC 5652, 5.3: version 1 by serial number, 3 by key identifier)."""
    parsed = parse_certificate(certificate)
    if by_key_id:
        return build_integer(3) + build(_SUBJECT_KEY_ID, parsed.subject_key_id or b"")
    return build_integer(1) + build(SEQUENCE, parsed.issuer + build(INTEGER, parsed.serial_number))
