"""PACE with generic mapping: the worked example, an independent chip, and chips that misbehave."""

from __future__ import annotations

import random

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.pace_chip import PaceChip
from tests.support.scripted_card import ScriptedCard, ScriptedRandom, random_for_private_key, seeded
from tests.support.textbook_curve import TextbookCurve
from tests.support.vectors import load
from verification.chip import pace
from verification.chip.elliptic_curves import BY_PARAMETER_ID, CURVES, Curve
from verification.chip.keys import AccessSecret, Can, MrzKey, Suite, session_keys
from verification.chip.sessions import open_session
from verification.encoding.object_identifier import encode_oid
from verification.errors import (
    AccessSecretWrong,
    MalformedDocument,
    UnexpectedStatusWord,
    VerificationError,
)
from verification.iso7816.channel import Channel
from verification.iso7816.command import CommandApdu
from verification.lds.security_infos import PaceInfo

CASE = load("pace_ecdh_gm")
AES_128 = "0.4.0.127.0.7.2.2.4.2.2"
AES_256 = "0.4.0.127.0.7.2.2.4.2.4"
SECRET = MrzKey(CASE["mrz_information"])
EXAMPLE = pace.PaceProtocol(AES_128, Suite.AES_128, BY_PARAMETER_ID[13])
PROBE = CommandApdu(0, 0xB0, 0, 0, expected=8)


def run_example(exchanges: list[tuple[str, str]], secret: AccessSecret = SECRET) -> str:
    """The worked example's terminal against a script; the first command it would then protect."""
    card = ScriptedCard(exchanges)
    values = [random_for_private_key(CASE[name], 32) for name in ("map_ifd_priv", "ifd_priv")]
    session = pace.establish(Channel(card), EXAMPLE, secret, ScriptedRandom(values))
    assert card.is_finished
    return session.protect(PROBE).hex()


def test_published_exchange_of_icao_9303_11_g1() -> None:
    keys = session_keys(bytes.fromhex(CASE["shared_x"]), Suite.AES_128)
    assert (keys.encryption.hex(), keys.checksum.hex()) == (CASE["ks_enc"], CASE["ks_mac"])
    expected = open_session(Suite.AES_128, keys).protect(PROBE).hex()
    assert run_example([tuple(exchange) for exchange in CASE["apdus"]]) == expected


def test_the_curve_is_named_where_the_chip_asks_for_it() -> None:
    command, _ = CASE["apdus"][0]
    with_curve = "0022c1a412" + command[10:] + "84010d"
    exchanges = [(command, "6a80"), (with_curve, "9000"), *map(tuple, CASE["apdus"][1:])]
    run_example(exchanges)


def test_a_password_with_few_tries_left_still_works() -> None:
    run_example([(CASE["apdus"][0][0], "63c1"), *map(tuple, CASE["apdus"][1:])])


@pytest.mark.parametrize("status", ["6300", "63c2", "6982", "6983", "6985", "6988", "6a80"])
def test_a_refused_token_is_a_wrong_secret(status: str) -> None:
    *first, (command, _) = map(tuple, CASE["apdus"])
    with pytest.raises(AccessSecretWrong):
        run_example([*first, (command, status)])


def test_a_wrong_token_of_the_chip_is_refused() -> None:
    *first, (command, answer) = map(tuple, CASE["apdus"])
    wrong = answer[:-5] + "9" + answer[-4:]
    assert wrong != answer
    with pytest.raises(AccessSecretWrong):
        run_example([*first, (command, wrong)])


@pytest.mark.parametrize("step", range(5))
def test_a_chip_that_breaks_off_is_reported(step: int) -> None:
    exchanges = [tuple(exchange) for exchange in CASE["apdus"]]
    with pytest.raises(UnexpectedStatusWord):
        run_example([*exchanges[:step], (exchanges[step][0], "6f00")])


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_every_altered_octet_of_an_answer_is_refused(step: int) -> None:
    """Refused by an error of ours, mostly since the protocol then runs on other values."""
    exchanges = [tuple(exchange) for exchange in CASE["apdus"]]

    class Lenient(ScriptedCard):
        """Later commands differ from the script; the chip's refusal of the token stands for them."""

        def transmit(self, command: bytes) -> bytes:
            if len(self._exchanges) == 4 - step:
                self._exchanges.pop(0)
                return bytes.fromhex("6300")
            return super().transmit(command)

    answer = bytes.fromhex(exchanges[step][1])
    for position in range(len(answer) - 2):
        altered = answer[:position] + bytes((answer[position] ^ 0x01,)) + answer[position + 1 :]
        card = Lenient([*exchanges[:step], (exchanges[step][0], altered.hex()), *exchanges[step + 1 :]])
        values = [random_for_private_key(CASE[name], 32) for name in ("map_ifd_priv", "ifd_priv")]
        with pytest.raises(VerificationError):
            pace.establish(Channel(card), EXAMPLE, SECRET, ScriptedRandom(values))


def test_our_own_keys_sent_back_are_refused() -> None:
    first = [tuple(exchange) for exchange in CASE["apdus"][:3]]
    command = CASE["apdus"][3][0]
    reflected = "7c43" + "8441" + CASE["ifd_pub"] + "9000"
    with pytest.raises(MalformedDocument):
        run_example([*first, (command, reflected)])


def test_a_nonce_of_another_length_is_refused() -> None:
    first, second = CASE["apdus"][0], CASE["apdus"][1][0]
    with pytest.raises(MalformedDocument):
        run_example([tuple(first), (second, "7c0a8008" + "00" * 8 + "9000")])


