"""The chip's side of the access protocols: BAC and PACE with generic mapping (ICAO 9303-11, 4.3, 4.4)."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from hmac import compare_digest
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from issuance_backend.virtual_card.icc_commands import (
    SW_AUTHENTICATION_FAILED,
    SW_CONDITIONS_NOT_SATISFIED,
    SW_DATA_INCORRECT,
    SW_REFERENCE_NOT_FOUND,
    SW_WRONG_LENGTH,
    CommandRefused,
    data_objects,
)
from issuance_backend.virtual_card.icc_curves import (
    CURVES,
    Curve,
    Point,
    Random,
    decode_point,
    either_product,
    mapped_generator,
    product,
    product_x,
    public_point,
    random_key,
)
from issuance_backend.virtual_card.icc_secure_messaging import (
    CardSecureMessaging,
    TripleDesCipher,
    authentication_token,
    pad,
)
from verification.chip.keys import KeyPurpose, SessionKeys, Suite, derive_key, mrz_seed, session_keys
from verification.encoding.object_identifier import encode_oid
from verification.encoding.tlv import OBJECT_IDENTIFIER, Tlv, build

PASSWORD_MRZ = 0x01
PASSWORD_CAN = 0x02
_CHALLENGE = 8
_BAC_MESSAGE = 32
_DYNAMIC_AUTHENTICATION_DATA = 0x7C
_PUBLIC_KEY = 0x7F49
_ELLIPTIC_CURVE_POINT = 0x86
_NONCE = 16
_PACE_STEPS = 4
_SUITES = (Suite.TRIPLE_DES, Suite.AES_128, Suite.AES_192, Suite.AES_256)

PACE_SUITES = {encode_oid(f"0.4.0.127.0.7.2.2.4.2.{n}"): suite for n, suite in enumerate(_SUITES, 1)}
CHIP_AUTHENTICATION_SUITES = {
    encode_oid(f"0.4.0.127.0.7.2.2.3.2.{n}"): suite for n, suite in enumerate(_SUITES, 1)
}


class Established(NamedTuple):
    """What a protocol answers last, and the session that starts after that answer."""

    answer: bytes
    session: CardSecureMessaging


class BasicAccess:
    """BAC: two random numbers and two key halves under keys from the MRZ (ICAO 9303-11, 4.3)."""

    def __init__(self, mrz_information: str, random: Random) -> None:
        seed = mrz_seed(mrz_information)[:16]
        self._cipher = TripleDesCipher(session_keys(seed, Suite.TRIPLE_DES))
        self._random = random
        self._challenge: bytes | None = None

    def challenge(self) -> bytes:
        """Return RND.IC, good for one attempt."""
        self._challenge = self._random(_CHALLENGE)
        return self._challenge

    def forget(self) -> None:
        """Drop the challenge."""
        self._challenge = None

    def authenticate(self, data: bytes) -> Established:
        """Check the terminal's message; raises CommandRefused (6300 for a wrong MRZ)."""
        challenge, self._challenge = self._challenge, None
        if len(data) != _BAC_MESSAGE + 8:
            raise CommandRefused(SW_WRONG_LENGTH)
        if challenge is None:
            raise CommandRefused(SW_CONDITIONS_NOT_SATISFIED)
        cryptogram, checksum = data[:_BAC_MESSAGE], data[_BAC_MESSAGE:]
        if not compare_digest(self._cipher.checksum(pad(cryptogram, 8)), checksum):
            raise CommandRefused(SW_AUTHENTICATION_FAILED)
        message = self._cipher.decrypt(b"", cryptogram)
        terminal_random, returned, terminal_key = message[:8], message[8:16], message[16:]
        if not compare_digest(returned, challenge):
            raise CommandRefused(SW_AUTHENTICATION_FAILED)
        own_key = self._random(16)
        reply = self._cipher.encrypt(b"", challenge + terminal_random + own_key)
        seed = bytes(a ^ b for a, b in zip(terminal_key, own_key, strict=True))
        counter = int.from_bytes(challenge[4:] + terminal_random[4:], "big")
        session = CardSecureMessaging(Suite.TRIPLE_DES, session_keys(seed, Suite.TRIPLE_DES), counter)
        return Established(reply + self._cipher.checksum(pad(reply, 8)), session)


class PaceParameters(NamedTuple):
    """One PACEInfo that this chip can honour."""

    protocol: bytes
    parameter_id: int

    @property
    def suite(self) -> Suite:
        """The cipher that the protocol names."""
        return PACE_SUITES[self.protocol]

    @property
    def curve(self) -> Curve:
        """The curve of the domain parameters."""
        return CURVES[self.parameter_id]


