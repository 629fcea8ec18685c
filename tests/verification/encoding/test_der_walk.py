from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verification.encoding.der_walk import headers_by_size, step
from verification.encoding.tlv import OCTET_STRING, SEQUENCE, SET, build, build_integer
from verification.errors import MalformedDocument

VERSION = build_integer(3)
in_three = headers_by_size((SEQUENCE, VERSION), (SET, b""), (OCTET_STRING, b""))


def three(content: bytes) -> bytes:
    return build(SEQUENCE, VERSION + build(SET, build(OCTET_STRING, content)))


@given(st.integers(0, 0xFFFF - 16))
def test_headers_are_those_of_nested_objects_of_that_size(length: int) -> None:
    content = bytes(length)
    encoded = three(content)
    assert in_three(len(encoded)) + content == encoded


@pytest.mark.parametrize("size", [-1, 0, 1, 8, 130, 259, 0x10000 + 8])
def test_a_size_that_no_such_objects_have_has_no_headers(size: int) -> None:
    assert in_three(size) == b""


@pytest.mark.parametrize("length", [0, 0x7F, 0x80, 0xFF, 0x100, 0xFFFF, 0x10000])
def test_a_step_finds_the_value(length: int) -> None:
    encoded = build(OCTET_STRING, bytes(length))
    assert step(b"\0" + encoded, 1, OCTET_STRING) == (1 + len(encoded) - length, 1 + len(encoded))


@pytest.mark.parametrize(
    "header", ["0480", "04817F", "0482007F", "048200FF", "04830000FF", "0484000000FF", "04FF", "0501"]
)
def test_a_step_refuses_another_tag_or_form_of_length(header: str) -> None:
    with pytest.raises(MalformedDocument):
        step(bytes.fromhex(header).ljust(300, b"\0"), 0, OCTET_STRING)
