from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.hostile import damaged, is_refused, truncations
from verification.encoding.object_identifier import build_oid
from verification.encoding.tlv import BIT_STRING, SEQUENCE, SET, build, build_integer, children, only
from verification.errors import LimitExceeded, MalformedDocument
from verification.lds.security_infos import (
    ACTIVE_AUTHENTICATION,
    CHIP_AUTHENTICATION,
    PACE,
    PUBLIC_KEY_ECDH,
    TERMINAL_AUTHENTICATION,
    ActiveAuthenticationInfo,
    ChipAuthenticationInfo,
    ChipAuthenticationPublicKey,
    PaceInfo,
    SecurityInfos,
    TerminalAuthenticationInfo,
    UnknownSecurityInfo,
    build_card_access,
    build_dg14,
    parse_card_access,
    parse_dg14,
)

# ICAO 9303-11, appendix G.1 prints this PACEInfo: ECDH-GM-AES-128, version 2, parameters 13.
PACE_INFO = "3012060A04007F0007020204020202010202010D"
# EF.CardAccess of a CCCD as its readers describe it: TA, CA-ECDH-AES-128, PACE-ECDH-GM-AES-128.
CARD_ACCESS = "3134300D060804007F0007020202020101300F060A04007F00070202030202020101" + PACE_INFO

ALGORITHM = build(SEQUENCE, build_oid("1.2.840.10045.2.1") + build_oid("1.3.36.3.3.2.8.1.1.7"))
KEY = build(SEQUENCE, ALGORITHM + build(BIT_STRING, b"\x00\x04" + bytes(range(64))))
FULL = SecurityInfos(
    pace=(PaceInfo(f"{PACE}.2.2", 2, 13), PaceInfo(f"{PACE}.2.4", 2, 16)),
    chip_authentication=(ChipAuthenticationInfo(f"{CHIP_AUTHENTICATION}.2.2", 1, 1),),
    chip_authentication_keys=(ChipAuthenticationPublicKey(PUBLIC_KEY_ECDH, KEY, 1),),
    active_authentication=(ActiveAuthenticationInfo(1, "0.4.0.127.0.7.1.1.4.1.3"),),
    terminal_authentication=(TerminalAuthenticationInfo(1),),
    unknown=(UnknownSecurityInfo("1.2.3.4", build(SEQUENCE, build_oid("1.2.3.4") + build(SET, b""))),),
)


def infos(*entries: bytes) -> bytes:
    return build(SET, b"".join(entries))


def info(protocol: str, *values: bytes) -> bytes:
    return build(SEQUENCE, build_oid(protocol) + b"".join(values))


def test_the_files_of_a_card() -> None:
    found = parse_card_access(bytes.fromhex(CARD_ACCESS))
    assert found == SecurityInfos(
        pace=(PaceInfo("0.4.0.127.0.7.2.2.4.2.2", 2, 13),),
        chip_authentication=(ChipAuthenticationInfo("0.4.0.127.0.7.2.2.3.2.2", 1),),
        terminal_authentication=(TerminalAuthenticationInfo(1),),
    )
    assert build_card_access(found).hex().upper() == CARD_ACCESS


def test_the_example_of_the_standard() -> None:
    assert (
        build_card_access(SecurityInfos(pace=(PaceInfo(f"{PACE}.2.2", 2, 13),))).hex().upper()
        == "3114" + PACE_INFO
    )


def test_what_is_written_reads_back() -> None:
    assert parse_dg14(build_dg14(FULL)) == FULL
    assert parse_card_access(build_card_access(FULL)) == FULL
    assert parse_card_access(build_card_access(SecurityInfos())) == SecurityInfos()


def test_entries_are_written_in_der_order_and_read_in_any() -> None:
    encoded = build_card_access(FULL)
    entries = [build(SEQUENCE, child) for child in _contents(encoded)]
    assert entries == sorted(entries)
    shuffled = parse_card_access(infos(*reversed(entries)))
    assert set(shuffled.pace) == set(FULL.pace)
    assert shuffled.unknown == FULL.unknown