class Pace:
    """PACE-GM over ECDH, from MSE:Set AT to the mutual tokens; any fault ends the run."""

    def __init__(self, offered: list[PaceParameters], passwords: Mapping[int, bytes], random: Random) -> None:
        self._offered = offered
        self._passwords = passwords
        self._random = random
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
        if 0x80 not in objects or len(objects.get(0x83, b"")) != 1:
            raise CommandRefused(SW_DATA_INCORRECT)
        chosen = self._choose(objects[0x80], objects.get(0x84))
        password = self._passwords.get(objects[0x83][0])
        if password is None:
            raise CommandRefused(SW_REFERENCE_NOT_FOUND)
        self._run = _pace(chosen, password, self._random)
        self._steps_left = _PACE_STEPS
        next(self._run)

    def step(self, data: bytes, *, last: bool) -> bytes | Established:
        """One GENERAL AUTHENTICATE; raises CommandRefused (6A80, 6985; 6300 for a wrong password)."""
        run, self._run = self._run, None
        self._steps_left -= 1
        if run is None or last is not (self._steps_left == 0):
            raise CommandRefused(SW_CONDITIONS_NOT_SATISFIED)
        try:
            answer = run.send(_dynamic_data(data))
        except StopIteration as end:
            established: Established = end.value
            answer = build(_DYNAMIC_AUTHENTICATION_DATA, established.answer)
            return Established(answer, established.session)
        self._run = run
        return build(_DYNAMIC_AUTHENTICATION_DATA, answer)

    def _choose(self, protocol: bytes, parameter_id: bytes | None) -> PaceParameters:
        of_protocol = [offer for offer in self._offered if offer.protocol == protocol]
        if not of_protocol:
            raise CommandRefused(SW_DATA_INCORRECT)
        if parameter_id is None:
            return of_protocol[0]
        for offer in of_protocol:
            if offer.parameter_id == int.from_bytes(parameter_id, "big"):
                return offer
        raise CommandRefused(SW_REFERENCE_NOT_FOUND)


def _pace(
    parameters: PaceParameters, password: bytes, random: Random
) -> Generator[bytes, Tlv | None, Established]:
    """The four steps of ICAO 9303-11, 4.4.4: each takes one data object and gives one."""
    curve, suite = parameters.curve, parameters.suite
    if (yield b"") is not None:
        raise CommandRefused(SW_DATA_INCORRECT)

    # 1. A nonce under the key of the password.
    nonce = _draw_nonce(random)
    password_key = derive_key(password, KeyPurpose.PASSWORD, suite)
    part = yield build(0x80, _encrypt_nonce(suite, password_key, nonce))

    # 2. The nonce and an anonymous key agreement give a fresh generator.
    terminal_mapping = decode_point(curve, _value(part, 0x81))
    mapping_key = random_key(curve, random)
    shared = product(mapping_key, terminal_mapping)
    generator = mapped_generator(curve, int.from_bytes(nonce, "big"), shared)
    part = yield build(0x82, public_point(curve, mapping_key).encoded)

    # 3. Key agreement with that generator.
    terminal = decode_point(curve, _value(part, 0x83))
    key = random_key(curve, random)
    own = either_product(key, generator)
    if own.x == terminal.x:
        # A terminal that sends our own key back would learn the token to answer with.
        raise CommandRefused(SW_AUTHENTICATION_FAILED)
    keys = session_keys(product_x(key, terminal), suite)
    part = yield build(0x84, own.encoded)

    # 4. Each shows that it has the keys: a checksum over the other's public key.
    if not compare_digest(pace_token(parameters, keys, own), _value(part, 0x85)):
        raise CommandRefused(SW_AUTHENTICATION_FAILED)
    return Established(build(0x86, pace_token(parameters, keys, terminal)), CardSecureMessaging(suite, keys))


def pace_token(parameters: PaceParameters, keys: SessionKeys, point: Point) -> bytes:
    """The checksum over the other side's public key (ICAO 9303-11, 4.4.3.4)."""
    key_object = build(OBJECT_IDENTIFIER, parameters.protocol) + build(_ELLIPTIC_CURVE_POINT, point.encoded)
    return authentication_token(parameters.suite, keys, build(_PUBLIC_KEY, key_object))


class ChipAuthentication:
    """The chip's static key agreement with the terminal's fresh key (ICAO 9303-11, 6.2)."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, curve: Curve) -> None:
        self._key = key
        self._curve = curve

    def agree(self, encoded: bytes, suite: Suite) -> CardSecureMessaging:
        """Return the session of the new keys; raises CommandRefused (6A80)."""
        secret = product_x(self._key, decode_point(self._curve, encoded))
        return CardSecureMessaging(suite, session_keys(secret, suite))


def agreement_key(data: bytes) -> bytes:
    """Return the terminal's key from the GENERAL AUTHENTICATE of chip authentication."""
    return _value(_dynamic_data(data), 0x80)


def _dynamic_data(data: bytes) -> Tlv | None:
    """Return the one data object inside tag 7C, None where it is empty."""
    outer = data_objects(data)
    if len(outer) != 1 or outer[0].tag != _DYNAMIC_AUTHENTICATION_DATA:
        raise CommandRefused(SW_DATA_INCORRECT)
    inner = data_objects(outer[0].value)
    if len(inner) > 1:
        raise CommandRefused(SW_DATA_INCORRECT)
    return inner[0] if inner else None


def _value(part: Tlv | None, tag: int) -> bytes:
    if part is None or part.tag != tag:
        raise CommandRefused(SW_DATA_INCORRECT)
    return part.value


def _draw_nonce(random: Random) -> bytes:
    while True:
        nonce = random(_NONCE)
        if any(nonce):
            return nonce


def _encrypt_nonce(suite: Suite, key: bytes, nonce: bytes) -> bytes:
    if suite is Suite.TRIPLE_DES:
        return TripleDesCipher(SessionKeys(key, key)).encrypt(b"", nonce)
    return Cipher(algorithms.AES(key), modes.CBC(bytes(16))).encryptor().update(nonce)
