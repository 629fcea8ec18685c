"""The chip's side of active authentication: a signature over the terminal's challenge (ICAO 9303-11, 6.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Protocol

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_private_key

from verification.encoding.object_identifier import encode_oid

CHALLENGE = 8
# ISO/IEC 9796-2 trailer of SHA-256 (ISO/IEC 10118-3 hash number 34).
_TRAILER_SHA256 = b"\x34\xcc"
_HEADER = 0x6A

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
    """ECDSA in the plain format r || s (TR-03111, 5.2.1)."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, digest: hashes.HashAlgorithm) -> None:
        self._key = key
        self._digest = digest

    def sign(self, challenge: bytes) -> bytes:
        """Sign the challenge itself."""
        size = (self._key.key_size + 7) // 8
        r, s = decode_dss_signature(self._key.sign(challenge, ec.ECDSA(self._digest)))
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")


class RsaChallengeSigner:
    """ISO/IEC 9796-2 scheme 1 with partial recovery: header, random M1, hash of M1 and challenge, trailer."""

    def __init__(self, key: rsa.RSAPrivateKey, random: Callable[[int], bytes]) -> None:
        self._numbers = key.private_numbers()
        self._random = random

    def sign(self, challenge: bytes) -> bytes:
        """Sign a fresh M1 and the challenge."""
        modulus = self._numbers.public_numbers.n
        size = (modulus.bit_length() + 7) // 8
        recoverable = self._random(size - 1 - hashlib.sha256().digest_size - len(_TRAILER_SHA256))
        digest = hashlib.sha256(recoverable + challenge).digest()
        representative = bytes((_HEADER,)) + recoverable + digest + _TRAILER_SHA256
        signature = pow(int.from_bytes(representative, "big"), self._numbers.d, modulus)
        return signature.to_bytes(size, "big")


def challenge_signer(
    private_key: bytes, algorithm: bytes | None, random: Callable[[int], bytes]
) -> ChallengeSigner | None:
    """Return the signer of a PKCS #8 key; ``algorithm`` is the OID that DG14 names for ECDSA."""
    key = load_der_private_key(private_key, None)
    if isinstance(key, rsa.RSAPrivateKey):
        return RsaChallengeSigner(key, random)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return EcdsaChallengeSigner(key, _PLAIN_ECDSA.get(algorithm or b"", hashes.SHA256()))
    return None
