"""PACE with all three mappings, over curves and over finite fields (ICAO 9303-11, 4.4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hmac import compare_digest
from typing import NamedTuple

from verification.chip.authentication_commands import exchange_key
from verification.chip.elliptic_curves import Curve
from verification.chip.key_agreement import STANDARDISED, AgreementGroup
from verification.chip.keys import (
    AccessSecret,
    KeyPurpose,
    SessionKeys,
    Suite,
    derive_key,
    session_keys,
)
from verification.chip.pace_mapping import (
    ChipMapping,
    PaceMapping,
    cipher_of,
    decrypt_chip_data,
    map_generically,
    map_integrated,
    zero_vector,
)
from verification.chip.sessions import SUITE_BY_OID_ARC, checksum, open_session
from verification.encoding.object_identifier import build_oid, encode_oid
from verification.encoding.tlv import build, children, only
from verification.errors import AccessSecretWrong, MalformedDocument, UnexpectedStatusWord
from verification.iso7816 import status_word
from verification.iso7816.block_cipher import pad
from verification.iso7816.channel import Channel
from verification.iso7816.command import (
    MSE_SET_MUTUAL_AUTHENTICATION,
    TEMPLATE_AUTHENTICATION,
    general_authenticate,
    manage_security_environment,
)
from verification.iso7816.secure_messaging import SecureMessaging
from verification.lds.security_infos import PACE, PaceInfo

__all__ = ["ChipMapping", "PaceMapping", "PaceProtocol", "PaceResult", "choose_protocol", "establish"]

_VERSION = 2  # the only one of ICAO 9303-11, 9.2.1; version 1 makes other tokens

# The arc under id-PACE (9.2.3): whether over a curve, and the mapping.
_FAMILIES = {
    1: (False, PaceMapping.GENERIC),
    2: (True, PaceMapping.GENERIC),
    3: (False, PaceMapping.INTEGRATED),
    4: (True, PaceMapping.INTEGRATED),
    6: (True, PaceMapping.CHIP_AUTHENTICATION),
}
# With equal strength: what proves the chip as well, then what is most widely made.
_PREFERENCE = (PaceMapping.INTEGRATED, PaceMapping.GENERIC, PaceMapping.CHIP_AUTHENTICATION)

_DYNAMIC_DATA = 0x7C
_ENCRYPTED_NONCE = 0x80
_MAPPING_OURS, _MAPPING_THEIRS = 0x81, 0x82
_EPHEMERAL_OURS, _EPHEMERAL_THEIRS = 0x83, 0x84
_TOKEN_OURS, _TOKEN_THEIRS = 0x85, 0x86
_ENCRYPTED_CHIP_DATA = 0x8A
_PROTOCOL = 0x80
_PASSWORD_REFERENCE = 0x83
_DOMAIN_PARAMETERS = 0x84
_PUBLIC_KEY = 0x7F49


@dataclass(frozen=True, slots=True)
class PaceProtocol:
    """One offer of the chip that this reader speaks."""

    oid: str
    suite: Suite
    mapping: PaceMapping
    group: AgreementGroup
    parameter_id: int
    is_group_ambiguous: bool = False

    def is_offer(self, offer: PaceInfo) -> bool:
        """Whether this is what ``offer`` says."""
        return (offer.protocol, offer.parameter_id) == (self.oid, self.parameter_id)

    @property
    def rank(self) -> tuple[int, int, int, int]:
        """Comparable: the weakest part first, then the mapping, then the parts by themselves."""
        strengths = self.suite.strength, self.group.strength
        return min(strengths), _PREFERENCE.index(self.mapping), *strengths

    def token(self, key: bytes, public_key: bytes) -> bytes:
        """The authentication token over a public key (4.4.3.4)."""
        mac = checksum(self.suite, key)
        data = build(_PUBLIC_KEY, build_oid(self.oid) + build(self.group.public_key_tag, public_key))
        # "Padding is performed internally by the message authentication code": CMAC pads itself.
        return mac.compute(pad(data, mac.block) if self.suite is Suite.TRIPLE_DES else data)


@dataclass(frozen=True, slots=True)
class PaceResult:
    """A session, and what the later protocols need of how it came about.

    ``chip_identity`` is Comp() of the chip's ephemeral public key, the ID_PICC of terminal
    authentication. ``chip_mapping`` is there after chip authentication mapping only and proves
    nothing before it is verified.
    """

    session: SecureMessaging
    mapping: PaceMapping
    chip_identity: bytes
    chip_mapping: ChipMapping | None


class _Mapped(NamedTuple):
    """The generator that the nonce leads to, and the chip's public key of the mapping, if any."""

    generator: bytes
    chip_key: bytes


