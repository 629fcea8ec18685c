from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.hostile import damaged, is_refused, truncations
from tests.support.images import codestream, jp2, jpeg, png, wsq
from verification.encoding.tlv import build, build_integer
from verification.errors import FingerImageUndecodable, LimitExceeded, MalformedDocument
from verification.lds.biometric_template import RecordFormat
from verification.lds.dg3 import (
    RAW,
    WSQ,
    Dg3,
    FingerImage,
    FingerPosition,
    Impression,
    build_dg3,
    parse_dg3,
)
from verification.lds.finger_image import sample_header

INDEX = FingerImage.of(FingerPosition.RIGHT_INDEX, wsq(320, 420), quality=80)
OTHER = FingerImage.of(FingerPosition.LEFT_INDEX, png(300, 400), ppi=1000, impression=Impression.SWIPE)
SAMPLES = FingerImage(FingerPosition.LEFT_THUMB, bytes(range(60)), *sample_header(bytes(range(60)), 6, 10))

FINGERS = st.builds(
    FingerImage.of,
    st.sampled_from(FingerPosition),
    st.sampled_from([wsq(320, 420), png(300, 400), jp2(500, 500), codestream(400, 300)]),
    ppi=st.one_of(st.none(), st.integers(1, 2_000)),
    quality=st.one_of(st.none(), st.integers(0, 100)),
    impression=st.sampled_from(Impression),
)


def view(image: bytes, *, position: int = 2, quality: int = 80, length_error: int = 0) -> bytes:
    """A view of our own making, independent of the builder; it states no size of its image."""
    length = 14 + len(image) + length_error
    return length.to_bytes(4, "big") + bytes((position, 1, 1, quality, 0)) + bytes(5) + image


def fir(
    *views: bytes,
    fingers: int | None = None,
    units: int = 1,
    resolution: int = 500,
    depth: int = 8,
    compression: int = 2,
    length_error: int = 0,
) -> bytes:
    body = b"".join(views)
    return (
        b"FIR\x00010\x00"
        + (32 + len(body) + length_error).to_bytes(6, "big")
        + b"\x00\x00\x00\x1f"
        + bytes((len(views) if fingers is None else fingers, units))
        + resolution.to_bytes(2, "big") * 4
        + bytes((depth, compression, 0, 0))
        + body
    )


def dg3_of(*records: bytes, format_type: bytes = b"\x00\x07") -> bytes:
    header = build(0xA1, build(0x81, b"\x08") + build(0x87, b"\x01\x01") + build(0x88, format_type))
    instances = b"".join(build(0x7F60, header + build(0x5F2E, record)) for record in records)
    return build(0x63, build(0x7F61, build_integer(len(records)) + instances))


@given(st.lists(FINGERS, max_size=10))
def test_what_is_written_reads_back(fingers: list[FingerImage]) -> None:
    dg3 = Dg3(tuple(fingers))
    assert parse_dg3(build_dg3(dg3)) == dg3


@given(st.lists(FINGERS, max_size=10))
def test_what_is_written_in_the_newer_record_reads_back_but_for_the_quality(
    fingers: list[FingerImage],
) -> None:
    plain = [replace(finger, quality=None, impression=Impression.ROLLED) for finger in fingers]
    written = [replace(finger, impression=Impression.ROLLED) for finger in fingers]
    assert parse_dg3(build_dg3(Dg3(tuple(written)), RecordFormat.ISO_39794_4)) == Dg3(tuple(plain))


@pytest.mark.parametrize("record_format", [RecordFormat.ISO_19794_4, RecordFormat.ISO_39794_4])
def test_uncompressed_samples_read_back(record_format: RecordFormat) -> None:
    assert (SAMPLES.media_type, SAMPLES.width, SAMPLES.height) == (RAW, 6, 10)
    assert parse_dg3(build_dg3(Dg3((SAMPLES,)), record_format)) == Dg3((SAMPLES,))


def test_a_record_looks_as_the_standard_prints_it() -> None:
    image = wsq(320, 420)
    encoded = build_dg3(Dg3((INDEX,)))
    size = len(image)
    header = "46495200 30313000 %012x 0000 001f 01 01 01f4 01f4 01f4 01f4 08 02 0000" % (32 + 14 + size)
    first_view = "%08x 02 01 01 50 00 0140 01a4 00" % (14 + size)
    assert encoded.endswith(bytes.fromhex(header) + bytes.fromhex(first_view) + image)
    assert bytes.fromhex("a10e 810108 820109 87020101 88020007") in encoded


