"""The one table of curves, and parameters written out in full: every value counts."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from tests.support import hostile
from tests.support.explicit_curve import base_point, explicit_parameters
from verification.encoding.curve_parameters import CURVES, DomainParameters, read_explicit_parameters
from verification.encoding.tlv import BIT_STRING, SEQUENCE, DerReader, build, build_integer
from verification.errors import MalformedDocument

OPENSSL_NAMES = {"secp192r1": "prime192v1", "secp256r1": "prime256v1"}
P256, BRAINPOOL = (known for known in CURVES if known.name in ("secp256r1", "brainpoolP256r1"))
every_curve = pytest.mark.parametrize("known", CURVES, ids=lambda known: known.name)


def read(encoded: bytes) -> DomainParameters | None:
    return read_explicit_parameters(DerReader(encoded).enter(SEQUENCE))


@every_curve
def test_the_parameters_are_those_of_openssl(known: DomainParameters) -> None:
    answer = subprocess.run(
        f"openssl ecparam -name {OPENSSL_NAMES.get(known.name, known.name)} -param_enc explicit "
        "-conv_form uncompressed -outform DER".split(),
        capture_output=True,
        check=True,
    ).stdout
    assert read(answer) == known


@every_curve
def test_the_identifier_is_that_of_openssl(known: DomainParameters) -> None:
    answer = subprocess.run(
        f"openssl ecparam -name {OPENSSL_NAMES.get(known.name, known.name)} -outform DER".split(),
        capture_output=True,
        check=True,
    ).stdout
    dotted = subprocess.run(
        ["openssl", "asn1parse", "-inform", "DER"], input=answer, capture_output=True, check=True
    ).stdout.decode()
    name = dotted.rpartition(":")[2].strip()
    assert name == OPENSSL_NAMES.get(known.name, known.name)


def test_numbers_and_names_stand_once() -> None:
    for field in ("parameter_id", "name", "oid"):
        assert len({getattr(known, field) for known in CURVES}) == len(CURVES)


@every_curve
@pytest.mark.parametrize(
    "spelling",
    [
        {},
        {"version": 2},
        {"version": 3},
        {"cofactor": b""},
        {"seed": build(BIT_STRING, b"\x00" + bytes(20))},
    ],
    ids=["usual", "version 2", "version 3", "no cofactor", "seed"],
)
def test_permitted_spellings(known: DomainParameters, spelling: dict[str, Any]) -> None:
    assert read(explicit_parameters(known, **spelling)) is known
    compressed = base_point(known, compressed=True)
    assert read(explicit_parameters(known, base=compressed, **spelling)) is known


@every_curve
@pytest.mark.parametrize("value", ["p", "a", "b", "x", "y", "n"])
def test_one_other_value_is_another_curve(known: DomainParameters, value: str) -> None:
    other = known._replace(**{value: getattr(known, value) ^ 1})
    assert read(explicit_parameters(other)) is None


@pytest.mark.parametrize(
    "change",
    [
        {"cofactor": build_integer(2)},
        {"cofactor": build_integer(0)},
        {"field": "1.2.840.10045.1.2"},
        {"base": b""},
        {"base": base_point(P256)[:-1]},
        {"base": base_point(P256, compressed=True, other_y=True)},
        {"base": base_point(BRAINPOOL)},
    ],
    ids=["cofactor 2", "cofactor 0", "binary field", "no base", "cut base", "other y", "base of another"],
)
def test_other_parameters_are_no_curve_we_know(change: dict[str, Any]) -> None:
    assert read(explicit_parameters(P256, **change)) is None


@pytest.mark.parametrize(
    "change",
    [
        {"version": 0},
        {"version": 4},
        {"seed": b"\x05\x00"},
        {"seed": build(BIT_STRING, b"\x00") * 2},
        {"cofactor": build_integer(1) * 2},
        {"more": b"\x05\x00"},
        {"cofactor": b"", "more": b"\x04\x00"},
    ],
)
def test_what_is_not_the_structure_is_refused(change: dict[str, Any]) -> None:
    """Above all what nobody reads: trailing data would let one key be written in many ways."""
    with pytest.raises(MalformedDocument):
        read(explicit_parameters(P256, **change))


def test_damage_is_another_curve_or_refused() -> None:
    encoded = explicit_parameters(BRAINPOOL)
    for cut in hostile.truncations(encoded):
        assert hostile.is_refused(read, cut)
    for position in range(len(encoded)):
        altered = bytearray(encoded)
        altered[position] ^= 0x01
        # The version (1, 2 or 3) is all that has no say in which curve it is: 1 becomes 0 here.
        assert hostile.is_refused(read, bytes(altered)) or read(bytes(altered)) is None
