"""Keys with explicit curve parameters: every value counts."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support import hostile
from tests.support.explicit_curve import (
    base_point,
    explicit_key_info,
    explicit_parameters,
    public_key_info,
)
from verification.encoding.curve_parameters import PARAMETERS_BY_NAME, DomainParameters
from verification.encoding.object_identifier import build_oid
from verification.encoding.tlv import build, build_integer
from verification.errors import AlgorithmRefused, MalformedDocument, VerificationError
from verification.pki.curve_signature import CurvePublicKey
from verification.pki.public_keys import load_public_key

CURVES: dict[str, ec.EllipticCurve] = {
    curve.name: curve
    for curve in (
        ec.SECP256R1(),
        ec.SECP384R1(),
        ec.SECP521R1(),
        ec.BrainpoolP256R1(),
        ec.BrainpoolP384R1(),
        ec.BrainpoolP512R1(),
    )
}
NAMES = sorted(CURVES)


def known(name: str) -> DomainParameters:
    return PARAMETERS_BY_NAME[name]


def explicit_info(parameters: DomainParameters, point: bytes, **changes: bytes) -> bytes:
    return explicit_key_info(explicit_parameters(parameters, **changes), point)


def key_and_point(name: str) -> tuple[ec.EllipticCurvePublicKey, bytes]:
    key = ec.generate_private_key(CURVES[name]).public_key()
    return key, key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@pytest.mark.parametrize("name", NAMES)
def test_named_and_explicit_parameters_give_the_same_key(name: str) -> None:
    key, point = key_and_point(name)
    named = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert load_public_key(named) == key
    assert load_public_key(explicit_info(known(name), point)) == key


@pytest.mark.parametrize("name", NAMES)
def test_ways_to_write_the_same_parameters(name: str) -> None:
    key, point = key_and_point(name)
    assert load_public_key(explicit_info(known(name), point, cofactor=b"")) == key
    assert (
        load_public_key(explicit_info(known(name), point, base=base_point(known(name), compressed=True)))
        == key
    )
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
        load_public_key(explicit_info(known(name), point, cofactor=build_integer(2)))


def test_nothing_may_follow_the_parameters() -> None:
    _, point = key_and_point("secp256r1")
    trailing = explicit_parameters(known("secp256r1")) + b"\x05\x00"
    for info in (
        explicit_info(known("secp256r1"), point, more=b"\x05\x00"),
        explicit_key_info(trailing, point),
    ):
        with pytest.raises(MalformedDocument):
            load_public_key(info)


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


@pytest.mark.parametrize("curve", [ec.SECP192R1(), ec.SECP224R1()], ids=lambda curve: curve.name)
def test_a_small_curve_needs_the_policy_however_it_is_written(curve: ec.EllipticCurve) -> None:
    key = ec.generate_private_key(curve).public_key()
    point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    named = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for info in (named, explicit_info(known(curve.name), point)):
        with pytest.raises(AlgorithmRefused, match=str(key.key_size)):
            load_public_key(info)
        assert load_public_key(info, accepts_legacy=True) == key


def named_info(parameters: DomainParameters, point: bytes) -> bytes:
    return public_key_info(build_oid("1.2.840.10045.2.1") + build_oid(parameters.oid), point)


class TestCurvesOfOurOwn:
    """Those that OpenSSL's binding lacks: as strict, and P320r1 relied on like the larger ones."""

    @pytest.mark.parametrize("name", ["brainpoolP192r1", "brainpoolP224r1", "brainpoolP320r1"])
    def test_named_and_explicit_parameters_give_the_same_key(self, name: str) -> None:
        ours = known(name)
        for info in (named_info(ours, base_point(ours)), explicit_info(ours, base_point(ours))):
            key = load_public_key(info, accepts_legacy=True)
            assert isinstance(key, CurvePublicKey)
            assert (key.curve, key.point, key.key_size) == (ours, (ours.x, ours.y), int(name[10:13]))

    @pytest.mark.parametrize("name", ["brainpoolP192r1", "brainpoolP224r1", "brainpoolP320r1"])
    @pytest.mark.parametrize("value", ["p", "a", "b", "x", "y", "n"])
    def test_one_wrong_value_is_refused(self, name: str, value: str) -> None:
        wrong = known(name)._replace(**{value: getattr(known(name), value) ^ 1})
        with pytest.raises(AlgorithmRefused):
            load_public_key(explicit_info(wrong, base_point(known(name))), accepts_legacy=True)

    @pytest.mark.parametrize("name", ["brainpoolP192r1", "brainpoolP224r1", "brainpoolP320r1"])
    def test_a_point_beside_the_curve_is_refused(self, name: str) -> None:
        point = base_point(known(name))
        for beside in (point[:-1] + bytes((point[-1] ^ 1,)), point[:-1], b"\0", bytes(len(point))):
            with pytest.raises(MalformedDocument):
                load_public_key(named_info(known(name), beside), accepts_legacy=True)

    def test_the_short_ones_need_the_policy(self) -> None:
        load_public_key(named_info(known("brainpoolP320r1"), base_point(known("brainpoolP320r1"))))
        for name in ("brainpoolP192r1", "brainpoolP224r1"):
            with pytest.raises(AlgorithmRefused, match=name[10:13]):
                load_public_key(named_info(known(name), base_point(known(name))))


