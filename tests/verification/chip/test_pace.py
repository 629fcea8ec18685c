"""PACE: the worked examples, and which offer of a chip is chosen."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.pace_chips import (
    CAN,
    PROBE,
    agree,
    card_security,
    chip,
    offer,
    spoken,
)
from tests.support.scripted_card import ScriptedCard, ScriptedRandom, random_for_private_key, seeded
from tests.support.textbook_pace import TextbookCipher, der
from tests.support.vectors import load
from verification.chip import pace
from verification.chip.elliptic_curves import BY_PARAMETER_ID, Curve
from verification.chip.key_agreement import STANDARDISED
from verification.chip.keys import AccessSecret, Can, MrzKey, SessionKeys, Suite, session_keys
from verification.chip.pace import PaceMapping, PaceResult
from verification.chip.sessions import open_session
from verification.encoding.object_identifier import encode_oid
from verification.errors import (
    AccessSecretWrong,
    MalformedDocument,
    UnexpectedStatusWord,
    VerificationError,
)
from verification.iso7816.channel import Channel
from verification.lds.security_infos import PaceInfo

GENERIC = load("pace_ecdh_gm")
CHIP_MAPPING = load("pace_ecdh_cam")
EXAMPLE = spoken("GM", 2, 13)


# -- the worked examples ------------------------------------------------------------------------


def script(case: dict[str, Any], parameter: str) -> list[tuple[str, str]]:
    """The exchange of a worked example, from the values that it prints."""
    oid = encode_oid(case["protocol_oid"])

    def step(tag: int, value: str, answer_tag: int, answer: str, cla: int = 0x10) -> tuple[str, str]:
        # Nothing at all is sent for the nonce; the mapping data of the integrated mapping are empty.
        inner = der(bytes((tag,)), bytes.fromhex(value)) if tag else b""
        data = der(b"\x7c", inner)
        reply = der(b"\x7c", der(bytes((answer_tag,)), bytes.fromhex(answer)))
        command = bytes((cla, 0x86, 0, 0, len(data))) + data + b"\x00"
        return command.hex(), reply.hex() + "9000"

    template = der(b"\x80", oid) + der(b"\x83", bytes.fromhex(parameter))
    mapping = (case["t"], "") if case["mapping"] == "IM" else (case["map_ifd_pub"], case["map_ic_pub"])
    return [
        ((b"\x00\x22\xc1\xa4" + bytes((len(template),)) + template).hex(), "9000"),
        step(0, "", 0x80, case["z"]),
        step(0x81, mapping[0], 0x82, mapping[1]),
        step(0x83, case["ifd_pub"], 0x84, case["ic_pub"]),
        step(0x85, case["t_ifd"], 0x86, case["t_ic"], cla=0x00),
    ]


def draws(case: dict[str, Any]) -> list[bytes]:
    """What the random source gave the terminal of a worked example."""
    group = STANDARDISED[case["parameter_id"]]
    order = group.parameters.n if isinstance(group, Curve) else int(getattr(group, "q"))  # noqa: B009
    length = (order.bit_length() + 7) // 8

    def private(name: str) -> bytes:
        return random_for_private_key(int(case[name], 16) % order, length)

    first = bytes.fromhex(case["t"]) if case["mapping"] == "IM" else private("map_ifd_priv")
    return [first, private("ifd_priv")]


def run(case: dict[str, Any], exchanges: list[tuple[str, str]], secret: AccessSecret) -> PaceResult:
    """A worked example's terminal against a script."""
    card = ScriptedCard(exchanges)
    protocol = pace.choose_protocol((PaceInfo(case["protocol_oid"], 2, case["parameter_id"]),))
    assert protocol is not None
    result = pace.establish(Channel(card), protocol, secret, ScriptedRandom(draws(case)))
    assert card.is_finished
    return result


def holds(result: PaceResult, keys: SessionKeys) -> bool:
    return result.session.protect(PROBE) == open_session(Suite.AES_128, keys).protect(PROBE)


def keys_of(case: dict[str, Any]) -> SessionKeys:
    return SessionKeys(bytes.fromhex(case["ks_enc"]), bytes.fromhex(case["ks_mac"]))


