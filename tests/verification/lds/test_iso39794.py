"""Records of ISO/IEC 39794, written and read against asn1crypto with the schema of the standard."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.hostile import damaged, is_refused, truncations
from tests.support.images import codestream, jp2, jpeg, png, wsq
from tests.support.iso39794_schema import FaceImageDataBlock, FingerImageDataBlock
from verification.encoding.tlv import build, only
from verification.errors import FingerImageUndecodable, ImageUndecodable, LimitExceeded, MalformedDocument
from verification.lds.biometric_template import RecordFormat
from verification.lds.dg2 import Dg2, Portrait, build_dg2, parse_dg2
from verification.lds.dg3 import FingerImage, FingerPosition, Impression
from verification.lds.iso39794_face import build_face_image_record, parse_face_image_record
from verification.lds.iso39794_finger import build_finger_image_record, parse_finger_image_record

# An extension without a code that this edition knows.
LATER = {"laterField": b"x"}
VERSION = {"generation": 3, "year": 2019}
QUALITY = {"algorithmIdBlock": {"organization": 257, "id": 1}, "scoreOrError": ("score", 73)}
UNSCORED = {
    "algorithmIdBlock": {"organization": 257, "id": 2},
    "scoreOrError": ("error", ("extensionBlock", {"fallback": 0})),
}
ALL_FACE_FIELDS = {
    "captureDateTimeBlock": {"year": 2024, "month": 7},
    "qualityBlocks": [QUALITY, UNSCORED],
    "sessionId": 70_000,
    "identityMetadataBlock": {"gender": ("extensionBlock", {"fallback": 3}), "subjectHeight": 165},
    "laterField": b"of an edition to come",
}
ALL_INFORMATION = {
    "faceImageKind2D": ("extensionBlock", {"fallback": 0}),
    "lossyTransformationAttempts": ("extensionBlock", {"fallback": 2}),
    "imageSizeBlock": {"width": 1, "height": 1},
    "imageColourSpace": ("extensionBlock", {"fallback": 2}),
}


def face(
    image: bytes, *, more: dict[str, Any] | None = None, information: dict[str, Any] | None = None
) -> Any:
    picture = {
        "representationData2D": image,
        "imageInformation2DBlock": {"imageDataFormat": ("code", 2), **(information or {})},
    }
    representation = ("base", ("imageRepresentation2DBlock", picture))
    return {"representationId": 0, "imageRepresentation": representation, **(more or {})}


def face_record(*representations: Any, version: dict[str, int] = VERSION) -> bytes:
    block = FaceImageDataBlock({"versionBlock": version, "representationBlocks": list(representations)})
    return build(0xA1, block.dump())


def finger_record(image: bytes = wsq(320, 420), **fields: Any) -> bytes:
    representation = {
        "position": ("code", 7),
        "impression": ("code", 1),
        "imageDataFormat": ("code", 1),
        "imageData": image,
        **fields,
    }
    block = FingerImageDataBlock({"versionBlock": VERSION, "representationBlocks": [representation]})
    return build(0xA1, block.dump())


@pytest.mark.parametrize("image", [jpeg(480, 640), jp2(622, 800), codestream(413, 531)])
def test_dg2_in_the_newer_record_reads_back(image: bytes) -> None:
    dg2 = Dg2((Portrait.of(image), Portrait.of(jpeg(240, 320))))
    encoded = build_dg2(dg2, RecordFormat.ISO_39794_5)
    assert parse_dg2(encoded) == dg2
    assert bytes.fromhex("8802002a") in encoded


@pytest.mark.parametrize(("image", "code"), [(jpeg(480, 640), 2), (jp2(480, 640), 3)])
def test_a_second_reader_finds_in_our_face_record_what_we_wrote(image: bytes, code: int) -> None:
    record = build_face_image_record(Portrait.of(image))
    block = FaceImageDataBlock.load(only(record, 0xA1), strict=True)
    assert block["versionBlock"].native == VERSION
    (representation,) = block["representationBlocks"]
    picture = representation["imageRepresentation"].chosen.chosen
    assert picture["representationData2D"].native == image
    information = picture["imageInformation2DBlock"]
    assert information["imageDataFormat"].native == code
    assert information["imageSizeBlock"].native == {"width": 480, "height": 640}


@pytest.mark.parametrize(("more", "information"), [({}, {}), (ALL_FACE_FIELDS, ALL_INFORMATION)])
def test_mandatory_fields_alone_and_every_field_are_read(
    more: dict[str, Any], information: dict[str, Any]
) -> None:
    record = face_record(face(jp2(622, 800), more=more, information=information))
    assert parse_face_image_record(record) == [Portrait.of(jp2(622, 800))]


def test_the_record_may_stand_without_its_outer_template() -> None:
    assert parse_face_image_record(only(face_record(face(jpeg(4, 5))), 0xA1)) == [Portrait.of(jpeg(4, 5))]


@pytest.mark.parametrize(
    "record",
    [
        face_record(),
        face_record(face(jpeg(4, 5)), version={"generation": 2, "year": 2019}),
        face_record({"representationId": 0, "imageRepresentation": ("extensionBlock", LATER)}),
        finger_record(),
        build(0xA1, build(0x65, b"")),
        build(0xA1, b""),
        b"FAC\x00010\x00" + bytes(60),
        b"",
        face_record(face(jpeg(4, 5))) + b"\x00",
        face_record(face(b"")),
    ],
)
def test_other_face_records_are_refused(record: bytes) -> None:
    with pytest.raises(MalformedDocument):
        parse_face_image_record(record)


def test_a_field_that_stands_twice_is_refused() -> None:
    inner = only(only(face_record(face(jpeg(4, 5))), 0xA1), 0x65)
    with pytest.raises(MalformedDocument):
        parse_face_image_record(build(0xA1, build(0x65, inner + inner)))


def test_hostile_images_and_numbers_in_a_face_record_are_refused() -> None:
    with pytest.raises(ImageUndecodable):
        parse_face_image_record(face_record(face(png(4, 5))))
    with pytest.raises(LimitExceeded):
        parse_face_image_record(face_record(face(jpeg(60_000, 60_000))))
    with pytest.raises(LimitExceeded):
        parse_face_image_record(face_record(*[face(jpeg(4, 5))] * 17))
    with pytest.raises(MalformedDocument):
        parse_face_image_record(face_record(face(jpeg(4, 5)), version={"generation": 2**80, "year": 1}))


def test_a_second_reader_finds_in_our_finger_record_what_we_wrote() -> None:
    finger = FingerImage.of(
        FingerPosition.RIGHT_THUMB, wsq(320, 420), ppi=1000, impression=Impression.CONTACTLESS
    )
    block = FingerImageDataBlock.load(only(build_finger_image_record(finger), 0xA1), strict=True)
    (representation,) = block["representationBlocks"].native
    assert representation["position"] == 1
    assert representation["impression"] == 24
    assert representation["imageDataFormat"] == 1
    assert representation["imageData"] == finger.image
    assert representation["spatialSamplingRateBlock"] == {"samplesPerUnit": 1000, "unitDimension": 0}


def test_every_field_of_a_finger_record_is_read() -> None:
    record = finger_record(
        captureDateTimeBlock={"year": 2024},
        qualityBlocks=[UNSCORED, QUALITY],
        spatialSamplingRateBlock={"samplesPerUnit": 197, "unitDimension": 1},
        imageHasBeenLossilyCompressed=True,
    )
    (finger,) = parse_finger_image_record(record)
    assert (finger.position, finger.impression) == (FingerPosition.LEFT_INDEX, Impression.ROLLED)
    assert (finger.ppi, finger.quality) == (500, 73)
    assert (finger.width, finger.height) == (320, 420)


def test_what_a_finger_record_leaves_out_is_none() -> None:
    (finger,) = parse_finger_image_record(finger_record())
    assert (finger.ppi, finger.quality) == (None, None)


@pytest.mark.parametrize(
    ("impression", "read"),
    [
        (("code", 0), Impression.PLAIN),
        (("code", 4), Impression.LATENT),
        (("code", 41), Impression.CONTACTLESS),
        (("code", 77), Impression.UNKNOWN),
        (("extensionBlock", {"fallback": 8}), Impression.SWIPE),
        (("extensionBlock", LATER), Impression.UNKNOWN),
    ],
)
def test_impressions(impression: Any, read: Impression) -> None:
    assert parse_finger_image_record(finger_record(impression=impression))[0].impression is read


def test_a_grey_map_is_samples() -> None:
    (finger,) = parse_finger_image_record(finger_record(b"P5\n3 2\n255\nabcdef"))
    assert (finger.image, finger.width, finger.height) == (b"abcdef", 3, 2)


@pytest.mark.parametrize(
    "image",
    [
        b"P5\n3 2\n255\nabcde",
        b"P5\n3 2\n65535\nabcdef",
        b"P5\n0 0\n255\n",
        b"P5\n99999 99999\n255\nab",
        b"P2\n1 1\n255\n0",
    ],
)
def test_a_grey_map_that_lies_is_refused(image: bytes) -> None:
    with pytest.raises(FingerImageUndecodable):
        parse_finger_image_record(finger_record(image))


@pytest.mark.parametrize(
    "record",
    [
        finger_record(position=("code", 11)),
        finger_record(position=("extensionBlock", LATER)),
        finger_record(b""),
        face_record(face(jpeg(4, 5))),
        b"",
    ],
)
def test_other_finger_records_are_refused(record: bytes) -> None:
    with pytest.raises(MalformedDocument):
        parse_finger_image_record(record)


def test_truncated_and_damaged_records_meet_our_own_errors() -> None:
    faces = face_record(face(jpeg(48, 64), more=ALL_FACE_FIELDS, information=ALL_INFORMATION))
    fingers = finger_record(qualityBlocks=[UNSCORED, QUALITY])
    for parse, record in ((parse_face_image_record, faces), (parse_finger_image_record, fingers)):
        assert all(is_refused(parse, part) for part in truncations(record))
        for copy in damaged(record, count=500, seed=8):
            is_refused(parse, copy)
