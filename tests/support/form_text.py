"""What stands on a form that was made as a file."""

from __future__ import annotations

import io

from pypdf import PdfReader


def form_text(pdf: bytes) -> str:
    """The text of all pages, a blank between words however lines were broken."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())
