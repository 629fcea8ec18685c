"""Diffie-Hellman over finite fields: the standardised groups, validation, leading zeros."""

from __future__ import annotations

import base64
import hashlib
import subprocess

import pytest

from tests.support.scripted_card import random_for_private_key, seeded
from tests.support.vectors import load
from verification.chip.finite_field_groups import GROUPS, FiniteFieldGroup, FiniteFieldKey, group_of
from verification.encoding.tlv import SEQUENCE, DerReader
from verification.errors import LimitExceeded, MalformedDocument

SMALL = GROUPS[0]
every_group = pytest.mark.parametrize("group", GROUPS, ids=["1024/160", "2048/224", "2048/256"])


def octets(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


@every_group
def test_the_parameters_are_those_of_openssl(group: FiniteFieldGroup) -> None:
    """RFC 5114 as OpenSSL holds it, in X9.42: p, g, q."""
    assert group.parameter_id is not None
    option = f"dh_rfc5114:{group.parameter_id + 1}"
    command = f"openssl genpkey -genparam -algorithm DHX -pkeyopt {option}"
    answer = subprocess.run(command.split(), capture_output=True, check=True).stdout
    body = b"".join(line for line in answer.splitlines() if not line.startswith(b"-----"))
    reader = DerReader(base64.b64decode(body)).enter(SEQUENCE)
    assert [reader.take_integer() for _ in range(3)] == [group.p, group.g, group.q]


@every_group
def test_a_generator_of_prime_order(group: FiniteFieldGroup) -> None:
    assert pow(group.g, group.q, group.p) == 1
    assert (group.p - 1) % group.q == 0
    # A witness against each being composite.
    assert pow(3, group.p - 1, group.p) == 1
    assert pow(3, group.q - 1, group.q) == 1


def test_how_strong_they_are() -> None:
    assert [group.strength for group in GROUPS] == [80, 112, 112]


@pytest.mark.parametrize("name", ["pace_dh_gm", "pace_dh_im"])
def test_worked_examples(name: str) -> None:
    case = load(name)
    key = SMALL.key(lambda _: random_for_private_key(int(case["ifd_priv"], 16) % SMALL.q, 20))
    assert key.public_over(bytes.fromhex(case["g_mapped"])).hex() == case["ifd_pub"]
    assert key.shared_secret(bytes.fromhex(case["ic_pub"])).hex() == case["shared"]


def test_the_mapping_of_icao_9303_11_g2() -> None:
    case = load("pace_dh_gm")
    key = FiniteFieldKey(SMALL, int(case["map_ifd_priv"], 16))
    assert key.public.hex() == case["map_ifd_pub"]
    shared = key.shared_element(bytes.fromhex(case["map_ic_pub"]))
    assert shared.hex() == case["h"]
    assert SMALL.combine(SMALL.power_of_generator(int(case["s"], 16)), shared).hex() == case["g_mapped"]


def test_the_mapping_of_icao_9303_11_h2() -> None:
    case = load("pace_dh_im")
    assert SMALL.encode_number(int(case["prf_mod_p"], 16)).hex() == case["g_mapped"]


@every_group
def test_shared_secrets_keep_their_leading_zeros_and_public_keys_do_not(group: FiniteFieldGroup) -> None:
    """PKCS #3 writes the secret as long as the modulus, 9303-11, 9.4.1 a public key as short as it is."""
    length = (group.p.bit_length() + 7) // 8
    value, exponent = group.g, 1
    while value >> 8 * (length - 1):
        value, exponent = value * group.g % group.p, exponent + 1
    key = FiniteFieldKey(group, exponent)
    assert key.public == octets(value)
    assert len(key.public) < length
    assert key.shared_secret(octets(group.g)) == value.to_bytes(length, "big")
    assert key.shared_element(octets(group.g)) == octets(value)
    # Whether the chip writes them or not, the element is the same.
    assert group.element(value.to_bytes(length, "big")) == octets(value)


@every_group
def test_numbers_outside_the_group_are_never_calculated_with(group: FiniteFieldGroup) -> None:
    key = group.key(seeded(1).randbytes)
    cofactor_element = pow(3, group.q, group.p)
    for number in (0, 1, group.p - 1, group.p, group.p + 2, cofactor_element, 3):
        with pytest.raises(MalformedDocument):
            key.shared_secret(octets(number))
    for wrong in (b"", b"\x00" * group.field_length, b"\x02" * (group.field_length + 1)):
        with pytest.raises(MalformedDocument):
            group.element(wrong)


def test_results_that_are_neutral_are_refused() -> None:
    inverse = octets(pow(SMALL.g, -1, SMALL.p))
    with pytest.raises(MalformedDocument):
        SMALL.combine(octets(SMALL.g), inverse)
    with pytest.raises(MalformedDocument):
        SMALL.power_of_generator(0)
    with pytest.raises(MalformedDocument):
        SMALL.power_of_generator(SMALL.q)
    # Elements of the cofactor's order are mapped to 1: "Implementations MUST check that g is not 1".
    for number in (0, 1, SMALL.p - 1, pow(3, SMALL.q, SMALL.p)):
        with pytest.raises(MalformedDocument):
            SMALL.encode_number(number)


def test_compressed_keys_are_hashed() -> None:
    element = octets(SMALL.g)
    assert SMALL.compress(element) == hashlib.new("sha1", element, usedforsecurity=False).digest()


def test_private_keys_come_from_the_given_source() -> None:
    for group in GROUPS:
        assert group.key(bytes).public == octets(group.g)
        assert group.element(group.key(lambda size: b"\xff" * size).public)
    with_long_order = FiniteFieldGroup(SMALL.p, SMALL.g, 0)
    lengths: list[int] = []
    with_long_order.key(lambda size: lengths.append(size) or bytes(size))  # type: ignore[func-returns-value]
    assert lengths[0] >= 64


# -- parameters of another source -----------------------------------------------------------------

SAFE_PRIME = int(  # RFC 3526, 3: 2048 bits, generator 2 of order (p - 1)/2
    "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd"
    "ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed"
    "ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f"
    "83655d23dca3ad961c62f356208552bb9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b"
    "e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6955817183995497cea956ae515d2261898fa0510"
    "15728e5a8aacaa68ffffffffffffffff",
    16,
)


@every_group
def test_parameters_written_out_are_recognised(group: FiniteFieldGroup) -> None:
    assert group_of(group.p, group.g, group.q) is group
    assert group_of(group.p, group.g, 0) is group


def test_other_parameters_are_taken_as_they_are() -> None:
    for q in (0, (SAFE_PRIME - 1) // 2):
        group = group_of(SAFE_PRIME, 2, q)
        keys = [group.key(seeded(seed).randbytes) for seed in (1, 2)]
        assert keys[0].shared_secret(keys[1].public) == keys[1].shared_secret(keys[0].public)
        assert group.strength == 112
        assert group.admits_integrated_mapping == bool(q)
        with pytest.raises(MalformedDocument):
            keys[0].shared_secret(octets(SAFE_PRIME - 1))
    with pytest.raises(MalformedDocument):
        group_of(SAFE_PRIME, 2, 0).encode_number(7)


WRONG: dict[str, tuple[int, int, int, type[Exception]]] = {
    "short": (2**1023 - 1, 2, 0, LimitExceeded),
    "long": (2**3072 + 1, 2, 0, LimitExceeded),
    "longer than a file": (2**600_000 + 1, 2, 0, LimitExceeded),
    "negative": (-SAFE_PRIME, 2, 0, MalformedDocument),
    "even": (SAFE_PRIME + 1, 2, 0, MalformedDocument),
    "generator 1": (SAFE_PRIME, 1, 0, MalformedDocument),
    "generator 0": (SAFE_PRIME, 0, 0, MalformedDocument),
    "negative generator": (SAFE_PRIME, -2, 0, MalformedDocument),
    "generator of order 2": (SAFE_PRIME, SAFE_PRIME - 1, 0, MalformedDocument),
    "generator not reduced": (SAFE_PRIME, SAFE_PRIME + 2, 0, MalformedDocument),
    "small order": (SAFE_PRIME, 2, 2, MalformedDocument),
    "no divisor": (SAFE_PRIME, 2, (SAFE_PRIME - 1) // 2 - 1, MalformedDocument),
    "negative order": (SAFE_PRIME, 2, -(SAFE_PRIME - 1) // 2, MalformedDocument),
}


@pytest.mark.parametrize("name", WRONG)
def test_numbers_that_cannot_be_parameters_are_refused(name: str) -> None:
    p, g, q, error = WRONG[name]
    with pytest.raises(error):
        group_of(p, g, q)
