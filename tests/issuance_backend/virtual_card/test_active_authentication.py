"""The chip's signatures over a challenge: the frame of ISO/IEC 9796-2 with every trailer, and ECDSA."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key

from issuance_backend.virtual_card.card_image import RsaHash
from issuance_backend.virtual_card.icc_active_authentication import (
    EcdsaChallengeSigner,
    RsaChallengeSigner,
    challenge_signer,
)
from tests.support import vectors
from tests.support.chip_card import SIGNING_KEY, private_info
from tests.support.chip_terminal import scripted
from verification.encoding.object_identifier import encode_oid
from verification.encoding.tlv import only

APPENDIX_F = vectors.load("active_auth_rsa")
SYNTHETIC = vectors.load("active_auth_synthetic")


def own_key() -> rsa.RSAPrivateKey:
    numbers = APPENDIX_F["own_rsa"]
    n, e, d = int(numbers["n"], 16), numbers["e"], int(numbers["d"], 16)
    p, q = rsa.rsa_recover_prime_factors(n, e, d)
    crt = rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q)
    return rsa.RSAPrivateNumbers(p, q, d, *crt, rsa.RSAPublicNumbers(e, n)).private_key()


def test_the_signature_of_appendix_f() -> None:
    signer = RsaChallengeSigner(own_key(), scripted(APPENDIX_F["m1"]), "sha1")
    challenge = bytes.fromhex(APPENDIX_F["rnd_ifd"])
    frame = signer.representative(bytes.fromhex(APPENDIX_F["m1"]), challenge)
    assert frame.hex() == APPENDIX_F["f"]
    assert signer.sign(challenge).hex() == APPENDIX_F["own_rsa"]["s"]


@pytest.mark.parametrize("case", SYNTHETIC["rsa"], ids=lambda case: f"{case['hash']}-{case['trailer']}")
def test_the_frame_of_every_trailer(case: dict[str, str]) -> None:
    """The published signatures opened with their public key give frames that the chip would sign too."""
    public = load_der_public_key(only(bytes.fromhex(SYNTHETIC["dg15_rsa"]), 0x6F))
    assert isinstance(public, rsa.RSAPublicKey)
    n, size = public.public_numbers().n, public.key_size // 8
    opened = pow(int(case["signature"], 16), public.public_numbers().e, n).to_bytes(size, "big")
    trailer, name = bytes.fromhex(case["trailer"]), case["hash"]
    hash_name: RsaHash = name  # type: ignore[assignment]
    recoverable = opened[1 : size - len(trailer) - hashlib.new(name).digest_size]
    # The trailer of option 1 goes with SHA-1 by itself; 33CC is what some cards have instead.
    stated = trailer if case["trailer"] == "33cc" else None
    signer = RsaChallengeSigner(own_key(), scripted(), hash_name, stated)
    assert signer.representative(recoverable, bytes.fromhex(SYNTHETIC["challenge"])) == opened


def test_ecdsa_is_plain_with_the_hash_that_dg14_names() -> None:
    for arc, digest in enumerate((hashes.SHA1(), hashes.SHA224(), hashes.SHA256(), hashes.SHA384()), 1):  # noqa: S303
        algorithm = encode_oid(f"0.4.0.127.0.7.1.1.4.1.{arc}")
        signer = challenge_signer(
            private_info(SIGNING_KEY), algorithm, scripted(), rsa_hash="sha256", in_der=False
        )
        assert isinstance(signer, EcdsaChallengeSigner)
        signature = signer.sign(bytes(8))
        assert len(signature) == 64
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        SIGNING_KEY.public_key().verify(encode_dss_signature(r, s), bytes(8), ec.ECDSA(digest))


def test_a_published_ecdsa_signature_is_one_of_this_format() -> None:
    public = load_der_public_key(only(bytes.fromhex(SYNTHETIC["dg15_ec"]), 0x6F))
    assert isinstance(public, ec.EllipticCurvePublicKey)
    signature = bytes.fromhex(SYNTHETIC["ecdsa_sha256_plain"])
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    challenge = bytes.fromhex(SYNTHETIC["challenge"])
    public.verify(encode_dss_signature(r, s), challenge, ec.ECDSA(hashes.SHA256()))
