"""Arithmetic on curves, against the textbook's and OpenSSL's."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.scripted_card import seeded
from tests.support.textbook_curve import TextbookCurve
from verification.encoding.curve_arithmetic import (
    AffinePoint,
    add,
    base_point,
    decode_point,
    encode_point,
    multiply,
    verify_signature,
)
from verification.encoding.curve_parameters import CURVES, PARAMETERS_BY_NAME, DomainParameters
from verification.errors import MalformedDocument

every_curve = pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
P192, P224, P320 = (PARAMETERS_BY_NAME[f"brainpoolP{bits}r1"] for bits in (192, 224, 320))


def textbook(curve: DomainParameters) -> TextbookCurve:
    return TextbookCurve(curve.p, curve.a, curve.b, curve.n, (curve.x, curve.y))


@every_curve
def test_multiples_are_those_of_the_textbook(curve: DomainParameters) -> None:
    book, source = textbook(curve), seeded(1)
    # The last steps of n - 2 and n - 3 add a point to its own negative's double or to itself.
    scalars = [*range(1, 18), curve.n - 1, curve.n - 2, curve.n - 3, curve.n // 2, curve.n // 3]
    for scalar in [*scalars, *(source.randrange(1, curve.n) for _ in range(4))]:
        assert multiply(curve, scalar, base_point(curve)) == book.multiply(scalar, book.base)


@every_curve
def test_sums_are_those_of_the_textbook(curve: DomainParameters) -> None:
    book, base = textbook(curve), base_point(curve)
    double = add(curve, base, base)
    assert double == book.multiply(2, book.base)
    assert add(curve, double, base) == add(curve, base, double) == book.multiply(3, book.base)


@every_curve
def test_infinity_is_refused(curve: DomainParameters) -> None:
    base = base_point(curve)
    with pytest.raises(MalformedDocument):
        add(curve, base, AffinePoint(base.x, curve.p - base.y))
    for scalar in (0, curve.n, -curve.n, 2 * curve.n):
        with pytest.raises(MalformedDocument):
            multiply(curve, scalar, base)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, P224.n - 1), st.integers(1, P224.n - 1))
def test_multiplying_is_adding_over_and_over(left: int, right: int) -> None:
    base = base_point(P224)
    if (left + right) % P224.n:
        parts = multiply(P224, left, base), multiply(P224, right, base)
        assert add(P224, *parts) == multiply(P224, left + right, base)
    assert multiply(P224, left, multiply(P224, right, base)) == multiply(P224, left * right, base)


@every_curve
def test_points_read_back(curve: DomainParameters) -> None:
    for scalar in (1, 2, curve.n - 1):
        point = multiply(curve, scalar, base_point(curve))
        octets = encode_point(curve, point)
        assert len(octets) == 1 + 2 * curve.field_length
        assert decode_point(curve, octets) == point


def test_coordinates_keep_their_leading_zeros() -> None:
    """The base point of brainpoolP224r1 has one in x."""
    octets = encode_point(P224, base_point(P224))
    assert octets[1] == 0x0D
    assert P224.x.bit_length() < P224.p.bit_length()
    scalar = next(k for k in range(2, 5000) if multiply(P192, k, base_point(P192)).x < 1 << 184)
    point = multiply(P192, scalar, base_point(P192))
    assert encode_point(P192, point)[:2] == b"\x04\x00"
    assert decode_point(P192, encode_point(P192, point)) == point


@every_curve
def test_what_is_no_point_is_refused(curve: DomainParameters) -> None:
    octets, size = encode_point(curve, base_point(curve)), curve.field_length
    x, y = octets[1 : 1 + size], octets[1 + size :]
    unreduced = (curve.x + curve.p).to_bytes(size + 1, "big")
    variants = [
        b"",
        b"\x00",
        b"\x02" + x,
        b"\x03" + octets[1:],
        octets[:-1],
        octets + b"\x00",
        b"\x04" + bytes(2 * size),
        b"\x04" + b"\xff" * (2 * size),
        b"\x04" + y + x,
        octets[:-1] + bytes((octets[-1] ^ 1,)),
        b"\x04" + unreduced[-size:] + y,
    ]
    for variant in variants:
        with pytest.raises(MalformedDocument):
            decode_point(curve, variant)


# -- signatures ---------------------------------------------------------------------------------


def run(*command: str) -> bytes:
    return subprocess.run(command, capture_output=True, check=True).stdout


@pytest.mark.parametrize("curve", [P192, P224, P320], ids=lambda curve: curve.name)
@pytest.mark.parametrize("digest", ["sha1", "sha224", "sha256", "sha384", "sha512"])
def test_signatures_of_openssl_verify(curve: DomainParameters, digest: str, tmp_path: Path) -> None:
    key, message = tmp_path / "key.pem", tmp_path / "message"
    message.write_bytes(b"a message")
    run("openssl", "ecparam", "-name", curve.name, "-genkey", "-noout", "-out", str(key))
    # The uncompressed point ends SubjectPublicKeyInfo.
    info = run("openssl", "ec", "-in", str(key), "-pubout", "-outform", "DER")
    public = decode_point(curve, info[-(1 + 2 * curve.field_length) :])
    signature = decode_dss_signature(
        run("openssl", "dgst", f"-{digest}", "-sign", str(key), "-binary", str(message))
    )
    hashed = hashlib.new(digest, b"a message").digest()
    verify_signature(curve, public, hashed, signature)
    r, s = signature
    verify_signature(curve, public, hashed, (r, curve.n - s))
    other_digest = bytes((hashed[0] ^ 1,)) + hashed[1:]
    for wrong in (
        (public, other_digest, signature),
        (multiply(curve, 2, public), hashed, signature),
        (public, hashed, (r ^ 1, s)),
        (public, hashed, (r, s ^ 1)),
        (public, hashed, (s, r)),
    ):
        with pytest.raises(InvalidSignature):
            verify_signature(curve, *wrong)


@pytest.mark.parametrize("out_of_range", [0, -1, P320.n, P320.n + 1])
def test_numbers_out_of_range_are_no_signature(out_of_range: int) -> None:
    base = base_point(P320)
    for signature in ((out_of_range, 5), (5, out_of_range)):
        with pytest.raises(InvalidSignature):
            verify_signature(P320, base, b"\x01", signature)


def test_a_sum_that_is_infinity_is_no_signature() -> None:
    """Q = G and e = -r: u1 G + u2 Q is (e + r)/s G."""
    digest = (P320.n - 5).to_bytes(40, "big")
    with pytest.raises(InvalidSignature):
        verify_signature(P320, base_point(P320), digest, (5, 7))


def test_a_digest_of_zero_can_be_signed() -> None:
    """r = x(G) and s = r: then the sum is Q itself, here G."""
    r = P320.x % P320.n
    verify_signature(P320, base_point(P320), bytes(32), (r, r))