def test_an_unknown_curve_is_refused() -> None:
    odd = public_key_info(build_oid("1.2.840.10045.2.1") + build_oid("1.3.132.0.10"), b"\x04" + bytes(64))
    with pytest.raises(AlgorithmRefused, match="unknown curve"):
        load_public_key(odd)


def test_a_key_of_another_kind_is_refused() -> None:
    key = dsa.generate_private_key(2048).public_key()
    with pytest.raises(AlgorithmRefused, match="DSA"):
        load_public_key(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def rsa_info(modulus: int, exponent: int, oid: str = "1.2.840.113549.1.1.1") -> bytes:
    numbers = build(0x30, build_integer(modulus) + build_integer(exponent))
    return public_key_info(build_oid(oid) + b"\x05\x00", numbers)


MODULUS = (1 << 2047) + 12345


@pytest.mark.parametrize("exponent", [3, 38129, 65537, 107903])
@pytest.mark.parametrize("oid", ["1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10"])
def test_odd_rsa_exponents_are_read(exponent: int, oid: str) -> None:
    key = load_public_key(rsa_info(MODULUS, exponent, oid))
    assert isinstance(key, rsa.RSAPublicKey)
    assert key.public_numbers() == rsa.RSAPublicNumbers(exponent, MODULUS)


@pytest.mark.parametrize(
    ("modulus", "exponent"),
    [
        (MODULUS, 1),
        (MODULUS, 4),
        (MODULUS, 65536),
        (MODULUS, 1 << 65 | 1),
        ((1 << 1022) + 1, 3),
        ((1 << 9000) + 1, 3),
    ],
)
def test_rsa_out_of_range_is_refused(modulus: int, exponent: int) -> None:
    with pytest.raises(AlgorithmRefused):
        load_public_key(rsa_info(modulus, exponent), accepts_legacy=True)


@pytest.mark.parametrize("bits", [1024, 1536, 2047])
def test_a_short_modulus_needs_the_policy(bits: int) -> None:
    info = rsa_info((1 << bits - 1) + 1, 65537)
    with pytest.raises(AlgorithmRefused, match=str(bits)):
        load_public_key(info)
    assert load_public_key(info, accepts_legacy=True).key_size == bits


@pytest.mark.parametrize("bits", [2048, 2056, 3072, 4096, 6144])
def test_the_usual_form_and_the_walk_read_the_same_key(bits: int) -> None:
    key = rsa.RSAPublicNumbers(65537, (1 << bits - 1) + 12345).public_key()
    info = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert load_public_key(info) == key
    # A modulus that begins with a zero bit is shorter, and one that is padded is no DER.
    short = info.replace(b"\0\x80", b"\0\x00", 1)
    with pytest.raises(MalformedDocument):
        load_public_key(short)


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
