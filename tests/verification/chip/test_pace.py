"""PACE: the worked examples, an independent chip in every variant, and chips that misbehave."""

from __future__ import annotations

import random
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.scripted_card import ScriptedCard, ScriptedRandom, random_for_private_key, seeded
from tests.support.textbook_curve import TextbookCurve
from tests.support.textbook_pace import OverCurve, OverFiniteField, TextbookCipher, TextbookPaceChip, der
from tests.support.vectors import load
from verification.chip import pace
from verification.chip.elliptic_curves import BY_PARAMETER_ID, Curve
from verification.chip.finite_field_groups import FiniteFieldGroup
from verification.chip.key_agreement import STANDARDISED
from verification.chip.keys import AccessSecret, Can, MrzKey, SessionKeys, Suite, session_keys
from verification.chip.pace import PaceMapping, PaceProtocol, PaceResult
from verification.chip.sessions import open_session
from verification.encoding.object_identifier import encode_oid
from verification.errors import (
    AccessSecretWrong,
    ChipAuthenticationFailed,
    MalformedDocument,
    UnexpectedStatusWord,
    VerificationError,
)
from verification.iso7816.channel import Channel
from verification.iso7816.command import CommandApdu
from verification.lds.security_infos import ChipAuthenticationPublicKey, PaceInfo, SecurityInfos

GENERIC = load("pace_ecdh_gm")
CHIP_MAPPING = load("pace_ecdh_cam")
ARCS = {
    ("DH", "GM"): 1,
    ("ECDH", "GM"): 2,
    ("DH", "IM"): 3,
    ("ECDH", "IM"): 4,
    ("ECDH", "CAM"): 6,
}
CIPHERS = {
    Suite.TRIPLE_DES: TextbookCipher("3DES", 16),
    Suite.AES_128: TextbookCipher("AES", 16),
    Suite.AES_192: TextbookCipher("AES", 24),
    Suite.AES_256: TextbookCipher("AES", 32),
}
PROBE = CommandApdu(0, 0xB0, 0, 0, expected=8)
CAN = Can("123456")
STATIC_PRIVATE = 0x5E6331B8870151C5


def offer(mapping: str, arc: int, parameter_id: int) -> PaceInfo:
    kind = "DH" if parameter_id < 8 else "ECDH"
    return PaceInfo(f"0.4.0.127.0.7.2.2.4.{ARCS[kind, mapping]}.{arc}", 2, parameter_id)


def spoken(mapping: str, arc: int, parameter_id: int) -> PaceProtocol:
    protocol = pace.choose_protocol((offer(mapping, arc, parameter_id),))
    assert protocol is not None
    return protocol


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


# -- an independent chip ------------------------------------------------------------------------


def textbook(protocol: PaceProtocol) -> OverCurve | OverFiniteField:
    group = protocol.group
    if isinstance(group, Curve):
        known = group.parameters
        return OverCurve(TextbookCurve(known.p, known.a, known.b, known.n, (known.x, known.y)))
    assert isinstance(group, FiniteFieldGroup)
    return OverFiniteField(group.p, group.g, group.q)


def chip(protocol: PaceProtocol, source: random.Random, **how: Any) -> TextbookPaceChip:
    return TextbookPaceChip(
        textbook(protocol),
        CIPHERS[protocol.suite],
        encode_oid(protocol.oid),
        protocol.mapping.value,
        b"123456",
        source,
        static_private=STATIC_PRIVATE,
        **how,
    )


def agree(protocol: PaceProtocol, card: TextbookPaceChip, source: random.Random) -> PaceResult:
    """One session with fresh values on both sides; both must hold the same keys."""
    result = pace.establish(Channel(card), protocol, CAN, source.randbytes)
    keys = session_keys(card.shared, protocol.suite)
    # DES ignores the lowest bit of every octet, and the textbook does not set it.
    mask = 0xFE if protocol.suite is Suite.TRIPLE_DES else 0xFF
    assert [[octet & mask for octet in key] for key in card.keys] == [[o & mask for o in key] for key in keys]
    assert result.session.protect(PROBE) == open_session(protocol.suite, keys).protect(PROBE)
    assert result.mapping is protocol.mapping
    assert result.chip_identity == card.identity
    return result


