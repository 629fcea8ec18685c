from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key

from tests.support.hostile import damaged, is_refused, truncations
from verification.encoding.object_identifier import build_oid
from verification.encoding.tlv import BIT_STRING, SEQUENCE, build
from verification.errors import LimitExceeded, MalformedDocument
from verification.lds.dg15 import Dg15, build_dg15, parse_dg15

ALGORITHM = build(SEQUENCE, build_oid("1.2.840.10045.2.1") + build_oid("1.2.840.10045.3.1.7"))
# The base point of P-256: a valid public key whose private key is 1.
POINT = bytes.fromhex(
    "046B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296"
    "4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5"
)
KEY = build(SEQUENCE, ALGORITHM + build(BIT_STRING, b"\x00" + POINT))


def test_the_key_is_kept_as_it_is() -> None:
    encoded = build_dg15(Dg15(KEY))
    assert encoded[0] == 0x6F
    assert parse_dg15(encoded).public_key_info == KEY
    load_der_public_key(KEY)


@pytest.mark.parametrize(
    "key",
    [
        b"",
        build(SEQUENCE, ALGORITHM),
        build(SEQUENCE, ALGORITHM + build(BIT_STRING, b"")),
        build(SEQUENCE, ALGORITHM + build(BIT_STRING, b"\x00")),
        build(SEQUENCE, ALGORITHM + build(BIT_STRING, b"\x01" + POINT)),
        build(SEQUENCE, ALGORITHM + build(BIT_STRING, b"\x00" + POINT) + b"\x05\x00"),
        build(SEQUENCE, build(SEQUENCE, b"") + build(BIT_STRING, b"\x00" + POINT)),
        KEY + b"\x05\x00",
        POINT,
    ],
)
def test_other_structures_are_refused(key: bytes) -> None:
    with pytest.raises(MalformedDocument):
        parse_dg15(build_dg15(Dg15(key)))


def test_an_identifier_bomb_meets_a_limit() -> None:
    with pytest.raises(LimitExceeded):
        parse_dg15(build_dg15(Dg15(build(SEQUENCE, build(SEQUENCE, build(0x06, b"\x81" * 50_000))))))


def test_truncated_and_damaged_files_meet_our_own_errors() -> None:
    encoded = build_dg15(Dg15(KEY))
    assert all(is_refused(parse_dg15, part) for part in truncations(encoded))
    for copy in damaged(encoded, count=500, seed=7):
        is_refused(parse_dg15, copy)


@pytest.mark.shared_data
@pytest.mark.parametrize(
    "name",
    [
        "bsi_tr03105_5/Datagroup15.bin",
        "bsi2008/Datagroup15.bin",
        "nl_test2006/ef010F.bin",
        "synthetic_cccd/card/EF_DG15.bin",
        "synthetic_cccd/card/EF_DG15_ecdsa.bin",
    ],
)
def test_specimens(shared: Path, name: str) -> None:
    encoded = (shared / "data" / "emrtd" / name).read_bytes()
    dg15 = parse_dg15(encoded)
    assert build_dg15(dg15) == encoded
    # The modulus of bsi2008 lacks the zero octet before its high bit: the shape is right, the key is not.
    if not name.startswith("bsi2008"):
        load_der_public_key(dg15.public_key_info)