class _Agreed(NamedTuple):
    """Both ephemeral public keys over the mapped generator, and the keys of the session."""

    ours: bytes
    theirs: bytes
    keys: SessionKeys


def choose_protocol(offers: tuple[PaceInfo, ...]) -> PaceProtocol | None:
    """The best offer this reader speaks; None where it speaks none of them.

    Strength comes first, then chip authentication mapping before generic before integrated.
    """
    spoken = [protocol for protocol in map(_protocol_of, offers) if protocol]
    if not spoken:
        return None
    best = max(spoken, key=lambda protocol: protocol.rank)
    same = {offer.parameter_id for offer in offers if offer.protocol == best.oid}
    return PaceProtocol(
        best.oid, best.suite, best.mapping, best.group, best.parameter_id, is_group_ambiguous=len(same) > 1
    )


def _protocol_of(offer: PaceInfo) -> PaceProtocol | None:
    if offer.version != _VERSION or offer.parameter_id not in STANDARDISED:
        return None
    family, suite = (int(arc) for arc in offer.protocol.removeprefix(f"{PACE}.").split("."))
    if family not in _FAMILIES or suite not in SUITE_BY_OID_ARC:
        return None
    is_over_curve, mapping = _FAMILIES[family]
    group = STANDARDISED[offer.parameter_id]
    protocol = PaceProtocol(offer.protocol, SUITE_BY_OID_ARC[suite], mapping, group, offer.parameter_id)
    is_spoken = is_over_curve == isinstance(group, Curve) and _admits(protocol)
    return protocol if is_spoken else None


def _admits(protocol: PaceProtocol) -> bool:
    """Whether the standard has this mapping with this group and cipher (4.4.3.2; 9.5.1)."""
    if protocol.mapping is PaceMapping.INTEGRATED:
        return protocol.group.admits_integrated_mapping
    return protocol.mapping is PaceMapping.GENERIC or protocol.suite is not Suite.TRIPLE_DES


def establish(
    channel: Channel, protocol: PaceProtocol, secret: AccessSecret, random: Callable[[int], bytes]
) -> PaceResult:
    """Authenticate both sides by the password and return the session (4.4.3.1).

    Raises AccessSecretWrong where one side does not know the password, UnexpectedStatusWord
    where the chip breaks off, MalformedDocument where its answers are not those of PACE.
    """
    _set_authentication_template(channel, protocol, secret)  # 0. what, and with which password
    encrypted = _step(channel, b"", _ENCRYPTED_NONCE)  # 1. the chip's nonce, under the password
    nonce = _decrypt_nonce(protocol, secret, encrypted)
    mapped = _map_nonce(channel, protocol, nonce, random)  # 2. a generator only both know
    agreed = _agree(channel, protocol, mapped.generator, random)  # 3. Diffie-Hellman over it
    answer = _prove(channel, protocol, agreed)  # 4. both prove the key
    return PaceResult(
        session=open_session(protocol.suite, agreed.keys),
        mapping=protocol.mapping,
        chip_identity=protocol.group.compress(agreed.theirs),
        chip_mapping=_chip_mapping(protocol, agreed.keys, mapped.chip_key, answer),
    )


def _set_authentication_template(channel: Channel, protocol: PaceProtocol, secret: AccessSecret) -> None:
    required = build(_PROTOCOL, encode_oid(protocol.oid))
    required += build(_PASSWORD_REFERENCE, bytes((secret.reference,)))
    group = build(_DOMAIN_PARAMETERS, bytes((protocol.parameter_id,)))
    attempts = [required + group] if protocol.is_group_ambiguous else [required, required + group]
    status = status_word.SUCCESS
    for data in attempts:
        command = manage_security_environment(MSE_SET_MUTUAL_AUTHENTICATION, TEMPLATE_AUTHENTICATION, data)
        _, status = channel.exchange(command)
        # 63Cx tells how many tries the password has left; the protocol goes on.
        if status == status_word.SUCCESS or status_word.says_wrong_secret(status):
            return
        # Some chips ask for the group although it is the only one, each with an error of its own.
    raise UnexpectedStatusWord("MANAGE SECURITY ENVIRONMENT", status)


