"""A counter's form on paper: printed, signed by hand, and scanned."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
import pypdfium2
from PIL import Image, ImageDraw

from verification.capture_form.print_page import SIGNATURE_BOX
from verification.fingerprint.form_page import PPI


@cache
def page_of(pdf: bytes) -> Image.Image:
    """The last page as a printer lays it down."""
    document = pypdfium2.PdfDocument(pdf)
    return document[len(document) - 1].render(scale=PPI / 72, grayscale=True).to_pil().convert("L")


def scanned(page: Image.Image, ppi: int = 300, *, turned: int = 0, is_signed: bool = True) -> bytes:
    """The page signed by hand, and scanned: greyer, noisy, a little askew."""
    paper = page.copy()
    if is_signed:
        left, top = SIGNATURE_BOX.left + 300, SIGNATURE_BOX.top + SIGNATURE_BOX.height // 2
        places = [(left + 40 * step, top + (-1) ** step * 110) for step in range(20)]
        ImageDraw.Draw(paper).line(places, fill=30, width=11)
    paper = paper.rotate(0.4, Image.Resampling.BICUBIC, fillcolor=255)
    size = (round(paper.width * ppi / PPI), round(paper.height * ppi / PPI))
    grey = np.asarray(paper.resize(size, Image.Resampling.LANCZOS), float) * 0.88 + 20
    noise = np.random.default_rng(3).normal(0, 4, grey.shape)
    picture = Image.fromarray(np.clip(grey + noise, 0, 255).astype(np.uint8)).rotate(turned, expand=True)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=88, dpi=(ppi, ppi))
    return out.getvalue()
