"""What is rewritten; that EF.SOD still verifies afterwards is shown beside it."""

from __future__ import annotations

import pytest
from asn1crypto.core import OctetString
from hypothesis import given
from hypothesis import strategies as st

from tests.support.hostile import damaged, is_refused, truncations
from verification.encoding.tlv import OCTET_STRING, SEQUENCE, build
from verification.errors import LimitExceeded, MalformedDocument
from verification.lds.definite_lengths import MAX_DEPTH, with_definite_lengths

END = b"\x00\x00"


def indefinite(tag: int, content: bytes) -> bytes:
    return bytes((tag | 0x20, 0x80)) + content + END


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_what_has_definite_lengths_keeps_its_bytes(one: bytes, other: bytes) -> None:
    encoded = build(SEQUENCE, build(OCTET_STRING, one) + build(SEQUENCE, build(OCTET_STRING, other)))
    assert with_definite_lengths(encoded) == encoded


@given(st.lists(st.binary(max_size=200), max_size=6))
def test_a_string_in_segments_becomes_one_string_as_another_parser_reads_it(segments: list[bytes]) -> None:
    encoded = indefinite(OCTET_STRING, b"".join(build(OCTET_STRING, segment) for segment in segments))
    assert with_definite_lengths(encoded) == build(OCTET_STRING, b"".join(segments))
    if segments:
        assert OctetString.load(encoded).native == b"".join(segments)


def test_segments_of_segments_are_joined_too() -> None:
    inner = indefinite(OCTET_STRING, build(OCTET_STRING, b"b") + build(OCTET_STRING, b"c"))
    encoded = indefinite(SEQUENCE, indefinite(OCTET_STRING, build(OCTET_STRING, b"a") + inner))
    assert with_definite_lengths(encoded) == build(SEQUENCE, build(OCTET_STRING, b"abc"))


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        b"\x30",
        b"\x30\x80",
        b"\x30\x80\x00",
        b"\x04\x80\x00\x00",
        indefinite(SEQUENCE, b"") + b"\x00",
        indefinite(OCTET_STRING, build(SEQUENCE, b"")),
        indefinite(SEQUENCE, b"\x30\x05"),
        b"\x30\x84\xff\xff\xff\xff",
        b"\x7f\x61\x00",
        indefinite(SEQUENCE, b"\x7f\x2e\x00"),
    ],
)
def test_what_is_no_ber_of_a_signed_structure_is_refused(encoded: bytes) -> None:
    with pytest.raises(MalformedDocument):
        with_definite_lengths(encoded)


def test_deeper_than_any_signed_structure_is_refused() -> None:
    encoded = b""
    for _ in range(MAX_DEPTH + 2):
        encoded = indefinite(SEQUENCE, encoded)
    with pytest.raises(LimitExceeded):
        with_definite_lengths(encoded)


def test_truncated_and_damaged_structures_meet_our_own_errors() -> None:
    encoded = indefinite(
        SEQUENCE, indefinite(OCTET_STRING, build(OCTET_STRING, bytes(40))) + build(SEQUENCE, b"")
    )
    assert all(is_refused(with_definite_lengths, part) for part in truncations(encoded))
    for copy in damaged(encoded, count=500, seed=9):
        is_refused(with_definite_lengths, copy)