def card_security(public_key: bytes, parameter_id: int, *more: bytes) -> SecurityInfos:
    """EF.CardSecurity with this key, and with further SubjectPublicKeyInfos in front of it."""
    algorithm = der(b"\x06", encode_oid("0.4.0.127.0.7.1.2")) + der(b"\x02", bytes((parameter_id,)))
    info = der(b"\x30", der(b"\x30", algorithm) + der(b"\x03", b"\x00" + public_key))
    return SecurityInfos(
        chip_authentication_keys=tuple(
            ChipAuthenticationPublicKey("0.4.0.127.0.7.2.2.1.2", held, parameter_id) for held in (*more, info)
        )
    )


VARIANTS = [
    (mapping, arc, parameter_id)
    for parameter_id in STANDARDISED
    for mapping in ("GM", "IM", "CAM")
    for arc in (1, 2, 3, 4)
    if ("DH" if parameter_id < 8 else "ECDH", mapping) in ARCS
    and (mapping, parameter_id) != ("IM", 10)
    and (mapping, arc) != ("CAM", 1)
]


@pytest.mark.parametrize(("mapping", "arc", "parameter_id"), VARIANTS)
def test_every_mapping_group_and_cipher_with_an_independent_chip(
    mapping: str, arc: int, parameter_id: int
) -> None:
    protocol, source = spoken(mapping, arc, parameter_id), seeded(parameter_id)
    card = chip(protocol, source)
    result = agree(protocol, card, source)
    assert (result.chip_mapping is None) == (mapping != "CAM")
    if result.chip_mapping:
        public = card.group.encode(card.group.times(STATIC_PRIVATE, card.group.generator))
        result.chip_mapping.verify(card_security(public, parameter_id))


def test_as_many_variants_as_the_standard_has() -> None:
    """Four ciphers: three finite fields with two mappings, eleven curves with two, less one; and CAM."""
    assert len(VARIANTS) == 4 * (3 * 2 + 11 * 2 - 1) + 3 * 11


ZEROS = [
    (mapping, parameter_id, zero_in)
    for mapping, zeros in (
        ("GM", ("map", "mapped", "agree", "shared")),
        ("IM", ("agree", "shared")),
        ("CAM", ("map", "mapped", "agree", "shared")),
    )
    for parameter_id in (0, 8, 9, 12)
    for zero_in in zeros
    if ("DH" if parameter_id < 8 else "ECDH", mapping) in ARCS
]


@pytest.mark.parametrize(("mapping", "parameter_id", "zero_in"), ZEROS)
def test_a_leading_zero_in_every_value_that_may_have_one(
    mapping: str, parameter_id: int, zero_in: str
) -> None:
    protocol, source = spoken(mapping, 2, parameter_id), seeded(20261121)
    card = chip(protocol, source, zero_in=zero_in)
    agree(protocol, card, source)
    if zero_in == "shared":
        assert card.shared[0] == 0
    if zero_in == "mapped":
        assert card.mapped_secret[0] == 0


@pytest.mark.parametrize("mapping", ["GM", "IM", "CAM"])
def test_thirty_sessions_in_a_row(mapping: str) -> None:
    source, protocol = seeded(20261122), spoken(mapping, 2, 8)
    for _ in range(30):
        agree(protocol, chip(protocol, source), source)


def test_a_leading_zero_of_our_own_ephemeral_key_in_a_finite_field() -> None:
    """The number is then an octet shorter, in the command and in the token (9.4.3)."""
    protocol = spoken("GM", 2, 0)
    for seed in range(600):
        source = seeded(seed)
        card = chip(protocol, source)
        agree(protocol, card, source)
        if any(len(command) < 5 + 3 + 3 + 128 + 1 for command in card.seen[2:4]):
            return
    pytest.fail("no key was shorter")


@pytest.mark.parametrize("parameter_id", [1, 2])
@pytest.mark.parametrize("mapping", ["GM", "IM"])
def test_long_keys_go_in_one_extended_command(mapping: str, parameter_id: int) -> None:
    """Chaining links the steps of PACE and nothing else (4.4.4.3)."""
    protocol, source = spoken(mapping, 4, parameter_id), seeded(1)
    card = chip(protocol, source)
    channel = Channel(card)
    pace.establish(channel, protocol, CAN, source.randbytes)
    assert len(card.seen) == 5
    assert not channel.extended_length


