"""ISO/IEC 39794-5 and -4 as schemas of asn1crypto: a second opinion on the records that we read and write.

Field names are those of the ASN.1 modules; the modules tag implicitly, and a CHOICE explicitly.
"""

from __future__ import annotations

from typing import Any, ClassVar

from asn1crypto.core import Boolean, Choice, Integer, OctetString, Sequence, SequenceOf

Spec = tuple[Any, ...]


def _field(name: str, kind: type, number: int, *, optional: bool = False) -> Spec:
    tagging = "explicit" if issubclass(kind, Choice) else "implicit"
    return (name, kind, {tagging: number, **({"optional": True} if optional else {})})


class Extension(Sequence):
    _fields: ClassVar[list[Spec]] = [
        _field("fallback", Integer, 0, optional=True),
        # Not in the edition: what a later one may add.
        _field("laterField", OctetString, 30, optional=True),
    ]


class Code(Choice):
    _alternatives: ClassVar[list[Spec]] = [
        ("code", Integer, {"implicit": 0}),
        ("extensionBlock", Extension, {"implicit": 1}),
    ]


class VersionBlock(Sequence):
    _fields: ClassVar[list[Spec]] = [_field("generation", Integer, 0), _field("year", Integer, 1)]


class DateTimeBlock(Sequence):
    _fields: ClassVar[list[Spec]] = [_field("year", Integer, 0), _field("month", Integer, 1, optional=True)]


class RegistryIdBlock(Sequence):
    _fields: ClassVar[list[Spec]] = [_field("organization", Integer, 0), _field("id", Integer, 1)]


class ScoreOrError(Choice):
    _alternatives: ClassVar[list[Spec]] = [
        ("score", Integer, {"implicit": 0}),
        ("error", Code, {"explicit": 1}),
    ]


class QualityBlock(Sequence):
    _fields: ClassVar[list[Spec]] = [
        _field("algorithmIdBlock", RegistryIdBlock, 0),
        _field("scoreOrError", ScoreOrError, 1),
    ]


class QualityBlocks(SequenceOf):
    _child_spec = QualityBlock


class ImageSizeBlock(Sequence):
    _fields: ClassVar[list[Spec]] = [_field("width", Integer, 0), _field("height", Integer, 1)]


class ImageInformation2DBlock(Sequence):
    _fields: ClassVar[list[Spec]] = [
        _field("imageDataFormat", Code, 0),
        _field("faceImageKind2D", Code, 1, optional=True),
        _field("lossyTransformationAttempts", Code, 3, optional=True),
        _field("imageSizeBlock", ImageSizeBlock, 7, optional=True),
        _field("imageColourSpace", Code, 9, optional=True),
    ]


class ImageRepresentation2DBlock(Sequence):
    _fields: ClassVar[list[Spec]] = [
        _field("representationData2D", OctetString, 0),
        _field("imageInformation2DBlock", ImageInformation2DBlock, 1),
    ]


class ImageRepresentationBase(Choice):
    _alternatives: ClassVar[list[Spec]] = [
        ("imageRepresentation2DBlock", ImageRepresentation2DBlock, {"implicit": 0})
    ]


class ImageRepresentation(Choice):
    _alternatives: ClassVar[list[Spec]] = [
        ("base", ImageRepresentationBase, {"explicit": 0}),
        ("extensionBlock", Extension, {"implicit": 1}),
    ]


class IdentityMetadataBlock(Sequence):
    _fields: ClassVar[list[Spec]] = [
        _field("gender", Code, 0, optional=True),
        _field("subjectHeight", Integer, 3, optional=True),
    ]


class FaceRepresentationBlock(Sequence):
    _fields: ClassVar[list[Spec]] = [
        _field("representationId", Integer, 0),
        _field("imageRepresentation", ImageRepresentation, 1),
        _field("captureDateTimeBlock", DateTimeBlock, 2, optional=True),
        _field("qualityBlocks", QualityBlocks, 3, optional=True),
        _field("sessionId", Integer, 5, optional=True),
        _field("identityMetadataBlock", IdentityMetadataBlock, 8, optional=True),
        _field("laterField", OctetString, 30, optional=True),
    ]


class FaceRepresentationBlocks(SequenceOf):
    _child_spec = FaceRepresentationBlock


class FaceImageDataBlock(Sequence):
    class_ = 1
    tag = 5
    _fields: ClassVar[list[Spec]] = [
        _field("versionBlock", VersionBlock, 0),
        _field("representationBlocks", FaceRepresentationBlocks, 1),
    ]


class SpatialSamplingRateBlock(Sequence):
    _fields: ClassVar[list[Spec]] = [
        _field("samplesPerUnit", Integer, 0),
        _field("unitDimension", Integer, 1),
    ]


class FingerRepresentationBlock(Sequence):
    _fields: ClassVar[list[Spec]] = [
        _field("position", Code, 0),
        _field("impression", Code, 1),
        _field("imageDataFormat", Code, 2),
        _field("imageData", OctetString, 3),
        _field("captureDateTimeBlock", DateTimeBlock, 4, optional=True),
        _field("qualityBlocks", QualityBlocks, 6, optional=True),
        _field("spatialSamplingRateBlock", SpatialSamplingRateBlock, 7, optional=True),
        _field("imageHasBeenLossilyCompressed", Boolean, 11, optional=True),
    ]


class FingerRepresentationBlocks(SequenceOf):
    _child_spec = FingerRepresentationBlock


class FingerImageDataBlock(Sequence):
    class_ = 1
    tag = 4
    _fields: ClassVar[list[Spec]] = [
        _field("versionBlock", VersionBlock, 0),
        _field("representationBlocks", FingerRepresentationBlocks, 1),
    ]
