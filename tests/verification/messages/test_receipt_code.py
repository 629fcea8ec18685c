"""Receipt codes: made alike by kit and centre, read as people write them; no slip of the pen is another."""

from __future__ import annotations

import hashlib
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verification.messages.receipt_code import LENGTH, read_receipt_code, receipt_code, status_link

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
HASH = hashlib.sha256(b"a packet").hexdigest()
CODE = receipt_code(HASH)

hashes = st.binary(min_size=32, max_size=32).map(bytes.hex)


def expected(packet_hash: str) -> str:
    """The same code another way: bits as text, and multiplication in GF(32) by logarithms."""
    digest = hashlib.sha256(b"receipt-code|" + packet_hash.encode()).digest()
    bits = "".join(f"{byte:08b}" for byte in digest)[:75]
    values = [int(bits[first : first + 5], 2) for first in range(0, 75, 5)]
    powers = [1]
    while len(powers) < 31:
        powers.append(powers[-1] * 2 ^ (0b100101 if powers[-1] & 16 else 0))
    check = 0
    for place, value in enumerate(reversed(values), start=1):
        if value:
            check ^= powers[(powers.index(value) + place) % 31]
    plain = "".join(ALPHABET[value] for value in (*values, check))
    return "-".join(plain[first : first + 4] for first in range(0, 16, 4))


@given(hashes)
def test_a_code_is_what_its_description_says_and_is_read_back(packet_hash: str) -> None:
    code = receipt_code(packet_hash)
    assert code == expected(packet_hash)
    assert len(code) == LENGTH
    assert read_receipt_code(code) == code


@pytest.mark.parametrize("between", ["", " ", "-", " – ", "."])
def test_a_code_is_read_as_people_write_it(between: str) -> None:
    typed = f" {CODE.replace('-', between)}\n"
    assert read_receipt_code(typed) == read_receipt_code(typed.lower()) == CODE


def test_one_wrong_character_is_noticed_wherever_it_stands() -> None:
    plain = CODE.replace("-", "")
    for place, right in enumerate(plain):
        for wrong in ALPHABET.replace(right, ""):
            assert read_receipt_code(plain[:place] + wrong + plain[place + 1 :]) is None


@given(hashes)
def test_two_characters_that_changed_places_are_noticed(packet_hash: str) -> None:
    plain = receipt_code(packet_hash).replace("-", "")
    for one, other in combinations(range(16), 2):
        swapped = list(plain)
        swapped[one], swapped[other] = plain[other], plain[one]
        if plain[one] != plain[other]:
            assert read_receipt_code("".join(swapped)) is None


@pytest.mark.parametrize(
    "typed", ["", "-", CODE[:-1], CODE + "A", "O" * 16, "0" * 16, "Ａ" * 16, "a" * 10**6, "\0"]
)
def test_what_is_no_code_is_none(typed: str) -> None:
    assert read_receipt_code(typed) is None


@given(st.text())
def test_no_text_of_others_breaks_the_reading(typed: str) -> None:
    read = read_receipt_code(typed)
    assert read is None or read_receipt_code(read) == read


def test_the_link_of_a_slip_needs_no_quoting() -> None:
    assert status_link("https://hen.example/status", CODE) == f"https://hen.example/status?code={CODE}"