def test_long_keys_go_in_pieces_to_a_chip_without_extended_length() -> None:
    protocol, source = spoken("GM", 2, 1), seeded(1)
    agree(protocol, chip(protocol, source, refuses_extended=True), source)


@pytest.mark.parametrize("parameter_id", [0, 13])
def test_a_chip_that_wants_its_group_named(parameter_id: int) -> None:
    protocol, source = spoken("IM", 2, parameter_id), seeded(4)
    agree(protocol, chip(protocol, source, wants_group_named=True), source)


@pytest.mark.parametrize(
    ("mapping", "arc", "parameter_id"), [("GM", 1, 0), ("IM", 2, 0), ("GM", 2, 13), ("CAM", 4, 14)]
)
def test_a_wrong_can_is_a_wrong_secret(mapping: str, arc: int, parameter_id: int) -> None:
    protocol, source = spoken(mapping, arc, parameter_id), seeded(5)
    card = chip(protocol, source)
    with pytest.raises(AccessSecretWrong) as refusal:
        pace.establish(Channel(card), protocol, Can("123457"), source.randbytes)
    assert "12345" not in str(refusal.value)


def test_an_integrated_mapping_needs_no_data_object_and_refuses_content() -> None:
    protocol, source = spoken("IM", 2, 13), seeded(6)
    card = chip(protocol, source, change=lambda tag, value: b"\x01" if tag == 0x82 else value)
    with pytest.raises(MalformedDocument):
        pace.establish(Channel(card), protocol, CAN, source.randbytes)


@pytest.mark.parametrize("arc", [2, 3, 4])
def test_an_integrated_mapping_refuses_a_nonce_of_another_length(arc: int) -> None:
    """Two blocks for AES-128 and one for the longer keys would leave the function undefined."""
    protocol, source = spoken("IM", arc, 13), seeded(6)
    card = chip(protocol, source, change=lambda tag, value: value[:16] + value[:16] if tag == 0x80 else value)
    if arc != 2:
        card.change = lambda tag, value: value[:16] if tag == 0x80 else value
    with pytest.raises(MalformedDocument):
        pace.establish(Channel(card), protocol, CAN, source.randbytes)


SMALL = STANDARDISED[0]
assert isinstance(SMALL, FiniteFieldGroup)


