"""NIST's own programs behind our interface: mindtct, bozorth3 and NFIQ 2, by the package nbis-py.

The package's later name is built for newer systems than Debian 12, so this release is pinned. Scores
of bozorth3 count linked pairs of minutiae: strangers seldom pass 40, the same finger seldom stays
below. What a score means for a gallery is said by a calibration, never here.
"""

from __future__ import annotations

import io
import struct
from dataclasses import replace
from functools import cache, cached_property

import numpy as np
from nbis import nbis
from PIL import Image

from verification.errors import (
    FingerImageUndecodable,
    FingerQualityInsufficient,
    FingerTemplateMalformed,
)
from verification.fingerprint.compatible_edges import Edges, compatible_edges, edges_of
from verification.fingerprint.engine import FingerQuality, FingerSample, Print
from verification.fingerprint.minutiae import FingerTemplate, Minutia, MinutiaKind, read_template, strongest
from verification.lds.finger_image import FingerPosition

PPI = 500

_SHORTEST_SIDE, _LONGEST_SIDE = 64, 2_000
_PIXELS_PER_CENTIMETRE = 197
# bozorth3 looks at no more than the 150 best.
_MAX_MINUTIAE = 150
_ENOUGH = 80
"""Minutiae with which a finger is told from all others, however dense; no pair of so few takes long."""

_MOST_EDGES = 15_000
"""Compatible links: a rolled print has up to 13,100 with itself; what takes seconds has 20,000 and more."""

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
        self._read = _read(template)

    def score(self, template: bytes) -> float:
        """The number of linked pairs; 0 where either print has no minutiae.

        Dense prints with too many compatible links are compared by their strongest minutiae alone: enough to
        tell the same finger, and never a matter of many seconds.
        """
        other = _read(template)
        if not self._read.minutiae or not other.minutiae:
            return 0.0
        if self._is_too_much_with(other):
            return float(self._strongest.compare(self._loaded(_strongest(other))))
        return float(self._whole.compare(self._loaded(other)))

    def _is_too_much_with(self, other: FingerTemplate) -> bool:
        if min(len(self._read.minutiae), len(other.minutiae)) <= _ENOUGH:
            return False
        return compatible_edges(self._edges, edges_of(other.minutiae)) > _MOST_EDGES

    @cached_property
    def _edges(self) -> Edges:
        return edges_of(self._read.minutiae)

    @cached_property
    def _whole(self) -> nbis.Minutiae:
        return self._loaded(self._read)

    @cached_property
    def _strongest(self) -> nbis.Minutiae:
        return self._loaded(_strongest(self._read))

    def _loaded(self, template: FingerTemplate) -> nbis.Minutiae:
        try:
            return self._extractor.load_iso_19794_2_2005(_as_library_reads(template))
        except nbis.NbisError as fault:
            raise FingerTemplateMalformed(type(fault).__name__) from None


def _read(template: bytes) -> FingerTemplate:
    """By our own strict reader first: the library is given nothing malformed, and only what it looks at."""
    read = read_template(template)
    return replace(read, minutiae=strongest(read.minutiae, _MAX_MINUTIAE))


def _strongest(template: FingerTemplate) -> FingerTemplate:
    return replace(template, minutiae=strongest(template.minutiae, _ENOUGH))


def _as_library_reads(template: FingerTemplate) -> bytes:
    """The record in the library's own spelling of the standard.

    It leaves out resolution and extended data, writes quality in 64 steps, and wants points by x.
    """
    points = sorted(template.minutiae, key=lambda each: (each.x, each.y))
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
