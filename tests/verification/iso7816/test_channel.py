"""The channel: chains, the rest of long answers, the right Le, and what may be logged."""

from __future__ import annotations

import pytest

from issuance_backend.virtual_card.icc_commands import Answer, parse_command
from issuance_backend.virtual_card.icc_secure_messaging import CardSecureMessaging
from tests.support.scripted_card import ScriptedCard
from verification.chip.keys import SessionKeys, Suite
from verification.errors import CardRemoved, CardUnresponsive, SecureMessagingFailed, UnexpectedStatusWord
from verification.iso7816.channel import MAX_COMMANDS, Channel
from verification.iso7816.command import CommandApdu, get_challenge, read_binary, select_file
from verification.iso7816.secure_messaging import AesSecureMessaging
from verification.iso7816.traffic import Exchange, ObservedTransport


def test_a_plain_command_and_its_answer() -> None:
    card = ScriptedCard([("00b0000004", "60145f019000")])
    channel = Channel(card)
    assert channel.send(read_binary(0, 4)).hex() == "60145f01"
    assert (card.is_finished, channel.apdu_count) == (True, 1)


def test_the_rest_of_a_long_answer_is_fetched() -> None:
    card = ScriptedCard(
        [("00b0000000", "0102" + "6102"), ("00c0000002", "0304" + "6101"), ("00c0000001", "05" + "9000")]
    )
    assert Channel(card).exchange(read_binary(0, 256)) == (b"\x01\x02\x03\x04\x05", 0x9000)
    assert card.is_finished


def test_an_endless_answer_is_cut_off() -> None:
    class Endless:
        def transmit(self, command: bytes) -> bytes:
            return bytes(256) + b"\x61\x00"

    channel = Channel(Endless())
    with pytest.raises(CardUnresponsive):
        channel.exchange(read_binary(0, 256))
    assert channel.apdu_count < 300


def test_an_answer_in_crumbs_is_cut_off() -> None:
    class Crumbs:
        def transmit(self, command: bytes) -> bytes:
            return b"\x00\x61\xff"

    channel = Channel(Crumbs())
    with pytest.raises(CardUnresponsive):
        channel.exchange(read_binary(0, 256))
    assert channel.apdu_count < 300


@pytest.mark.parametrize("octets", [0, 1, 65_539, 100_000])
def test_what_is_no_response_apdu_is_refused(octets: int) -> None:
    class Card:
        def transmit(self, command: bytes) -> bytes:
            return bytes(octets)

    with pytest.raises(CardUnresponsive):
        Channel(Card()).exchange(read_binary(0, 256))


def test_a_card_that_takes_commands_for_ever_is_given_up() -> None:
    class Patient:
        def transmit(self, command: bytes) -> bytes:
            return b"\x90\x00"

    channel = Channel(Patient())
    for _ in range(MAX_COMMANDS):
        channel.exchange(read_binary(0, 4))
    with pytest.raises(CardUnresponsive):
        channel.exchange(read_binary(0, 4))
    assert channel.apdu_count == MAX_COMMANDS


def test_the_longest_answer_comes_whole() -> None:
    content = bytes(range(256)) * 256
    rest = [content[start : start + 256] for start in range(0, len(content), 256)]

    class Generous:
        def transmit(self, command: bytes) -> bytes:
            return rest.pop(0) + (b"\x61\x00" if rest else b"\x90\x00")

    assert Channel(Generous()).send(read_binary(0, 65_536)) == content


def test_more_data_that_never_come_are_not_waited_for() -> None:
    card = ScriptedCard([("00b0000000", "6110"), ("00c0000010", "6110")])
    with pytest.raises(CardUnresponsive):
        Channel(card).exchange(read_binary(0, 256))


def test_the_right_expected_length_is_asked_for_once() -> None:
    card = ScriptedCard([("00b0000010", "6c04"), ("00b0000004", "010203049000")])
    assert Channel(card).send(read_binary(0, 16)) == b"\x01\x02\x03\x04"
    stubborn = ScriptedCard([("00b0000010", "6c04"), ("00b0000004", "6c04")])
    assert Channel(stubborn).exchange(read_binary(0, 16)) == (b"", 0x6C04)


