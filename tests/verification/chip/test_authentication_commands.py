"""Commands with long keys: one extended command, pieces only where the card says it cannot."""

from __future__ import annotations

import pytest

from tests.support.scripted_card import ScriptedCard
from verification.chip.authentication_commands import exchange_key
from verification.iso7816.channel import Channel
from verification.iso7816.command import general_authenticate, manage_security_environment

LONG = bytes(range(256)) + b"\x01\x02\x03\x04"
EXTENDED = "10860000" + "000104" + LONG.hex() + "0400"


def test_a_short_key_goes_in_a_short_command() -> None:
    card = ScriptedCard([("10860000c8" + "07" * 200 + "00", "9000")])
    assert exchange_key(Channel(card), general_authenticate(b"\x07" * 200, last=False)) == (b"", 0x9000)
    assert card.is_finished


def test_a_long_key_goes_in_one_extended_command() -> None:
    card = ScriptedCard([(EXTENDED, "7c009000")])
    channel = Channel(card)
    command = general_authenticate(LONG, last=False)
    assert exchange_key(channel, command) == (b"\x7c\x00", 0x9000)
    # What the card carries besides is still to be found out.
    assert not channel.extended_length


def test_a_command_without_an_answer_keeps_none() -> None:
    card = ScriptedCard([("002241a6" + "000104" + LONG.hex(), "9000")])
    exchange_key(Channel(card), manage_security_environment(0x41, 0xA6, LONG))
    assert card.is_finished


def test_a_card_that_cannot_gets_pieces() -> None:
    first, second = LONG[:255].hex(), LONG[255:].hex()
    card = ScriptedCard(
        [(EXTENDED, "6700"), (f"10860000ff{first}", "9000"), (f"1086000005{second}00", "7c009000")]
    )
    assert exchange_key(Channel(card), general_authenticate(LONG, last=False)) == (b"\x7c\x00", 0x9000)
    assert card.is_finished


@pytest.mark.parametrize("status", ["6a80", "6300", "6f00"])
def test_any_other_refusal_stands(status: str) -> None:
    card = ScriptedCard([(EXTENDED, status)])
    answer = exchange_key(Channel(card), general_authenticate(LONG, last=False))
    assert answer == (b"", int(status, 16))


def test_a_card_known_to_carry_it_is_not_asked_twice() -> None:
    channel = Channel(ScriptedCard([(EXTENDED, "6700")]), extended_length=True)
    assert exchange_key(channel, general_authenticate(LONG, last=False)) == (b"", 0x6700)
    assert channel.extended_length
