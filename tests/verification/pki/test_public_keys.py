"""Keys with explicit curve parameters: every value counts."""

from __future__ import annotations

import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support import hostile
from verification.encoding.object_identifier import build_oid
from verification.encoding.tlv import DerReader, build, build_integer
from verification.errors import AlgorithmRefused, MalformedDocument, VerificationError
from verification.pki.curves import CURVES, DomainParameters
from verification.pki.public_keys import load_public_key

NAMES = [parameters.curve.name for parameters in CURVES]
OPENSSL_NAMES = {"secp256r1": "prime256v1"}


def known(name: str) -> DomainParameters:
    return next(parameters for parameters in CURVES if parameters.curve.name == name)


def size(parameters: DomainParameters) -> int:
    return (parameters.p.bit_length() + 7) // 8


def explicit_info(  # every part of SpecifiedECDomain can be set
    parameters: DomainParameters,
    point: bytes,
    *,
    cofactor: int | None = 1,
    compressed: bool = False,
    seed: bytes = b"",
) -> bytes:
    octets = size(parameters)
    x, y = parameters.x.to_bytes(octets, "big"), parameters.y.to_bytes(octets, "big")
    base = bytes((2 + parameters.y % 2,)) + x if compressed else b"\x04" + x + y
    coefficients = build(0x04, parameters.a.to_bytes(octets, "big")) + build(
        0x04, parameters.b.to_bytes(octets, "big")
    )
    domain = (
        build_integer(1)
        + build(0x30, build_oid("1.2.840.10045.1.1") + build_integer(parameters.p))
        + build(0x30, coefficients + seed)
        + build(0x04, base)
        + build_integer(parameters.n)
        + (b"" if cofactor is None else build_integer(cofactor))
    )
    algorithm = build(0x30, build_oid("1.2.840.10045.2.1") + build(0x30, domain))
    return build(0x30, algorithm + build(0x03, b"\x00" + point))


def key_and_point(name: str) -> tuple[ec.EllipticCurvePublicKey, bytes]:
    key = ec.generate_private_key(known(name).curve).public_key()
    return key, key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@pytest.mark.parametrize("name", NAMES)
def test_the_domain_parameters_are_those_of_openssl(name: str) -> None:
    answer = subprocess.run(
        f"openssl ecparam -name {OPENSSL_NAMES.get(name, name)} -param_enc explicit "
        "-conv_form uncompressed -outform DER".split(),
        capture_output=True,
        check=True,
    ).stdout
    ours = known(name)
    reader = DerReader(answer).enter(0x30)
    reader.take_integer()
    field = reader.enter(0x30)
    field.take(0x06)
    assert field.take_integer() == ours.p
    equation = reader.enter(0x30)
    assert int.from_bytes(equation.take(0x04), "big") == ours.a
    assert int.from_bytes(equation.take(0x04), "big") == ours.b
    base = reader.take(0x04)
    assert base[1:] == ours.x.to_bytes(size(ours), "big") + ours.y.to_bytes(size(ours), "big")
    assert reader.take_integer() == ours.n
    assert reader.take_integer() == 1


@pytest.mark.parametrize("name", NAMES)
def test_named_and_explicit_parameters_give_the_same_key(name: str) -> None:
    key, point = key_and_point(name)
    named = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert load_public_key(named) == key
    assert load_public_key(explicit_info(known(name), point)) == key


@pytest.mark.parametrize("name", NAMES)
def test_ways_to_write_the_same_parameters(name: str) -> None:
    key, point = key_and_point(name)
    assert load_public_key(explicit_info(known(name), point, cofactor=None)) == key
    assert load_public_key(explicit_info(known(name), point, compressed=True)) == key
    assert load_public_key(explicit_info(known(name), point, seed=build(0x03, bytes(21)))) == key
    compressed = key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    assert load_public_key(explicit_info(known(name), compressed)) == key


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", ["p", "a", "b", "x", "y", "n"])
def test_one_wrong_value_is_refused(name: str, value: str) -> None:
    _, point = key_and_point(name)
    wrong = known(name)._replace(**{value: getattr(known(name), value) ^ 1})
    with pytest.raises(AlgorithmRefused):
        load_public_key(explicit_info(wrong, point))


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_cofactor_is_refused(name: str) -> None:
    _, point = key_and_point(name)
    with pytest.raises(AlgorithmRefused):
        load_public_key(explicit_info(known(name), point, cofactor=2))


def test_a_base_point_of_the_attackers_choice_is_refused() -> None:
    """CVE-2020-0601: with base point and key equal, the private key is one."""
    ours = known("secp256r1")
    victim, point = key_and_point("secp256r1")
    numbers = victim.public_numbers()
    with pytest.raises(AlgorithmRefused):
        load_public_key(explicit_info(ours._replace(x=numbers.x, y=numbers.y), point))


@pytest.mark.parametrize("name", NAMES)
def test_a_point_beside_the_curve_is_refused(name: str) -> None:
    key, point = key_and_point(name)
    beside = point[:-1] + bytes((point[-1] ^ 1,))
    named = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(MalformedDocument):
        load_public_key(explicit_info(known(name), beside))
    with pytest.raises(MalformedDocument):
        load_public_key(named[: -len(point)] + beside)


def test_a_small_curve_is_refused() -> None:
    key = ec.generate_private_key(ec.SECP192R1()).public_key()
    with pytest.raises(AlgorithmRefused):
        load_public_key(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def test_a_key_of_another_kind_is_refused() -> None:
    key = dsa.generate_private_key(2048).public_key()
    with pytest.raises(AlgorithmRefused):
        load_public_key(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def rsa_info(modulus: int, exponent: int, oid: str = "1.2.840.113549.1.1.1") -> bytes:
    algorithm = build(0x30, build_oid(oid) + b"\x05\x00")
    numbers = build(0x30, build_integer(modulus) + build_integer(exponent))
    return build(0x30, algorithm + build(0x03, b"\x00" + numbers))


MODULUS = (1 << 2047) + 12345


@pytest.mark.parametrize("exponent", [3, 38129, 65537, 107903])
@pytest.mark.parametrize("oid", ["1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10"])
def test_odd_rsa_exponents_are_read(exponent: int, oid: str) -> None:
    key = load_public_key(rsa_info(MODULUS, exponent, oid))
    assert isinstance(key, rsa.RSAPublicKey)
    assert key.public_numbers() == rsa.RSAPublicNumbers(exponent, MODULUS)


@pytest.mark.parametrize(
    ("modulus", "exponent"),
    [(MODULUS, 1), (MODULUS, 4), (MODULUS, 1 << 65 | 1), ((1 << 1023) + 1, 3), ((1 << 9000) + 1, 3)],
)
def test_rsa_out_of_range_is_refused(modulus: int, exponent: int) -> None:
    with pytest.raises(AlgorithmRefused):
        load_public_key(rsa_info(modulus, exponent))


def test_damage_ends_in_our_own_error() -> None:
    _, point = key_and_point("brainpoolP384r1")
    info = explicit_info(known("brainpoolP384r1"), point)
    for data in hostile.truncations(info):
        assert hostile.is_refused(load_public_key, data)
    for position in range(len(info) - len(point)):
        altered = bytearray(info)
        altered[position] ^= 0x01
        try:
            load_public_key(bytes(altered))
        except VerificationError:
            continue
        # The version of the parameters (1, 2 or 3) is all that has no say in which curve it is.
        assert info[position - 2 : position + 1] == b"\x02\x01\x01"
