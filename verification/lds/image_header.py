"""Kind and size of an encoded image from its headers alone.

A 244-byte JPEG 2000 file can make a decoder take a gigabyte. Size, components, tiles and sample
depth are therefore read and capped here before any decoder sees a byte. What kinds of image a
data group may hold, and how many bytes, is said by ``portrait_image`` and ``finger_image``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from verification.errors import ImageUndecodable, LimitExceeded

JPEG = "image/jpeg"
JPEG_2000 = "image/jp2"
PNG = "image/png"
WSQ = "image/x-wsq"

MAX_PIXELS = 4_000_000
MAX_SIDE = 65_535
MAX_COMPONENTS = 4
MAX_TILES = 256

_JPEG_START = b"\xff\xd8\xff"
_JP2_SIGNATURE = b"\x00\x00\x00\x0cjP  \x0d\x0a\x87\x0a"
_CODESTREAM_START = b"\xff\x4f\xff\x51"
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_WSQ_START = b"\xff\xa0"

# Start-of-frame markers: C0..CF without DHT (C4), JPG (C8) and DAC (CC), ITU-T T.81 B.1.1.3.
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# Markers without a length: TEM and RST0..RST7.
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD8)})
_JPEG_NO_FRAME_AFTER = frozenset({0xD9, 0xDA})
# Transform, quantisation and Huffman tables, restart interval, comment: what may precede a WSQ frame.
_WSQ_BEFORE_FRAME = frozenset({0xA4, 0xA5, 0xA6, 0xA7, 0xA8})
_WSQ_FRAME = 0xA2
_PNG_COMPONENTS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}
_MAX_SEGMENTS = 512
_MAX_BOXES = 64
_MAX_DEPTH_BITS = 8


class ImageHeader(NamedTuple):
    """What the headers of an image state; width and height are pixels."""

    media_type: str
    width: int
    height: int


class _Frame(NamedTuple):
    width: int
    height: int
    components: int


def image_kind(image: bytes) -> str | None:
    """Tell the kind by the first bytes, because a container's own field is often wrong; None if unknown."""
    for start, kind, _ in _KINDS:
        if image.startswith(start):
            return kind
    return None


def read_image_header(image: bytes, max_pixels: int = MAX_PIXELS) -> ImageHeader:
    """Return kind, width and height without decoding.

    Raises LimitExceeded above 65,535 pixels a side, ``max_pixels`` (4 megapixels of JPEG 2000 in any case),
    4 components, 256 tiles or 8 bits a sample, and ImageUndecodable when the headers are not there or
    contradict each other.
    """
    for start, kind, read in _KINDS:
        if image.startswith(start):
            frame = read(image)
            _require_area(frame, max_pixels)
            return ImageHeader(kind, frame.width, frame.height)
    raise ImageUndecodable("image of an unknown kind")


def _require_area(frame: _Frame, max_pixels: int) -> None:
    if not frame.width or not frame.height or not frame.components:
        raise ImageUndecodable("image without area")
    if (
        max(frame.width, frame.height) > MAX_SIDE
        or frame.width * frame.height > max_pixels
        or frame.components > MAX_COMPONENTS
    ):
        raise LimitExceeded(f"image of {frame.width} x {frame.height} pixels, {frame.components} components")


def _jpeg_frame(image: bytes) -> _Frame:
    position = 2
    for _ in range(_MAX_SEGMENTS):
        marker, position = _jpeg_marker(image, position)
        if marker in _JPEG_BARE:
            continue
        if marker in _JPEG_NO_FRAME_AFTER:
            break
        length = _number(image, position, 2)
        if length < 2 or position + length > len(image):
            break
        if marker in _JPEG_FRAMES:
            # length 2, sample precision 1, lines 2, samples per line 2, components 1
            return _Frame(
                width=_number(image, position + 5, 2),
                height=_number(image, position + 3, 2),
                components=_number(image, position + 7, 1),
            )
        position += length
    raise ImageUndecodable("JPEG without frame header")


def _jpeg_marker(image: bytes, position: int) -> tuple[int, int]:
    if _number(image, position, 1) != 0xFF:
        raise ImageUndecodable("JPEG marker expected")
    # Any number of FF may fill up before a marker (T.81, B.1.1.2).
    while _number(image, position, 1) == 0xFF:
        position += 1
    return image[position], position + 1


def _jpeg_2000_frame(image: bytes) -> _Frame:
    header: tuple[int, int] | None = None
    for kind, start, end in _boxes(image, 0, len(image)):
        if kind == b"jp2h":
            # Of two headers one decoder believes the first and another the last.
            if header is not None:
                raise ImageUndecodable("JPEG 2000 with two headers")
            header = _jp2_image_header(image, start, end)
        if kind == b"jp2c":
            frame = _codestream_frame(image, start)
            # Some decoders allocate by the header box, others by the codestream.
            if header != (frame.width, frame.height):
                raise ImageUndecodable("JPEG 2000 header and codestream differ in size")
            return frame
    raise ImageUndecodable("JPEG 2000 without codestream")


