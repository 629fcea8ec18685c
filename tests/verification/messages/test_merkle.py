"""The log's tree against a naive one that does what RFC 9162 says in so many words."""

from __future__ import annotations

import hashlib

import pytest

from verification.errors import ReceiptInvalid
from verification.messages import merkle

LEAVES = [b"entry %d" % index for index in range(200)]
HASHES = [merkle.leaf_hash(leaf) for leaf in LEAVES]


def naive_root(hashes: list[bytes]) -> bytes:
    """RFC 9162, 2.1.1."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    middle = split(len(hashes))
    left, right = naive_root(hashes[:middle]), naive_root(hashes[middle:])
    return hashlib.sha256(b"\x01" + left + right).digest()


def naive_path(index: int, hashes: list[bytes]) -> list[bytes]:
    """RFC 9162, 2.1.3.1."""
    if len(hashes) == 1:
        return []
    middle = split(len(hashes))
    if index < middle:
        return [*naive_path(index, hashes[:middle]), naive_root(hashes[middle:])]
    return [*naive_path(index - middle, hashes[middle:]), naive_root(hashes[:middle])]


def naive_consistency(old: int, hashes: list[bytes], whole: bool = True) -> list[bytes]:
    """RFC 9162, 2.1.4.1."""
    if old == len(hashes):
        return [] if whole else [naive_root(hashes)]
    middle = split(len(hashes))
    if old <= middle:
        return [*naive_consistency(old, hashes[:middle], whole), naive_root(hashes[middle:])]
    return [*naive_consistency(old - middle, hashes[middle:], False), naive_root(hashes[:middle])]


def split(size: int) -> int:
    middle = 1
    while middle * 2 < size:
        middle *= 2
    return middle


def stored_nodes() -> dict[merkle.Coordinate, bytes]:
    nodes = {}
    for index, leaf in enumerate(HASHES):
        nodes[0, index] = leaf
        for level, position in merkle.completed_by(index):
            nodes[level, position] = merkle.node_hash(
                nodes[level - 1, 2 * position], nodes[level - 1, 2 * position + 1]
            )
    return nodes


NODES = stored_nodes()


def proof_of(covers: tuple[merkle.Cover, ...]) -> list[bytes]:
    return [merkle.fold(cover, NODES) for cover in covers]


@pytest.mark.parametrize("size", range(1, 201))
def test_roots_and_inclusion_proofs_equal_the_naive_tree(size: int) -> None:
    root = merkle.fold(merkle.cover(0, size), NODES)
    assert root == naive_root(HASHES[:size])
    for index in {0, 1, size // 3, size // 2, size - 2, size - 1}:
        if not 0 <= index < size:
            continue
        proof = proof_of(merkle.inclusion_covers(index, size))
        assert proof == naive_path(index, HASHES[:size])
        merkle.require_inclusion(HASHES[index], index, size, proof, root)


@pytest.mark.parametrize("size", range(1, 201, 3))
def test_consistency_proofs_equal_the_naive_tree(size: int) -> None:
    root = naive_root(HASHES[:size])
    for old in range(1, size + 1):
        proof = proof_of(merkle.consistency_covers(old, size))
        assert proof == naive_consistency(old, HASHES[:size])
        merkle.require_consistency((old, naive_root(HASHES[:old])), (size, root), proof)


def test_an_empty_log_has_the_root_of_nothing() -> None:
    assert merkle.fold(merkle.cover(0, 0), {}) == hashlib.sha256(b"").digest()


@pytest.mark.parametrize("size", [1, 2, 7, 8, 100])
def test_every_changed_part_of_an_inclusion_proof_is_refused(size: int) -> None:
    root = naive_root(HASHES[:size])
    index = size // 2
    proof = naive_path(index, HASHES[:size])
    wrong: list[tuple[bytes, int, int, list[bytes], bytes]] = [
        (HASHES[150], index, size, proof, root),
        (HASHES[index], index, size, proof, HASHES[150]),
        (HASHES[index], size, size, proof, root),
        (HASHES[index], -1, size, proof, root),
        (HASHES[index], index, size, [*proof, root], root),
    ]
    wrong += [(HASHES[index], index, size, proof[:-1], root)] if proof else []
    for place in range(len(proof)):
        altered = [*proof]
        altered[place] = HASHES[199]
        wrong.append((HASHES[index], index, size, altered, root))
    for leaf, at, of, path, claimed in wrong:
        with pytest.raises(ReceiptInvalid):
            merkle.require_inclusion(leaf, at, of, path, claimed)


@pytest.mark.parametrize(("old", "size"), [(1, 2), (3, 8), (4, 8), (6, 7), (50, 101)])
def test_every_changed_part_of_a_consistency_proof_is_refused(old: int, size: int) -> None:
    before, after = naive_root(HASHES[:old]), naive_root(HASHES[:size])
    proof = naive_consistency(old, HASHES[:size])
    rewritten = naive_root([HASHES[199], *HASHES[1:old]])
    wrong = [
        ((old, rewritten), (size, after), proof),
        ((old, before), (size, rewritten), proof),
        ((old, before), (size, after), proof[:-1]),
        ((old, before), (size, after), [*proof, after]),
        ((0, before), (size, after), proof),
        ((size + 1, before), (size, after), proof),
        ((size, before), (size, after), []),
    ]
    for place in range(len(proof)):
        altered = [*proof]
        altered[place] = HASHES[199]
        wrong.append(((old, before), (size, after), altered))
    for earlier, later, path in wrong:
        with pytest.raises(ReceiptInvalid):
            merkle.require_consistency(earlier, later, path)


def test_a_leaf_cannot_be_read_as_a_node() -> None:
    left, right = HASHES[0], HASHES[1]
    assert merkle.leaf_hash(left + right) != merkle.node_hash(left, right)


@pytest.mark.parametrize(("index", "size"), [(1, 1), (-1, 5), (0, 0)])
def test_a_leaf_outside_the_tree_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        merkle.inclusion_covers(index, size)


@pytest.mark.parametrize(("old", "size"), [(0, 5), (6, 5)])
def test_sizes_that_never_were_have_no_proof(old: int, size: int) -> None:
    with pytest.raises(ValueError, match="not smaller"):
        merkle.consistency_covers(old, size)
