"""Signed files put together from any parts: what no honest issuer writes, and nobody in the product needs.

The product writes from a template (``issuance_backend.csca.signed_object``), which cannot go wrong like this.
"""

from __future__ import annotations

from verification.encoding.object_identifier import build_oid
from verification.encoding.tlv import INTEGER, OCTET_STRING, SEQUENCE, SET, build, build_integer
from verification.lds.card_security import SECURITY_OBJECT
from verification.lds.files import LdsFile
from verification.lds.hash_algorithms import hash_algorithm_identifier
from verification.lds.signed_data import LDS_SECURITY_OBJECT, SIGNED_DATA, SignerInfo

_CONTEXT_0 = 0xA0
_SUBJECT_KEY_ID = 0x80


def build_security_object(content: bytes, signer: SignerInfo, certificate: bytes) -> bytes:
    """EF.SOD around a signature that was made over ``signer.attributes.encoded``."""
    return build(LdsFile.SOD.tag, build_signed_data(LDS_SECURITY_OBJECT, content, signer, certificate))


def build_card_security(security_infos: bytes, signer: SignerInfo, certificate: bytes) -> bytes:
    """EF.CardSecurity around such a signature; ``security_infos`` is the SET of SecurityInfo."""
    return build_signed_data(SECURITY_OBJECT, security_infos, signer, certificate)


def build_signed_data(content_type: str, content: bytes, signer: SignerInfo, certificates: bytes) -> bytes:
    """Assemble a ContentInfo around a signature that was made over ``signer.attributes.encoded``.

    ``certificates`` are encodings one after the other, in ascending order where there are several.
    """
    digest = hash_algorithm_identifier(signer.digest_algorithm)
    encapsulated = build_oid(content_type) + build(_CONTEXT_0, build(OCTET_STRING, content))
    signed_data = build(
        SEQUENCE,
        build_integer(3)
        + build(SET, digest)
        + build(SEQUENCE, encapsulated)
        + build(_CONTEXT_0, certificates)
        + build(SET, _build_signer_info(signer, digest)),
    )
    return build(SEQUENCE, build_oid(SIGNED_DATA) + build(_CONTEXT_0, signed_data))


def _build_signer_info(signer: SignerInfo, digest: bytes) -> bytes:
    if signer.subject_key_id is None:
        name = build_integer(1) + build(SEQUENCE, signer.issuer + build(INTEGER, signer.serial_number))
    else:
        name = build_integer(3) + build(_SUBJECT_KEY_ID, signer.subject_key_id)
    attributes = b"" if signer.attributes is None else b"\xa0" + signer.attributes.encoded[1:]
    signature = build(OCTET_STRING, signer.signature)
    return build(SEQUENCE, name + digest + attributes + signer.signature_algorithm + signature)
