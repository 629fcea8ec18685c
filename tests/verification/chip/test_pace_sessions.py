"""PACE with an independent chip in every variant, and with chips that misbehave."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.pace_chips import (
    ARCS,
    CAN,
    STATIC_PRIVATE,
    agree,
    card_security,
    chip,
    spoken,
)
from tests.support.scripted_card import seeded
from verification.chip import pace
from verification.chip.elliptic_curves import BY_PARAMETER_ID
from verification.chip.finite_field_groups import FiniteFieldGroup
from verification.chip.key_agreement import STANDARDISED
from verification.chip.keys import Can
from verification.chip.pace import PaceResult
from verification.errors import (
    AccessSecretWrong,
    ChipAuthenticationFailed,
    MalformedDocument,
)
from verification.iso7816.channel import Channel
from verification.lds.security_infos import SecurityInfos

EXAMPLE = spoken("GM", 2, 13)
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
