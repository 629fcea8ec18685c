"""The chip's side of PACE in every variant, written from the standard with textbook arithmetic.

It shares no line with the product: curves by affine addition, finite fields by ``pow``, the
retail MAC block by block, square roots where the product has its closed formula.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.cmac import CMAC

from tests.support.textbook_curve import TextbookCurve

Element = tuple[int, int] | int


@dataclass(frozen=True)
class OverCurve:
    curve: TextbookCurve
    tag = 0x86

    @property
    def order(self) -> int:
        return self.curve.n

    @property
    def prime(self) -> int:
        return self.curve.p

    @property
    def generator(self) -> Element:
        return self.curve.base

    def times(self, scalar: int, element: Element) -> Element:
        assert isinstance(element, tuple)
        result = self.curve.multiply(scalar, element)
        assert result is not None
        return result

    def combine(self, left: Element, right: Element) -> Element:
        assert isinstance(left, tuple)
        assert isinstance(right, tuple)
        result = self.curve.add(left, right)
        assert result is not None
        return result

    def encode(self, element: Element) -> bytes:
        assert isinstance(element, tuple)
        return self.curve.encode(element)

    def decode(self, octets: bytes) -> Element:
        return self.curve.decode(octets)

    def secret(self, element: Element) -> bytes:
        assert isinstance(element, tuple)
        return element[0].to_bytes(self.curve.size, "big")

    def from_number(self, t: int) -> Element:
        p, a, b = self.curve.p, self.curve.a, self.curve.b
        alpha = -(t**2) % p
        x = -b * pow(a, -1, p) * (1 + pow(alpha + alpha**2, -1, p)) % p
        squared = (x**3 + a * x + b) % p
        root = pow(squared, (p + 1) // 4, p)
        if root * root % p == squared:
            return x, root
        return alpha * x % p, t**3 * squared * pow(root, -1, p) % p


@dataclass(frozen=True)
class OverFiniteField:
    p: int
    g: int
    q: int
    tag = 0x84

    @property
    def order(self) -> int:
        return self.q

    @property
    def prime(self) -> int:
        return self.p

    @property
    def generator(self) -> Element:
        return self.g

    def times(self, scalar: int, element: Element) -> Element:
        assert isinstance(element, int)
        return pow(element, scalar, self.p)

    def combine(self, left: Element, right: Element) -> Element:
        assert isinstance(left, int)
        assert isinstance(right, int)
        return left * right % self.p

    def encode(self, element: Element) -> bytes:
        assert isinstance(element, int)
        return element.to_bytes(-(-element.bit_length() // 8), "big")

    def decode(self, octets: bytes) -> Element:
        assert octets[0]
        return int.from_bytes(octets, "big")

    def secret(self, element: Element) -> bytes:
        assert isinstance(element, int)
        return element.to_bytes(-(-self.p.bit_length() // 8), "big")

    def from_number(self, number: int) -> Element:
        return pow(number, (self.p - 1) // self.q, self.p)


Group = OverCurve | OverFiniteField


def der(tag: bytes, value: bytes) -> bytes:
    size = len(value)
    if size < 0x80:
        return tag + bytes((size,)) + value
    octets = size.to_bytes(-(-size.bit_length() // 8), "big")
    return tag + bytes((0x80 | len(octets),)) + octets + value


def take(data: bytes, tag: int) -> bytes:
    assert data[0] == tag
    extra = data[1] & 0x7F if data[1] & 0x80 else 0
    size = int.from_bytes(data[2 : 2 + extra], "big") if extra else data[1]
    assert len(data) == 2 + extra + size
    return data[2 + extra :]


def command_data(command: bytes) -> bytes:
    """The data of a command with an Le, short or extended."""
    if command[4]:
        assert len(command) == 6 + command[4]
        return command[5:-1]
    size = int.from_bytes(command[5:7], "big")
    assert len(command) == 9 + size
    return command[7:-2]


@dataclass(frozen=True)
class TextbookCipher:
    """A suite: "3DES" or "AES", and the octets of its keys."""

    name: str
    key_length: int

    @property
    def block(self) -> int:
        return 8 if self.name == "3DES" else 16

    @property
    def nonce_length(self) -> int:
        return 16 if self.key_length == 16 else 32

    def derive(self, secret: bytes, counter: int) -> bytes:
        digest = hashlib.sha1 if self.key_length == 16 else hashlib.sha256
        return digest(secret + counter.to_bytes(4, "big")).digest()[: self.key_length]

    def encrypt(self, key: bytes, vector: bytes, plain: bytes) -> bytes:
        key = key[: self.key_length]
        algorithm: BlockCipherAlgorithm = TripleDES(key + key[:8]) if self.name == "3DES" else AES(key)
        encryptor = Cipher(algorithm, CBC(vector)).encryptor()
        return encryptor.update(plain) + encryptor.finalize()

    def mac(self, key: bytes, data: bytes) -> bytes:
        if self.name == "AES":
            cmac = CMAC(AES(key))
            cmac.update(data)
            return cmac.finalize()[:8]
        padded = data + b"\x80" + bytes(-(len(data) + 1) % 8)
        chain = bytes(8)
        for start in range(0, len(padded), 8):
            mixed = bytes(a ^ b for a, b in zip(chain, padded[start : start + 8], strict=True))
            cipher = Cipher(TripleDES(key[:8] * 3), CBC(bytes(8))).encryptor()
            chain = cipher.update(mixed)
        decryptor = Cipher(TripleDES(key[8:16] * 3), CBC(bytes(8))).decryptor()
        last = decryptor.update(chain)
        return Cipher(TripleDES(key[:8] * 3), CBC(bytes(8))).encryptor().update(last)

    def pseudo_random(self, nonce: bytes, terminal_nonce: bytes, prime: int) -> int:
        short = self.key_length == 16
        first = "a668892a7c41e3ca739f40b057d85904"
        second = "a4e136ac725f738b01c1f60217c188ad"
        if not short:
            first = "d463d65234124ef7897054986dca0a174e28df758cbaa03f240616414d5a1676"
            second = "54bd7255f0aaf831bec3423fcf39d69b6cbf066677d0faae5aadd99df8e53517"
        zero = bytes(self.block)
        key = self.encrypt(terminal_nonce, zero, nonce)
        rounds = -(-(prime.bit_length() + 64) // (8 * len(nonce)))
        output = b""
        for _ in range(rounds):
            output += self.encrypt(key, zero, bytes.fromhex(second))
            key = self.encrypt(key, zero, bytes.fromhex(first))
        return int.from_bytes(output, "big") % prime


@dataclass
class TextbookPaceChip:
    """Answers one run of PACE; what it agreed on is kept for the test.

    ``zero_in`` names a value - "map" (its mapping key), "mapped" (the shared element of the
    mapping), "agree" (its ephemeral key) or "shared" (the shared secret) - whose first octet it
    makes zero by moving its secret on.
    """

    group: Group
    cipher: TextbookCipher
    oid: bytes
    mapping: str
    password: bytes
    source: random.Random
    zero_in: str = ""
    static_private: int = 0
    wants_group_named: bool = False
    refuses_extended: bool = False
    change: Callable[[int, bytes], bytes] = lambda _, value: value

    nonce: bytes = b""
    shared: bytes = b""
    mapped_secret: bytes = b""
    keys: tuple[bytes, bytes] = (b"", b"")
    identity: bytes = b""
    seen: list[bytes] = field(default_factory=list)
    _pending: bytes = b""
    _map_private: int = 0
    _generator: Element = 0
    _tokens: tuple[bytes, bytes] = (b"", b"")

    def transmit(self, command: bytes) -> bytes:
        self.seen.append(command)
        if command[:4].hex() == "0022c1a4":
            is_named = b"\x84\x01" in command[-3:]
            return b"\x90\x00" if is_named or not self.wants_group_named else b"\x6a\x80"
        assert command[1] == 0x86
        if not command[4] and self.refuses_extended:
            return b"\x67\x00"
        if len(command) == 5 + 255 and command[5 - 1] == 255:
            self._pending = command[5:]
            return b"\x90\x00"
        data, self._pending = self._pending + command_data(command), b""
        return self._step(take(data, 0x7C))

    def _step(self, data: bytes) -> bytes:
        tag = data[0] if data else 0
        answer = {0: self._give_nonce, 0x81: self._map, 0x83: self._agree, 0x85: self._prove}[tag]
        reply = answer(take(data, tag) if data else b"")
        return reply if reply == b"\x63\x00" else der(b"\x7c", reply) + b"\x90\x00"

    def _object(self, tag: int, value: bytes) -> bytes:
        return der(bytes((tag,)), self.change(tag, value))

    def _private(self, wanted: Element | None) -> int:
        """A private key; one by which a multiple of ``wanted`` starts with zero, where there is a wish."""
        private = self.source.randrange(2, self.group.order // 2)
        multiple = wanted if wanted is None else self.group.times(private, wanted)
        while wanted is not None and multiple is not None and self.group.secret(multiple)[0]:
            private, multiple = private + 1, self.group.combine(multiple, wanted)
        return private

    def _give_nonce(self, _: bytes) -> bytes:
        self.nonce = self.nonce or self.source.randbytes(self.cipher.nonce_length)
        key = self.cipher.derive(self.password, 3)
        return self._object(0x80, self.cipher.encrypt(key, bytes(self.cipher.block), self.nonce))

    def _map(self, theirs: bytes) -> bytes:
        group = self.group
        if self.mapping == "IM":
            assert len(theirs) == self.cipher.key_length
            number = self.cipher.pseudo_random(self.nonce, theirs, group.prime)
            self._generator = group.from_number(number)
            return self._object(0x82, b"")
        peer = group.decode(theirs)
        wanted = {"map": group.generator, "mapped": peer}.get(self.zero_in)
        self._map_private = self._private(wanted)
        mapped = group.times(self._map_private, peer)
        self.mapped_secret = group.secret(mapped)
        number = int.from_bytes(self.nonce, "big") % group.order
        self._generator = group.combine(group.times(number, group.generator), mapped)
        return self._object(0x82, group.encode(group.times(self._map_private, group.generator)))

    def _agree(self, theirs: bytes) -> bytes:
        group = self.group
        peer = group.decode(theirs)
        wanted = {"agree": self._generator, "shared": peer}.get(self.zero_in)
        private = self._private(wanted)
        public = group.times(private, self._generator)
        ours = group.encode(public)
        # Comp(): the x-coordinate, or the SHA-1 hash of a number (TR-03110-3, A.2.2.3).
        self.identity = group.secret(public) if group.tag == 0x86 else hashlib.sha1(ours).digest()  # noqa: S324
        self.shared = group.secret(group.times(private, peer))
        self.keys = (self.cipher.derive(self.shared, 1), self.cipher.derive(self.shared, 2))
        self._tokens = (self._token(ours), self._token(theirs))
        return self._object(0x84, ours)

    def _token(self, public: bytes) -> bytes:
        body = der(b"\x06", self.oid) + der(bytes((self.group.tag,)), public)
        return self.cipher.mac(self.keys[1], der(b"\x7f\x49", body))

    def _prove(self, token: bytes) -> bytes:
        if token != self._tokens[0]:
            return b"\x63\x00"
        answer = self._object(0x86, self._tokens[1])
        return answer + self._chip_data() if self.mapping == "CAM" else answer

    def _chip_data(self) -> bytes:
        order = self.group.order
        data = pow(self.static_private, -1, order) * self._map_private % order
        plain = data.to_bytes(-(-order.bit_length() // 8), "big") + b"\x80"
        vector = self.cipher.encrypt(self.keys[0], bytes(16), b"\xff" * 16)
        encrypted = self.cipher.encrypt(self.keys[0], vector, plain + bytes(-len(plain) % 16))
        return self._object(0x8A, encrypted)
