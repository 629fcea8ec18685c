"""EF.SOD: what is built is read, what is odd but right is read, everything else is refused at once."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import hostile, pki
from tests.support.cms_writer import build_security_object
from tests.support.stopwatch import within
from verification.encoding.tlv import build, build_integer
from verification.errors import LimitExceeded, MalformedDocument
from verification.lds.definite_lengths import MAX_DEPTH, with_definite_lengths
from verification.lds.files import LdsFile
from verification.lds.hash_algorithms import HASH_LENGTHS, hash_algorithm_identifier
from verification.lds.security_object import build_lds_security_object, parse_security_object
from verification.lds.signed_data import build_signed_attributes

SOD = pki.quick_card().files[LdsFile.SOD]
GROUPS = [file for file in LdsFile if file.is_data_group]


def with_content(content: bytes) -> bytes:
    """The genuine file around another content; its signature does not fit and is not looked at here."""
    genuine = parse_security_object(SOD)
    return build_security_object(content, genuine.signer, genuine.certificates[0])


def test_the_parts_of_a_genuine_file() -> None:
    found = parse_security_object(SOD)
    assert found.content_type == "2.23.136.1.1.1"
    assert (found.lds_version, found.lds_version_info, found.hash_algorithm) == (0, None, "sha256")
    assert set(found.hashes) == {file for file in pki.quick_card().files if file.is_data_group}
    assert len(found.certificates) == 1
    assert found.signature == found.signer.signature
    attributes = found.signer.attributes
    assert attributes is not None
    assert attributes.signing_time == pki.SIGNED


@given(
    name=st.sampled_from(sorted(HASH_LENGTHS)),
    groups=st.sets(st.sampled_from(GROUPS), min_size=1),
    version_info=st.none() | st.just(("0108", "040000")),
    data=st.data(),
)
def test_what_is_built_is_read(
    name: str, groups: set[LdsFile], version_info: tuple[str, str] | None, data: st.DataObject
) -> None:
    size = HASH_LENGTHS[name]
    hashes = {file: data.draw(st.binary(min_size=size, max_size=size)) for file in groups}
    found = parse_security_object(with_content(build_lds_security_object(hashes, name, version_info)))
    assert dict(found.hashes) == hashes
    assert (found.hash_algorithm, found.lds_version_info) == (name, version_info)


@given(
    st.datetimes(min_value=datetime(1960, 1, 1), max_value=datetime(2090, 1, 1)).map(  # noqa: DTZ001
        lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
    )
)
def test_a_signing_time_is_read_as_written(moment: datetime) -> None:
    genuine = parse_security_object(SOD)
    assert genuine.signer.attributes is not None
    attributes = genuine.signer.attributes._replace(encoded=build_signed_attributes(bytes(32), moment))
    signer = genuine.signer._replace(attributes=attributes)
    found = parse_security_object(build_security_object(genuine.content, signer, genuine.certificates[0]))
    assert found.signer.attributes is not None
    assert found.signer.attributes.signing_time == moment


@pytest.mark.parametrize(
    "content",
    [
        build_lds_security_object({}),
        build_lds_security_object({LdsFile.DG1: bytes(31)}),
        build_lds_security_object({LdsFile.DG1: bytes(32)}, "sha384"),
        build(0x30, build_integer(2) + build_lds_security_object({LdsFile.DG1: bytes(32)})[5:]),
        build_lds_security_object({LdsFile.DG1: bytes(32)}) + b"\x00",
        build_lds_security_object({LdsFile.DG1: bytes(32)}, version_info=("01x8", "040000")),
    ],
    ids=["no hash", "short hash", "other hash", "version", "trailing", "version text"],
)
def test_another_list_of_hashes_is_refused(content: bytes) -> None:
    with pytest.raises(MalformedDocument):
        parse_security_object(with_content(content))


@pytest.mark.parametrize("number", [b"\x02\x01\x00", b"\x02\x01\x11", b"\x02\x01\xff"])
def test_a_hash_of_no_data_group_is_refused(number: bytes) -> None:
    entry = build(0x30, number + build(0x04, bytes(32)))
    algorithm = hash_algorithm_identifier("sha256")
    with pytest.raises(MalformedDocument):
        parse_security_object(with_content(build(0x30, build_integer(0) + algorithm + build(0x30, entry))))


def test_a_data_group_listed_twice_is_refused() -> None:
    entry = build(0x30, build_integer(1) + build(0x04, bytes(32)))
    algorithm = hash_algorithm_identifier("sha256")
    content = build(0x30, build_integer(0) + algorithm + build(0x30, entry * 2))
    with pytest.raises(MalformedDocument):
        parse_security_object(with_content(content))


def test_a_signed_attribute_that_stands_twice_is_refused() -> None:
    genuine = parse_security_object(SOD)
    attributes = genuine.signer.attributes
    assert attributes is not None
    doubled = build(0x31, attributes.encoded[2:] * 2)
    signer = genuine.signer._replace(attributes=attributes._replace(encoded=doubled))
    with pytest.raises(MalformedDocument):
        parse_security_object(build_security_object(genuine.content, signer, genuine.certificates[0]))


def test_damage_ends_in_our_own_error_or_in_a_parse() -> None:
    for data in hostile.truncations(SOD):
        assert hostile.is_refused(parse_security_object, data)
    for data in hostile.damaged(SOD, count=3000, seed=1):
        hostile.is_refused(parse_security_object, data)


class TestIndefiniteLengths:
    """BER, as some issuers' files have it."""

    def test_every_wrapper_may_be_indefinite(self) -> None:
        rewritten = parse_security_object(build(0x77, indefinite(SOD[4:], depth=5)))
        assert rewritten == parse_security_object(SOD)

    def test_a_content_in_segments_is_joined(self) -> None:
        content = parse_security_object(SOD).content
        segments = b"\x24\x80" + build(0x04, content[:100]) + build(0x04, content[100:]) + b"\x00\x00"
        # The wrappers around the segments are indefinite too, so that their lengths need not fit.
        encoded = build(0x77, indefinite(SOD[4:], depth=5).replace(build(0x04, content), segments))
        assert segments in encoded
        assert parse_security_object(encoded).content == content

    def test_definite_lengths_are_left_alone(self) -> None:
        assert with_definite_lengths(SOD) == SOD

    def test_damage_ends_in_our_own_error(self) -> None:
        encoded = build(0x77, indefinite(SOD[4:], depth=5))
        for data in hostile.damaged(encoded, count=1500, seed=2):
            hostile.is_refused(parse_security_object, data)
        for data in hostile.truncations(encoded):
            assert hostile.is_refused(parse_security_object, data)


