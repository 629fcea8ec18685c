"""QR codes written (segno) and read back (zxing-cpp): two programs that share no code."""

from __future__ import annotations

from functools import lru_cache

import segno
import zxingcpp
from PIL import Image

from issuance_backend.refusals import CardTextUnprintable

# A scratch of a sixth of the modules is repaired.
_CORRECTION = "m"
_CARDS_IN_WORK = 8


@lru_cache(_CARDS_IN_WORK)
def qr_modules(text: str) -> tuple[bytes, ...]:
    """Rows of modules, 1 is dark, no quiet zone; raises CardTextUnprintable for a text that is too long."""
    try:
        symbol = segno.make_qr(text, error=_CORRECTION, encoding="utf-8", boost_error=False)
    except segno.DataOverflowError:
        raise CardTextUnprintable("a text that no QR code holds") from None
    return tuple(bytes(row) for row in symbol.matrix)


def read_qr(picture: Image.Image) -> str | None:
    """The text of the only QR code in the picture, or none."""
    wanted = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    found = zxingcpp.read_barcodes(picture.convert("L"), formats=wanted)
    texts = {symbol.bytes.decode("utf-8", "replace") for symbol in found if symbol.valid}
    return texts.pop() if len(texts) == 1 else None
