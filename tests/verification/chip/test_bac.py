"""Basic access control: the worked example, and chips that do not follow it."""

from __future__ import annotations

import pytest

from tests.support.scripted_card import ScriptedCard, ScriptedRandom
from tests.support.vectors import load
from verification.chip import bac
from verification.chip.keys import MrzKey
from verification.errors import AccessControlUnsupported, AccessSecretWrong, UnexpectedStatusWord
from verification.iso7816.channel import Channel
from verification.iso7816.command import select_file

CASE = load("bac")
CHALLENGE = (CASE["apdu_get_challenge"], CASE["rapdu_get_challenge"])
MUTUAL = CASE["apdu_external_authenticate"]


def run(*exchanges: tuple[str, str]) -> Channel:
    card = ScriptedCard(exchanges)
    channel = Channel(card)
    values = ScriptedRandom([bytes.fromhex(CASE["rnd_ifd"]), bytes.fromhex(CASE["k_ifd"])])
    channel.secure(bac.establish(channel, MrzKey(CASE["mrz_information"]), values))
    return channel


def test_worked_example_of_icao_9303_11_d3() -> None:
    channel = run(CHALLENGE, (MUTUAL, CASE["rapdu_external_authenticate"]))
    first = load("secure_messaging_3des")["exchanges"][0]
    session = channel.secure_messaging
    assert session is not None
    # Appendix D.4 continues with exactly these session keys and this counter.
    assert session.protect(select_file(b"\x01\x1e")).hex() == first["protected"]


@pytest.mark.parametrize("status", ["6300", "63cf", "6982", "6983", "6985", "6988", "6a80"])
def test_a_refused_mrz_is_a_wrong_secret(status: str) -> None:
    with pytest.raises(AccessSecretWrong):
        run(CHALLENGE, (MUTUAL, status))


@pytest.mark.parametrize("status", ["6d00", "6a88"])
def test_a_chip_without_bac_says_so(status: str) -> None:
    with pytest.raises(AccessControlUnsupported):
        run(CHALLENGE, (MUTUAL, status))
    with pytest.raises(AccessControlUnsupported):
        run((CASE["apdu_get_challenge"], status))


def test_another_status_is_reported_as_it_is() -> None:
    with pytest.raises(UnexpectedStatusWord):
        run(CHALLENGE, (MUTUAL, "6f00"))


def test_a_short_challenge_is_refused() -> None:
    with pytest.raises(AccessControlUnsupported):
        run((CASE["apdu_get_challenge"], "0102039000"))


def test_every_altered_octet_of_the_chips_token_is_refused() -> None:
    token = bytes.fromhex(CASE["rapdu_external_authenticate"])[:-2]
    for position in range(len(token)):
        altered = token[:position] + bytes((token[position] ^ 1,)) + token[position + 1 :]
        with pytest.raises(AccessSecretWrong):
            run(CHALLENGE, (MUTUAL, altered.hex() + "9000"))


@pytest.mark.parametrize("answer", ["9000", "00" * 39 + "9000", "00" * 41 + "9000"])
def test_a_token_of_another_length_is_refused(answer: str) -> None:
    with pytest.raises(AccessSecretWrong):
        run(CHALLENGE, (MUTUAL, answer))


def test_our_own_token_sent_back_is_refused() -> None:
    """A card that knows no key can only reflect: sealed rightly, but with the nonces in our order."""
    with pytest.raises(AccessSecretWrong):
        run(CHALLENGE, (MUTUAL, MUTUAL[10:-2] + "9000"))
