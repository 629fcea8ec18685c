from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verification.encoding.object_identifier import MAX_OID, build_oid, decode_oid, encode_oid
from verification.errors import LimitExceeded, MalformedDocument

ARCS = st.lists(st.integers(min_value=0, max_value=2**40), max_size=6)


@pytest.mark.parametrize(
    ("dotted", "encoded"),
    [
        ("1.0.10646.1.0.8", "28d316010008"),
        ("0.4.0.127.0.7.2.2.4.2.2", "04007f00070202040202"),
        ("1.2.840.113549.1.7.2", "2a864886f70d010702"),
        ("2.23.136.1.1.1", "67810801 0101".replace(" ", "")),
        ("2.999", "8837"),
    ],
)
def test_known_identifiers(dotted: str, encoded: str) -> None:
    assert encode_oid(dotted).hex() == encoded
    assert decode_oid(bytes.fromhex(encoded)) == dotted
    assert build_oid(dotted).hex() == f"06{len(encoded) // 2:02x}{encoded}"


@given(st.integers(min_value=0, max_value=2), st.integers(min_value=0, max_value=39), ARCS)
def test_dotted_forms_read_back(root: int, second: int, arcs: list[int]) -> None:
    dotted = ".".join(map(str, (root, second, *arcs)))
    assert decode_oid(encode_oid(dotted)) == dotted


@pytest.mark.parametrize("value", [b"", b"\x88", b"\x2a\x80\x01", b"\x80\x01", b"\x2a\x86"])
def test_padded_and_cut_identifiers_are_refused(value: bytes) -> None:
    with pytest.raises(MalformedDocument):
        decode_oid(value)


def test_a_long_identifier_is_refused_before_it_is_read() -> None:
    assert decode_oid(b"\x2a" + b"\x01" * (MAX_OID - 1)).startswith("1.2.1")
    with pytest.raises(LimitExceeded):
        decode_oid(b"\x2a" + b"\x01" * MAX_OID)


@pytest.mark.parametrize("dotted", ["1", "3.1", "1.40", "1.-2", "", "one.two"])
def test_a_mistake_in_our_tables_is_not_encoded(dotted: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        encode_oid(dotted)
