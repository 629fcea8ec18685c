"""PACE with generic mapping over elliptic curves (ICAO 9303-11, 4.4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hmac import compare_digest

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from verification.chip.elliptic_curves import BY_PARAMETER_ID, Curve, Point, encode_key
from verification.chip.keys import AccessSecret, KeyPurpose, Suite, derive_key, session_keys
from verification.chip.sessions import SUITE_BY_OID_ARC, checksum, open_session
from verification.encoding.object_identifier import build_oid, encode_oid
from verification.encoding.tlv import build, children, only
from verification.errors import AccessSecretWrong, MalformedDocument, UnexpectedStatusWord
from verification.iso7816 import status_word
from verification.iso7816.block_cipher import CbcCipher, pad, triple_des
from verification.iso7816.channel import Channel
from verification.iso7816.command import (
    MSE_SET_MUTUAL_AUTHENTICATION,
    TEMPLATE_AUTHENTICATION,
    general_authenticate,
    manage_security_environment,
)
from verification.iso7816.secure_messaging import SecureMessaging
from verification.lds.security_infos import PaceInfo

_ECDH_GENERIC_MAPPING = "0.4.0.127.0.7.2.2.4.2."
_VERSION = 2  # the only one of ICAO 9303-11, 9.2.1; version 1 makes other tokens

_DYNAMIC_DATA = 0x7C
_ENCRYPTED_NONCE = 0x80
_MAPPING_OURS, _MAPPING_THEIRS = 0x81, 0x82
_EPHEMERAL_OURS, _EPHEMERAL_THEIRS = 0x83, 0x84
_TOKEN_OURS, _TOKEN_THEIRS = 0x85, 0x86
_PROTOCOL = 0x80
_PASSWORD_REFERENCE = 0x83
_DOMAIN_PARAMETERS = 0x84
_PUBLIC_KEY = 0x7F49
_PUBLIC_POINT = 0x86


@dataclass(frozen=True, slots=True)
class PaceProtocol:
    """One offer of the chip that this reader speaks."""

    oid: str
    suite: Suite
    curve: Curve
    is_curve_ambiguous: bool = False

    def is_offer(self, offer: PaceInfo) -> bool:
        """Whether this is what ``offer`` says."""
        return (offer.protocol, offer.parameter_id) == (self.oid, self.curve.parameter_id)

    def token(self, key: bytes, point: bytes) -> bytes:
        """The authentication token over a public key (4.4.3.4)."""
        mac = checksum(self.suite, key)
        data = build(_PUBLIC_KEY, build_oid(self.oid) + build(_PUBLIC_POINT, point))
        # "Padding is performed internally by the message authentication code": CMAC pads itself.
        return mac.compute(pad(data, mac.block) if self.suite is Suite.TRIPLE_DES else data)


def choose_protocol(offers: tuple[PaceInfo, ...]) -> PaceProtocol | None:
    """The strongest offer this reader speaks; None where it speaks none of them."""
    spoken = [protocol for protocol in map(_protocol_of, offers) if protocol]
    if not spoken:
        return None
    best = max(spoken, key=lambda protocol: (protocol.suite.strength, protocol.curve.field_length))
    same = [offer for offer in offers if offer.protocol == best.oid]
    return PaceProtocol(best.oid, best.suite, best.curve, is_curve_ambiguous=len(same) > 1)


def _protocol_of(offer: PaceInfo) -> PaceProtocol | None:
    if offer.version != _VERSION:
        return None
    arc = offer.protocol.removeprefix(_ECDH_GENERIC_MAPPING)
    suite = SUITE_BY_OID_ARC.get(int(arc)) if arc.isdigit() else None
    curve = BY_PARAMETER_ID.get(-1 if offer.parameter_id is None else offer.parameter_id)
    return PaceProtocol(offer.protocol, suite, curve) if suite and curve else None


def establish(
    channel: Channel, protocol: PaceProtocol, secret: AccessSecret, random: Callable[[int], bytes]
) -> SecureMessaging:
    """Authenticate both sides by the password and return the session (4.4.3.1).

    Raises AccessSecretWrong where one side does not know the password, UnexpectedStatusWord
    where the chip breaks off, MalformedDocument where its answers are not those of PACE.
    """
    curve = protocol.curve
    _set_authentication_template(channel, protocol, secret)  # 0. what, and with which password
    encrypted = _step(channel, b"", _ENCRYPTED_NONCE)  # 1. the chip's nonce, under the password
    nonce = _decrypt_nonce(protocol, secret, encrypted)
    base = _map_nonce(channel, curve, nonce, random)  # 2. a base point only both know
    ours, theirs, shared = _agree(channel, curve, base, random)  # 3. Diffie-Hellman over it
    keys = session_keys(shared, protocol.suite)
    answer = _exchange_tokens(channel, protocol.token(keys.checksum, theirs))  # 4. both prove the key
    if not compare_digest(answer, protocol.token(keys.checksum, ours)):
        raise AccessSecretWrong("the chip does not know the password")
    return open_session(protocol.suite, keys)


def _set_authentication_template(channel: Channel, protocol: PaceProtocol, secret: AccessSecret) -> None:
    required = build(_PROTOCOL, encode_oid(protocol.oid))
    required += build(_PASSWORD_REFERENCE, bytes((secret.reference,)))
    curve = build(_DOMAIN_PARAMETERS, bytes((protocol.curve.parameter_id,)))
    attempts = [required + curve] if protocol.is_curve_ambiguous else [required, required + curve]
    status = status_word.SUCCESS
    for data in attempts:
        command = manage_security_environment(MSE_SET_MUTUAL_AUTHENTICATION, TEMPLATE_AUTHENTICATION, data)
        _, status = channel.exchange(command)
        # 63Cx tells how many tries the password has left; the protocol goes on.
        if status == status_word.SUCCESS or status_word.says_wrong_secret(status):
            return
        # Some chips ask for the curve although it is the only one: data object 84 is then tried.
        if status not in (status_word.WRONG_DATA, status_word.REFERENCED_DATA_NOT_FOUND):
            break
    raise UnexpectedStatusWord("MANAGE SECURITY ENVIRONMENT", status)


def _step(channel: Channel, data: bytes, answer_tag: int) -> bytes:
    """One chained GENERAL AUTHENTICATE; the value the chip answers under ``answer_tag``."""
    command = general_authenticate(build(_DYNAMIC_DATA, data), last=False)
    return _answer(channel.send(command), answer_tag)


def _answer(data: bytes, tag: int) -> bytes:
    for found in children(only(data, _DYNAMIC_DATA)):
        if found.tag == tag:
            return found.value
    raise MalformedDocument(f"a PACE answer lacks data object {tag:02X}")


def _decrypt_nonce(protocol: PaceProtocol, secret: AccessSecret, encrypted: bytes) -> int:
    # One block of AES-128 or two of 3DES; two blocks of AES for the longer keys (4.4.3.3).
    if len(encrypted) not in (16, 32):
        raise MalformedDocument(f"a PACE nonce of {len(encrypted)} octets")
    key = derive_key(secret.password, KeyPurpose.PASSWORD, protocol.suite)
    is_des = protocol.suite is Suite.TRIPLE_DES
    cipher = CbcCipher(triple_des(key) if is_des else AES(key))
    return int.from_bytes(cipher.decrypt(bytes(8 if is_des else 16), encrypted), "big")


def _map_nonce(channel: Channel, curve: Curve, nonce: int, random: Callable[[int], bytes]) -> Point:
    """G' = s·G + H, H the shared point of an anonymous key agreement (4.4.3.3.1)."""
    private = curve.private_key(random)
    ours = encode_key(private.public_key())
    theirs = curve.decode(_step(channel, build(_MAPPING_OURS, ours), _MAPPING_THEIRS))
    return curve.add(curve.multiple_of_base(nonce), curve.shared_point(private, theirs))


