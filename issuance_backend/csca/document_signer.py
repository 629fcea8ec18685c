"""Signing EF.SOD (ICAO 9303-10, 4.6.2)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache

from cryptography.hazmat.primitives.serialization import Encoding

from issuance_backend.csca.signed_by import ecdsa_algorithm
from issuance_backend.csca.signer import Signer
from verification.encoding.object_identifier import encode_oid
from verification.lds.files import CardFiles, LdsFile
from verification.lds.security_object import (
    LDS_SECURITY_OBJECT,
    SignedAttributes,
    SignerInfo,
    build_lds_security_object,
    build_security_object,
    build_signed_attributes,
)
from verification.pki.certificate import parse_certificate


def data_group_hashes(files: CardFiles, hash_algorithm: str = "sha256") -> dict[LdsFile, bytes]:
    """Hash every data group among ``files``, over the bytes that go onto the card."""
    return {
        file: hashlib.new(hash_algorithm, content).digest()
        for file, content in files.items()
        if file.is_data_group
    }


def sign_security_object(
    hashes: Mapping[LdsFile, bytes],
    signer: Signer,
    *,
    hash_algorithm: str = "sha256",
    version_info: tuple[str, str] | None = None,
    signing_time: datetime | None = None,
) -> bytes:
    """Sign data group hashes and return EF.SOD.

    ``version_info`` is LDS and Unicode version, as ``("0108", "040000")``, for an LDS security
    object of version 1. The signing time is signed too, now unless stated: a card without
    expiry outlives its signer, and then this is what tells that the signer was valid.
    """
    content = build_lds_security_object(hashes, hash_algorithm, version_info)
    digest = hashlib.new(signer.hash_name, content).digest()
    moment = signing_time if signing_time is not None else datetime.now(UTC)
    encoded = build_signed_attributes(digest, moment)
    certificate = signer.certificate.public_bytes(Encoding.DER)
    issuer, serial_number = _name_of(certificate)
    signer_info = SignerInfo(
        issuer=issuer,
        serial_number=serial_number,
        subject_key_id=None,
        digest_algorithm=signer.hash_name,
        attributes=SignedAttributes(encoded, encode_oid(LDS_SECURITY_OBJECT), digest, moment),
        signature_algorithm=ecdsa_algorithm(signer.hash_name),
        signature=signer.sign(encoded),
    )
    return build_security_object(content, signer_info, certificate)


@lru_cache(maxsize=16)
def _name_of(certificate: bytes) -> tuple[bytes, bytes]:
    parsed = parse_certificate(certificate)
    return parsed.issuer, parsed.serial_number
