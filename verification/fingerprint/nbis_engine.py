"""NIST's own programs behind our interface: mindtct, bozorth3 and NFIQ 2, by the package nbis-py.

The package's later name is built for newer systems than Debian 12, so this release is pinned. Scores
of bozorth3 count linked pairs of minutiae: strangers seldom pass 40, the same finger seldom stays
below. What a score means for a gallery is said by a calibration, never here.
"""

from __future__ import annotations

import io
import struct
from functools import cache

import numpy as np
from nbis import nbis
from PIL import Image

from verification.errors import (
    FingerImageUndecodable,
    FingerQualityInsufficient,
    FingerTemplateMalformed,
)
from verification.fingerprint.engine import FingerQuality, FingerSample, Print
from verification.fingerprint.minutiae import FingerTemplate, Minutia, MinutiaKind, read_template, strongest
from verification.lds.finger_image import FingerPosition

PPI = 500

_SHORTEST_SIDE, _LONGEST_SIDE = 64, 2_000
_PIXELS_PER_CENTIMETRE = 197
# bozorth3 looks at no more than the 150 best.
_MAX_MINUTIAE = 150
_TURN = 360.0
# Identifier, length, width, height, quality, number of points; x marks bytes that it leaves at zero.
_LIBRARY_HEADER = struct.Struct(">8sI2xHH2xB4xB")
_LIBRARY_POINT = struct.Struct(">HHBB")
_KINDS = {
    nbis.MinutiaKind.RIDGE_ENDING: MinutiaKind.ENDING,
    nbis.MinutiaKind.BIFURCATION: MinutiaKind.BIFURCATION,
}


class NbisEngine:
    """mindtct finds, bozorth3 compares, NFIQ 2 judges."""

    id = "nbis-py-0.1.3"

    def __init__(self) -> None:
        self._extractor = _extractor()

    def extract(self, picture: Print, position: FingerPosition, ppi: int = PPI) -> FingerSample:
        """The minutiae of one print; raises FingerImageUndecodable and FingerQualityInsufficient."""
        _require_print(picture, ppi)
        try:
            found = self._extractor.extract_minutiae(_png(picture))
            points = found.get()
            nfiq2 = found.quality().score if points else 0
        except nbis.NbisError as fault:
            # The library's word for a picture without ridges, or one it cannot judge.
            raise FingerQualityInsufficient(type(fault).__name__) from None
        if not points:
            raise FingerQualityInsufficient("no minutiae")
        best = strongest([_minutia(each) for each in points], _MAX_MINUTIAE)
        quality = FingerQuality(nfiq2=min(max(nfiq2, 0), 100), minutiae=len(best))
        template = FingerTemplate(
            position=position,
            width=picture.shape[1],
            height=picture.shape[0],
            pixels_per_centimetre=_PIXELS_PER_CENTIMETRE,
            quality=quality.nfiq2,
            minutiae=best,
        )
        return FingerSample(template.encoded(), quality)

    def prepare(self, template: bytes) -> NbisFinger:
        """A template ready for bozorth3; raises FingerTemplateMalformed."""
        return NbisFinger(self._extractor, template)


class NbisFinger:
    """One loaded template."""

    def __init__(self, extractor: nbis.NbisExtractor, template: bytes) -> None:
        self._extractor = extractor
        self._minutiae = self._load(template)

    def score(self, template: bytes) -> float:
        """The number of linked pairs; 0 where either print has no minutiae."""
        other = self._load(template)
        if self._minutiae is None or other is None:
            return 0.0
        return float(self._minutiae.compare(other))

    def _load(self, template: bytes) -> nbis.Minutiae | None:
        # Read by our own strict reader first: the library is given nothing malformed.
        read = read_template(template)
        if not read.minutiae:
            return None
        try:
            return self._extractor.load_iso_19794_2_2005(_as_library_reads(read))
        except nbis.NbisError as fault:
            raise FingerTemplateMalformed(type(fault).__name__) from None


def _as_library_reads(template: FingerTemplate) -> bytes:
    """The record in the library's own spelling of the standard.

    It leaves out resolution and extended data, writes quality in 64 steps, and wants points by x.
    """
    points = sorted(strongest(template.minutiae, _MAX_MINUTIAE), key=lambda each: (each.x, each.y))
    rows = b"".join(
        _LIBRARY_POINT.pack(int(each.kind) << 14 | each.x, each.y, each.angle, _in_steps(each.quality))
        for each in points
    )
    length = _LIBRARY_HEADER.size + len(rows)
    sizes = (template.width, template.height, template.quality, len(points))
    return _LIBRARY_HEADER.pack(b"FMR\0 20\0", length, *sizes) + rows


def _in_steps(quality: int) -> int:
    return round(quality * 63 / 100)


@cache
def _extractor() -> nbis.NbisExtractor:
    """One for all engines of a process: it keeps nothing of a print, and the model of NFIQ 2 takes 60 MB."""
    settings = nbis.NbisExtractorSettings(
        min_quality=0.0, get_center=False, check_fingerprint=False, compute_nfiq2=True, ppi=float(PPI)
    )
    return nbis.new_nbis_extractor(settings)


def _require_print(picture: Print, ppi: int) -> None:
    if ppi != PPI:
        raise FingerImageUndecodable(f"a print at {ppi} ppi is not compared")
    if picture.ndim != 2 or picture.dtype != np.uint8:
        raise FingerImageUndecodable("a print is a grey picture of eight bits")
    if min(picture.shape) < _SHORTEST_SIDE or max(picture.shape) > _LONGEST_SIDE:
        raise FingerImageUndecodable("a print has sides of 64 to 2,000 pixels")


def _png(picture: Print) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(out, "PNG", compress_level=1)
    return out.getvalue()


def _minutia(found: nbis.Minutia) -> Minutia:
    return Minutia(
        x=found.x(),
        y=found.y(),
        angle=round(found.angle() / _TURN * 256) % 256,
        kind=_KINDS[found.kind()],
        quality=min(max(round(found.reliability() * 100), 1), 100),
    )
