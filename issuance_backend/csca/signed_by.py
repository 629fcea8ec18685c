"""Certificates and lists signed through the ``SigningKey`` port, wherever the key lives."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from issuance_backend.csca.signer import HASHES, SigningKey
from verification.encoding.object_identifier import build_oid
from verification.encoding.tlv import BIT_STRING, SEQUENCE, build

_ECDSA_OIDS = {
    "sha256": "1.2.840.10045.4.3.2",
    "sha384": "1.2.840.10045.4.3.3",
    "sha512": "1.2.840.10045.4.3.4",
}


def ecdsa_algorithm(hash_name: str) -> bytes:
    """The encoded AlgorithmIdentifier of ECDSA with this hash (RFC 5758, 3.2)."""
    return build(SEQUENCE, build_oid(_ECDSA_OIDS[hash_name]))


def signed_certificate(builder: x509.CertificateBuilder, key: SigningKey) -> x509.Certificate:
    """Sign what the builder describes with ``key``."""
    # The builder signs with keys in memory only. A throw-away key of the same algorithm makes it
    # write the part to be signed, which does not depend on the key; the real one signs that.
    draft = builder.sign(ec.generate_private_key(ec.SECP256R1()), HASHES[key.hash_name])
    return x509.load_der_x509_certificate(_signed(draft.tbs_certificate_bytes, key))


def signed_revocation_list(
    builder: x509.CertificateRevocationListBuilder, key: SigningKey
) -> x509.CertificateRevocationList:
    """Sign the list that the builder describes with ``key``."""
    draft = builder.sign(ec.generate_private_key(ec.SECP256R1()), HASHES[key.hash_name])
    return x509.load_der_x509_crl(_signed(draft.tbs_certlist_bytes, key))


def _signed(content: bytes, key: SigningKey) -> bytes:
    """X.509's SIGNED macro (RFC 5280, 4.1.1)."""
    bits = build(BIT_STRING, b"\x00" + key.sign(content))
    return build(SEQUENCE, content + ecdsa_algorithm(key.hash_name) + bits)