def test_the_right_length_is_not_asked_for_in_a_session_that_ended_with_it() -> None:
    protected = AesSecureMessaging(bytes(16), bytes(16)).protect(read_binary(0, 16))
    channel = Channel(ScriptedCard([(protected.hex(), "6c04")]))
    channel.secure(AesSecureMessaging(bytes(16), bytes(16)))
    assert channel.exchange(read_binary(0, 16)) == (b"", 0x6C04)
    assert channel.is_session_lost


@pytest.mark.parametrize(
    ("answer", "carries"), [("01020304050607089000", True), ("6700", False), ("6c08", False)]
)
def test_extended_length_is_found_out_with_a_command_that_would_fit_a_short_one(
    answer: str, carries: bool
) -> None:
    card = ScriptedCard([("00840000000008", answer)])
    channel = Channel(card)
    channel.try_extended_length(get_challenge(8))
    assert (channel.extended_length, card.is_finished) == (carries, True)


def test_long_data_go_as_a_chain() -> None:
    data = bytes(range(256)) * 2
    card = ScriptedCard(
        [
            ("102a00beff" + data[:255].hex(), "9000"),
            ("102a00beff" + data[255:510].hex(), "9000"),
            ("002a00be02" + data[510:].hex() + "00", "aa9000"),
        ]
    )
    assert Channel(card).send(CommandApdu(0, 0x2A, 0, 0xBE, data, 256)) == b"\xaa"


def test_protected_links_stay_short() -> None:
    """The protection around 255 octets would not fit a short command any more."""
    lengths: list[int] = []

    class Card:
        def transmit(self, command: bytes) -> bytes:
            lengths.append(len(CommandApdu.parse(command).data))
            assert command[0] == (0x1C if len(lengths) < 3 else 0x0C)
            session.open(parse_command(command))
            return session.close(Answer())

    session = CardSecureMessaging(Suite.AES_128, SessionKeys(bytes(16), bytes(16)))
    channel = Channel(Card())
    channel.secure(AesSecureMessaging(bytes(16), bytes(16)))
    channel.send(CommandApdu(0, 0x2A, 0, 0xBE, bytes(500), 256))
    assert len(lengths) == 3
    assert max(lengths) <= 255


def test_a_refused_link_ends_the_chain() -> None:
    card = ScriptedCard([("102a00beff" + "00" * 255, "6a80")])
    with pytest.raises(UnexpectedStatusWord) as refusal:
        Channel(card).send(CommandApdu(0, 0x2A, 0, 0xBE, bytes(300)))
    assert refusal.value.status_word == 0x6A80


def test_long_data_go_extended_where_the_card_can() -> None:
    card = ScriptedCard([("002a00be00012c" + "00" * 300, "9000")])
    channel = Channel(card, extended_length=True)
    assert channel.send(CommandApdu(0, 0x2A, 0, 0xBE, bytes(300))) == b""


@pytest.mark.parametrize("answer", ["", "90"])
def test_an_answer_without_status_word_is_a_fault(answer: str) -> None:
    with pytest.raises(CardUnresponsive):
        Channel(ScriptedCard([("00a4020c02011e", answer)])).send(select_file(b"\x01\x1e"))


def test_a_transport_fault_passes_unchanged() -> None:
    class Gone:
        def transmit(self, command: bytes) -> bytes:
            raise CardRemoved("gone")

    with pytest.raises(CardRemoved):
        Channel(Gone()).send(read_binary(0, 4))


def test_a_lost_session_is_known() -> None:
    session = AesSecureMessaging(bytes(16), bytes(16))
    protected = AesSecureMessaging(bytes(16), bytes(16)).protect(select_file(b"\x01\x1e"))
    channel = Channel(ScriptedCard([(protected.hex(), "6988")]))
    assert not channel.is_session_lost
    channel.secure(session)
    with pytest.raises(SecureMessagingFailed):
        channel.send(select_file(b"\x01\x1e"))
    assert channel.is_session_lost
    channel.secure(None)
    assert not channel.is_session_lost


def test_observed_traffic_holds_no_content() -> None:
    seen: list[Exchange] = []
    card = ScriptedCard([("00b0000004", "60145f019000"), ("0cb000000d", "6988")])
    transport = ObservedTransport(card, seen.append)
    transport.transmit(bytes.fromhex("00b0000004"))
    transport.transmit(bytes.fromhex("0cb000000d"))
    assert seen == [Exchange(0xB0, False, 5, 6, 0x9000), Exchange(0xB0, True, 5, 2, 0x6988)]