def indefinite(encoded: bytes, depth: int) -> bytes:
    """Rewrite the outer constructed wrappers with indefinite lengths; certificates stay as they are."""
    header = 2 + (encoded[1] & 0x7F if encoded[1] & 0x80 else 0)
    value = encoded[header:]
    if not depth or not encoded[0] & 0x20:
        return encoded
    members, position = [], 0
    while position < len(value):
        long = value[position + 1] & 0x80
        octets = value[position + 1] & 0x7F if long else 0
        length = (
            int.from_bytes(value[position + 2 : position + 2 + octets], "big")
            if long
            else value[position + 1]
        )
        end = position + 2 + octets + length
        # The certificate, after the content, is what the CSCA signed: an encoder cannot change it.
        whole = value[position:end]
        members.append(indefinite(whole, depth - 1) if len(whole) > 200 and depth > 1 else whole)
        position = end
    return encoded[:1] + b"\x80" + b"".join(members) + b"\x00\x00"


BOMBS = {
    "identifier of 65 KB": build(0x77, build(0x30, build(0x06, b"\x81" * 65_000))),
    "INTEGER of 65 KB": build(
        0x77,
        build(
            0x30,
            bytes.fromhex("06092a864886f70d010702") + build(0xA0, build(0x30, build(0x02, b"\x7f" * 65_000))),
        ),
    ),
    "nesting": build(0x77, b"\x30\x80" * 32_000),
    "nested indefinite strings": build(0x77, b"\x24\x80" * 30_000),
    "definite nesting": b"\x30\x82\xff\xf0" * 16_000,
    "claimed length": b"\x77\x84\x7f\xff\xff\xff",
    "longest length": b"\x77\xfe" + b"\xff" * 200,
    "more than a file": bytes(1_000_000),
    "many certificates": build(0x77, b"\x30\x00" * 32_000),
}


@pytest.mark.timed
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_at_once(name: str) -> None:
    with within(0.1, time.thread_time), pytest.raises(MalformedDocument):
        parse_security_object(BOMBS[name])


def test_the_depth_limit_is_its_own_error() -> None:
    with pytest.raises(LimitExceeded):
        with_definite_lengths(b"\x30\x80" * (MAX_DEPTH + 2) + b"\x00\x00" * (MAX_DEPTH + 2))


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_any_octets_end_in_our_own_error(data: bytes) -> None:
    assert hostile.is_refused(parse_security_object, data)
    hostile.is_refused(with_definite_lengths, data)