@pytest.mark.parametrize("tag", [0x82, 0x84])
@pytest.mark.parametrize(
    "number",
    [0, 1, SMALL.p - 1, SMALL.p, SMALL.p + 1, pow(2, (SMALL.p - 1) // 2, SMALL.p), 2],
    ids=["zero", "one", "order two", "prime", "above", "order two again", "outside the subgroup"],
)
def test_numbers_outside_the_group_are_refused(tag: int, number: int) -> None:
    """A shared secret out of a handful could be guessed by a chip that knows no password."""
    protocol, source = spoken("GM", 2, 0), seeded(8)
    octets = number.to_bytes(128, "big")
    card = chip(protocol, source, change=lambda found, value: octets if found == tag else value)
    with pytest.raises(MalformedDocument):
        pace.establish(Channel(card), protocol, CAN, source.randbytes)


@pytest.mark.parametrize("parameter_id", [9, 13])
@pytest.mark.parametrize("tag", [0x82, 0x84])
def test_points_beside_the_curve_are_refused(tag: int, parameter_id: int) -> None:
    protocol, source = spoken("GM", 2, parameter_id), seeded(8)
    for altered in (
        lambda value: value[:-1] + bytes((value[-1] ^ 1,)),
        lambda value: b"\x00",
        lambda value: b"\x02" + value[1 : (len(value) + 1) // 2],
        lambda value: value[:1] + bytes(len(value) - 1),
        lambda value: value + b"\x00",
        lambda value: b"",
    ):
        card = chip(
            protocol, source, change=lambda found, value, to=altered: to(value) if found == tag else value
        )
        with pytest.raises(MalformedDocument):
            pace.establish(Channel(card), protocol, CAN, source.randbytes)


def test_our_public_keys_are_points_of_constant_length() -> None:
    source = seeded(9)
    for _ in range(5):
        card = chip(EXAMPLE, source)
        agree(EXAMPLE, card, source)
        sizes = {len(command) for command in card.seen if command[5:6] == b"\x7c" and len(command) > 60}
        assert sizes == {5 + 69 + 1}


# -- chip authentication mapping ------------------------------------------------------------------


def mapped(change: Any = None, parameter_id: int = 13) -> tuple[PaceResult, bytes]:
    """A session with CAM, and the chip's true public key."""
    protocol, source = spoken("CAM", 2, parameter_id), seeded(11)
    card = chip(protocol, source, **({"change": change} if change else {}))
    result = pace.establish(Channel(card), protocol, CAN, source.randbytes)
    return result, card.group.encode(card.group.times(STATIC_PRIVATE, card.group.generator))


def test_a_mapping_by_another_key_is_a_clone() -> None:
    result, public = mapped()
    assert result.chip_mapping is not None
    other = BY_PARAMETER_ID[13].key_of(STATIC_PRIVATE + 1).public
    with pytest.raises(ChipAuthenticationFailed):
        result.chip_mapping.verify(card_security(other, 13))
    with pytest.raises(ChipAuthenticationFailed):
        result.chip_mapping.verify(SecurityInfos())
    # The same coordinates said to be on another curve of the same length are no point there.
    with pytest.raises(ChipAuthenticationFailed):
        result.chip_mapping.verify(card_security(public, 12))


def test_the_right_key_is_found_among_others() -> None:
    result, public = mapped()
    assert result.chip_mapping is not None
    others = (b"\x30\x00", b"", card_security(BY_PARAMETER_ID[12].key_of(3).public, 12))
    infos = [
        other if isinstance(other, bytes) else other.chip_authentication_keys[0].public_key_info
        for other in others
    ]
    wrong = card_security(BY_PARAMETER_ID[13].key_of(3).public, 13).chip_authentication_keys[0]
    result.chip_mapping.verify(card_security(public, 13, *infos, wrong.public_key_info))


@pytest.mark.parametrize("parameter_id", [9, 13])
def test_the_negative_of_the_chips_key_is_another_key(parameter_id: int) -> None:
    result, public = mapped(parameter_id=parameter_id)
    curve = BY_PARAMETER_ID[parameter_id]
    half = (len(public) + 1) // 2
    y = curve.field_prime - int.from_bytes(public[half:], "big")
    assert result.chip_mapping is not None
    with pytest.raises(ChipAuthenticationFailed):
        result.chip_mapping.verify(card_security(public[:half] + y.to_bytes(half - 1, "big"), parameter_id))


@pytest.mark.parametrize(
    "altered",
    [
        lambda value: b"",
        lambda value: value[:-1],
        lambda value: value[:-16],
        lambda value: value[:16],
        lambda value: value + value,
        lambda value: bytes(48),
        lambda value: b"\x00" * 65_000,
    ],
    ids=["none", "cut", "without padding", "one block", "twice", "zeros", "long"],
)
def test_chip_data_that_are_none_open_the_chip_and_prove_nothing(altered: Any) -> None:
    result, public = mapped(lambda tag, value: altered(value) if tag == 0x8A else value)
    assert result.session.is_alive
    assert result.chip_mapping is not None
    with pytest.raises(ChipAuthenticationFailed):
        result.chip_mapping.verify(card_security(public, 13))


def test_altered_chip_data_are_refused() -> None:
    protocol, source = spoken("CAM", 2, 13), seeded(11)
    public = BY_PARAMETER_ID[13].key_of(STATIC_PRIVATE).public
    for position in range(0, 48, 5):

        def alter(tag: int, value: bytes, at: int = position) -> bytes:
            return value[:at] + bytes((value[at] ^ 1,)) + value[at + 1 :] if tag == 0x8A else value

        card = chip(protocol, source, change=alter)
        result = pace.establish(Channel(card), protocol, CAN, source.randbytes)
        assert result.chip_mapping is not None
        with pytest.raises(ChipAuthenticationFailed):
            result.chip_mapping.verify(card_security(public, 13))


def test_what_came_of_it_shows_no_key() -> None:
    result, _ = mapped()
    assert result.chip_mapping is not None
    assert result.chip_mapping.mapping_key.hex() not in repr(result)
    assert repr(result.chip_mapping.encoded) not in repr(result)


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
