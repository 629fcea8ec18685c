from __future__ import annotations

from verification.encoding.der_layout import MAX_ALIKE, MAX_OCTETS, MAX_SIZES, KnownLayouts
from verification.encoding.tlv import OCTET_STRING, SEQUENCE, build, build_integer

PLACE = slice(7, 12)


def document(value: bytes, version: int = 1) -> bytes:
    return build(SEQUENCE, build_integer(version) + build(OCTET_STRING, value) + build_integer(0))


def learnt(*documents: bytes) -> KnownLayouts[str]:
    layouts = KnownLayouts[str]()
    for number, data in enumerate(documents):
        layouts.learn(data, 0, f"walk {number}", [PLACE])
    return layouts


def test_a_document_that_differs_in_its_value_only_is_laid_out_alike() -> None:
    assert document(b"other")[PLACE] == b"other"
    assert learnt(document(b"first")).find(document(b"other"), 0) == "walk 0"


def test_any_other_octet_is_for_the_walk() -> None:
    data, layouts = document(b"first"), learnt(document(b"first"))
    for position in range(len(data)):
        altered = bytearray(data)
        altered[position] ^= 1
        known = layouts.find(bytes(altered), 0) is not None
        assert known == (PLACE.start <= position < PLACE.stop), position


def test_another_size_or_beginning_is_for_the_walk() -> None:
    layouts = learnt(document(b"first"))
    assert layouts.find(document(b"longer"), 0) is None
    assert layouts.find(document(b"first") + b"\0", 0) is None
    assert layouts.find(document(b"first"), 2) is None


def test_a_few_layouts_of_a_size_are_kept() -> None:
    layouts = learnt(*(document(b"first", version) for version in range(MAX_ALIKE + 1)))
    found = [layouts.find(document(b"other", version), 0) for version in range(MAX_ALIKE + 1)]
    assert found == [*(f"walk {number}" for number in range(MAX_ALIKE)), None]


def test_what_is_kept_is_bounded() -> None:
    layouts = KnownLayouts[int]()
    large = bytes(MAX_OCTETS + 1)
    layouts.learn(large, 0, 0, [])
    assert layouts.find(large, 0) is None
    layouts.learn(large, 0, 0, [slice(0, 1)])
    assert layouts.find(large, 0) == 0
    for size in range(1, MAX_SIZES + 1):
        layouts.learn(bytes(size), 0, size, [])
    assert layouts.find(large, 0) is None
    assert layouts.find(bytes(MAX_SIZES), 0) == MAX_SIZES
