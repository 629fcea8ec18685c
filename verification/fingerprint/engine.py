"""What every fingerprint engine offers, in the engine's own measure of likeness (more is closer)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from verification.lds.finger_image import FingerPosition

Print = npt.NDArray[np.uint8]
"""Rows and columns of brightness, dark ridges on white."""


@dataclass(frozen=True, slots=True)
class FingerQuality:
    """How good an impression is: NFIQ 2 (ISO/IEC 29794-4, 0 to 100) and how many minutiae were found."""

    nfiq2: int
    minutiae: int


@dataclass(frozen=True, slots=True, repr=False)
class FingerSample:
    """One impression as the engine sees it: an ISO/IEC 19794-2 record, and its quality."""

    template: bytes
    quality: FingerQuality

    def __repr__(self) -> str:
        return f"FingerSample({self.quality})"


class PreparedFinger(Protocol):
    """A template that is compared many times."""

    def score(self, template: bytes) -> float:
        """Likeness to another template; raises FingerTemplateMalformed."""


class FingerEngine(Protocol):
    """Extractor and matcher of one make."""

    @property
    def id(self) -> str:
        """The name and version that go into evidence and calibrations."""

    def extract(self, picture: Print, position: FingerPosition, ppi: int = 500) -> FingerSample:
        """The minutiae of one print, dark ridges on white.

        Raises FingerImageUndecodable for what is no picture of a finger at 500 ppi, and
        FingerQualityInsufficient where no minutia is found.
        """

    def prepare(self, template: bytes) -> PreparedFinger:
        """A template made ready to be compared; raises FingerTemplateMalformed."""
