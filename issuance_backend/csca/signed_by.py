"""Certificates and lists signed through the ``SigningKey`` port, wherever the key lives."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from issuance_backend.csca.signer import SigningKey
from verification.encoding.tlv import BIT_STRING, INTEGER, SEQUENCE, DerReader, build

_VERSION = 0xA0


def signed_certificate(builder: x509.CertificateBuilder, key: SigningKey) -> x509.Certificate:
    """Sign what the builder describes with ``key``."""
    # The builder signs with keys in memory only. A throw-away key makes it write the part to be
    # signed, in which only the name of the algorithm depends on the key.
    draft = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return x509.load_der_x509_certificate(_signed(draft.tbs_certificate_bytes, key))


def signed_revocation_list(
    builder: x509.CertificateRevocationListBuilder, key: SigningKey
) -> x509.CertificateRevocationList:
    """Sign the list that the builder describes with ``key``."""
    draft = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return x509.load_der_x509_crl(_signed(draft.tbs_certlist_bytes, key))


def _signed(draft: bytes, key: SigningKey) -> bytes:
    """X.509's SIGNED macro (RFC 5280, 4.1.1)."""
    content = _naming_algorithm(draft, key.algorithm.identifier)
    bits = build(BIT_STRING, b"\x00" + key.sign(content))
    return build(SEQUENCE, content + key.algorithm.identifier + bits)


def _naming_algorithm(draft: bytes, identifier: bytes) -> bytes:
    """The part to be signed with this AlgorithmIdentifier in the draft's place (RFC 5280, 4.1.2.3)."""
    reader = DerReader(draft).enter(SEQUENCE)
    # A certificate has a tagged version and a serial number before it, a list its version only.
    before = reader.take_encoded(_VERSION) if reader.peek() == _VERSION else b""
    before += reader.take_encoded(INTEGER)
    reader.take_encoded(SEQUENCE)
    return build(SEQUENCE, before + identifier + reader.remaining())
