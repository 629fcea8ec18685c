"""Names: what is the same name, and what people read."""

from __future__ import annotations

import pytest

from tests.support import hostile
from verification.encoding.object_identifier import build_oid
from verification.encoding.tlv import SEQUENCE, SET, build
from verification.errors import LimitExceeded, MalformedDocument, VerificationError
from verification.pki.distinguished_name import (
    MAX_NAME,
    comparable_name,
    country_of,
    readable_name,
    relative_names,
)

UTF8, PRINTABLE, TELETEX, BMP = 0x0C, 0x13, 0x14, 0x1E
Attribute = tuple[str, int, bytes]


def encoded(*attributes: Attribute) -> bytes:
    parts = (build(SET, build(SEQUENCE, build_oid(oid) + build(tag, text))) for oid, tag, text in attributes)
    return build(SEQUENCE, b"".join(parts))


def common_name(tag: int, text: bytes) -> Attribute:
    return ("2.5.4.3", tag, text)


VN: Attribute = ("2.5.4.6", PRINTABLE, b"VN")
NAME = encoded(VN, common_name(UTF8, b"CSCA"))


@pytest.mark.parametrize(
    "other",
    [
        encoded(VN, common_name(PRINTABLE, b"CSCA")),
        encoded(VN, common_name(TELETEX, b"CSCA")),
        encoded(VN, common_name(BMP, "CSCA".encode("utf-16-be"))),
        encoded(VN, common_name(UTF8, b" csca ")),
        encoded(common_name(UTF8, b"CSCA"), VN),
        encoded(("2.5.4.6", UTF8, b"vn"), common_name(UTF8, b"CSCA")),
    ],
)
def test_ways_to_write_one_name(other: bytes) -> None:
    assert other != NAME
    assert comparable_name(other) == comparable_name(NAME)


@pytest.mark.parametrize(
    "other",
    [
        encoded(VN),
        encoded(VN, common_name(UTF8, b"CSCA"), common_name(UTF8, b"CSCA")),
        encoded(VN, common_name(UTF8, b"CS CA")),
        encoded(VN, ("2.5.4.10", UTF8, b"CSCA")),
        encoded(("2.5.4.6", PRINTABLE, b"NL"), common_name(UTF8, b"CSCA")),
        encoded(VN, common_name(UTF8, b"CSCA\n2.5.4.6=vn")),
    ],
)
def test_other_names_are_other_names(other: bytes) -> None:
    assert comparable_name(other) != comparable_name(NAME)


def test_a_name_is_read_in_its_order() -> None:
    assert readable_name(NAME) == "C=VN, CN=CSCA"
    odd = encoded(common_name(UTF8, "Bộ Công an".encode()), ("1.2.3", UTF8, b"\xff"))
    assert readable_name(odd) == "CN=Bộ Công an, 1.2.3=ff"


@pytest.mark.parametrize("position", range(3))
@pytest.mark.parametrize("tag", [PRINTABLE, UTF8])
def test_the_country_is_found_wherever_it_stands(position: int, tag: int) -> None:
    others = [common_name(UTF8, b"CSCA"), ("2.5.4.10", UTF8, b"x" * 130)]
    others.insert(position, ("2.5.4.6", tag, b"de"))
    assert country_of(encoded(*others)) == "DE"


def test_a_country_inside_another_attribute_is_none() -> None:
    hidden = build_oid("2.5.4.6") + build(PRINTABLE, b"NL")
    assert country_of(encoded(common_name(UTF8, hidden), VN)) == "VN"
    assert country_of(encoded(common_name(UTF8, b"CSCA"))) is None


def test_a_country_that_is_no_text_is_refused() -> None:
    with pytest.raises(MalformedDocument):
        country_of(encoded(("2.5.4.6", UTF8, "ÄÖ".encode())))


def test_parts_in_any_order_are_the_same_parts() -> None:
    assert relative_names(encoded(VN, common_name(UTF8, b"CSCA"))) == relative_names(
        encoded(common_name(UTF8, b"CSCA"), VN)
    )


def test_limits_and_damage() -> None:
    with pytest.raises(LimitExceeded):
        comparable_name(encoded(common_name(UTF8, b"x" * MAX_NAME)))
    for read in (comparable_name, readable_name):
        for data in hostile.truncations(NAME):
            assert hostile.is_refused(read, data)
        for data in hostile.damaged(NAME, count=1000, seed=1):
            hostile.is_refused(read, data)
    for data in (*hostile.truncations(NAME), *hostile.damaged(NAME, count=1000, seed=2)):
        try:
            country_of(data)
        except VerificationError:
            continue
