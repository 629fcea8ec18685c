"""Secure messaging and PACE against floors measured in the same run (PERFORMANCE B, C2)."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from statistics import median
from time import thread_time

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, ECB
from cryptography.hazmat.primitives.cmac import CMAC

from tests.benchmarks.figure import Figure, against_floor
from verification.chip import pace
from verification.chip.elliptic_curves import BY_PARAMETER_ID, Curve
from verification.chip.keys import Can, KeyPurpose, Suite, derive_key, session_keys
from verification.chip.sessions import open_session
from verification.encoding.tlv import build, children, only
from verification.iso7816.block_cipher import CbcCipher, RetailMac, pad, triple_des
from verification.iso7816.channel import Channel
from verification.iso7816.command import read_binary
from verification.lds.security_infos import PaceInfo

_ROUNDS = 9
_REPEATS = 20
_FILE = 20_000
_BLOCK = 231
_KEYS = session_keys(b"benchmark", Suite.AES_128)
_DES_KEYS = session_keys(b"benchmark", Suite.TRIPLE_DES)


def run() -> list[Figure]:
    """Every figure of this file."""
    return [
        _figure("secure_messaging_aes_20kB", _read_aes, _read_aes_fresh, 0.65),
        _figure("secure_messaging_3des_20kB", _read_des, _des_floor, 3.5),
        _figure("pace_gm_p256_terminal", *_pace(BY_PARAMETER_ID[12]), 15.0),
        _figure("pace_gm_brainpoolp256r1_terminal", *_pace(BY_PARAMETER_ID[13]), 22.0),
    ]


def _figure(name: str, work: Callable[[], object], floor: Callable[[], object], goal: float) -> Figure:
    pairs = [(_seconds(work), _seconds(floor)) for _ in range(_ROUNDS)]
    value, base = (median(pair[side] for pair in pairs) * 1e6 for side in (0, 1))
    return against_floor(name, value, "us", floor=base, goal=goal)


def _seconds(work: Callable[[], object]) -> float:
    start = thread_time()
    for _ in range(_REPEATS):
        work()
    return (thread_time() - start) / _REPEATS


# -- secure messaging: a whole file's commands sealed and answers opened ------------------------


def _answers(suite: Suite) -> list[bytes]:
    """What a chip answers to the reads, sealed with the counter the terminal will expect."""
    keys = _KEYS if suite is Suite.AES_128 else _DES_KEYS
    cipher = CbcCipher(AES(keys.encryption) if suite is Suite.AES_128 else triple_des(keys.encryption))
    size = 16 if suite is Suite.AES_128 else 8
    encipher = Cipher(AES(_KEYS.encryption), ECB()).encryptor().update  # noqa: S305 - one block
    answers = []
    for index in range(-(-_FILE // _BLOCK)):
        counter = (2 * index + 2).to_bytes(size, "big")
        vector = encipher(counter) if suite is Suite.AES_128 else bytes(8)
        body = build(0x87, b"\x01" + cipher.encrypt(vector, pad(bytes(_BLOCK), size))) + b"\x99\x02\x90\x00"
        answers.append(body + b"\x8e\x08" + _mac(suite, pad(counter + body, size)) + b"\x90\x00")
    return answers


def _mac(suite: Suite, padded: bytes) -> bytes:
    if suite is Suite.TRIPLE_DES:
        return RetailMac(_DES_KEYS.checksum).compute(padded)
    cmac = CMAC(AES(_KEYS.checksum))
    cmac.update(padded)
    return cmac.finalize()[:8]


_AES_ANSWERS = _answers(Suite.AES_128)
_DES_ANSWERS = _answers(Suite.TRIPLE_DES)


def _read_aes() -> None:
    session = open_session(Suite.AES_128, _KEYS)
    for index, answer in enumerate(_AES_ANSWERS):
        session.protect(read_binary(index * _BLOCK, _BLOCK))
        session.unprotect(answer)


def _read_des() -> None:
    session = open_session(Suite.TRIPLE_DES, _DES_KEYS)
    for index, answer in enumerate(_DES_ANSWERS):
        session.protect(read_binary(index * _BLOCK, _BLOCK))
        session.unprotect(answer)


def _read_aes_fresh() -> None:
    """The straightforward variant: new library objects for every vector, cipher and checksum."""
    for index, answer in enumerate(_AES_ANSWERS):
        command = read_binary(index * _BLOCK, _BLOCK)
        header = bytes((0x0C, *command[1:4]))
        counter = (2 * index + 1).to_bytes(16, "big")
        sealed = pad(header, 16) + b"\x97\x01" + bytes((_BLOCK,))
        header += b"\x0d" + sealed[16:] + b"\x8e\x08" + _mac(Suite.AES_128, pad(counter + sealed, 16))
        counter = (2 * index + 2).to_bytes(16, "big")
        tags = {found.tag: found.value for found in children(answer[:-2])}
        if _mac(Suite.AES_128, pad(counter + answer[:-12], 16)) != tags[0x8E]:
            raise ValueError("checksum")
        vector = Cipher(AES(_KEYS.encryption), ECB()).encryptor()  # noqa: S305 - one block
        decryptor = Cipher(AES(_KEYS.encryption), CBC(vector.update(counter) + vector.finalize())).decryptor()
        decryptor.update(tags[0x87][1:])
        decryptor.finalize()


def _des_floor() -> None:
    """The ciphers alone, in one call each over the whole file."""
    decryptor = Cipher(triple_des(_DES_KEYS.encryption), CBC(bytes(8))).decryptor()
    decryptor.update(bytes(_FILE))
    chain = Cipher(triple_des(_DES_KEYS.checksum[:8]), CBC(bytes(8))).encryptor()
    chain.update(bytes(_FILE))


# -- PACE: the terminal's computations, the chip's answers prepared ----------------------------


def _pace(curve: Curve) -> tuple[Callable[[], object], Callable[[], object]]:
    protocol = pace.choose_protocol((PaceInfo("0.4.0.127.0.7.2.2.4.2.2", 2, curve.parameter_id),))
    card = _PreparedChip(curve)
    public = curve.openssl_key(curve.key(os.urandom).public)
    exchange = ec.generate_private_key(public.curve).exchange
    return lambda: _until_last_step(card, protocol), lambda: exchange(ec.ECDH(), public)


def _until_last_step(card: _PreparedChip, protocol: pace.PaceProtocol | None) -> None:
    with suppress(_LastStep):
        if protocol is None:
            raise ValueError("the offer is not spoken")
        pace.establish(Channel(card), protocol, Can("123456"), os.urandom)


class _PreparedChip:
    """Answers without computing; it breaks off where it would have to prove a key."""

    def __init__(self, curve: Curve) -> None:
        self._points = [curve.key(os.urandom).public for _ in range(2)]
        key = derive_key(b"123456", KeyPurpose.PASSWORD, Suite.AES_128)
        self._nonce = CbcCipher(AES(key)).encrypt(bytes(16), os.urandom(16))

    def transmit(self, command: bytes) -> bytes:
        if command[1] == 0x22:
            return b"\x90\x00"
        data = only(command[5:-1], 0x7C)
        tag = data[0] if data else 0
        if tag == 0x85:
            raise _LastStep
        value = {0: self._nonce, 0x81: self._points[0], 0x83: self._points[1]}[tag]
        return build(0x7C, build({0: 0x80, 0x81: 0x82, 0x83: 0x84}[tag], value)) + b"\x90\x00"


class _LastStep(Exception):
    """Everything but one comparison of eight octets is done by then."""
