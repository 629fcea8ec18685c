"""The chip's side of active authentication: a signature over the terminal's challenge (ICAO 9303-11, 6.1)."""

from __future__ import annotations

import hashlib
from typing import Protocol

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_private_key

from issuance_backend.virtual_card.card_image import RsaHash
from issuance_backend.virtual_card.icc_random import Random
from verification.encoding.object_identifier import encode_oid

CHALLENGE = 8
_HEADER = b"\x6a"
# ISO/IEC 9796-2: option 1 with SHA-1, else option 2 with the hash's number of ISO/IEC 10118-3.
_TRAILERS = {
    "sha1": b"\xbc",
    "sha224": b"\x38\xcc",
    "sha256": b"\x34\xcc",
    "sha384": b"\x36\xcc",
    "sha512": b"\x35\xcc",
}

_PLAIN_ECDSA: dict[bytes, hashes.HashAlgorithm] = {
    encode_oid("0.4.0.127.0.7.1.1.4.1.1"): hashes.SHA1(),  # noqa: S303 - what an old DG14 may name
    encode_oid("0.4.0.127.0.7.1.1.4.1.2"): hashes.SHA224(),
    encode_oid("0.4.0.127.0.7.1.1.4.1.3"): hashes.SHA256(),
    encode_oid("0.4.0.127.0.7.1.1.4.1.4"): hashes.SHA384(),
    encode_oid("0.4.0.127.0.7.1.1.4.1.5"): hashes.SHA512(),
}


class ChallengeSigner(Protocol):
    """The private key to DG15."""

    def sign(self, challenge: bytes) -> bytes:
        """Return the response of INTERNAL AUTHENTICATE."""
        ...


class EcdsaChallengeSigner:
    """ECDSA in the plain format r || s (TR-03111, 5.2.1), or in DER as some cards have it."""

    def __init__(
        self, key: ec.EllipticCurvePrivateKey, digest: hashes.HashAlgorithm, *, in_der: bool = False
    ) -> None:
        self._key = key
        self._digest = digest
        self._in_der = in_der

    def sign(self, challenge: bytes) -> bytes:
        """Sign the challenge itself."""
        signature = self._key.sign(challenge, ec.ECDSA(self._digest))
        if self._in_der:
            return signature
        size = (self._key.key_size + 7) // 8
        r, s = decode_dss_signature(signature)
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")


class RsaChallengeSigner:
    """ISO/IEC 9796-2 scheme 1 with partial recovery: header, random M1, hash of M1 and challenge, trailer."""

    def __init__(
        self,
        key: rsa.RSAPrivateKey,
        random: Random,
        hash_name: RsaHash = "sha256",
        trailer: bytes | None = None,
    ) -> None:
        self._numbers = key.private_numbers()
        self._random = random
        self._hash_name = hash_name
        # SHA-1 has a trailer of option 2 as well, which some cards use.
        self._trailer = _TRAILERS[hash_name] if trailer is None else trailer

    def sign(self, challenge: bytes) -> bytes:
        """Sign a fresh M1 and the challenge."""
        size = (self._numbers.public_numbers.n.bit_length() + 7) // 8
        frame = len(_HEADER) + hashlib.new(self._hash_name).digest_size + len(self._trailer)
        representative = self.representative(self._random(size - frame), challenge)
        signature = pow(
            int.from_bytes(representative, "big"), self._numbers.d, self._numbers.public_numbers.n
        )
        return signature.to_bytes(size, "big")

    def representative(self, recoverable: bytes, challenge: bytes) -> bytes:
        """What is raised to the private exponent: F of ICAO 9303-11, appendix F."""
        digest = hashlib.new(self._hash_name, recoverable + challenge, usedforsecurity=False).digest()
        return _HEADER + recoverable + digest + self._trailer


def challenge_signer(
    private_key: bytes, algorithm: bytes | None, random: Random, *, rsa_hash: RsaHash, in_der: bool
) -> ChallengeSigner | None:
    """Return the signer of a PKCS #8 key; ``algorithm`` is the OID that DG14 names for ECDSA."""
    key = load_der_private_key(private_key, None)
    if isinstance(key, rsa.RSAPrivateKey):
        return RsaChallengeSigner(key, random, rsa_hash)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        digest = _PLAIN_ECDSA.get(algorithm or b"", hashes.SHA256())
        return EcdsaChallengeSigner(key, digest, in_der=in_der)
    return None