@pytest.mark.parametrize(
    ("position", "subtype"),
    [
        (FingerPosition.RIGHT_THUMB, 0x05),
        (FingerPosition.RIGHT_INDEX, 0x09),
        (FingerPosition.LEFT_INDEX, 0x0A),
        (FingerPosition.LEFT_LITTLE, 0x16),
        (FingerPosition.LEFT_FOUR, 0x02),
    ],
)
def test_the_header_names_the_finger(position: FingerPosition, subtype: int) -> None:
    finger = FingerImage.of(position, wsq(320, 420))
    assert bytes((0x82, 1, subtype, 0x87)) in build_dg3(Dg3((finger,)))


def test_the_image_tells_kind_and_size_whatever_the_record_says() -> None:
    (finger,) = parse_dg3(dg3_of(fir(view(png(300, 400)), compression=2))).fingers
    assert (finger.media_type, finger.width, finger.height) == ("image/png", 300, 400)
    assert finger.image == png(300, 400)


def test_several_fingers_and_views_in_one_record() -> None:
    record = fir(view(wsq(10, 20)), view(wsq(30, 40)), view(wsq(50, 60), position=7), fingers=2)
    fingers = parse_dg3(dg3_of(record, fir(view(jpeg(70, 80), position=1)))).fingers
    assert [(finger.position, finger.width) for finger in fingers] == [(2, 10), (2, 30), (7, 50), (1, 70)]


def test_resolution_in_centimetres_is_told_in_inches() -> None:
    assert parse_dg3(dg3_of(fir(view(wsq(10, 20)), units=2, resolution=197))).fingers[0].ppi == 500


@pytest.mark.parametrize(("written", "read"), [(0, 0), (100, 100), (101, None), (254, None), (255, None)])
def test_a_quality_that_is_no_score_is_none(written: int, read: int | None) -> None:
    assert parse_dg3(dg3_of(fir(view(wsq(10, 20), quality=written)))).fingers[0].quality == read


def test_an_impression_of_a_later_edition_is_unknown() -> None:
    record = bytearray(fir(view(wsq(10, 20))))
    record[32 + 8] = 24
    assert parse_dg3(dg3_of(bytes(record))).fingers[0].impression is Impression.UNKNOWN


@pytest.mark.parametrize("error", [-8, -1, 1, 8])
def test_lengths_off_by_a_few_bytes_are_tolerated(error: int) -> None:
    exact = parse_dg3(dg3_of(fir(view(wsq(10, 20)))))
    assert parse_dg3(dg3_of(fir(view(wsq(10, 20)), length_error=error))) == exact
    assert parse_dg3(dg3_of(fir(view(wsq(10, 20), length_error=error)))) == exact


def test_a_holder_without_fingers_has_an_empty_dg3() -> None:
    empty = Dg3((), discretionary=bytes(range(16)))
    assert parse_dg3(build_dg3(empty)) == empty


@pytest.mark.parametrize(
    "encoded",
    [
        dg3_of(fir(view(wsq(10, 20)), length_error=9)),
        dg3_of(fir(view(wsq(10, 20), length_error=9))),
        dg3_of(fir(view(wsq(10, 20), length_error=-30), view(wsq(10, 20)))),
        dg3_of(fir(view(wsq(10, 20)), fingers=2)),
        dg3_of(fir(view(wsq(10, 20)), view(wsq(10, 20), position=7), fingers=1)),
        dg3_of(fir(view(wsq(10, 20)), fingers=0)),
        dg3_of(fir(fingers=0)),
        dg3_of(fir(fingers=1)),
        dg3_of(fir(view(wsq(10, 20), position=99))),
        dg3_of(fir(view(wsq(10, 20)), units=3)),
        dg3_of(fir(view(bytes(200)), compression=0, depth=16)),
        dg3_of(fir(view(b""))),
        dg3_of(b"FIR\x00020\x00" + bytes(60)),
        dg3_of(b"FIR\x00"),
        dg3_of(b""),
        dg3_of(fir(view(wsq(10, 20))), format_type=b"\x00\x28"),
        dg3_of(fir(view(wsq(10, 20))), format_type=b"\x00\x08"),
        build(0x75, build(0x7F61, build_integer(0))),
        b"",
    ],
)
def test_other_records_are_refused(encoded: bytes) -> None:
    with pytest.raises(MalformedDocument):
        parse_dg3(encoded)