def _contents(encoded: bytes) -> list[bytes]:
    return [child.value for child in children(only(encoded, SET))]


@pytest.mark.parametrize(
    "entry",
    [
        info("2.23.136.1.1.6.1", build_integer(1)),
        info(f"{PACE}.2", build(SEQUENCE, ALGORITHM), build_integer(1)),
        info(f"{CHIP_AUTHENTICATION}.2", build(SEQUENCE, ALGORITHM)),
        info(TERMINAL_AUTHENTICATION, build_integer(1), build(SEQUENCE, build(0x04, b"\x1c"))),
        info(TERMINAL_AUTHENTICATION, build_integer(1), build_integer(2)),
        info(TERMINAL_AUTHENTICATION, build(SEQUENCE, b"")),
        info("0.4.0.127.0.7.2.2.6", build(0x16, b"https://example.org/")),
    ],
    ids=[
        "other",
        "PACE domain parameters",
        "CA domain parameters",
        "TA with a short file identifier alone",
        "TA with a second number",
        "TA without a version",
        "card locator",
    ],
)
def test_what_is_not_known_is_kept_whole(entry: bytes) -> None:
    found = parse_card_access(infos(entry))
    assert [unknown.encoded for unknown in found.unknown] == [entry]
    assert build_card_access(found) == infos(entry)


@pytest.mark.parametrize("place", [(b"\x01\x1c", None), (b"\x01\x1d", 0x1D)])
def test_a_chip_may_say_where_ef_cvca_is(place: tuple[bytes, int | None]) -> None:
    written = SecurityInfos(terminal_authentication=(TerminalAuthenticationInfo(1, *place),))
    assert parse_dg14(build_dg14(written)) == written
    identifiers = build(0x04, place[0]) + (build(0x04, bytes((place[1],))) if place[1] else b"")
    entry = info(TERMINAL_AUTHENTICATION, build_integer(1), build(SEQUENCE, identifiers))
    assert parse_card_access(infos(entry)) == written


def test_several_keys_are_told_apart_by_their_id() -> None:
    keys = tuple(ChipAuthenticationPublicKey(PUBLIC_KEY_ECDH, KEY, number) for number in (1, 2, 300))
    assert (
        parse_dg14(build_dg14(SecurityInfos(chip_authentication_keys=keys))).chip_authentication_keys == keys
    )


@pytest.mark.parametrize(
    "entry",
    [
        build(SEQUENCE, b""),
        build(SEQUENCE, build_integer(1)),
        info(f"{PACE}.2.2"),
        info(f"{PACE}.2.2", build_integer(2), build_integer(13), build_integer(1)),
        info(f"{PACE}.2.2", build_integer(2), build(0x04, b"\x0d")),
        info(f"{PACE}.2.2", build_integer(2**31)),
        info(f"{PACE}.2.2", bytes.fromhex("0201ff")),
        info(f"{CHIP_AUTHENTICATION}.2.2", build(SEQUENCE, b"")),
        info(PUBLIC_KEY_ECDH, build_integer(1)),
        info(PUBLIC_KEY_ECDH, ALGORITHM),
        info(PUBLIC_KEY_ECDH, KEY, build_integer(1), build_integer(2)),
        info(ACTIVE_AUTHENTICATION, build_integer(1)),
        info(ACTIVE_AUTHENTICATION, build_integer(1), build_oid("1.2.3"), build_integer(1)),
        build(SET, b""),
    ],
)
def test_broken_entries_are_refused(entry: bytes) -> None:
    with pytest.raises(MalformedDocument):
        parse_card_access(infos(entry))


@pytest.mark.parametrize(
    "encoded", [b"", build(SEQUENCE, b""), build_card_access(FULL) + b"\x00", build_dg14(FULL)]
)
def test_other_files_are_refused(encoded: bytes) -> None:
    with pytest.raises(MalformedDocument):
        parse_card_access(encoded)


