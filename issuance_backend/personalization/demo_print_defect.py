"""A demonstration's bad prints: a blur that quality control measures, and a stain that only an eye sees.

The control compares ink with ink, in grey: pale yellow glue under the laminate leaves all of it readable.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from issuance_backend.personalization.card_faces.printed_faces import PrintedFaces, PrintJob
from issuance_backend.personalization.card_printer import CardDrawer
from issuance_backend.refusals import ProductionUnavailable

_OUT_OF_FOCUS = 2.5
"""Dots: a tenth of a millimetre."""

_GLUE = (255, 238, 110)
_SPOT = (0.50, 0.10, 0.64, 0.26)
"""Where the stain lies on the front, as parts of its width and height: left, top, right, bottom."""


class DrawerWithBadPrints(CardDrawer):
    """A drawer whose first print is out of focus and whose second is stained; never for real cards."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._defects: dict[Path, Callable[[Image.Image], Image.Image]] = {
            folder / "first-print-was-blurred": _out_of_focus,
            folder / "second-print-was-stained": _stained,
        }

    def print_faces(self, card: str, job: PrintJob) -> None:
        """As any drawer; the first two jobs ever are bad."""
        for mark, spoil in self._defects.items():
            if _is_first(mark):
                faces = PrintedFaces(_spoilt(job.faces.front, spoil), job.faces.back)
                job = PrintJob(job.print_file, faces)
                break
        super().print_faces(card, job)


def _is_first(mark: Path) -> bool:
    try:
        os.close(os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return False
    except OSError as fault:
        raise ProductionUnavailable(f"card drawer: {type(fault).__name__}") from None
    return True


def _spoilt(png: bytes, spoil: Callable[[Image.Image], Image.Image]) -> bytes:
    out = io.BytesIO()
    with Image.open(io.BytesIO(png), formats=("PNG",)) as face:
        spoil(face).save(out, "PNG", compress_level=1)
    return out.getvalue()


def _out_of_focus(face: Image.Image) -> Image.Image:
    return face.filter(ImageFilter.GaussianBlur(_OUT_OF_FOCUS))


def _stained(face: Image.Image) -> Image.Image:
    glue = Image.new("RGB", face.size, "white")
    left, top, right, bottom = _SPOT
    spot = (left * face.width, top * face.height, right * face.width, bottom * face.height)
    ImageDraw.Draw(glue).ellipse(spot, fill=_GLUE)
    return ImageChops.multiply(face.convert("RGB"), glue)
