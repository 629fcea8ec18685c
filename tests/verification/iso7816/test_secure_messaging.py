"""Secure messaging against published exchanges, and every altered octet refused."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given
from hypothesis import strategies as st

from tests.support.vectors import load
from verification.errors import SecureMessagingFailed
from verification.iso7816.command import CommandApdu
from verification.iso7816.secure_messaging import (
    AesSecureMessaging,
    SecureMessaging,
    TripleDesSecureMessaging,
)

DES = load("secure_messaging_3des")
AES = load("secure_messaging_aes")
OWN_COMMANDS = [
    CommandApdu(0, 0xA4, 4, 0x0C, bytes.fromhex("A0000002471001")),
    CommandApdu(0, 0xA4, 2, 0x0C, b"\x01\x1e"),
    CommandApdu(0, 0xB0, 0x9E, 0, expected=8),
    CommandApdu(0, 0xB0, 0, 8, expected=0xDF),
]


def triple_des() -> TripleDesSecureMessaging:
    return TripleDesSecureMessaging(
        bytes.fromhex(DES["ks_enc"]), bytes.fromhex(DES["ks_mac"]), int(DES["ssc_start"], 16)
    )


def aes(case: dict[str, Any], counter: int = 0) -> AesSecureMessaging:
    return AesSecureMessaging(bytes.fromhex(case["ks_enc"]), bytes.fromhex(case["ks_mac"]), counter)


def test_triple_des_exchanges_of_icao_9303_11_d4() -> None:
    session = triple_des()
    for case in DES["exchanges"]:
        command = CommandApdu.parse(bytes.fromhex(case["apdu"]))
        assert session.protect(command).hex() == case["protected"]
        assert session.unprotect(bytes.fromhex(case["rapdu"])) == (bytes.fromhex(case["plain"]), 0x9000)


def test_aes_command_of_a_recorded_session() -> None:
    case = AES["command"]
    plain = case["plain"]
    command = CommandApdu(*(plain[key] for key in ("cla", "ins", "p1", "p2")), bytes.fromhex(plain["data"]))
    protected = aes(case, int(case["ssc_before"], 16)).protect(command)
    assert protected.hex() == case["protected"]


def test_aes_response_of_a_recorded_session() -> None:
    case = AES["response"]
    data, status = aes(case, int(case["ssc_before"], 16)).unprotect(bytes.fromhex(case["rapdu"]))
    assert status == 0x9000
    # The source prints only what follows the algorithm identifier.
    assert case["plain"] in data.hex()


def test_aes_exchanges_from_a_zero_counter() -> None:
    own = AES["own_exchanges"]
    session = aes(own)
    for command, case in zip(OWN_COMMANDS, own["exchanges"], strict=True):
        assert session.protect(command).hex() == case["protected"]
        assert session.unprotect(bytes.fromhex(case["rapdu"])) == (bytes.fromhex(case["plain"]), 0x9000)


def session_before_answer(index: int) -> tuple[SecureMessaging, bytes]:
    """An AES session just before it receives the answer of an exchange."""
    own = AES["own_exchanges"]
    return aes(own, 2 * index + 1), bytes.fromhex(own["exchanges"][index]["rapdu"])


@pytest.mark.parametrize("index", range(4))
def test_every_altered_bit_of_an_answer_is_refused(index: int) -> None:
    answer = session_before_answer(index)[1]
    for position in range(len(answer) * 8):
        altered = bytearray(answer)
        altered[position // 8] ^= 1 << position % 8
        session = session_before_answer(index)[0]
        with pytest.raises(SecureMessagingFailed):
            session.unprotect(bytes(altered))
        assert not session.is_alive


def test_every_altered_octet_of_a_triple_des_answer_is_refused() -> None:
    answer = bytes.fromhex(DES["exchanges"][1]["rapdu"])
    for position in range(len(answer)):
        session = triple_des()
        for case in DES["exchanges"][:1]:
            session.protect(CommandApdu.parse(bytes.fromhex(case["apdu"])))
            session.unprotect(bytes.fromhex(case["rapdu"]))
        session.protect(CommandApdu.parse(bytes.fromhex(DES["exchanges"][1]["apdu"])))
        altered = answer[:position] + bytes((answer[position] ^ 0xFF,)) + answer[position + 1 :]
        with pytest.raises(SecureMessagingFailed):
            session.unprotect(altered)


@given(st.binary(max_size=80))
def test_invented_answers_are_never_accepted(answer: bytes) -> None:
    session = aes(AES["own_exchanges"])
    try:
        data, status = session.unprotect(answer)
    except SecureMessagingFailed:
        return
    # Only a bare error status gets through, and it ends the session.
    assert (data, len(answer), session.is_alive) == (b"", 2, False)
    assert 0x6400 <= status < 0x7000


def test_an_answer_cannot_be_repeated() -> None:
    session, answer = session_before_answer(2)
    session.unprotect(answer)
    session.protect(OWN_COMMANDS[3])
    with pytest.raises(SecureMessagingFailed):
        session.unprotect(answer)


@pytest.mark.parametrize("status", ["9000", "6282", "6100", "6882", "6987", "6988"])
def test_bare_success_and_a_lost_session_are_failures(status: str) -> None:
    with pytest.raises(SecureMessagingFailed):
        aes(AES["own_exchanges"]).unprotect(bytes.fromhex(status))


def test_a_session_that_ended_protects_nothing_more() -> None:
    session = aes(AES["own_exchanges"])
    assert session.unprotect(b"\x6a\x82") == (b"", 0x6A82)
    with pytest.raises(SecureMessagingFailed):
        session.protect(OWN_COMMANDS[0])


def test_long_commands_take_the_extended_form() -> None:
    protected = aes(AES["own_exchanges"]).protect(CommandApdu(0, 0xB0, 0, 0, expected=4096))
    assert protected.hex().startswith("0cb00000" + "00000e" + "97021000" + "8e08")
    assert protected.endswith(b"\x00\x00")
    long_data = aes(AES["own_exchanges"]).protect(CommandApdu(0, 0x86, 0, 0, bytes(240)))
    assert long_data[4] == 0
    assert int.from_bytes(long_data[5:7], "big") == len(long_data) - 9


def test_odd_instructions_take_data_object_85() -> None:
    protected = aes(AES["own_exchanges"]).protect(CommandApdu(0, 0xB1, 0, 0, b"\x54\x02\x80\x00", 8))
    assert protected[5:7] == b"\x85\x10"


def test_a_command_without_data_objects_is_padded_once() -> None:
    # A card following the standard computes CMAC over SSC and the padded header alone.
    own = AES["own_exchanges"]
    protected = aes(own).protect(CommandApdu(0, 0xA4, 0, 0x0C))
    cmac = CMAC(algorithms.AES(bytes.fromhex(own["ks_mac"])))
    cmac.update((1).to_bytes(16, "big") + bytes.fromhex("0ca4000c80") + bytes(11))
    assert protected == bytes.fromhex("0ca4000c0a8e08") + cmac.finalize()[:8] + b"\x00"


def test_keys_do_not_show() -> None:
    assert repr(aes(AES["own_exchanges"])) == "AesSecureMessaging(...)"