def _agree(
    channel: Channel, curve: Curve, base: Point, random: Callable[[int], bytes]
) -> tuple[bytes, bytes, bytes]:
    """Both ephemeral public keys over the mapped base point, and the shared secret."""
    private = curve.private_key(random)
    # ECDH with the base point is k·G' but for the sign of y, and only x enters the secret.
    ours = curve.with_even_y(private.exchange(ec.ECDH(), curve.public_key(base)))
    theirs = _step(channel, build(_EPHEMERAL_OURS, ours), _EPHEMERAL_THEIRS)
    key = curve.decode(theirs)
    if theirs[1 : 1 + curve.field_length] == ours[1 : 1 + curve.field_length]:
        raise MalformedDocument("the chip sent our own ephemeral key back (4.4.3.1)")
    return ours, theirs, private.exchange(ec.ECDH(), key)


def _exchange_tokens(channel: Channel, token: bytes) -> bytes:
    command = general_authenticate(build(_DYNAMIC_DATA, build(_TOKEN_OURS, token)), last=True)
    data, status = channel.exchange(command)
    if status == status_word.SUCCESS:
        return _answer(data, _TOKEN_THEIRS)
    if status_word.refuses_secret(status):
        raise AccessSecretWrong("the chip refused the password")
    raise UnexpectedStatusWord("GENERAL AUTHENTICATE", status)
