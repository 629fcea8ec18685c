"""The chip's side of PACE in all its mappings, groups and ciphers (ICAO 9303-11, 4.4)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from hmac import compare_digest
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from issuance_backend.virtual_card.icc_commands import (
    SW_AUTHENTICATION_FAILED,
    SW_CONDITIONS_NOT_SATISFIED,
    SW_DATA_INCORRECT,
    SW_REFERENCE_NOT_FOUND,
    CommandRefused,
    data_objects,
)
from issuance_backend.virtual_card.icc_data_objects import (
    DYNAMIC_AUTHENTICATION_DATA,
    Established,
    dynamic_data,
    value_of,
)
from issuance_backend.virtual_card.icc_groups import GROUPS, AgreementKey, Group
from issuance_backend.virtual_card.icc_integrated_mapping import integrated_generator, nonce_length
from issuance_backend.virtual_card.icc_modular_groups import MODULAR_GROUPS
from issuance_backend.virtual_card.icc_random import Random
from issuance_backend.virtual_card.icc_secure_messaging import (
    CardSecureMessaging,
    authentication_token,
    block_cipher,
    pad,
)
from verification.chip.keys import KeyPurpose, SessionKeys, Suite, derive_key, session_keys
from verification.encoding.object_identifier import encode_oid
from verification.encoding.tlv import OBJECT_IDENTIFIER, Tlv, build

PASSWORD_MRZ = 0x01
PASSWORD_CAN = 0x02

_PROTOCOL, _PASSWORD, _DOMAIN_PARAMETERS = 0x80, 0x83, 0x84
_CERTIFICATE_HOLDER_AUTHORIZATION = 0x7F4C
_ENCRYPTED_NONCE = 0x80
_MAPPING, _MAPPING_ANSWER = 0x81, 0x82
_EPHEMERAL, _EPHEMERAL_ANSWER = 0x83, 0x84
_TOKEN, _TOKEN_ANSWER = 0x85, 0x86
_AUTHORITIES = (0x87, 0x88)
_CHIP_AUTHENTICATION_DATA = 0x8A
_PUBLIC_KEY = 0x7F49
_SHORT_NONCE = 16
_STEPS = 4
# The vector of the chip authentication data is all bits set, encrypted (9303-11, 4.4.3.5.4).
_ALL_BITS = b"\xff" * 16


class NonceMapping(Enum):
    """How a nonce becomes a generator."""

    GENERIC = "GM"
    INTEGRATED = "IM"
    CHIP_AUTHENTICATION = "CAM"


class _Kind(NamedTuple):
    mapping: NonceMapping
    is_elliptic: bool


_PACE = "0.4.0.127.0.7.2.2.4"
_KINDS = {
    1: _Kind(NonceMapping.GENERIC, is_elliptic=False),
    2: _Kind(NonceMapping.GENERIC, is_elliptic=True),
    3: _Kind(NonceMapping.INTEGRATED, is_elliptic=False),
    4: _Kind(NonceMapping.INTEGRATED, is_elliptic=True),
    6: _Kind(NonceMapping.CHIP_AUTHENTICATION, is_elliptic=True),
}
_SUITES = {1: Suite.TRIPLE_DES, 2: Suite.AES_128, 3: Suite.AES_192, 4: Suite.AES_256}
_PROTOCOLS = {
    encode_oid(f"{_PACE}.{arc}.{cipher}"): (kind, suite)
    for arc, kind in _KINDS.items()
    for cipher, suite in _SUITES.items()
    # 3DES is not to be had with chip authentication mapping (9303-11, table 3).
    if kind.mapping is not NonceMapping.CHIP_AUTHENTICATION or suite is not Suite.TRIPLE_DES
}


@dataclass(frozen=True, slots=True)
class PaceParameters:
    """One PACEInfo that this chip can honour."""

    protocol: bytes
    mapping: NonceMapping
    suite: Suite
    group: Group

    @classmethod
    def of(cls, protocol: bytes, parameter_id: int | None) -> PaceParameters | None:
        """What these two name; None where they do not go together or are not PACE."""
        if protocol not in _PROTOCOLS or parameter_id is None or parameter_id not in GROUPS:
            return None
        kind, suite = _PROTOCOLS[protocol]
        if kind.is_elliptic is (parameter_id in MODULAR_GROUPS):
            return None
        return cls(protocol, kind.mapping, suite, GROUPS[parameter_id])


class StaticKey(NamedTuple):
    """The key to EF.CardSecurity that chip authentication mapping proves."""

    group: Group
    key: AgreementKey


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceChip:
    """What a run of PACE needs of the chip; ``authorities`` are the newest references in EF.CVCA."""

    offered: Sequence[PaceParameters]
    passwords: Mapping[int, bytes]
    random: Random
    static_key: StaticKey | None = None
    authorities: Callable[[], Sequence[bytes]] = tuple
    # Some chips ask for the domain parameters although they have one set only.
    wants_domain_parameters: bool = False

    def can_honour(self, parameters: PaceParameters) -> bool:
        """Whether the chip has the key that the mapping proves."""
        if parameters.mapping is not NonceMapping.CHIP_AUTHENTICATION:
            return True
        return self.static_key is not None and self.static_key.group is parameters.group


class _Run(NamedTuple):
    """One run of the protocol: what was chosen, and whether the terminal asked for authorities."""

    chip: PaceChip
    parameters: PaceParameters
    password: bytes
    tells_authorities: bool


class Pace:
    """PACE from MSE:Set AT to the mutual tokens; any fault ends the run."""

    def __init__(self, chip: PaceChip) -> None:
        self._chip = chip
        self._run: Generator[bytes, Tlv | None, Established] | None = None
        self._steps_left = 0

    @property
    def is_running(self) -> bool:
        """Whether the next GENERAL AUTHENTICATE belongs to this protocol."""
        return self._run is not None

    def abort(self) -> None:
        """Forget the run: another command came in between."""
        self._run = None

    def start(self, data: bytes) -> None:
        """MSE:Set AT; raises CommandRefused (6A80, 6A88)."""
        self._run = None
        objects = {part.tag: part.value for part in data_objects(data)}
        if _PROTOCOL not in objects or len(objects.get(_PASSWORD, b"")) != 1:
            raise CommandRefused(SW_DATA_INCORRECT)
        parameters = self._choose(objects[_PROTOCOL], objects.get(_DOMAIN_PARAMETERS))
        password = self._chip.passwords.get(objects[_PASSWORD][0])
        if password is None:
            raise CommandRefused(SW_REFERENCE_NOT_FOUND)
        tells_authorities = _CERTIFICATE_HOLDER_AUTHORIZATION in objects
        self._run = _pace(_Run(self._chip, parameters, password, tells_authorities))
        self._steps_left = _STEPS
        next(self._run)

    def step(self, data: bytes, *, last: bool) -> bytes | Established:
        """One GENERAL AUTHENTICATE; raises CommandRefused (6A80, 6985; 6300 for a wrong password)."""
        run, self._run = self._run, None
        self._steps_left -= 1
        if run is None or last is not (self._steps_left == 0):
            raise CommandRefused(SW_CONDITIONS_NOT_SATISFIED)
        try:
            answer = run.send(dynamic_data(data))
        except StopIteration as end:
            established: Established = end.value
            return established._replace(answer=build(DYNAMIC_AUTHENTICATION_DATA, established.answer))
        self._run = run
        return build(DYNAMIC_AUTHENTICATION_DATA, answer)

    def _choose(self, protocol: bytes, parameter_id: bytes | None) -> PaceParameters:
        of_protocol = [
            offer
            for offer in self._chip.offered
            if offer.protocol == protocol and self._chip.can_honour(offer)
        ]
        if not of_protocol:
            raise CommandRefused(SW_DATA_INCORRECT)
        if parameter_id is None:
            if len(of_protocol) > 1 or self._chip.wants_domain_parameters:
                raise CommandRefused(SW_DATA_INCORRECT)
            return of_protocol[0]
        for offer in of_protocol:
            if offer.group.parameter_id == int.from_bytes(parameter_id, "big"):
                return offer
        raise CommandRefused(SW_REFERENCE_NOT_FOUND)


def _pace(run: _Run) -> Generator[bytes, Tlv | None, Established]:
    """The four steps of ICAO 9303-11, 4.4.5: each takes one data object and gives one."""
    parameters, random = run.parameters, run.chip.random
    group, suite = parameters.group, parameters.suite
    if (yield b"") is not None:
        raise CommandRefused(SW_DATA_INCORRECT)

    # 1. A nonce under the key of the password.
    nonce = _draw_nonce(parameters, random)
    password_key = derive_key(run.password, KeyPurpose.PASSWORD, suite)
    part = yield build(_ENCRYPTED_NONCE, encrypted_nonce(suite, password_key, nonce))

    # 2. The nonce and what the terminal sends give a fresh generator.
    mapping_key, generator = _map(parameters, nonce, value_of(part, _MAPPING), random)
    sent = b"" if mapping_key is None else group.encode(mapping_key.public)
    part = yield build(_MAPPING_ANSWER, sent)

    # 3. Key agreement with that generator.
    terminal = group.decode(value_of(part, _EPHEMERAL))
    key = group.draw(random)
    own = key.times(generator)
    if group.compress(own) == group.compress(terminal):
        # A terminal that sends our own key back would learn the token to answer with.
        raise CommandRefused(SW_AUTHENTICATION_FAILED)
    keys = session_keys(key.agree(terminal), suite)
    part = yield build(_EPHEMERAL_ANSWER, group.encode(own))

    # 4. Each shows that it has the keys: a checksum over the other's public key.
    if not compare_digest(pace_token(parameters, keys, own), value_of(part, _TOKEN)):
        raise CommandRefused(SW_AUTHENTICATION_FAILED)
    answer = build(_TOKEN_ANSWER, pace_token(parameters, keys, terminal))
    answer += _told_authorities(run)
    answer += _chip_authentication_data(run, keys, mapping_key)
    return Established(
        answer,
        CardSecureMessaging(suite, keys),
        card_identity=group.compress(own),
        # Where the chip is authenticated by PACE itself, terminal authentication may follow at once.
        terminal_key=group.compress(terminal) if _proves_chip(parameters) else None,
    )


def _map(
    parameters: PaceParameters, nonce: bytes, sent: bytes, random: Random
) -> tuple[AgreementKey | None, bytes]:
    """The chip's mapping key, where the mapping has one, and the generator (4.4.3.3)."""
    group = parameters.group
    if parameters.mapping is NonceMapping.INTEGRATED:
        return None, integrated_generator(group, parameters.suite, nonce, sent)
    terminal = group.decode(sent)
    key = group.draw(random)
    by_nonce = group.key(int.from_bytes(nonce, "big")).public
    return key, group.combine(by_nonce, key.times(terminal))