def _decrypt_nonce(protocol: PaceProtocol, secret: AccessSecret, encrypted: bytes) -> bytes:
    # One block of AES-128 or two of 3DES; two blocks of AES for the longer keys (4.4.3.3).
    if len(encrypted) not in (16, 32):
        raise MalformedDocument(f"a PACE nonce of {len(encrypted)} octets")
    key = derive_key(secret.password, KeyPurpose.PASSWORD, protocol.suite)
    return cipher_of(protocol.suite, key).decrypt(zero_vector(protocol.suite), encrypted)


def _map_nonce(
    channel: Channel, protocol: PaceProtocol, nonce: bytes, random: Callable[[int], bytes]
) -> _Mapped:
    group = protocol.group
    if protocol.mapping is PaceMapping.INTEGRATED:
        terminal_nonce = random(protocol.suite.key_length)
        answer = _exchange(channel, build(_MAPPING_OURS, terminal_nonce))
        if answer.get(_MAPPING_THEIRS):
            raise MalformedDocument("mapping data in an answer of the integrated mapping (4.4.5.2.2)")
        return _Mapped(map_integrated(group, protocol.suite, nonce, terminal_nonce), b"")
    key = group.key(random)
    theirs = _step(channel, build(_MAPPING_OURS, key.public), _MAPPING_THEIRS)
    return _Mapped(map_generically(group, nonce, key.shared_element(theirs)), theirs)


def _agree(
    channel: Channel, protocol: PaceProtocol, generator: bytes, random: Callable[[int], bytes]
) -> _Agreed:
    group = protocol.group
    key = group.key(random)
    ours = key.public_over(generator)
    theirs = group.element(_step(channel, build(_EPHEMERAL_OURS, ours), _EPHEMERAL_THEIRS))
    if group.compress(theirs) == group.compress(ours):
        raise MalformedDocument("the chip sent our own ephemeral key back (4.4.1)")
    return _Agreed(ours, theirs, session_keys(key.shared_secret(theirs), protocol.suite))


def _prove(channel: Channel, protocol: PaceProtocol, agreed: _Agreed) -> dict[int, bytes]:
    """Exchange the tokens and return all that the chip's last answer holds."""
    token = build(_TOKEN_OURS, protocol.token(agreed.keys.checksum, agreed.theirs))
    data, status = channel.exchange(general_authenticate(build(_DYNAMIC_DATA, token), last=True))
    if status_word.refuses_secret(status):
        raise AccessSecretWrong("the chip refused the password")
    if status != status_word.SUCCESS:
        raise UnexpectedStatusWord("GENERAL AUTHENTICATE", status)
    answer = _data_objects(data)
    if not compare_digest(_wanted(answer, _TOKEN_THEIRS), protocol.token(agreed.keys.checksum, agreed.ours)):
        raise AccessSecretWrong("the chip does not know the password")
    return answer


def _chip_mapping(
    protocol: PaceProtocol, keys: SessionKeys, chip_key: bytes, answer: dict[int, bytes]
) -> ChipMapping | None:
    if protocol.mapping is not PaceMapping.CHIP_AUTHENTICATION or not isinstance(protocol.group, Curve):
        return None
    # A chip that cannot prove itself has opened nevertheless: the failure belongs to its proof.
    encrypted = answer.get(_ENCRYPTED_CHIP_DATA, b"")
    return ChipMapping(protocol.group, decrypt_chip_data(keys.encryption, encrypted), chip_key)


def _step(channel: Channel, data: bytes, answer_tag: int) -> bytes:
    """One chained GENERAL AUTHENTICATE; the value the chip answers under ``answer_tag``."""
    return _wanted(_exchange(channel, data), answer_tag)


def _exchange(channel: Channel, data: bytes) -> dict[int, bytes]:
    command = general_authenticate(build(_DYNAMIC_DATA, data), last=False)
    answer, status = exchange_key(channel, command)
    if status != status_word.SUCCESS:
        raise UnexpectedStatusWord(command.name, status)
    return _data_objects(answer)


def _data_objects(data: bytes) -> dict[int, bytes]:
    return {found.tag: found.value for found in children(only(data, _DYNAMIC_DATA))}


def _wanted(answer: dict[int, bytes], tag: int) -> bytes:
    if tag not in answer:
        raise MalformedDocument(f"a PACE answer lacks data object {tag:02X}")
    return answer[tag]
