"""Headers of JPEG, JPEG 2000, PNG and WSQ images, made byte by byte: nothing here can be decoded."""

from __future__ import annotations


def jpeg(
    width: int, height: int, *, components: int = 3, marker: int = 0xC0, rest: bytes = bytes(40)
) -> bytes:
    """A JPEG with an APP0 segment and a frame header."""
    frame = (
        bytes((8,))
        + height.to_bytes(2, "big")
        + width.to_bytes(2, "big")
        + bytes((components,))
        + bytes(3 * components)
    )
    segment = bytes((0xFF, marker)) + (len(frame) + 2).to_bytes(2, "big") + frame
    return b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00" + segment + rest


def codestream(
    width: int,
    height: int,
    *,
    left: int = 0,
    tile: tuple[int, int] | None = None,
    components: int = 3,
    depth: int = 8,
) -> bytes:
    """A JPEG 2000 codestream up to its SIZ segment."""
    tile_width, tile_height = tile or (left + width, height)
    sizes = (left + width, height, left, 0, tile_width, tile_height, 0, 0)
    body = b"\x00\x00" + b"".join(size.to_bytes(4, "big") for size in sizes) + components.to_bytes(2, "big")
    body += bytes((depth - 1, 1, 1)) * components
    return b"\xff\x4f\xff\x51" + (len(body) + 2).to_bytes(2, "big") + body + bytes(20)


def box(kind: bytes, content: bytes) -> bytes:
    """A JP2 box."""
    return (len(content) + 8).to_bytes(4, "big") + kind + content


def image_header(width: int, height: int) -> bytes:
    """The ihdr box of a JP2 file."""
    return box(b"ihdr", height.to_bytes(4, "big") + width.to_bytes(4, "big") + b"\x00\x03\x07\x07\x00\x00")


def jp2(width: int, height: int, *, stream: bytes | None = None, header: bytes | None = None) -> bytes:
    """A JP2 file around a codestream; ``header`` stands in place of the jp2h box."""
    return (
        b"\x00\x00\x00\x0cjP  \x0d\x0a\x87\x0a"
        + box(b"ftyp", b"jp2 \x00\x00\x00\x00jp2 ")
        + (box(b"jp2h", image_header(width, height)) if header is None else header)
        + box(b"jp2c", codestream(width, height) if stream is None else stream)
    )


def png(width: int, height: int, *, depth: int = 8, colour: int = 0) -> bytes:
    """A PNG up to its image header; the checksum is none."""
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes((depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + len(header).to_bytes(4, "big") + b"IHDR" + header + bytes(40)


def wsq(width: int, height: int, *, before: bytes = b"", rest: bytes = bytes(40)) -> bytes:
    """A WSQ image up to its frame header, behind a comment and a table; ``before`` stands ahead of it."""
    comment = b"\xff\xa8\x00\x06test"
    table = b"\xff\xa4\x00\x04\x00\x00"
    frame = b"\x00\xff" + height.to_bytes(2, "big") + width.to_bytes(2, "big") + bytes(9)
    header = b"\xff\xa2" + (len(frame) + 2).to_bytes(2, "big") + frame
    return b"\xff\xa0" + comment + table + before + header + rest
