"""Signature algorithms by their identifiers, each with the parameters that really stand there."""

from __future__ import annotations

import hashlib
import subprocess

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support import hostile
from verification.encoding.curve_parameters import PARAMETERS_BY_NAME
from verification.encoding.object_identifier import build_oid
from verification.encoding.tlv import NULL, OCTET_STRING, SEQUENCE, build, build_integer
from verification.errors import AlgorithmRefused, MalformedDocument
from verification.lds.hash_algorithms import HASH_LENGTHS, hash_algorithm_identifier
from verification.pki.curve_signature import CurvePublicKey
from verification.pki.public_keys import PublicKey, load_public_key
from verification.pki.signature_algorithms import MAX_ALGORITHM, signature_algorithm, signature_verifier

MESSAGE = b"what was signed"
HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - documents before 2010 have it
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
NAMES = sorted(HASHES)
ECDSA = {"sha1": "1.2.840.10045.4.1"} | {
    name: f"1.2.840.10045.4.3.{number}"
    for number, name in enumerate(("sha224", "sha256", "sha384", "sha512"), 1)
}
PLAIN = {
    name: f"0.4.0.127.0.7.1.1.4.1.{number}"
    for number, name in enumerate(("sha1", "sha224", "sha256", "sha384", "sha512"), 1)
}
PKCS1 = {
    name: f"1.2.840.113549.1.1.{number}"
    for name, number in (("sha1", 5), ("sha224", 14), ("sha256", 11), ("sha384", 12), ("sha512", 13))
}
NULL_PARAMETERS = build(NULL, b"")
EC_KEY = ec.generate_private_key(ec.BrainpoolP384R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)
OTHER_CURVES = ("brainpoolP192r1", "brainpoolP224r1", "brainpoolP320r1")


def identifier(oid: str, parameters: bytes = b"") -> bytes:
    return build(SEQUENCE, build_oid(oid) + parameters)


def pss(
    name: str | None = "sha256", mask: str | None = "sha256", salt: int | None = 32, trailer: bytes = b""
) -> bytes:
    parameters = b"" if name is None else build(0xA0, hash_algorithm_identifier(name))
    if mask is not None:
        parameters += build(0xA1, identifier("1.2.840.113549.1.1.8", hash_algorithm_identifier(mask)))
    parameters += b"" if salt is None else build(0xA2, build_integer(salt))
    return identifier("1.2.840.113549.1.1.10", build(SEQUENCE, parameters + trailer))


def verify(algorithm: bytes, key: PublicKey, signature: bytes, message: bytes = MESSAGE) -> None:
    signature_verifier(algorithm, accepts_legacy=True)(key, signature, message)


def require_right(algorithm: bytes, key: PublicKey, signature: bytes) -> None:
    """It verifies, and neither another message nor another signature does."""
    verify(algorithm, key, signature)
    for altered, message in (
        (signature, MESSAGE + b"."),
        (signature[:-1] + bytes((signature[-1] ^ 1,)), MESSAGE),
        (b"", MESSAGE),
    ):
        with pytest.raises(InvalidSignature):
            verify(algorithm, key, altered, message)


class TestEcdsa:
    @pytest.mark.parametrize("parameters", [b"", NULL_PARAMETERS], ids=["absent", "NULL"])
    @pytest.mark.parametrize("name", NAMES)
    def test_with_every_hash(self, name: str, parameters: bytes) -> None:
        """NULL is wrong there, and 19 of 202 real EC CSCAs have it."""
        signature = EC_KEY.sign(MESSAGE, ec.ECDSA(HASHES[name]))
        require_right(identifier(ECDSA[name], parameters), EC_KEY.public_key(), signature)

    @pytest.mark.parametrize("name", NAMES)
    def test_plain(self, name: str) -> None:
        """BSI TR-03111: r and s side by side."""
        r, s = decode_dss_signature(EC_KEY.sign(MESSAGE, ec.ECDSA(HASHES[name])))
        plain = r.to_bytes(48, "big") + s.to_bytes(48, "big")
        require_right(identifier(PLAIN[name]), EC_KEY.public_key(), plain)
        for wrong in (plain[1:], plain + b"\0", encode_dss_signature(r, s)):
            with pytest.raises(InvalidSignature):
                verify(identifier(PLAIN[name]), EC_KEY.public_key(), wrong)

    def test_any_other_parameter_is_refused(self) -> None:
        with pytest.raises(MalformedDocument):
            signature_algorithm(identifier(ECDSA["sha256"], build_integer(1)))

    def test_by_an_rsa_key_it_is_refused(self) -> None:
        for oid in (ECDSA["sha256"], PLAIN["sha256"]):
            with pytest.raises(AlgorithmRefused):
                verify(identifier(oid), RSA_KEY.public_key(), bytes(256))


