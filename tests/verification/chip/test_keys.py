"""Access secrets and key derivation."""

from __future__ import annotations

import pytest

from tests.support.vectors import load
from verification.chip.keys import Can, KeyPurpose, MrzKey, Suite, derive_key, mrz_seed, session_keys
from verification.errors import AccessSecretMalformed

BAC = load("bac")
PACE = load("pace_ecdh_gm")


def test_bac_keys_of_icao_9303_11_d1() -> None:
    seed = mrz_seed(BAC["mrz_information"])
    assert seed.hex() == BAC["h_sha1"]
    assert derive_key(seed[:16], KeyPurpose.ENCRYPTION, Suite.TRIPLE_DES).hex() == BAC["k_enc"]
    assert derive_key(seed[:16], KeyPurpose.CHECKSUM, Suite.TRIPLE_DES).hex() == BAC["k_mac"]


def test_pace_password_key_of_icao_9303_11_g1() -> None:
    secret = MrzKey(PACE["mrz_information"])
    assert (secret.password.hex(), secret.reference) == (PACE["k"], 1)
    assert derive_key(secret.password, KeyPurpose.PASSWORD, Suite.AES_128).hex() == PACE["k_pi"]


def test_a_can_is_its_digits() -> None:
    assert (Can("012345").password, Can("012345").reference) == (b"012345", 2)


@pytest.mark.parametrize("suite", Suite)
def test_session_keys_have_the_length_of_their_cipher(suite: Suite) -> None:
    keys = session_keys(bytes(32), suite)
    assert len(keys.encryption) == len(keys.checksum) == suite.key_length
    assert keys.encryption != keys.checksum


def test_triple_des_keys_have_odd_parity() -> None:
    assert all(octet.bit_count() % 2 for octet in session_keys(b"x", Suite.TRIPLE_DES).encryption)


@pytest.mark.parametrize("digits", ["", "12345", "1234567", "12345a", "１２３４５６", "12 456", "-12345"])
def test_what_is_no_can_is_refused(digits: str) -> None:
    with pytest.raises(AccessSecretMalformed) as refusal:
        Can(digits)
    assert digits not in str(refusal.value) or not digits


@pytest.mark.parametrize(
    "information",
    ["", "L898902C<369080619406237", "L898902C<379080619406236", "L898902C<36908061940623", "x" * 24],
)
def test_a_misread_mrz_never_becomes_a_key(information: str) -> None:
    with pytest.raises(AccessSecretMalformed) as refusal:
        MrzKey(information)
    assert information[:8] not in str(refusal.value) or not information


def test_a_whole_zone_is_cut_down_to_its_information() -> None:
    for case in load("cccd_mrz_synthetic")["vectors"]:
        assert MrzKey("\n".join(case["mrz"])) == MrzKey(case["mrz_information"])


def test_secrets_do_not_show() -> None:
    secrets = (Can("123456"), MrzKey(BAC["mrz_information"]), session_keys(b"x", Suite.AES_128))
    assert [repr(secret) for secret in secrets] == ["Can(...)", "MrzKey(...)", "SessionKeys(...)"]
    assert [str(secret) for secret in secrets] == ["Can(...)", "MrzKey(...)", "SessionKeys(...)"]