@pytest.mark.parametrize("compression", [0, 1, 2, 5, 200])
def test_an_image_that_no_one_can_decode_has_its_own_error(compression: int) -> None:
    record = fir(view(b"GIF89a" + bytes(40)), compression=compression)
    with pytest.raises(FingerImageUndecodable):
        parse_dg3(dg3_of(record))


@pytest.mark.parametrize(
    "image", [wsq(65_535, 65_535), png(2**31, 2**31), jp2(60_000, 60_000), jpeg(9_000, 9_000)]
)
def test_an_image_bomb_is_refused_before_any_decoder(image: bytes) -> None:
    with pytest.raises(LimitExceeded):
        parse_dg3(dg3_of(fir(view(image))))


def test_too_many_images_are_refused() -> None:
    small = wsq(10, 20)
    assert len(parse_dg3(dg3_of(fir(*[view(small)] * 16, fingers=1))).fingers) == 16
    for records in ([fir(*[view(small)] * 17, fingers=1)], [fir(*[view(small)] * 9, fingers=1)] * 2):
        with pytest.raises(LimitExceeded):
            parse_dg3(dg3_of(*records))


def test_an_image_larger_than_a_file_is_refused() -> None:
    with pytest.raises(LimitExceeded):
        FingerImage.of(FingerPosition.RIGHT_INDEX, wsq(10, 20, rest=bytes(65_535)))


def test_a_jpeg_has_no_place_in_the_newer_record() -> None:
    finger = FingerImage.of(FingerPosition.RIGHT_INDEX, jpeg(10, 20))
    assert parse_dg3(build_dg3(Dg3((finger,)))).fingers == (finger,)
    with pytest.raises(FingerImageUndecodable):
        build_dg3(Dg3((finger,)), RecordFormat.ISO_39794_4)


@pytest.mark.parametrize("record_format", [RecordFormat.ISO_19794_4, RecordFormat.ISO_39794_4])
def test_truncated_and_damaged_files_meet_our_own_errors(record_format: RecordFormat) -> None:
    encoded = build_dg3(Dg3((INDEX, OTHER, SAMPLES)), record_format)
    assert all(is_refused(parse_dg3, part) for part in truncations(encoded))
    for copy in damaged(encoded, count=500, seed=4):
        is_refused(parse_dg3, copy)


def test_an_image_is_not_shown() -> None:
    assert repr(INDEX) == f"FingerImage(image/x-wsq, 320 x 420, {len(INDEX.image)} bytes)"
    assert "ridges" not in repr(Dg3((replace(INDEX, image=b"ridges"),)))


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "size", "qualities"),
    [
        ("bsi_tr03105_5/Datagroup3.bin", (620, 620), [100, 100]),
        ("synthetic_cccd/card/EF_DG3.bin", (320, 420), [80, 80]),
    ],
)
def test_specimens(shared: Path, name: str, size: tuple[int, int], qualities: list[int]) -> None:
    encoded = (shared / "data" / "emrtd" / name).read_bytes()
    dg3 = parse_dg3(encoded)
    assert [finger.position for finger in dg3.fingers] == [2, 7]
    assert [(finger.width, finger.height) for finger in dg3.fingers] == [size, size]
    assert [(finger.media_type, finger.ppi) for finger in dg3.fingers] == [(WSQ, 500), (WSQ, 500)]
    assert [finger.quality for finger in dg3.fingers] == qualities
    assert parse_dg3(build_dg3(dg3)) == dg3
    assert parse_dg3(build_dg3(dg3, RecordFormat.ISO_39794_4)).fingers[0].image == dg3.fingers[0].image
    cuts = [*range(300), *range(300, len(encoded), 97)]
    assert all(is_refused(parse_dg3, encoded[:cut]) for cut in cuts)


@pytest.mark.shared_data
def test_the_reference_set_is_written_as_it_was_read(shared: Path) -> None:
    """Our writer's bytes are those of the BSI's writer."""
    encoded = (shared / "data" / "emrtd" / "bsi_tr03105_5" / "Datagroup3.bin").read_bytes()
    assert build_dg3(parse_dg3(encoded)) == encoded