def encrypted_nonce(suite: Suite, password_key: bytes, nonce: bytes) -> bytes:
    """The nonce under the key of the password (ICAO 9303-11, 4.4.3.3)."""
    cipher = block_cipher(suite, password_key)
    return Cipher(cipher, modes.CBC(bytes(cipher.block_size // 8))).encryptor().update(nonce)


def pace_token(parameters: PaceParameters, keys: SessionKeys, element: bytes) -> bytes:
    """The checksum over the other side's public key (ICAO 9303-11, 4.4.3.4)."""
    group = parameters.group
    value = build(group.public_value_tag, group.encode(element))
    public_key = build(_PUBLIC_KEY, build(OBJECT_IDENTIFIER, parameters.protocol) + value)
    return authentication_token(parameters.suite, keys, public_key)


def encrypted_chip_data(keys: SessionKeys, chip_data: int, order: int) -> bytes:
    """CA_IC in as many octets as the order has, encrypted (ICAO 9303-11, 4.4.3.5)."""
    cipher = algorithms.AES(keys.encryption)
    # One block, to be the vector of another mode: what ECB is right for.
    vector = Cipher(cipher, modes.ECB()).encryptor().update(_ALL_BITS)  # noqa: S305
    plain = pad(chip_data.to_bytes((order.bit_length() + 7) // 8, "big"), 16)
    return Cipher(cipher, modes.CBC(vector)).encryptor().update(plain)


def _proves_chip(parameters: PaceParameters) -> bool:
    return parameters.mapping is NonceMapping.CHIP_AUTHENTICATION


def _chip_authentication_data(run: _Run, keys: SessionKeys, mapping_key: AgreementKey | None) -> bytes:
    static = run.chip.static_key
    if not _proves_chip(run.parameters) or static is None or mapping_key is None:
        return b""
    order = static.group.order
    chip_data = mapping_key.number * pow(static.key.number, -1, order) % order
    return build(_CHIP_AUTHENTICATION_DATA, encrypted_chip_data(keys, chip_data, order))


def _told_authorities(run: _Run) -> bytes:
    """Whose certificates the chip takes, where the terminal announced its authorization (4.4.5)."""
    references = run.chip.authorities() if run.tells_authorities else ()
    return b"".join(build(tag, reference) for tag, reference in zip(_AUTHORITIES, references, strict=False))


def _draw_nonce(parameters: PaceParameters, random: Random) -> bytes:
    is_integrated = parameters.mapping is NonceMapping.INTEGRATED
    length = nonce_length(parameters.suite) if is_integrated else _SHORT_NONCE
    while True:
        nonce = random(length)
        if any(nonce):
            return nonce
