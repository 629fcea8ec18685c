from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verification.errors import FingerTemplateMalformed
from verification.fingerprint.minutiae import (
    FingerTemplate,
    Minutia,
    MinutiaKind,
    read_template,
    strongest,
)
from verification.lds.finger_image import FingerPosition

minutiae = st.builds(
    Minutia,
    x=st.integers(0, 399),
    y=st.integers(0, 499),
    angle=st.integers(0, 255),
    kind=st.sampled_from(MinutiaKind),
    quality=st.integers(0, 100),
)
templates = st.builds(
    FingerTemplate,
    position=st.sampled_from(FingerPosition),
    width=st.just(400),
    height=st.just(500),
    pixels_per_centimetre=st.integers(1, 0xFFFF),
    quality=st.integers(0, 100),
    minutiae=st.lists(minutiae, max_size=60).map(tuple),
)
ONE = FingerTemplate(
    FingerPosition.RIGHT_INDEX, 400, 500, 197, 60, (Minutia(1, 2, 3, MinutiaKind.ENDING, 4),)
)


@given(templates)
def test_what_is_written_is_read(template: FingerTemplate) -> None:
    assert read_template(template.encoded()) == template


def test_the_record_is_the_one_of_the_standard() -> None:
    """ISO/IEC 19794-2:2005, 7: identifier, length, sizes, resolution, one view, then six bytes a minutia."""
    assert ONE.encoded().hex() == (
        "464d520020323000"  # FMR, version 2.0
        "00000024" "0000" "0190" "01f4" "00c5" "00c5" "01" "00"
        "02" "00" "3c" "01"
        "4001" "0002" "03" "04"
        "0000"
    )  # fmt: skip


@given(templates, st.data())
def test_a_record_with_another_length_is_refused(template: FingerTemplate, data: st.DataObject) -> None:
    encoded = template.encoded()
    cut = data.draw(st.integers(0, len(encoded) - 1))
    for wrong in (encoded[:cut], encoded + b"\0"):
        with pytest.raises(FingerTemplateMalformed):
            read_template(wrong)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_record_or_refused(content: bytes) -> None:
    with pytest.raises(FingerTemplateMalformed):
        read_template(content)


@given(templates.filter(lambda each: bool(each.minutiae)), st.data())
def test_no_altered_byte_leads_to_a_point_outside_the_picture(
    template: FingerTemplate, data: st.DataObject
) -> None:
    encoded = bytearray(template.encoded())
    encoded[data.draw(st.integers(0, len(encoded) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        read = read_template(bytes(encoded))
    except FingerTemplateMalformed:
        return
    assert all(each.x < read.width and each.y < read.height for each in read.minutiae)


@pytest.mark.parametrize(
    "wrong",
    [
        {"minutiae": (Minutia(400, 0, 0, MinutiaKind.ENDING, 1),)},
        {"minutiae": (Minutia(0, 500, 0, MinutiaKind.ENDING, 1),)},
        {"minutiae": (Minutia(0, 0, 256, MinutiaKind.ENDING, 1),)},
        {"minutiae": (Minutia(0, 0, 0, MinutiaKind.ENDING, 101),)},
        {"minutiae": ONE.minutiae * 256},
        {"width": 0},
        {"height": 3_000},
        {"quality": 101},
    ],
)
def test_what_the_record_cannot_express_is_not_written(wrong: dict[str, object]) -> None:
    with pytest.raises(FingerTemplateMalformed):
        replace(ONE, **wrong).encoded()


def test_the_strongest_are_kept_whatever_the_order() -> None:
    points = [Minutia(n, n, 0, MinutiaKind.ENDING, quality) for n, quality in enumerate((5, 90, 40, 90))]
    assert [each.quality for each in strongest(points, 3)] == [90, 90, 40]
    assert strongest(points, 3) == strongest(points[::-1], 3)


def test_no_minutia_shows_in_a_log() -> None:
    assert repr(ONE) == "FingerTemplate(RIGHT_INDEX, 1 minutiae)"
