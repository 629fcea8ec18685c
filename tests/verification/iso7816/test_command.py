"""Command APDUs in all four cases, short and extended (ISO/IEC 7816-4, 5.1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verification.encoding.tlv import build
from verification.iso7816.command import (
    DISCRETIONARY_DATA,
    CommandApdu,
    get_challenge,
    read_binary,
    read_binary_of,
    select_application,
    select_file,
)

OCTET = st.integers(0, 255)


@pytest.mark.parametrize(
    ("command", "encoded"),
    [
        (CommandApdu(0, 0xA4, 0, 0x0C), "00a4000c"),
        (CommandApdu(0, 0x84, 0, 0, expected=8), "0084000008"),
        (CommandApdu(0, 0xB0, 0, 0, expected=256), "00b0000000"),
        (CommandApdu(0, 0xA4, 2, 0x0C, b"\x01\x1e"), "00a4020c02011e"),
        (CommandApdu(0, 0x88, 0, 0, b"\x01\x02", 256), "0088000002010200"),
        (CommandApdu(0, 0xB0, 0, 0, expected=4096), "00b00000001000"),
        (CommandApdu(0, 0xB0, 0, 0, expected=65536), "00b00000000000"),
        (CommandApdu(0, 0x88, 0, 0, b"\x01\x02", 1024), "0088000000000201020400"),
    ],
)
def test_known_encodings(command: CommandApdu, encoded: str) -> None:
    assert command.encode().hex() == encoded
    assert CommandApdu.parse(bytes.fromhex(encoded)) == command


def test_long_data_take_the_extended_form() -> None:
    encoded = CommandApdu(0, 0x2A, 0, 0xBE, bytes(256)).encode()
    assert encoded[:7].hex() == "002a00be000100"
    assert len(encoded) == 7 + 256


@given(OCTET, OCTET, OCTET, OCTET, st.binary(max_size=600), st.none() | st.integers(1, 65536))
def test_parse_gives_back_what_was_encoded(
    cla: int, ins: int, p1: int, p2: int, data: bytes, expected: int | None
) -> None:
    command = CommandApdu(cla, ins, p1, p2, data, expected)
    assert CommandApdu.parse(command.encode()) == command


@given(st.binary(max_size=300))
def test_parsing_anything_gives_a_command_or_a_value_error(octets: bytes) -> None:
    try:
        command = CommandApdu.parse(octets)
    except ValueError:
        return
    assert CommandApdu.parse(command.encode()) == command


@pytest.mark.parametrize("encoded", ["", "00a400", "00a4020c03011e", "00a4020c01011e00", "00a4020c0000"])
def test_what_is_no_command_is_refused(encoded: str) -> None:
    with pytest.raises(ValueError, match=r"command"):
        CommandApdu.parse(bytes.fromhex(encoded))


@pytest.mark.parametrize(("data", "expected"), [(bytes(65536), None), (b"", 65537), (b"", -1)])
def test_nothing_beyond_extended_length_is_encoded(data: bytes, expected: int | None) -> None:
    with pytest.raises(ValueError, match="extended length"):
        CommandApdu(0, 0, 0, 0, data, expected).encode()


def test_reading_far_into_a_file_takes_the_odd_instruction() -> None:
    assert read_binary(0x7FFF, 4).encode().hex() == "00b07fff04"
    assert read_binary(0x8000, 4).encode().hex() == "00b10000045402800006"


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [(1, 3), (127, 129), (128, 131), (223, 226), (255, 258), (256, 260), (4096, 4100)],
)
def test_the_header_of_data_object_53_counts_towards_ne(wanted: int, expected: int) -> None:
    assert read_binary(0x8000, wanted).expected == expected == len(build(DISCRETIONARY_DATA, bytes(wanted)))


def test_commands_of_the_application() -> None:
    assert select_application(bytes.fromhex("A0000002471001")).encode().hex() == "00a4040c07a0000002471001"
    assert select_file(b"\x01\x1c").encode().hex() == "00a4020c02011c"
    assert get_challenge(8).encode().hex() == "0084000008"
    assert read_binary_of(0x1E, 4).encode().hex() == "00b09e0004"


@pytest.mark.parametrize(
    ("command", "encoded"),
    [
        (CommandApdu(0, 0xA4, 0, 0x0C), "00a4000c"),
        (get_challenge(8), "00840000000008"),
        (CommandApdu(0, 0xA4, 2, 0x0C, b"\x01\x1e"), "00a4020c000002011e"),
        (CommandApdu(0, 0x88, 0, 0, b"\x01\x02", 256), "0088000000000201020100"),
    ],
)
def test_a_short_command_in_the_extended_form(command: CommandApdu, encoded: str) -> None:
    assert command.encode_extended().hex() == encoded
    assert CommandApdu.parse(bytes.fromhex(encoded)) == command


def test_a_command_does_not_show_its_data() -> None:
    assert "313233343536" not in repr(CommandApdu(0, 0x86, 0, 0, b"123456"))
    assert "123456" not in repr(CommandApdu(0, 0x86, 0, 0, b"123456"))