def with_even_y(case: dict[str, Any]) -> dict[str, Any]:
    """The example with the public key that we would send: one of both points with the printed x.

    G.1 and I.1 print the even one, H.1 the odd one; of all values only the chip's token over it
    differs, and it is made here by the textbook.
    """
    point = bytes.fromhex(case["ifd_pub"])
    if case["parameter_id"] < 8 or point[-1] % 2 == 0:
        return case
    curve = STANDARDISED[case["parameter_id"]]
    y = curve.field_prime - int.from_bytes(point[33:], "big")
    cipher, oid = TextbookCipher("AES", 16), der(b"\x06", encode_oid(case["protocol_oid"]))

    def token(public: bytes) -> str:
        key = bytes.fromhex(case["ks_mac"])
        return cipher.mac(key, der(b"\x7f\x49", oid + der(b"\x86", public))).hex()

    assert token(point) == case["t_ic"]
    even = point[:33] + y.to_bytes(32, "big")
    return {**case, "ifd_pub": even.hex(), "t_ic": token(even)}


EXAMPLES = {
    "pace_ecdh_gm": (GENERIC, MrzKey(GENERIC["mrz_information"]), "01"),  # G.1
    "pace_dh_gm": (load("pace_dh_gm"), MrzKey(GENERIC["mrz_information"]), "01"),  # G.2, the same password
    "pace_ecdh_im": (
        with_even_y(load("pace_ecdh_im")),
        CAN,
        "02",
    ),  # H.1: its password key is that of the CAN 123456
    "pace_dh_im": (load("pace_dh_im"), CAN, "02"),  # H.2
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_published_exchanges_of_icao_9303_11(name: str) -> None:
    case, secret, reference = EXAMPLES[name]
    result = run(case, script(case, reference), secret)
    assert holds(result, keys_of(case))
    assert result.mapping == case["mapping"]
    assert result.chip_mapping is None
    shared = bytes.fromhex(case.get("shared_x") or case["shared"])
    assert session_keys(shared, Suite.AES_128) == keys_of(case)


def test_the_scripts_are_the_printed_commands() -> None:
    printed = [(command.lower(), answer.lower()) for command, answer in GENERIC["apdus"]]
    assert script(GENERIC, "01") == printed


def test_published_chip_authentication_mapping() -> None:
    exchanges = script(CHIP_MAPPING, "01")
    exchanges[-1] = exchanges[-1][0], CHIP_MAPPING["rapdu_mutual_auth"]
    result = run(CHIP_MAPPING, exchanges, MrzKey(CHIP_MAPPING["mrz_information"]))
    assert holds(result, keys_of(CHIP_MAPPING))
    assert result.mapping is PaceMapping.CHIP_AUTHENTICATION
    assert result.chip_identity.hex() == CHIP_MAPPING["ic_pub"][2:66]
    assert result.chip_mapping is not None
    result.chip_mapping.verify(card_security(bytes.fromhex(CHIP_MAPPING["pk_ic_derived"]), 13))


@pytest.mark.parametrize("name", ["tr03110_eac_ecdh", "tr03110_eac_dh"])
def test_worked_example_of_the_bsi(name: str) -> None:
    """PACE of the EAC worked example: the same steps, printed with the chip's private keys."""
    case = load(name)
    values = case["values"]
    names = {
        "z": "nonce_enc",
        "map_ifd_priv": "map_pcd_priv_key",
        "map_ifd_pub": "map_pcd_pub_key",
        "map_ic_pub": "map_picc_pub_key",
        "ifd_priv": "pcd_priv_key",
        "ifd_pub": "pcd_pub_key",
        "ic_pub": "picc_pub_key",
        "t_ifd": "authentication_token_pcd",
        "t_ic": "authentication_token_picc",
        "ks_enc": "k_enc",
        "ks_mac": "k_mac",
    }
    printed = {ours: values[theirs] for ours, theirs in names.items()}
    # One number is printed with the sign octet of an INTEGER.
    printed["ifd_pub"] = printed["ifd_pub"].removeprefix("00")
    flat = {**case, **printed, "mapping": "GM"}
    result = run(flat, script(flat, "02"), Can(case["password"]))
    assert holds(result, keys_of(flat))
    # What terminal authentication signs begins with the chip's identity of this session.
    assert case["ta_signed_data"].startswith(result.chip_identity.hex())


def run_generic(exchanges: list[tuple[str, str]], secret: AccessSecret | None = None) -> PaceResult:
    return run(GENERIC, exchanges, secret or MrzKey(GENERIC["mrz_information"]))


EXCHANGES = script(GENERIC, "01")


@pytest.mark.parametrize("status", ["6a80", "6a86", "6a88", "6700", "6985", "6f00"])
def test_the_curve_is_named_where_the_chip_asks_for_it(status: str) -> None:
    command, _ = EXCHANGES[0]
    with_curve = "0022c1a412" + command[10:] + "84010d"
    run_generic([(command, status), (with_curve, "9000"), *EXCHANGES[1:]])


def test_a_chip_that_refuses_the_curve_too_is_reported() -> None:
    command, _ = EXCHANGES[0]
    with_curve = "0022c1a412" + command[10:] + "84010d"
    with pytest.raises(UnexpectedStatusWord):
        run_generic([(command, "6a80"), (with_curve, "6a80")])


def test_a_password_with_few_tries_left_still_works() -> None:
    run_generic([(EXCHANGES[0][0], "63c1"), *EXCHANGES[1:]])


@pytest.mark.parametrize("status", ["6300", "63c2", "6982", "6983", "6985", "6988", "6a80"])
def test_a_refused_token_is_a_wrong_secret(status: str) -> None:
    *first, (command, _) = EXCHANGES
    with pytest.raises(AccessSecretWrong):
        run_generic([*first, (command, status)])


def test_a_wrong_token_of_the_chip_is_refused() -> None:
    *first, (command, answer) = EXCHANGES
    wrong = answer[:-5] + "9" + answer[-4:]
    assert wrong != answer
    with pytest.raises(AccessSecretWrong):
        run_generic([*first, (command, wrong)])


@pytest.mark.parametrize("step", range(1, 5))
def test_a_chip_that_breaks_off_is_reported(step: int) -> None:
    with pytest.raises(UnexpectedStatusWord):
        run_generic([*EXCHANGES[:step], (EXCHANGES[step][0], "6f00")])


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_every_altered_octet_of_an_answer_is_refused(name: str, step: int) -> None:
    """Refused by an error of ours, mostly since the protocol then runs on other values."""
    case, secret, reference = EXAMPLES[name]
    exchanges = script(case, reference)

    class Lenient(ScriptedCard):
        """Later commands differ from the script; the chip's refusal of the token stands for them."""

        def transmit(self, command: bytes) -> bytes:
            if len(self._exchanges) == 4 - step:
                self._exchanges.pop(0)
                return bytes.fromhex("6300")
            return super().transmit(command)

    protocol = pace.choose_protocol((PaceInfo(case["protocol_oid"], 2, case["parameter_id"]),))
    assert protocol is not None
    answer = bytes.fromhex(exchanges[step][1])
    # Every octet of the headers and every third of the values.
    for position in [*range(min(6, len(answer) - 2)), *range(6, len(answer) - 2, 3)]:
        altered = answer[:position] + bytes((answer[position] ^ 0x01,)) + answer[position + 1 :]
        card = Lenient([*exchanges[:step], (exchanges[step][0], altered.hex()), *exchanges[step + 1 :]])
        # An integrated mapping has nothing in its answer; its empty data object may be missing.
        if case["mapping"] == "IM" and step == 2 and position == 2:
            continue
        with pytest.raises(VerificationError):
            pace.establish(Channel(card), protocol, secret, ScriptedRandom(draws(case)))


@pytest.mark.parametrize("name", EXAMPLES)
def test_our_own_keys_sent_back_are_refused(name: str) -> None:
    case, secret, reference = EXAMPLES[name]
    exchanges = script(case, reference)
    command = exchanges[3][0]
    reflected = der(b"\x7c", der(b"\x84", bytes.fromhex(case["ifd_pub"])))
    with pytest.raises(MalformedDocument):
        run(case, [*exchanges[:3], (command, reflected.hex() + "9000")], secret)


def test_our_own_key_with_the_other_sign_is_refused() -> None:
    """Its x is ours, and x is all that the shared secret and the tokens' keys are made of."""
    x, y = GENERIC["ifd_pub"][2:66], int(GENERIC["ifd_pub"][66:], 16)
    negative = f"04{x}{BY_PARAMETER_ID[13].field_prime - y:064x}"
    reflected = der(b"\x7c", der(b"\x84", bytes.fromhex(negative)))
    with pytest.raises(MalformedDocument):
        run_generic([*EXCHANGES[:3], (EXCHANGES[3][0], reflected.hex() + "9000")])


@pytest.mark.parametrize("length", [0, 8, 15, 24, 48])
def test_a_nonce_of_another_length_is_refused(length: int) -> None:
    answer = der(b"\x7c", der(b"\x80", bytes(length)))
    with pytest.raises(MalformedDocument):
        run_generic([EXCHANGES[0], (EXCHANGES[1][0], answer.hex() + "9000")])


# -- choosing -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("best", "others"),
    [
        (("GM", 4, 12), (("GM", 2, 12), ("GM", 1, 12))),  # the stronger cipher
        (("GM", 2, 15), (("GM", 2, 8), ("GM", 2, 1))),  # the stronger group
        (("GM", 2, 13), (("GM", 4, 1), ("GM", 4, 8))),  # a chain is as strong as its weakest part
        (("CAM", 2, 13), (("GM", 2, 13), ("IM", 2, 13))),
        (("GM", 2, 13), (("IM", 2, 13), ("IM", 2, 12))),
        (("GM", 4, 16), (("CAM", 2, 13), ("IM", 4, 13))),  # strength before the mapping
        (("IM", 2, 0), ()),
        (("GM", 4, 14), (("GM", 4, 12), ("IM", 4, 13), ("GM", 4, 2))),
    ],
)
def test_the_best_spoken_offer_is_chosen(
    best: tuple[str, int, int], others: tuple[tuple[str, int, int], ...]
) -> None:
    for offers in ([best, *others], [*others, best]):
        chosen = pace.choose_protocol(tuple(offer(*each) for each in offers))
        assert chosen is not None
        assert chosen.is_offer(offer(*best))
        assert not any(chosen.is_offer(offer(*other)) for other in others)


