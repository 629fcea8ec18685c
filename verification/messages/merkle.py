"""The Merkle tree of the evidence log (RFC 9162, 2.1), as arithmetic over stored nodes.

Nothing here holds a tree: a proof is a list of covers, a cover is the list of complete subtrees
that make up a range of leaves, and whoever stores the nodes fetches exactly those. A complete
subtree of 2^level leaves is named by its coordinate (level, index); a log stores one hash for each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from hmac import compare_digest

from verification.errors import ReceiptInvalid

Coordinate = tuple[int, int]
"""(level, index): the complete subtree over leaves index * 2^level up to (index + 1) * 2^level."""

Cover = tuple[Coordinate, ...]
"""Complete subtrees, left to right, of falling size."""

Head = tuple[int, bytes]
"""How many leaves, and the hash over them all."""

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """RFC 9162, 2.1.1: the prefix keeps a leaf from being read as a node."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 9162, 2.1.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def cover(start: int, end: int) -> Cover:
    """The complete subtrees over leaves ``start`` up to ``end``, where the range is one of the tree's."""
    found = []
    while start < end:
        level = (end - start).bit_length() - 1
        found.append((level, start >> level))
        start += 1 << level
    return tuple(found)


def fold(coordinates: Cover, nodes: Mapping[Coordinate, bytes]) -> bytes:
    """The hash over a cover: the smallest subtrees, on the right, join first."""
    if not coordinates:
        return EMPTY_ROOT
    *rest, last = coordinates
    result = nodes[last]
    for coordinate in reversed(rest):
        result = node_hash(nodes[coordinate], result)
    return result


def completed_by(index: int) -> Iterable[Coordinate]:
    """The subtrees above its own leaf that the leaf ``index`` completes, from below."""
    level = 0
    while index & 1:
        index >>= 1
        level += 1
        yield (level, index)


def inclusion_covers(index: int, size: int) -> tuple[Cover, ...]:
    """The proof that leaf ``index`` is in the tree of ``size`` leaves (RFC 9162, 2.1.3.1)."""
    if not 0 <= index < size:
        raise ValueError("the leaf is outside the tree")
    path: list[Cover] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(cover(middle, end))
            end = middle
        else:
            path.append(cover(start, middle))
            start = middle
    return tuple(reversed(path))


def consistency_covers(old: int, size: int) -> tuple[Cover, ...]:
    """The proof that the tree of ``old`` leaves is the beginning of that of ``size`` (RFC 9162, 2.1.4.1)."""
    if not 0 < old <= size:
        raise ValueError("the old tree is not smaller than the new one")
    path: list[Cover] = []
    start, end, whole = 0, size, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(cover(middle, end))
            end = middle
        else:
            path.append(cover(start, middle))
            start, whole = middle, False
    if not whole:
        path.append(cover(start, end))
    return tuple(reversed(path))


def require_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Walk the proof from the leaf to the root (RFC 9162, 2.1.3.2); raises ReceiptInvalid."""
    if not 0 <= index < size:
        raise ReceiptInvalid("the leaf is outside the tree")
    position, last, computed = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ReceiptInvalid("the inclusion proof is too long")
        if position & 1 or position == last:
            computed = node_hash(sibling, computed)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        position, last = position >> 1, last >> 1
    if last != 0 or not compare_digest(computed, root):
        raise ReceiptInvalid("the inclusion proof does not lead to the root")


def require_consistency(old: Head, new: Head, proof: Sequence[bytes]) -> None:
    """The old tree is the beginning of the new one (RFC 9162, 2.1.4.2); raises ReceiptInvalid."""
    (old_size, old_root), (size, root) = old, new
    if old_size == size:
        if proof or not compare_digest(old_root, root):
            raise ReceiptInvalid("two trees of one size differ")
        return
    if not 0 < old_size < size or not proof:
        raise ReceiptInvalid("the consistency proof does not fit the sizes")
    hashes = list(proof)
    if old_size & (old_size - 1) == 0:
        hashes.insert(0, old_root)
    first, second = _walk_consistency(old_size - 1, size - 1, hashes)
    if not (compare_digest(first, old_root) and compare_digest(second, root)):
        raise ReceiptInvalid("the consistency proof does not lead to both roots")


def _walk_consistency(position: int, last: int, hashes: Sequence[bytes]) -> tuple[bytes, bytes]:
    while position & 1:
        position, last = position >> 1, last >> 1
    first = second = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise ReceiptInvalid("the consistency proof is too long")
        if position & 1 or position == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        position, last = position >> 1, last >> 1
    if last != 0:
        raise ReceiptInvalid("the consistency proof is too short")
    return first, second


def _split(size: int) -> int:
    """The largest power of two smaller than ``size``."""
    return 1 << ((size - 1).bit_length() - 1)
