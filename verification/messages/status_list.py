"""Which cards are not good, for counters without a network: signed, compact, renewed by differences.

A list holds, of every card that its issuer does not call active, the first 40 bits of the status key.
It is sorted, cut into buckets by the leading bits, and each bucket holds the gaps between its keys in
Rice's code: about 22 bits a card among a million. A card that is good meets a listed key by chance once
in 2**40 / N questions, so a hit says "ask online" and never "refuse". Nobody can search the list
by citizen number: the key needs the chip's own data.

The same keys always make the same bytes. A difference is therefore proven by its result, which must
have the digest that the signed head of the newer list names.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from verification.errors import SignatureInvalid, StatusListInvalid
from verification.messages.compact_signature import read_statement, sign_statement
from verification.messages.signing_key import PublicKey, SigningKey

KEY_BITS = 40
STATUS_LIST_TYPE = "card-status-list+jws"
MAX_HEAD = 4_096

_KEY_DIGITS = KEY_BITS // 4
_KEYS_A_BUCKET = 64
_MOST_BUCKET_BITS = 24
_MAGIC = b"CSL1"
_HEADER = struct.Struct(">4sBBI")
"""Magic, bits that name a bucket, bits of a gap's rest, number of keys."""

_OFFSET = struct.Struct(">I")

ReadAt = Callable[[int, int], bytes]
"""So many bytes from an offset of the list; fewer at its end."""


class StatusListHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is signed. ``epoch`` counts a gateway's lists; ``as_of`` is when the issuer was last heard.

    ``cards`` is how many are listed, ``known`` how many of the issuer's cards the gateway knew.
    """

    iss: str
    epoch: int
    as_of: str
    cards: int
    known: int
    sha256: str


class StatusListDelta(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From the list before to ``epoch``: keys that came and keys that went, each coded as a list."""

    epoch: int
    added: bytes
    removed: bytes


class StatusListAnswer(msgspec.Struct, frozen=True):
    """The newest head, and either the whole list or the differences since the epoch that was asked for."""

    head: str
    content: bytes | None = None
    deltas: tuple[StatusListDelta, ...] = ()


def sign_head(head: StatusListHead, key: SigningKey) -> str:
    """The head as a compact JWS."""
    return sign_statement(msgspec.json.encode(head), STATUS_LIST_TYPE, key)


def read_head(token: str, keys: Mapping[str, PublicKey]) -> StatusListHead:
    """The head, if one of the trusted keys signed it; raises StatusListInvalid."""
    if len(token) > MAX_HEAD:
        raise StatusListInvalid("the head is longer than any")
    try:
        return msgspec.json.decode(read_statement(token, STATUS_LIST_TYPE, keys), type=StatusListHead)
    except (SignatureInvalid, ValueError):
        raise StatusListInvalid("the head is signed by no trusted key, or is none") from None


def short_key(status_key: str) -> int:
    """The part of a status key that is listed."""
    return int(status_key[:_KEY_DIGITS], 16)


def encode_keys(keys: Iterable[int]) -> bytes:
    """The list of these keys, the only bytes that they make."""
    ordered = sorted(set(keys))
    shape = _Shape.for_count(len(ordered))
    buckets: list[list[int]] = [[] for _ in range(shape.buckets)]
    for key in ordered:
        buckets[key >> shape.low_bits].append(key & ((1 << shape.low_bits) - 1))
    blocks = [_packed(bucket, shape.rest_bits) for bucket in buckets]
    offsets = [0]
    for block in blocks:
        offsets.append(offsets[-1] + len(block))
    header = _HEADER.pack(_MAGIC, shape.bucket_bits, shape.rest_bits, len(ordered))
    return b"".join((header, *map(_OFFSET.pack, offsets), *blocks))


def decode_keys(content: bytes) -> list[int]:
    """The keys in order; raises StatusListInvalid for bytes that no keys make."""

    def read(start: int, length: int) -> bytes:
        return content[start : start + length]

    shape, count = _read_shape(read)
    keys = [
        bucket << shape.low_bits | low
        for bucket in range(shape.buckets)
        for low in _unpacked(_block(read, shape, bucket), shape.rest_bits)
    ]
    if len(keys) != count or max(keys, default=0) >> KEY_BITS or encode_keys(keys) != content:
        raise StatusListInvalid("the list is not spelt canonically")
    return keys