def test_two_groups_under_one_identifier_are_told_apart_by_data_object_84() -> None:
    chosen = pace.choose_protocol((offer("GM", 2, 13), offer("GM", 2, 12), offer("IM", 2, 13)))
    assert chosen is not None
    assert chosen.is_group_ambiguous
    source = seeded(3)
    card = chip(chosen, source)
    agree(chosen, card, source)
    assert card.seen[0][-3:] == bytes((0x84, 0x01, chosen.parameter_id))
    # The same offer twice is one offer.
    once = pace.choose_protocol((offer("GM", 2, 13), offer("GM", 2, 13)))
    assert once is not None
    assert not once.is_group_ambiguous


def test_offers_that_are_not_spoken_are_not_chosen() -> None:
    over_curve = offer("GM", 4, 12).protocol
    offers = (
        offer("IM", 2, 10),  # secp224r1 has no integrated mapping
        PaceInfo("0.4.0.127.0.7.2.2.4.6.1", 2, 13),  # nor 3DES a chip authentication mapping
        PaceInfo("0.4.0.127.0.7.2.2.4.5.2", 2, 0),  # nor finite fields
        PaceInfo("0.4.0.127.0.7.2.2.4.7.2", 2, 13),
        PaceInfo("0.4.0.127.0.7.2.2.4.2.5", 2, 13),
        PaceInfo(over_curve, 2, 0),
        PaceInfo("0.4.0.127.0.7.2.2.4.1.2", 2, 13),
        PaceInfo(over_curve, 2, None),
        PaceInfo(over_curve, 2, 3),
        PaceInfo(over_curve, 2, 99),
        PaceInfo(over_curve, 1, 12),
        PaceInfo(over_curve, 3, 12),
    )
    assert pace.choose_protocol(offers) is None
    assert pace.choose_protocol(()) is None


def test_scalar_multiplications_stay_in_openssl(monkeypatch: pytest.MonkeyPatch) -> None:
    """At most four ECDHs and three key derivations a session: what the figure of merit counts."""
    calls: list[str] = []
    derive = ec.derive_private_key

    def counted(scalar: int, curve: ec.EllipticCurve) -> ec.EllipticCurvePrivateKey:
        calls.append("derive")
        return derive(scalar, curve)

    monkeypatch.setattr(ec, "derive_private_key", counted)
    source = seeded(2)
    agree(EXAMPLE, chip(EXAMPLE, source), source)
    assert len(calls) == 3
