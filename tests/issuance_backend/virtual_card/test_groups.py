"""The chip's arithmetic against OpenSSL, a textbook, and the numbers that OpenSSL prints."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from issuance_backend.virtual_card.chip_keys import (
    StaticChipKey,
    build_private_key,
    build_public_key_info,
    generate,
    load_private_key,
)
from issuance_backend.virtual_card.icc_commands import CommandRefused
from issuance_backend.virtual_card.icc_curves import CURVES, EllipticCurve
from issuance_backend.virtual_card.icc_groups import GROUPS
from issuance_backend.virtual_card.icc_modular_groups import MODULAR_GROUPS
from issuance_backend.virtual_card.icc_random import draw_below
from tests.support.chip_card import AGREEMENT_KEY, private_info
from tests.support.chip_terminal import scripted
from tests.support.textbook_curve import TextbookCurve
from verification.errors import MalformedDocument

WITHOUT_OPENSSL = {9, 11, 14}
SCALARS = (1, 2, 3, 0x5E6331B8870151C5BAFFC94C1B2D9B4932D3)


def textbook(curve: EllipticCurve) -> TextbookCurve:
    numbers = curve.numbers
    return TextbookCurve(numbers.p, numbers.a, numbers.b, numbers.n, (numbers.x, numbers.y))


def refused(call: Callable[[], object]) -> None:
    with pytest.raises(CommandRefused) as refusal:
        call()
    assert refusal.value.status_word == 0x6A80


def test_the_groups_are_those_of_the_standard() -> None:
    assert sorted(GROUPS) == [0, 1, 2, *range(8, 19)]
    assert {number for number, curve in CURVES.items() if curve.named is None} == WITHOUT_OPENSSL


@pytest.mark.parametrize("number", sorted(CURVES))
def test_points_are_multiplied_as_in_the_textbook(number: int) -> None:
    curve, book = CURVES[number], textbook(CURVES[number])
    other = book.multiply(7, book.base)
    for scalar in (*SCALARS, curve.order - 1):
        key = curve.key(scalar)
        assert key.public == book.encode(book.multiply(scalar, book.base))
        product = book.encode(book.multiply(scalar, other))
        assert key.times(book.encode(other)) == product
        assert key.agree(book.encode(other)) == curve.compress(product)
        # The chip's own arithmetic agrees with OpenSSL's also where it is not needed.
        assert curve.multiply(scalar, book.encode(other)) == product
    assert curve.multiply(curve.order, curve.base) is None
    assert curve.combine(curve.key(2).public, curve.key(3).public) == curve.key(5).public


@pytest.mark.parametrize("number", sorted(CURVES))
def test_what_is_no_point_is_refused(number: int) -> None:
    curve = CURVES[number]
    size = curve.octets
    x, y = curve.point(curve.base)
    above = (x + curve.prime).to_bytes(size + 1, "big")[-size:]
    for octets in (
        b"",
        b"\x00",
        b"\x04" + bytes(2 * size),
        b"\x04" + b"\xff" * 2 * size,
        curve.base[:-1],
        curve.base + b"\x00",
        b"\x02" + curve.base[1 : 1 + size],
        b"\x05" + curve.base[1:],
        curve.base[:-1] + bytes((curve.base[-1] ^ 1,)),
        b"\x04" + above + y.to_bytes(size, "big"),
    ):
        refused(lambda octets=octets: curve.decode(octets))  # type: ignore[misc]
    assert curve.decode(curve.base) == curve.base
    refused(lambda: curve.combine(curve.base, curve.base))
    refused(lambda: curve.combine(curve.base, curve.negated(curve.base)))


@pytest.mark.parametrize("number", sorted(set(CURVES) - {10}))
def test_integrated_mapping_ends_on_the_curve(number: int) -> None:
    curve = CURVES[number]
    mapped = {curve.from_field(value) for value in range(2, 12)}
    assert len(mapped) == 10
    for element in mapped:
        assert curve.decode(element) == element
    # The field elements that divide by zero, among them the negative of one.
    for value in (0, 1, curve.prime - 1):
        refused(lambda value=value: curve.from_field(value))  # type: ignore[misc]


def test_secp224r1_has_no_integrated_mapping() -> None:
    refused(lambda: CURVES[10].from_field(5))


@pytest.mark.parametrize("number", sorted(MODULAR_GROUPS))
def test_the_prime_fields_are_those_that_openssl_knows(number: int) -> None:
    command = ["openssl", "genpkey", "-genparam", "-algorithm", "DHX", "-text"]
    made = subprocess.run(
        [*command, "-pkeyopt", f"dh_rfc5114:{number + 1}"], check=True, capture_output=True, text=True
    ).stdout
    command = ["openssl", "asn1parse"]
    parsed = subprocess.run(command, input=made, check=True, capture_output=True, text=True).stdout
    p, g, q = (int(value, 16) for value in re.findall(r"INTEGER\s+:([0-9A-F]+)", parsed))
    group = MODULAR_GROUPS[number]
    assert (group.prime, group.generator, group.order) == (p, g, q)


@pytest.mark.parametrize("number", sorted(MODULAR_GROUPS))
def test_numbers_outside_the_group_are_refused(number: int) -> None:
    group = MODULAR_GROUPS[number]
    outside = next(value for value in range(2, 99) if pow(value, group.order, group.prime) != 1)
    for value in (0, 1, outside, group.prime - 1, group.prime, group.prime + group.generator):
        octets = value.to_bytes((value.bit_length() + 7) // 8, "big")
        refused(lambda octets=octets: group.decode(octets))  # type: ignore[misc]
    refused(lambda: group.decode(b""))
    refused(lambda: group.decode(b"\x00" + group.element(group.generator)))
    refused(lambda: group.from_field(0))
    refused(lambda: group.from_field(1))
    refused(lambda: group.from_field(group.prime - 1))


def test_leading_zeros_stay_in_the_secret_and_not_on_the_wire() -> None:
    group = MODULAR_GROUPS[0]
    exponent, value = 1, group.generator
    while value.bit_length() > 8 * (group.octets - 1):
        exponent, value = exponent + 1, value * group.generator % group.prime
    key = group.key(exponent)
    assert len(key.public) == group.octets
    assert group.encode(key.public) == key.public[1:]
    assert group.decode(key.public[1:]) == key.public
    secret = group.key(1).agree(key.public)
    assert (len(secret), secret[0]) == (group.octets, 0)


@pytest.mark.parametrize("number", sorted(GROUPS))
def test_chip_keys_come_back_from_their_encoding(number: int) -> None:
    static = generate(number, scripted(*(["5a" * 66] if number == 18 else ["35" * octets_of(number)])))
    loaded = load_private_key(build_private_key(static))
    assert loaded.group is static.group
    assert (loaded.key.number, loaded.key.public) == (static.key.number, static.key.public)


def octets_of(number: int) -> int:
    return (GROUPS[number].order.bit_length() + 7) // 8


@pytest.mark.parametrize("number", sorted(set(CURVES) - WITHOUT_OPENSSL))
def test_openssl_reads_the_explicit_parameters(number: int) -> None:
    curve = CURVES[number]
    info = build_public_key_info(StaticChipKey(curve, curve.key(5)))
    text = subprocess.run(
        ["openssl", "pkey", "-pubin", "-inform", "DER", "-noout", "-text"],
        input=info,
        check=True,
        capture_output=True,
    ).stdout.decode()
    point = "".join(re.findall(r"[0-9a-f]{2}", text.split("pub:")[1].split("Field")[0]))
    assert point == curve.key(5).public.hex()


def test_a_key_as_personalisation_writes_it_is_loaded() -> None:
    loaded = load_private_key(private_info(AGREEMENT_KEY))
    assert loaded.group.parameter_id == 13
    assert loaded.key.number == AGREEMENT_KEY.private_numbers().private_value


def test_what_is_no_agreement_key_is_malformed() -> None:
    good = build_private_key(StaticChipKey(CURVES[13], CURVES[13].key(5)))
    signing = private_info(ec.derive_private_key(5, ec.SECP256K1()))
    for encoded in (b"", good[:-1], signing, good.replace(bytes.fromhex("2b2403030208010107"), b"\x2b" * 9)):
        with pytest.raises(MalformedDocument):
            load_private_key(encoded)


def test_a_number_is_drawn_again_until_it_is_below_the_order() -> None:
    assert draw_below(0x1F3, scripted("ffff", "0000", "0180")) == 3
    assert draw_below(2, scripted("00", "ff", "40")) == 1