def holds(read: ReadAt, key: int) -> bool:
    """Whether a key is listed, out of the one bucket it belongs to: the list need not be in memory."""
    shape, _ = _read_shape(read)
    block = _block(read, shape, key >> shape.low_bits)
    return key & ((1 << shape.low_bits) - 1) in _unpacked(block, shape.rest_bits)


def updated(content: bytes, deltas: Iterable[StatusListDelta], head: StatusListHead) -> bytes:
    """The newer list out of an older one; raises StatusListInvalid unless it is the one that was signed."""
    keys = set(decode_keys(content))
    for delta in deltas:
        keys.difference_update(decode_keys(delta.removed))
        keys.update(decode_keys(delta.added))
    newer = encode_keys(keys)
    require_content(newer, head)
    return newer


def require_content(content: bytes, head: StatusListHead) -> None:
    """The head was signed for these very bytes; raises StatusListInvalid."""
    if hashlib.sha256(content).hexdigest() != head.sha256:
        raise StatusListInvalid("the list is not the one that was signed")


class _Shape(NamedTuple):
    """How many leading bits name a bucket, and how many bits of a gap are written plainly."""

    bucket_bits: int
    rest_bits: int

    @classmethod
    def for_count(cls, count: int) -> _Shape:
        bucket_bits = min(_MOST_BUCKET_BITS, (count // _KEYS_A_BUCKET).bit_length())
        return cls(bucket_bits, ((1 << KEY_BITS) // (count + 1)).bit_length() - 1)

    @property
    def buckets(self) -> int:
        return 1 << self.bucket_bits

    @property
    def low_bits(self) -> int:
        return KEY_BITS - self.bucket_bits

    @property
    def blocks_start(self) -> int:
        return _HEADER.size + (self.buckets + 1) * _OFFSET.size


def _read_shape(read: ReadAt) -> tuple[_Shape, int]:
    try:
        magic, bucket_bits, rest_bits, count = _HEADER.unpack(read(0, _HEADER.size))
    except struct.error:
        raise StatusListInvalid("the list is cut off") from None
    shape = _Shape.for_count(int(count))
    if magic != _MAGIC or _Shape(bucket_bits, rest_bits) != shape:
        raise StatusListInvalid("not a list of this form")
    return shape, int(count)


def _block(read: ReadAt, shape: _Shape, bucket: int) -> bytes:
    try:
        pair = read(_HEADER.size + bucket * _OFFSET.size, 2 * _OFFSET.size)
        (start,), (end,) = _OFFSET.unpack(pair[: _OFFSET.size]), _OFFSET.unpack(pair[_OFFSET.size :])
    except struct.error:
        raise StatusListInvalid("the list is cut off") from None
    block = read(shape.blocks_start + start, end - start) if end >= start else b""
    if len(block) != end - start:
        raise StatusListInvalid("a bucket lies outside the list")
    return block


def _packed(lows: list[int], rest_bits: int) -> bytes:
    """Gaps in Rice's code; what is left of the last byte is ones, which begin no further gap."""
    bits, before = [], -1
    for low in lows:
        gap = low - before - 1
        rest = format(gap & ((1 << rest_bits) - 1), f"0{rest_bits}b") if rest_bits else ""
        bits.append("1" * (gap >> rest_bits) + "0" + rest)
        before = low
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big") if text else b""


def _unpacked(block: bytes, rest_bits: int) -> Iterator[int]:
    text = format(int.from_bytes(block, "big"), f"0{8 * len(block)}b") if block else ""
    position, before = 0, -1
    while (end := text.find("0", position)) >= 0:
        rest = text[end + 1 : end + 1 + rest_bits]
        if len(rest) != rest_bits:
            return  # cut off: the canonical spelling is checked by whoever needs it
        before += ((end - position) << rest_bits | int(rest or "0", 2)) + 1
        yield before
        position = end + 1 + rest_bits
