"""Active authentication with RSA and ECDSA, published and synthetic, and everything altered."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from tests.support.explicit_curve import public_key_info
from tests.support.textbook_curve import TextbookCurve
from tests.support.vectors import load
from verification.chip.active_authentication import verify_active_authentication
from verification.chip.elliptic_curves import BY_PARAMETER_ID
from verification.chip.finite_field_groups import GROUPS
from verification.chip.subject_public_keys import STANDARDISED_PARAMETERS
from verification.encoding.object_identifier import build_oid
from verification.encoding.tlv import build_integer
from verification.errors import ActiveAuthenticationFailed, MalformedDocument, VerificationError
from verification.lds.dg15 import Dg15, build_dg15
from verification.lds.public_key_info import EC_PUBLIC_KEY
from verification.lds.security_infos import ActiveAuthenticationInfo, SecurityInfos, build_dg14

RSA = load("active_auth_rsa")
OWN = RSA["own_rsa"]
SYNTHETIC = load("active_auth_synthetic")
CHALLENGE = bytes.fromhex(SYNTHETIC["challenge"])
DG15_RSA = bytes.fromhex(SYNTHETIC["dg15_rsa"])
DG15_EC = bytes.fromhex(SYNTHETIC["dg15_ec"])
PLAIN_SHA256 = "0.4.0.127.0.7.1.1.4.1.3"


def dg14(algorithm: str) -> bytes:
    return build_dg14(SecurityInfos(active_authentication=(ActiveAuthenticationInfo(1, algorithm),)))


def dg15(key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey) -> bytes:
    return build_dg15(Dg15(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)))


# -- RSA --------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["s", "s_min_form"])
def test_worked_example_of_icao_9303_11_f(form: str) -> None:
    verify_active_authentication(
        bytes.fromhex(OWN["dg15"]), bytes.fromhex(RSA["rnd_ifd"]), bytes.fromhex(OWN[form]), dg14=None
    )


def test_the_smaller_of_s_and_n_minus_s_is_accepted() -> None:
    other = (int(OWN["n"], 16) - int(OWN["s"], 16)).to_bytes(128, "big")
    verify_active_authentication(bytes.fromhex(OWN["dg15"]), bytes.fromhex(RSA["rnd_ifd"]), other, dg14=None)


@pytest.mark.parametrize("case", SYNTHETIC["rsa"], ids=lambda case: f"{case['hash']}-{case['trailer']}")
def test_every_trailer_of_iso_9796_2(case: dict[str, str]) -> None:
    signature = bytes.fromhex(case["signature"])
    verify_active_authentication(DG15_RSA, CHALLENGE, signature, dg14=None)
    with pytest.raises(ActiveAuthenticationFailed):
        verify_active_authentication(DG15_RSA, bytes(8), signature, dg14=None)


def test_every_altered_octet_of_an_rsa_signature_is_refused() -> None:
    signature = bytes.fromhex(OWN["s"])
    for position in range(len(signature)):
        altered = signature[:position] + bytes((signature[position] ^ 1,)) + signature[position + 1 :]
        with pytest.raises(ActiveAuthenticationFailed):
            verify_active_authentication(
                bytes.fromhex(OWN["dg15"]), bytes.fromhex(RSA["rnd_ifd"]), altered, dg14=None
            )


def sign_representative(representative: bytes) -> bytes:
    """Sign any 128 octets with the key of the worked example."""
    value = pow(int.from_bytes(representative, "big"), int(OWN["d"], 16), int(OWN["n"], 16))
    return value.to_bytes(128, "big")


def verify_own(representative: bytes) -> None:
    verify_active_authentication(
        bytes.fromhex(OWN["dg15"]), CHALLENGE, sign_representative(representative), dg14=None
    )


def test_a_padded_representative_is_accepted() -> None:
    message = b"m" * 90
    digest = hashlib.sha1(message + CHALLENGE, usedforsecurity=False).digest()
    padding = b"\x6b" + b"\xbb" * (128 - 1 - 1 - 90 - 20 - 1) + b"\xba"
    verify_own(padding + message + digest + b"\xbc")


@pytest.mark.parametrize(
    "representative",
    [
        b"\x4a" + bytes(126) + b"\xbc",  # the header of a total recovery
        b"\x6b" + b"\xbb" * 126 + b"\xbc",  # padding without an end
        b"\x6a" + bytes(125) + b"\x99\xcc",  # an unknown hash
        b"\x6a" + bytes(126) + b"\xdc",  # no trailer
        b"\x6b" + b"\xbb" * 124 + b"\xba" + b"\x33\xcc",  # no room for a hash
    ],
)
def test_a_representative_of_another_shape_is_refused(representative: bytes) -> None:
    assert len(representative) == 128
    with pytest.raises(ActiveAuthenticationFailed):
        verify_own(representative)


@pytest.mark.parametrize("signature", [b"", b"\x00", bytes(127), bytes(129), b"\xff" * 128, bytes(128)])
def test_signatures_of_another_size_or_range_are_refused(signature: bytes) -> None:
    with pytest.raises(ActiveAuthenticationFailed):
        verify_active_authentication(bytes.fromhex(OWN["dg15"]), CHALLENGE, signature, dg14=None)


@given(st.binary(min_size=128, max_size=128))
def test_random_octets_are_no_rsa_signature(signature: bytes) -> None:
    with pytest.raises(ActiveAuthenticationFailed):
        verify_active_authentication(bytes.fromhex(OWN["dg15"]), CHALLENGE, signature, dg14=None)


# -- ECDSA ------------------------------------------------------------------------------------


@pytest.mark.parametrize("group", [dg14(PLAIN_SHA256), None], ids=["told", "untold"])
def test_ecdsa_in_plain_form(group: bytes | None) -> None:
    signature = bytes.fromhex(SYNTHETIC["ecdsa_sha256_plain"])
    verify_active_authentication(DG15_EC, CHALLENGE, signature, dg14=group)
    for position in range(len(signature)):
        altered = signature[:position] + bytes((signature[position] ^ 1,)) + signature[position + 1 :]
        with pytest.raises(ActiveAuthenticationFailed):
            verify_active_authentication(DG15_EC, CHALLENGE, altered, dg14=group)


def test_ecdsa_with_another_hash_than_dg14_names_is_refused() -> None:
    signature = bytes.fromhex(SYNTHETIC["ecdsa_sha256_plain"])
    with pytest.raises(ActiveAuthenticationFailed):
        verify_active_authentication(DG15_EC, CHALLENGE, signature, dg14=dg14(PLAIN_SHA256[:-1] + "5"))


@pytest.mark.parametrize(
    ("curve", "algorithm"),
    [
        (ec.SECP224R1(), hashes.SHA224()),
        (ec.SECP256R1(), hashes.SHA256()),
        (ec.BrainpoolP384R1(), hashes.SHA384()),
        (ec.BrainpoolP512R1(), hashes.SHA512()),
        (ec.SECP521R1(), hashes.SHA512()),
    ],
)
def test_a_hundred_signatures_in_both_forms(curve: ec.EllipticCurve, algorithm: hashes.HashAlgorithm) -> None:
    """Among so many, r or s have leading zeros: a plain form of constant length must not mind."""
    key = ec.generate_private_key(curve)
    group, size = dg15(key.public_key()), (curve.key_size + 7) // 8
    for number in range(100 if curve.key_size < 300 else 10):
        challenge = number.to_bytes(8, "big")
        der = key.sign(challenge, ec.ECDSA(algorithm))
        r, s = decode_dss_signature(der)
        verify_active_authentication(group, challenge, der, dg14=None)
        verify_active_authentication(
            group, challenge, r.to_bytes(size, "big") + s.to_bytes(size, "big"), dg14=None
        )


@pytest.mark.parametrize("parameter_id", [9, 11, 14])
def test_ecdsa_on_the_curves_that_openssl_lacks(parameter_id: int) -> None:
    known = BY_PARAMETER_ID[parameter_id].parameters
    book = TextbookCurve(known.p, known.a, known.b, known.n, (known.x, known.y))
    private, nonce = 0x1234567, 0x7654321
    point = book.encode(book.multiply(private, book.base))
    group = build_dg15(Dg15(public_key_info(build_oid(EC_PUBLIC_KEY) + build_oid(known.oid), point)))
    multiple = book.multiply(nonce, book.base)
    assert multiple is not None
    r = multiple[0] % known.n
    digest = hashlib.sha256(CHALLENGE).digest()
    number = int.from_bytes(digest, "big") >> max(0, 256 - known.n.bit_length())
    s = pow(nonce, -1, known.n) * (number + r * private) % known.n
    size = (known.n.bit_length() + 7) // 8
    plain = r.to_bytes(size, "big") + s.to_bytes(size, "big")
    for group14 in (dg14(PLAIN_SHA256), None):
        for signature in (plain, encode_dss_signature(r, s)):
            verify_active_authentication(group, CHALLENGE, signature, dg14=group14)
    for position in range(0, len(plain), 7):
        altered = plain[:position] + bytes((plain[position] ^ 1,)) + plain[position + 1 :]
        with pytest.raises(ActiveAuthenticationFailed):
            verify_active_authentication(group, CHALLENGE, altered, dg14=dg14(PLAIN_SHA256))


HASHES = (hashes.SHA1(), hashes.SHA224(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512())  # noqa: S303


PLAIN = dict(enumerate(HASHES, 1))
NAMED = {f"0.4.0.127.0.7.1.1.4.1.{arc}": algorithm for arc, algorithm in PLAIN.items()} | {
    "1.2.840.10045.4.1": HASHES[0],
    "1.2.840.10045.4.3.1": HASHES[1],
    "1.2.840.10045.4.3.2": HASHES[2],
    "1.2.840.10045.4.3.3": HASHES[3],
    "1.2.840.10045.4.3.4": HASHES[4],
}


@pytest.mark.parametrize("named", NAMED)
def test_the_hash_is_the_one_that_dg14_names(named: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    signature = key.sign(CHALLENGE, ec.ECDSA(NAMED[named]))
    verify_active_authentication(dg15(key.public_key()), CHALLENGE, signature, dg14=dg14(named))
    for other in NAMED:
        if NAMED[other] is not NAMED[named]:
            with pytest.raises(ActiveAuthenticationFailed):
                verify_active_authentication(dg15(key.public_key()), CHALLENGE, signature, dg14=dg14(other))


@pytest.mark.parametrize("algorithm", HASHES, ids=lambda algorithm: algorithm.name)
@pytest.mark.parametrize("group", [None, dg14("1.2.3.4")], ids=["no DG14", "an algorithm nobody knows"])
def test_where_dg14_names_no_hash_every_one_is_tried(
    algorithm: hashes.HashAlgorithm, group: bytes | None
) -> None:
    key = ec.generate_private_key(ec.SECP192R1())
    signature = key.sign(CHALLENGE, ec.ECDSA(algorithm))
    verify_active_authentication(dg15(key.public_key()), CHALLENGE, signature, dg14=group)
    with pytest.raises(ActiveAuthenticationFailed):
        verify_active_authentication(dg15(key.public_key()), bytes(8), signature, dg14=group)


def test_a_key_that_signs_nothing_is_a_malformed_document() -> None:
    value = build_integer(int.from_bytes(GROUPS[0].power_of_generator(5), "big"))
    algorithm = build_oid(STANDARDISED_PARAMETERS) + build_integer(0)
    group = build_dg15(Dg15(public_key_info(algorithm, value)))
    with pytest.raises(MalformedDocument):
        verify_active_authentication(group, CHALLENGE, bytes(64), dg14=None)


@given(st.binary(max_size=80))
def test_random_octets_are_no_ecdsa_signature(signature: bytes) -> None:
    with pytest.raises(ActiveAuthenticationFailed):
        verify_active_authentication(DG15_EC, CHALLENGE, signature, dg14=None)


# -- inputs -----------------------------------------------------------------------------------


@pytest.mark.parametrize("challenge", [b"", bytes(7), bytes(9)])
def test_only_challenges_of_eight_octets_are_judged(challenge: bytes) -> None:
    with pytest.raises(ActiveAuthenticationFailed):
        verify_active_authentication(DG15_EC, challenge, bytes(64), dg14=None)


@pytest.mark.parametrize("group", [DG15_EC, DG15_RSA], ids=["ec", "rsa"])
def test_every_truncation_and_altered_octet_of_dg15_ends_in_our_error(group: bytes) -> None:
    signature = bytes.fromhex(
        SYNTHETIC["ecdsa_sha256_plain"] if group is DG15_EC else SYNTHETIC["rsa"][2]["signature"]
    )
    variants = [group[:length] for length in range(len(group))]
    variants += [
        group[:position] + bytes((group[position] ^ 1,)) + group[position + 1 :]
        for position in range(len(group))
    ]
    for variant in variants:
        with pytest.raises(VerificationError):
            verify_active_authentication(variant, CHALLENGE, signature, dg14=None)


def test_a_broken_dg14_is_a_malformed_document() -> None:
    with pytest.raises(MalformedDocument):
        verify_active_authentication(DG15_EC, CHALLENGE, bytes(64), dg14=b"\x6e\x00")