def _jp2_image_header(image: bytes, start: int, end: int) -> tuple[int, int]:
    headers = [content for kind, content, _ in _boxes(image, start, end) if kind == b"ihdr"]
    if len(headers) != 1:
        raise ImageUndecodable(f"JPEG 2000 with {len(headers)} image headers")
    return _number(image, headers[0] + 4, 4), _number(image, headers[0], 4)


def _boxes(image: bytes, start: int, end: int) -> list[tuple[bytes, int, int]]:
    """Split into boxes as (type, start of content, end); ISO/IEC 15444-1, I.4."""
    found: list[tuple[bytes, int, int]] = []
    while start < end:
        length = _number(image, start, 4)
        kind = image[start + 4 : start + 8]
        header = 8
        if length == 1:
            length, header = _number(image, start + 8, 8), 16
        stop = end if length == 0 else start + length
        # A codestream box may claim more than there is: padded and cut files are the decoder's to judge.
        if len(kind) != 4 or (length and length < header) or (stop > end and kind != b"jp2c"):
            raise ImageUndecodable("JPEG 2000 box does not fit")
        found.append((kind, start + header, min(stop, end)))
        if len(found) > _MAX_BOXES or kind == b"jp2c":
            break
        start = stop
    return found


def _codestream_frame(image: bytes, start: int = 0) -> _Frame:
    """Read the SIZ segment (ISO/IEC 15444-1, A.5.1)."""
    if image[start : start + 4] != _CODESTREAM_START:
        raise ImageUndecodable("JPEG 2000 codestream without SIZ")
    size = start + 8
    right, bottom, left, top, tile_width, tile_height, tile_left, tile_top = (
        _number(image, size + 4 * index, 4) for index in range(8)
    )
    components = _number(image, size + 32, 2)
    if (
        left >= right
        or top >= bottom
        or not tile_width
        or not tile_height
        or tile_left > left
        or tile_top > top
    ):
        raise ImageUndecodable("JPEG 2000 image or tile without area")
    # The reference grid counts, not only the visible part: decoders allocate along it.
    if right * bottom > MAX_PIXELS or components > MAX_COMPONENTS:
        raise LimitExceeded(f"JPEG 2000 grid of {right} x {bottom}, {components} components")
    tiles = -(-(right - tile_left) // tile_width) * -(-(bottom - tile_top) // tile_height)
    if tiles > MAX_TILES:
        raise LimitExceeded(f"JPEG 2000 of {tiles} tiles")
    _require_plain_components(image, size + 34, components)
    return _Frame(right - left, bottom - top, components)


def _require_plain_components(image: bytes, start: int, components: int) -> None:
    """Refuse samples of more than eight bits and components without sampling."""
    for component in range(components):
        depth = _number(image, start + 3 * component, 1)
        if (depth & 0x7F) + 1 > _MAX_DEPTH_BITS:
            raise LimitExceeded("JPEG 2000 samples of more than 8 bits")
        if not _number(image, start + 3 * component + 1, 1) or not _number(
            image, start + 3 * component + 2, 1
        ):
            raise ImageUndecodable("JPEG 2000 component without samples")


def _png_frame(image: bytes) -> _Frame:
    """Read IHDR, which comes first (ISO/IEC 15948, 5.6)."""
    start = len(_PNG_SIGNATURE)
    if image[start : start + 8] != b"\x00\x00\x00\x0dIHDR":
        raise ImageUndecodable("PNG without image header")
    width, height = _number(image, start + 8, 4), _number(image, start + 12, 4)
    if _number(image, start + 16, 1) > _MAX_DEPTH_BITS:
        raise LimitExceeded("PNG samples of more than 8 bits")
    return _Frame(width, height, _PNG_COMPONENTS.get(_number(image, start + 17, 1), 0))


def _wsq_frame(image: bytes) -> _Frame:
    """Read the frame header, which stands before the first block (FBI IAFIS-IC-0110, annex A)."""
    position = 2
    for _ in range(_MAX_SEGMENTS):
        if _number(image, position, 1) != 0xFF:
            break
        marker = _number(image, position + 1, 1)
        length = _number(image, position + 2, 2)
        if marker == _WSQ_FRAME:
            # length 2, black 1, white 1, lines 2, samples per line 2
            return _Frame(_number(image, position + 8, 2), _number(image, position + 6, 2), 1)
        if marker not in _WSQ_BEFORE_FRAME or length < 2:
            break
        position += 2 + length
    raise ImageUndecodable("WSQ without frame header")


def _number(image: bytes, position: int, octets: int) -> int:
    if position + octets > len(image):
        raise ImageUndecodable("image header is cut off")
    return int.from_bytes(image[position : position + octets], "big")


_KINDS: tuple[tuple[bytes, str, Callable[[bytes], _Frame]], ...] = (
    (_JPEG_START, JPEG, _jpeg_frame),
    (_JP2_SIGNATURE, JPEG_2000, _jpeg_2000_frame),
    (_CODESTREAM_START, JPEG_2000, _codestream_frame),
    (_PNG_SIGNATURE, PNG, _png_frame),
    (_WSQ_START, WSQ, _wsq_frame),
)
