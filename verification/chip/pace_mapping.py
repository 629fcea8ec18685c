"""Mapping the nonce of PACE to a generator that only both sides know (ICAO 9303-11, 4.4.3.3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from hmac import compare_digest

from cryptography.hazmat.primitives.ciphers.algorithms import AES

from verification.chip.elliptic_curves import Curve
from verification.chip.key_agreement import AgreementGroup
from verification.chip.keys import Suite
from verification.chip.subject_public_keys import EcKey, load_public_key
from verification.errors import ChipAuthenticationFailed, MalformedDocument
from verification.iso7816.block_cipher import CbcCipher, triple_des, unpad
from verification.lds.security_infos import SecurityInfos

_BLOCK = 16
# Two blocks of nonce for the longer keys, one otherwise (4.4.3.3.2).
_CONSTANTS = {
    16: (
        bytes.fromhex("a668892a7c41e3ca739f40b057d85904"),
        bytes.fromhex("a4e136ac725f738b01c1f60217c188ad"),
    ),
    32: (
        bytes.fromhex("d463d65234124ef7897054986dca0a174e28df758cbaa03f240616414d5a1676"),
        bytes.fromhex("54bd7255f0aaf831bec3423fcf39d69b6cbf066677d0faae5aadd99df8e53517"),
    ),
}
# More bits than the prime has: the remainder is then uniform.
_EXTRA_BITS = 64


class PaceMapping(StrEnum):
    """How the nonce becomes a generator; the value is the standard's abbreviation."""

    GENERIC = "GM"
    INTEGRATED = "IM"
    CHIP_AUTHENTICATION = "CAM"


def cipher_of(suite: Suite, key: bytes) -> CbcCipher:
    """E() of a suite in CBC mode."""
    return CbcCipher(triple_des(key) if suite is Suite.TRIPLE_DES else AES(key))


def zero_vector(suite: Suite) -> bytes:
    """The initialisation vector of the nonce and of the pseudo-random function."""
    return bytes(8 if suite is Suite.TRIPLE_DES else _BLOCK)


def map_generically(group: AgreementGroup, nonce: bytes, shared: bytes) -> bytes:
    """s·G + H, H the result of an anonymous key agreement (4.4.3.3.1); raises MalformedDocument."""
    return group.combine(group.power_of_generator(int.from_bytes(nonce, "big")), shared)


def map_integrated(group: AgreementGroup, suite: Suite, nonce: bytes, terminal_nonce: bytes) -> bytes:
    """f(R(s, t)) (4.4.3.3.2); raises MalformedDocument for a chip's nonce of another length."""
    return group.encode_number(pseudo_random_number(suite, nonce, terminal_nonce, group.field_prime))


def pseudo_random_number(suite: Suite, nonce: bytes, terminal_nonce: bytes, prime: int) -> int:
    """R_p(s, t): an element of GF(p) from the chip's nonce s and the terminal's nonce t."""
    if len(nonce) != integrated_nonce_length(suite):
        raise MalformedDocument(f"a PACE nonce of {len(nonce)} octets")
    next_key, next_output = _CONSTANTS[len(nonce)]
    key = _encrypted(suite, terminal_nonce, nonce)
    output = b""
    while 8 * len(output) < prime.bit_length() + _EXTRA_BITS:
        output += _encrypted(suite, key, next_output)
        key = _encrypted(suite, key, next_key)
    return int.from_bytes(output, "big") % prime


def integrated_nonce_length(suite: Suite) -> int:
    """Octets of the chip's nonce: the smallest whole number of blocks not shorter than the key."""
    return -(-suite.key_length // _BLOCK) * _BLOCK


def _encrypted(suite: Suite, key: bytes, plain: bytes) -> bytes:
    # Only AES-192 truncates: 24 octets of the 32 that come out of its last step.
    return cipher_of(suite, key[: suite.key_length]).encrypt(zero_vector(suite), plain)


@dataclass(frozen=True, slots=True, repr=False)
class ChipMapping:
    """What a chip sent to prove itself during PACE, not yet believed (4.4.3.5).

    ``encoded`` is the padded chip authentication data CA_IC, empty where the chip sent none;
    ``mapping_key`` is its ephemeral public key PK_Map,IC of the mapping.
    """

    curve: Curve
    encoded: bytes
    mapping_key: bytes

    def verify(self, card_security: SecurityInfos) -> None:
        """Require that the chip holds the private key to one in EF.CardSecurity.

        PK_Map,IC must be KA(CA_IC, PK_IC). That EF.CardSecurity is the issuer's is for passive
        authentication to show. Raises ChipAuthenticationFailed.
        """
        proof = self.curve.key_of(self._chip_authentication_data())
        for public_key in _keys_on(self.curve, card_security):
            if compare_digest(proof.shared_element(public_key), self.mapping_key):
                return
        raise ChipAuthenticationFailed("the mapping was not made with a key of EF.CardSecurity")

    def _chip_authentication_data(self) -> int:
        try:
            number = int.from_bytes(unpad(self.encoded), "big")
        except ValueError:
            raise ChipAuthenticationFailed("no chip authentication data came with the mapping") from None
        if not 0 < number < self.curve.parameters.n:
            raise ChipAuthenticationFailed("chip authentication data out of range")
        return number


def decrypt_chip_data(key: bytes, encrypted: bytes) -> bytes:
    """CA_IC with its padding, empty where ``encrypted`` is not whole blocks (4.4.3.5.4)."""
    if not encrypted or len(encrypted) % _BLOCK:
        return b""
    cipher = CbcCipher(AES(key))
    vector = cipher.encrypt(bytes(_BLOCK), b"\xff" * _BLOCK)
    return cipher.decrypt(vector, encrypted)


def _keys_on(curve: Curve, card_security: SecurityInfos) -> list[bytes]:
    """Every key of the file on the curve of the mapping.

    9.2.1 has the key's number be that of the curve, and issuers differ: each is the issuer's own.
    """
    found = []
    for held in card_security.chip_authentication_keys:
        try:
            key = load_public_key(held.public_key_info)
        except MalformedDocument:
            continue  # another of the same file has to do
        if isinstance(key, EcKey) and key.group is curve:
            found.append(key.element)
    return found