@pytest.mark.parametrize(
    "bomb",
    [
        infos(*[info("1.2.3.4", build_integer(1))] * 3_000),
        infos(build(SEQUENCE, build(0x06, b"\x81" * 60_000))),
        build(SET, bytes(65_536)),
    ],
    ids=["entries", "object identifier", "size"],
)
def test_bombs_meet_a_limit(bomb: bytes) -> None:
    with pytest.raises(LimitExceeded):
        parse_card_access(bomb)


def test_as_many_entries_as_no_document_has() -> None:
    entry = build(SEQUENCE, build_oid("1.2.3.4") + build_integer(1))
    assert len(parse_card_access(build(SET, entry * 64)).unknown) == 64
    with pytest.raises(LimitExceeded):
        parse_card_access(build(SET, entry * 65))


def test_truncated_and_damaged_files_meet_our_own_errors() -> None:
    encoded = build_dg14(FULL)
    assert all(is_refused(parse_dg14, part) for part in truncations(encoded))
    for copy in damaged(encoded, count=1_000, seed=8):
        is_refused(parse_dg14, copy)


PROTOCOL_ARCS = st.tuples(st.integers(1, 6), st.integers(1, 4))
NUMBERS = st.integers(min_value=0, max_value=2**31 - 1)


@given(
    st.lists(st.tuples(PROTOCOL_ARCS, NUMBERS, st.one_of(st.none(), NUMBERS)), max_size=4),
    st.lists(st.tuples(PROTOCOL_ARCS, NUMBERS, st.one_of(st.none(), NUMBERS)), max_size=4),
)
def test_any_variants_read_back(
    pace: list[tuple[tuple[int, int], int, int | None]], chip: list[tuple[tuple[int, int], int, int | None]]
) -> None:
    written = SecurityInfos(
        pace=tuple(PaceInfo(f"{PACE}.{a}.{b}", version, number) for (a, b), version, number in pace),
        chip_authentication=tuple(
            ChipAuthenticationInfo(f"{CHIP_AUTHENTICATION}.{a}.{b}", version, number)
            for (a, b), version, number in chip
        ),
    )
    found = parse_dg14(build_dg14(written))
    assert sorted(map(repr, found.pace)) == sorted(map(repr, written.pace))
    assert sorted(map(repr, found.chip_authentication)) == sorted(map(repr, written.chip_authentication))


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "protocol"),
    [
        ("bsi_tr03105_5/Datagroup14.bin", "0.4.0.127.0.7.2.2.3.2.1"),
        ("bsi2008/Datagroup14.bin", "0.4.0.127.0.7.2.2.3.2.1"),
        ("synthetic_cccd/card/EF_DG14.bin", "0.4.0.127.0.7.2.2.3.2.2"),
        ("synthetic_cccd/card/EF_DG14_with_AAInfo_ecdsa_sha256.bin", "0.4.0.127.0.7.2.2.3.2.2"),
    ],
)
def test_specimens(shared: Path, name: str, protocol: str) -> None:
    encoded = (shared / "data" / "emrtd" / name).read_bytes()
    found = parse_dg14(encoded)
    assert [entry.protocol for entry in found.chip_authentication] == [protocol]
    (key,) = found.chip_authentication_keys
    assert key.protocol == PUBLIC_KEY_ECDH
    assert key.public_key_info in encoded
    assert found.unknown == ()
    assert len(found.active_authentication) == ("AAInfo" in name)
    assert parse_dg14(build_dg14(found)) == found


@pytest.mark.shared_data
def test_the_specimen_of_card_access(shared: Path) -> None:
    encoded = (shared / "data" / "emrtd" / "synthetic_cccd" / "card" / "EF_CardAccess.bin").read_bytes()
    assert encoded.hex().upper() == CARD_ACCESS
