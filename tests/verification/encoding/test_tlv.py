from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verification.encoding.tlv import (
    INTEGER,
    MAX_CHILDREN,
    OCTET_STRING,
    SEQUENCE,
    DerReader,
    build,
    build_integer,
    children,
    only,
    read_tlv,
)
from verification.errors import LimitExceeded, MalformedDocument, VerificationError

TAGS = st.sampled_from([0x02, 0x30, 0x5F01, 0x5F1F, 0x7F49, 0x7F61, 0x9F8101])


@given(TAGS, st.binary(max_size=70_000 // 100))
def test_what_is_built_reads_back(tag: int, value: bytes) -> None:
    encoded = build(tag, value)
    found = read_tlv(encoded + b"after")
    assert (found.tag, found.value, found.encoded) == (tag, value, encoded)
    assert found.header_length == len(encoded) - len(value)
    assert only(encoded, tag) == value


@pytest.mark.parametrize("length", [0, 127, 128, 255, 256, 65_535, 65_536])
def test_lengths_take_their_shortest_form(length: int) -> None:
    encoded = build(OCTET_STRING, bytes(length))
    assert len(only(encoded, OCTET_STRING)) == length
    assert len(encoded) - length == 2 + (length > 127) + (length > 255) + (length > 65_535)


@pytest.mark.parametrize(
    ("encoded", "reason"),
    [
        ("", "nothing"),
        ("04", "no length"),
        ("0401", "no value"),
        ("040200", "value cut"),
        ("048101", "long form under 128, cut"),
        ("04810141", "long form under 128"),
        ("0482000141", "leading zero"),
        ("048000", "indefinite"),
        ("24800000", "indefinite constructed"),
        ("0484ffffffff", "claims 4 GB"),
        ("04850000000001", "five length octets"),
        ("04ff", "reserved length"),
        ("5f", "tag cut"),
        ("5f80010041", "padded tag"),
        ("5f81818100", "tag of four octets"),
    ],
)
def test_what_is_not_strict_is_refused(encoded: str, reason: str) -> None:
    with pytest.raises(MalformedDocument):
        read_tlv(bytes.fromhex(encoded))


def test_an_offset_outside_the_data_is_refused() -> None:
    for offset in (-1, 2, 3):
        with pytest.raises(MalformedDocument):
            read_tlv(b"\x04\x00", offset)


def test_children_fill_their_value_exactly() -> None:
    value = build(INTEGER, b"\x01") + build(0x5F36, b"040000")
    assert [child.tag for child in children(value)] == [INTEGER, 0x5F36]
    with pytest.raises(MalformedDocument):
        children(value + b"\x04")


def test_only_refuses_another_tag_and_bytes_after() -> None:
    encoded = build(SEQUENCE, b"")
    with pytest.raises(MalformedDocument):
        only(encoded, INTEGER)
    with pytest.raises(MalformedDocument):
        only(encoded + b"\x00", SEQUENCE)


@given(st.integers(min_value=0, max_value=2**4096))
def test_integers_read_back(number: int) -> None:
    assert DerReader(build_integer(number)).take_integer() == number


@pytest.mark.parametrize("value", [b"", b"\x00\x7f", b"\x00\x00", b"\xff\x80", b"\xff\xff"])
def test_padded_integers_are_refused(value: bytes) -> None:
    with pytest.raises(MalformedDocument):
        DerReader(build(INTEGER, value)).take_integer()


@pytest.mark.parametrize(
    ("value", "number"), [(b"\x80", -128), (b"\xff", -1), (b"\xff\x7f", -129), (b"\x00\x80", 128)]
)
def test_signs_are_kept(value: bytes, number: int) -> None:
    assert DerReader(build(INTEGER, value)).take_integer() == number


class TestDerReader:
    INNER = build(INTEGER, b"\x05") + build(OCTET_STRING, bytes(200))
    ENCODED = build(SEQUENCE, INNER)

    def test_it_walks_in_order_and_keeps_bytes_as_read(self) -> None:
        reader = DerReader(self.ENCODED)
        assert reader.peek() == SEQUENCE
        content = reader.enter(SEQUENCE)
        reader.finish()
        assert content.remaining() == self.INNER
        assert content.take_integer() == 5
        assert content.take_encoded(OCTET_STRING) == build(OCTET_STRING, bytes(200))
        assert content.peek() is None
        content.finish()

    def test_another_tag_leaves_the_cursor_where_it_was(self) -> None:
        reader = DerReader(self.ENCODED)
        with pytest.raises(MalformedDocument):
            reader.take(OCTET_STRING)
        assert reader.take(SEQUENCE) == self.INNER

    def test_unread_bytes_are_refused_at_the_end(self) -> None:
        with pytest.raises(MalformedDocument):
            DerReader(self.ENCODED).enter(SEQUENCE).finish()

    def test_an_inner_object_may_not_reach_past_its_enclosing_one(self) -> None:
        # The OCTET STRING claims one byte more than the SEQUENCE has; the byte exists behind it.
        reader = DerReader(bytes.fromhex("3003040200") + b"\xaa").enter(SEQUENCE)
        with pytest.raises(MalformedDocument):
            reader.take(OCTET_STRING)

    def test_a_long_length_may_not_reach_past_its_enclosing_object(self) -> None:
        reader = DerReader(bytes.fromhex("30020482") + bytes.fromhex("0100") + bytes(256)).enter(SEQUENCE)
        with pytest.raises(MalformedDocument):
            reader.take(OCTET_STRING)

    @given(st.binary(max_size=40))
    def test_random_bytes_read_as_read_tlv_reads_them_or_are_refused(self, data: bytes) -> None:
        tag = data[0] if data else 0
        if tag & 0x1F == 0x1F:
            return
        try:
            expected = read_tlv(data).value
        except VerificationError:
            with pytest.raises(MalformedDocument):
                DerReader(data).take(tag)
        else:
            assert DerReader(data).take(tag) == expected


def test_more_members_than_any_template_has_are_refused() -> None:
    assert len(children(b"\x04\x00" * MAX_CHILDREN)) == MAX_CHILDREN
    with pytest.raises(LimitExceeded):
        children(b"\x04\x00" * (MAX_CHILDREN + 1))