@pytest.fixture(scope="module", params=OTHER_CURVES)
def signed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[bytes, dict[str, bytes]]:
    """A key made by the openssl command and its signature of the message by every hash."""
    folder = tmp_path_factory.mktemp("curve")
    key = folder / "key.pem"
    openssl("ecparam", "-name", request.param, "-genkey", "-noout", "-out", str(key))
    info = openssl("ec", "-in", str(key), "-pubout", "-outform", "DER")
    (folder / "message").write_bytes(MESSAGE)
    signatures = {
        name: openssl("dgst", f"-{name}", "-sign", str(key), str(folder / "message")) for name in NAMES
    }
    return info, signatures


class TestOurOwnCurves:
    """Brainpool P192r1, P224r1 and P320r1: the Python binding of OpenSSL lacks them, its command has them."""

    def test_the_signatures_of_openssl_verify(self, signed: tuple[bytes, dict[str, bytes]]) -> None:
        info, signatures = signed
        key = load_public_key(info, accepts_legacy=True)
        assert isinstance(key, CurvePublicKey)
        for name, signature in signatures.items():
            require_right(identifier(ECDSA[name]), key, signature)

    def test_plain_signatures_too(self, signed: tuple[bytes, dict[str, bytes]]) -> None:
        info, signatures = signed
        key = load_public_key(info, accepts_legacy=True)
        size = (key.key_size + 7) // 8
        r, s = decode_dss_signature(signatures["sha256"])
        require_right(identifier(PLAIN["sha256"]), key, r.to_bytes(size, "big") + s.to_bytes(size, "big"))

    def test_every_flipped_bit_of_a_signature_is_refused(
        self, signed: tuple[bytes, dict[str, bytes]]
    ) -> None:
        info, signatures = signed
        key = load_public_key(info, accepts_legacy=True)
        signature = signatures["sha256"]
        for position in range(len(signature)):
            altered = bytearray(signature)
            altered[position] ^= 1 << position % 8
            with pytest.raises(InvalidSignature):
                verify(identifier(ECDSA["sha256"]), key, bytes(altered))

    @pytest.mark.parametrize("name", OTHER_CURVES)
    def test_numbers_out_of_range_are_no_signature(self, name: str) -> None:
        known = PARAMETERS_BY_NAME[name]
        base = b"\x04" + b"".join(value.to_bytes(known.field_length, "big") for value in (known.x, known.y))
        key = CurvePublicKey.from_encoded_point(known, base)
        for r, s in ((0, 1), (1, 0), (known.n, 1), (1, known.n), (known.n + 1, 1)):
            with pytest.raises(InvalidSignature):
                key.verify_digest(encode_dss_signature(r, s), hashlib.sha256(MESSAGE).digest())

    @pytest.mark.parametrize("name", OTHER_CURVES)
    def test_a_sum_that_is_infinity_is_no_signature(self, name: str) -> None:
        """With Q = -G, r = 1 and e = r the two products cancel each other."""
        known = PARAMETERS_BY_NAME[name]
        opposite = b"\x04" + b"".join(
            value.to_bytes(known.field_length, "big") for value in (known.x, known.p - known.y)
        )
        key = CurvePublicKey.from_encoded_point(known, opposite)
        digest = (1).to_bytes(known.n.bit_length() // 8, "big")
        with pytest.raises(InvalidSignature):
            key.verify_digest(encode_dss_signature(1, 1), digest)

    def test_a_digest_of_zero_is_legal(self) -> None:
        """Then only the key's product is left: u1 is zero."""
        known = PARAMETERS_BY_NAME["brainpoolP320r1"]
        base = b"\x04" + b"".join(value.to_bytes(known.field_length, "big") for value in (known.x, known.y))
        # Private key 1: with k = r/s and e = 0, r = x(kG); choose k = 1, so that r = x(G) and s = r.
        r = known.x % known.n
        CurvePublicKey.from_encoded_point(known, base).verify_digest(encode_dss_signature(r, r), bytes(32))


class TestRsa:
    @pytest.mark.parametrize("parameters", [b"", NULL_PARAMETERS], ids=["absent", "NULL"])
    @pytest.mark.parametrize("name", NAMES)
    def test_pkcs_1_with_every_hash(self, name: str, parameters: bytes) -> None:
        signature = RSA_KEY.sign(MESSAGE, padding.PKCS1v15(), HASHES[name])
        require_right(identifier(PKCS1[name], parameters), RSA_KEY.public_key(), signature)

    @pytest.mark.parametrize("name", NAMES)
    def test_bare_rsa_encryption_takes_the_hash_of_the_signer_info(self, name: str) -> None:
        bare = identifier("1.2.840.113549.1.1.1", NULL_PARAMETERS)
        signature = RSA_KEY.sign(MESSAGE, padding.PKCS1v15(), HASHES[name])
        signature_algorithm(bare, name).verify(RSA_KEY.public_key(), signature, MESSAGE)
        with pytest.raises(AlgorithmRefused):
            signature_algorithm(bare)

    @pytest.mark.parametrize("name", NAMES)
    def test_a_digest_info_without_null_is_accepted(self, name: str) -> None:
        """RFC 8017, A.2.4 leaves the parameters optional; OpenSSL alone refuses that."""
        info = digest_info(hash_algorithm_identifier(name), name)
        require_right(identifier(PKCS1[name]), RSA_KEY.public_key(), raw_signature(info))
        for wrong in (info + b"\0", info[:-1], digest_info(hash_algorithm_identifier("sha256"), "sha384")):
            with pytest.raises(InvalidSignature):
                verify(identifier(PKCS1[name]), RSA_KEY.public_key(), raw_signature(wrong))

    @pytest.mark.parametrize("exponent", [3, 5, 38129, 107903])
    def test_odd_exponents_verify(self, exponent: int) -> None:
        key = rsa_key(exponent)
        info = digest_info(identifier("2.16.840.1.101.3.4.2.1", NULL_PARAMETERS), "sha256")
        signature = raw_signature(info, key)
        public = rsa.RSAPublicNumbers(exponent, key[0]).public_key()
        loaded = load_public_key(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
        require_right(identifier(PKCS1["sha256"]), loaded, signature)

    def test_by_an_ec_key_it_is_refused(self) -> None:
        for algorithm in (identifier(PKCS1["sha256"]), pss()):
            with pytest.raises(AlgorithmRefused):
                verify(algorithm, EC_KEY.public_key(), bytes(256))


class TestPss:
    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("mask", NAMES)
    @pytest.mark.parametrize("salt", [0, 20, 32, 48, 64, 100])
    def test_hash_mask_and_salt_are_those_that_stand_there(self, name: str, mask: str, salt: int) -> None:
        chosen = padding.PSS(padding.MGF1(HASHES[mask]), salt)
        signature = RSA_KEY.sign(MESSAGE, chosen, HASHES[name])
        require_right(pss(name, mask, salt), RSA_KEY.public_key(), signature)
        with pytest.raises(InvalidSignature):
            verify(pss(name, mask, salt + 1), RSA_KEY.public_key(), signature)

    def test_what_is_left_out_has_its_default(self) -> None:
        """RFC 4055, 3.1: SHA-1, MGF1 with SHA-1, 20 octets of salt."""
        sha1, sha256 = HASHES["sha1"], HASHES["sha256"]
        default_salt = RSA_KEY.sign(MESSAGE, padding.PSS(padding.MGF1(sha256), 20), sha256)
        require_right(pss(salt=None), RSA_KEY.public_key(), default_salt)
        default_mask = RSA_KEY.sign(MESSAGE, padding.PSS(padding.MGF1(sha1), 32), sha256)
        require_right(pss(mask=None), RSA_KEY.public_key(), default_mask)
        all_default = RSA_KEY.sign(MESSAGE, padding.PSS(padding.MGF1(sha1), 20), sha1)
        require_right(pss(None, None, None), RSA_KEY.public_key(), all_default)
        assert signature_algorithm(pss(None, None, None)).is_legacy

    def test_sha_1_in_the_mask_alone_is_no_weakness(self) -> None:
        assert not signature_algorithm(pss("sha256", "sha1")).is_legacy

    @pytest.mark.parametrize(
        "algorithm",
        [
            pss(trailer=build(0xA3, build_integer(2))),
            pss(salt=513),
            identifier("1.2.840.113549.1.1.10", build(SEQUENCE, build(0xA0, identifier("1.2.3")))),
            identifier("1.2.840.113549.1.1.10", build(SEQUENCE, build(0xA1, identifier("1.2.3")))),
        ],
        ids=["trailer", "salt", "hash", "mask"],
    )
    def test_what_is_unknown_is_refused(self, algorithm: bytes) -> None:
        with pytest.raises(AlgorithmRefused):
            signature_algorithm(algorithm)

    def test_a_salt_longer_than_the_modulus_allows_is_no_signature(self) -> None:
        with pytest.raises(InvalidSignature):
            verify(pss(salt=512), RSA_KEY.public_key(), bytes(256))

    def test_the_trailer_may_be_written_out(self) -> None:
        chosen = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        signature = RSA_KEY.sign(MESSAGE, chosen, hashes.SHA256())
        require_right(pss(trailer=build(0xA3, build_integer(1))), RSA_KEY.public_key(), signature)

    @pytest.mark.parametrize("parameters", [b"", NULL_PARAMETERS], ids=["absent", "NULL"])
    def test_parameters_must_be_there(self, parameters: bytes) -> None:
        with pytest.raises(MalformedDocument):
            signature_algorithm(identifier("1.2.840.113549.1.1.10", parameters))

    def test_damage_ends_in_our_own_error(self) -> None:
        algorithm = pss(trailer=build(0xA3, build_integer(1)))
        for data in hostile.truncations(algorithm):
            assert hostile.is_refused(signature_algorithm, data)
        for data in hostile.damaged(algorithm, count=2000, seed=6):
            hostile.is_refused(signature_algorithm, data)


class TestWhatIsNotReliedOn:
    @pytest.mark.parametrize("oid", [ECDSA["sha1"], PLAIN["sha1"], PKCS1["sha1"]])
    def test_sha_1_needs_the_policy(self, oid: str) -> None:
        with pytest.raises(AlgorithmRefused, match="sha1"):
            signature_verifier(identifier(oid))
        assert signature_algorithm(identifier(oid)).is_legacy

    @pytest.mark.parametrize("oid", ["1.2.840.10040.4.3", "2.16.840.1.101.3.4.3.2"])
    def test_dsa_is_refused_with_its_reason(self, oid: str) -> None:
        with pytest.raises(AlgorithmRefused, match="DSA"):
            signature_algorithm(identifier(oid))

    @pytest.mark.parametrize("oid", ["1.2.840.113549.1.1.4", "1.3.101.112", "2.999"])
    def test_what_is_unknown_is_refused(self, oid: str) -> None:
        with pytest.raises(AlgorithmRefused, match="unknown"):
            signature_algorithm(identifier(oid))

    def test_a_limit_comes_first(self) -> None:
        with pytest.raises(MalformedDocument):
            signature_algorithm(identifier(ECDSA["sha256"], bytes(MAX_ALGORITHM)))


def openssl(*arguments: str) -> bytes:
    return subprocess.run(["openssl", *arguments], capture_output=True, check=True).stdout


def digest_info(algorithm: bytes, name: str) -> bytes:
    return build(SEQUENCE, algorithm + build(OCTET_STRING, hashlib.new(name, MESSAGE).digest()))


def raw_signature(info: bytes, key: tuple[int, int] | None = None) -> bytes:
    """RSASSA-PKCS1-v1_5 over an encoded DigestInfo of the test's choice."""
    numbers = RSA_KEY.private_numbers()
    modulus, private = key or (numbers.public_numbers.n, numbers.d)
    size = (modulus.bit_length() + 7) // 8
    padded = b"\0\1" + b"\xff" * (size - 3 - len(info)) + b"\0" + info
    return pow(int.from_bytes(padded, "big"), private, modulus).to_bytes(size, "big")


def rsa_key(exponent: int) -> tuple[int, int]:
    """Modulus and private exponent to a public exponent that no library makes keys for."""
    while True:
        numbers = rsa.generate_private_key(65537, 2048).private_numbers()
        order = (numbers.p - 1) * (numbers.q - 1)
        if order % exponent and all(order % prime for prime in _primes_of(exponent)):
            return numbers.public_numbers.n, pow(exponent, -1, order)


def _primes_of(number: int) -> list[int]:
    return [prime for prime in range(3, number + 1) if not number % prime]


def test_every_hash_is_covered() -> None:
    assert set(NAMES) == set(HASH_LENGTHS)