# -- an independent chip --------------------------------------------------------------------


def textbook(curve: Curve) -> TextbookCurve:
    return TextbookCurve(curve.p, curve.a, curve.b, curve.n, tuple(curve.base))


def chip(protocol: pace.PaceProtocol, source: random.Random, zero_in: str = "") -> PaceChip:
    return PaceChip(
        textbook(protocol.curve),
        encode_oid(protocol.oid),
        protocol.suite.key_length,
        b"123456",
        source.randbytes(16 if protocol.suite is Suite.AES_128 else 32),
        lambda _: source.randrange(2, protocol.curve.n // 2),
        zero_in,
    )


def agree(protocol: pace.PaceProtocol, source: random.Random, zero_in: str = "") -> PaceChip:
    """One session with fresh values on both sides; both must hold the same keys."""
    card = chip(protocol, source, zero_in)
    session = pace.establish(Channel(card), protocol, Can("123456"), source.randbytes)
    keys = session_keys(card.shared, protocol.suite)
    assert card.keys == tuple(keys)
    assert session.protect(PROBE) == open_session(protocol.suite, keys).protect(PROBE)
    return card


@pytest.mark.parametrize("zero_in", ["", "map", "agree", "shared"])
def test_two_hundred_sessions_with_an_independent_chip(zero_in: str) -> None:
    """Fifty each: as they come, and with a leading zero octet in every value that may have one."""
    source = seeded(20261121)
    protocol = pace.PaceProtocol(AES_128, Suite.AES_128, BY_PARAMETER_ID[8])
    for _ in range(50):
        card = agree(protocol, source, zero_in)
        assert zero_in != "shared" or card.shared[0] == 0


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.named.name)
@pytest.mark.parametrize(
    ("oid", "suite"),
    [(AES_128, Suite.AES_128), (AES_256[:-1] + "3", Suite.AES_192), (AES_256, Suite.AES_256)],
)
def test_every_curve_and_cipher_with_an_independent_chip(curve: Curve, oid: str, suite: Suite) -> None:
    agree(pace.PaceProtocol(oid, suite, curve), seeded(3))


def test_a_wrong_can_is_a_wrong_secret() -> None:
    source = seeded(5)
    card = chip(EXAMPLE, source)
    with pytest.raises(AccessSecretWrong) as refusal:
        pace.establish(Channel(card), EXAMPLE, Can("123457"), source.randbytes)
    assert "12345" not in str(refusal.value)


def test_our_public_keys_are_points_of_constant_length() -> None:
    source = seeded(9)
    for _ in range(5):
        card = agree(EXAMPLE, source)
        sizes = {len(command) for command in card.seen if command[5:6] == b"\x7c" and len(command) > 60}
        assert sizes == {5 + 69 + 1}


# -- choosing -------------------------------------------------------------------------------


def test_the_strongest_spoken_offer_is_chosen() -> None:
    offers = (
        PaceInfo("0.4.0.127.0.7.2.2.4.4.4", 2, 13),  # integrated mapping
        PaceInfo("0.4.0.127.0.7.2.2.4.1.4", 2, 2),  # finite field
        PaceInfo(AES_128, 2, 16),
        PaceInfo(AES_256, 2, 12),
        PaceInfo(AES_256, 2, 14),  # brainpoolP320r1
        PaceInfo("0.4.0.127.0.7.2.2.4.2.1", 2, 13),
    )
    chosen = pace.choose_protocol(offers)
    assert chosen is not None
    assert (chosen.oid, chosen.suite, chosen.curve.parameter_id) == (AES_256, Suite.AES_256, 12)
    assert chosen.is_curve_ambiguous  # two curves under one identifier: data object 84 decides


def test_offers_that_are_not_spoken_are_not_chosen() -> None:
    offers = (
        PaceInfo("0.4.0.127.0.7.2.2.4.4.4", 2, 13),
        PaceInfo(AES_256, 2, None),
        PaceInfo(AES_256, 2, 99),
        PaceInfo(AES_256, 1, 12),
        PaceInfo(AES_256, 3, 12),
    )
    assert pace.choose_protocol(offers) is None
    assert pace.choose_protocol(()) is None


def test_triple_des_pace_with_the_wrong_nonce_length_is_refused() -> None:
    protocol = pace.PaceProtocol("0.4.0.127.0.7.2.2.4.2.1", Suite.TRIPLE_DES, BY_PARAMETER_ID[12])
    card = ScriptedCard(
        [
            ("0022c1a40f800a04007f00070202040201830102", "9000"),
            ("10860000027c0000", "7c0a8008" + "00" * 8 + "9000"),
        ]
    )
    with pytest.raises(MalformedDocument):
        pace.establish(Channel(card), protocol, Can("123456"), seeded(1).randbytes)


def test_scalar_multiplications_stay_in_openssl(monkeypatch: pytest.MonkeyPatch) -> None:
    """At most four ECDHs and three key derivations a session: what the figure of merit counts."""
    calls: list[str] = []
    derive = ec.derive_private_key

    def counted(scalar: int, curve: ec.EllipticCurve) -> ec.EllipticCurvePrivateKey:
        calls.append("derive")
        return derive(scalar, curve)

    monkeypatch.setattr(ec, "derive_private_key", counted)
    agree(EXAMPLE, seeded(2))
    assert len(calls) == 3
