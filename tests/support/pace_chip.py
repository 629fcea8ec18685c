"""The chip's side of PACE with generic mapping, written from the standard with textbook arithmetic."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.cmac import CMAC

from tests.support.textbook_curve import AffinePoint, TextbookCurve


def der(tag: bytes, value: bytes) -> bytes:
    length = bytes((len(value),)) if len(value) < 128 else bytes((0x81, len(value)))
    return tag + length + value


def take(data: bytes, tag: int) -> bytes:
    assert data[0] == tag
    start = 3 if data[1] == 0x81 else 2
    length = data[2] if data[1] == 0x81 else data[1]
    assert len(data) == start + length
    return data[start:]


@dataclass
class PaceChip:
    """AES variants. ``scalar`` picks the chip's secrets; what it agreed on is kept for the test.

    ``zero_in`` names a value - "map", "agree" or "shared" - for which the chip then moves its
    secret on until the value's x starts with a zero octet.
    """

    curve: TextbookCurve
    oid: bytes
    key_length: int
    password: bytes
    nonce: bytes
    scalar: Callable[[str], int]
    zero_in: str = ""
    shared: bytes = b""
    keys: tuple[bytes, bytes] = (b"", b"")
    seen: list[bytes] = field(default_factory=list)
    _base: tuple[int, int] | None = None
    _tokens: tuple[bytes, bytes] = (b"", b"")

    def transmit(self, command: bytes) -> bytes:
        self.seen.append(command)
        if command[:4].hex() == "0022c1a4":
            return b"\x90\x00"
        assert command[1] == 0x86
        assert command[-1] == 0
        data = take(command[5:-1], 0x7C)
        tag = data[0] if data else 0
        answer = {0: self._give_nonce, 0x81: self._map, 0x83: self._agree, 0x85: self._prove}[tag]
        reply = answer(take(data, tag) if data else b"")
        return reply if len(reply) == 2 else der(b"\x7c", reply) + b"\x90\x00"

    def _private(self, purpose: str, point: AffinePoint, *, wants_zero: bool) -> int:
        private = self.scalar(purpose)
        multiple = self.curve.multiply(private, point)
        while wants_zero and self.curve.encode(multiple)[1]:
            private, multiple = private + 1, self.curve.add(multiple, point)
        return private

    def _kdf(self, secret: bytes, counter: int) -> bytes:
        digest = hashlib.sha1 if self.key_length == 16 else hashlib.sha256
        return digest(secret + counter.to_bytes(4, "big")).digest()[: self.key_length]

    def _give_nonce(self, _: bytes) -> bytes:
        encryptor = Cipher(AES(self._kdf(self.password, 3)), CBC(bytes(16))).encryptor()
        return der(b"\x80", encryptor.update(self.nonce) + encryptor.finalize())

    def _map(self, theirs: bytes) -> bytes:
        private = self._private("map", self.curve.base, wants_zero=self.zero_in == "map")
        shared = self.curve.multiply(private, self.curve.decode(theirs))
        nonce = int.from_bytes(self.nonce, "big") % self.curve.n
        base = self.curve.add(self.curve.multiply(nonce, self.curve.base), shared)
        assert base is not None
        self._base = base
        return der(b"\x82", self.curve.encode(self.curve.multiply(private, self.curve.base)))

    def _agree(self, theirs: bytes) -> bytes:
        searched = self.curve.decode(theirs) if self.zero_in == "shared" else self._base
        private = self._private("agree", searched, wants_zero=self.zero_in in ("agree", "shared"))
        ours = self.curve.encode(self.curve.multiply(private, self._base))
        shared = self.curve.multiply(private, self.curve.decode(theirs))
        self.shared = self.curve.encode(shared)[1 : 1 + self.curve.size]
        self.keys = (self._kdf(self.shared, 1), self._kdf(self.shared, 2))
        self._tokens = (self._token(ours), self._token(theirs))
        return der(b"\x84", ours)

    def _token(self, point: bytes) -> bytes:
        cmac = CMAC(AES(self.keys[1]))
        # CMAC pads by itself; the standard pads nothing in front of it.
        cmac.update(der(b"\x7f\x49", der(b"\x06", self.oid) + der(b"\x86", point)))
        return cmac.finalize()[:8]

    def _prove(self, token: bytes) -> bytes:
        if token != self._tokens[0]:
            return b"\x63\x00"
        return der(b"\x86", self._tokens[1])
