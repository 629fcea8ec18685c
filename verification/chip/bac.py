"""Basic access control (ICAO 9303-11, 4.3)."""

from __future__ import annotations

from collections.abc import Callable
from hmac import compare_digest

from verification.chip.keys import KeyPurpose, MrzKey, SessionKeys, Suite, derive_key, mrz_seed, session_keys
from verification.errors import AccessControlUnsupported, AccessSecretWrong, UnexpectedStatusWord
from verification.iso7816 import status_word
from verification.iso7816.block_cipher import CHECKSUM_LENGTH, CbcCipher, RetailMac, pad, triple_des
from verification.iso7816.channel import Channel
from verification.iso7816.command import external_authenticate, get_challenge
from verification.iso7816.secure_messaging import SecureMessaging, TripleDesSecureMessaging

_NONCE = 8
_KEY_MATERIAL = 16
_TOKEN = 2 * _NONCE + _KEY_MATERIAL + CHECKSUM_LENGTH
_NO_VECTOR = bytes(8)
_DATES = 14  # birth and expiry with their check digits end the MRZ information


def establish(channel: Channel, secret: MrzKey, random: Callable[[int], bytes]) -> SecureMessaging:
    """Authenticate both sides by the MRZ and return the session (4.3.2).

    Raises AccessSecretWrong where the chip refuses the MRZ, AccessControlUnsupported where it
    does not speak BAC.
    """
    seed = mrz_seed(secret.information)[:16]
    keys = SessionKeys(
        derive_key(seed, KeyPurpose.ENCRYPTION, Suite.TRIPLE_DES),
        derive_key(seed, KeyPurpose.CHECKSUM, Suite.TRIPLE_DES),
    )
    chip_nonce = _chip_nonce(channel)
    our_nonce, our_material = random(_NONCE), random(_KEY_MATERIAL)
    token = _seal(keys, our_nonce + chip_nonce + our_material)
    answer = _open(keys, _exchange_tokens(channel, token))
    if answer is None or not compare_digest(answer[: 2 * _NONCE], chip_nonce + our_nonce):
        raise AccessSecretWrong("the chip does not know the document basic access keys")
    shared = bytes(a ^ b for a, b in zip(our_material, answer[2 * _NONCE :], strict=True))
    session = session_keys(shared, Suite.TRIPLE_DES)
    # The counter starts as the low halves of both nonces (9.8.6.3).
    counter = int.from_bytes(chip_nonce[4:] + our_nonce[4:], "big")
    return TripleDesSecureMessaging(session.encryption, session.checksum, counter)


def chip_identity(secret: MrzKey) -> bytes:
    """ID_PICC of a chip opened by BAC: the document number and its check digit (TR-03110-1, 3.5)."""
    return secret.information[:-_DATES].encode("ascii")


def _chip_nonce(channel: Channel) -> bytes:
    try:
        nonce = channel.send(get_challenge(_NONCE))
    except UnexpectedStatusWord:
        raise AccessControlUnsupported("the chip gives no challenge") from None
    if len(nonce) != _NONCE:
        raise AccessControlUnsupported(f"the chip's challenge has {len(nonce)} octets")
    return nonce


def _exchange_tokens(channel: Channel, token: bytes) -> bytes:
    data, status = channel.exchange(external_authenticate(token, _TOKEN))
    if status == status_word.SUCCESS:
        return data
    if status_word.refuses_secret(status):
        raise AccessSecretWrong("the chip refused the machine readable zone")
    if status in (status_word.INSTRUCTION_NOT_SUPPORTED, status_word.REFERENCED_DATA_NOT_FOUND):
        raise AccessControlUnsupported("the chip does not speak basic access control")
    raise UnexpectedStatusWord("EXTERNAL AUTHENTICATE", status)


def _seal(keys: SessionKeys, plain: bytes) -> bytes:
    encrypted = CbcCipher(triple_des(keys.encryption)).encrypt(_NO_VECTOR, plain)
    return encrypted + RetailMac(keys.checksum).compute(pad(encrypted, 8))


def _open(keys: SessionKeys, token: bytes) -> bytes | None:
    encrypted, tag = token[:-CHECKSUM_LENGTH], token[-CHECKSUM_LENGTH:]
    if len(token) != _TOKEN or not compare_digest(tag, RetailMac(keys.checksum).compute(pad(encrypted, 8))):
        return None
    return CbcCipher(triple_des(keys.encryption)).decrypt(_NO_VECTOR, encrypted)
