"""A demonstration's bad print: the first card of a drawer comes out blurred, and quality control stops it."""

from __future__ import annotations

import io
import os
from pathlib import Path

from PIL import Image, ImageFilter

from issuance_backend.personalization.card_faces.printed_faces import PrintedFaces, PrintJob
from issuance_backend.personalization.card_printer import CardDrawer
from issuance_backend.refusals import ProductionUnavailable

_SHOWN = "first-print-was-blurred"
_OUT_OF_FOCUS = 2.5
"""Dots: a tenth of a millimetre."""


class DrawerWithABadPrint(CardDrawer):
    """A drawer whose first print is out of focus, once in its life; never for real cards."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._mark = folder / _SHOWN

    def print_faces(self, card: str, job: PrintJob) -> None:
        """As any drawer; the first job ever is blurred."""
        super().print_faces(card, _blurred(job) if self._is_first() else job)

    def _is_first(self) -> bool:
        try:
            os.close(os.open(self._mark, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            return False
        except OSError as fault:
            raise ProductionUnavailable(f"card drawer: {type(fault).__name__}") from None
        return True


def _blurred(job: PrintJob) -> PrintJob:
    return PrintJob(job.print_file, PrintedFaces(_out_of_focus(job.faces.front), job.faces.back))


def _out_of_focus(png: bytes) -> bytes:
    out = io.BytesIO()
    with Image.open(io.BytesIO(png), formats=("PNG",)) as face:
        face.filter(ImageFilter.GaussianBlur(_OUT_OF_FOCUS)).save(out, "PNG", compress_level=1)
    return out.getvalue()
