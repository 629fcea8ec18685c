"""From scores to a candidate list: evidence is added up, ordered, and marked for people to look at.

A candidate is never a decision. A *hit* is a candidate that two examiners must see; everything below
stays in the list as what it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from issuance_backend.biometric_search.calibration import Calibration
from issuance_backend.biometric_search.modality import Score

MAX_CANDIDATES = 100
DEFAULT_CANDIDATES = 20
_ROUNDING = 1e-6

DEFAULT_FPIR_DECIBANS = 10
"""One search in ten may bring a stranger before the examiners (false positive identification rate 0.1)."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """One comparison of one position, and what it is worth."""

    modality: str
    position: int
    score: float
    decibans: float
    calibration: str
    ceiling: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """One enrolment, by the number its gallery gave it, with everything that speaks for and against it."""

    number: int
    decibans: float
    likenesses: tuple[Likeness, ...]
    is_hit: bool


@dataclass(frozen=True, slots=True)
class Threshold:
    """From where on a candidate is a hit.

    By Markov's inequality at most one stranger in x reaches a likelihood ratio of x. Among ``gallery``
    strangers the expected number of hits is therefore at most 10^(-target/10) when a hit needs
    10 log10(gallery) + target decibans.
    """

    decibans: float

    @classmethod
    def for_search(cls, gallery: int, target_fpir_decibans: int) -> Threshold:
        """The threshold of a gallery of this size for this false positive identification rate."""
        return cls(10 * math.log10(max(gallery, 1)) + target_fpir_decibans)

    def is_hit(self, likenesses: Sequence[Likeness]) -> bool:
        """Whether people must look.

        Where all that was compared could not reach the threshold however alike the two are (a face
        alone in a large gallery), everything standing at the end of its scale is enough.
        """
        reachable = sum(likeness.ceiling for likeness in likenesses)
        return _sum(likenesses) >= min(self.decibans, reachable) - _ROUNDING


def weighed(modality: str, calibration: Calibration, scores: Sequence[Score]) -> tuple[Likeness, ...]:
    """Scores of one modality as evidence."""
    return tuple(
        Likeness(
            modality=modality,
            position=score.position,
            score=score.value,
            decibans=calibration.decibans(score.value),
            calibration=calibration.id,
            ceiling=calibration.ceiling,
        )
        for score in scores
    )


def ranked(
    found: Mapping[int, Sequence[Likeness]], threshold: Threshold, limit: int
) -> tuple[Candidate, ...]:
    """The strongest candidates first; an enrolment without any comparison is none."""
    candidates = [
        _candidate(number, tuple(likenesses), threshold) for number, likenesses in found.items() if likenesses
    ]
    candidates.sort(key=lambda each: (not each.is_hit, -each.decibans, each.number))
    return tuple(candidates[:limit])


def _candidate(number: int, likenesses: tuple[Likeness, ...], threshold: Threshold) -> Candidate:
    return Candidate(number, _sum(likenesses), likenesses, threshold.is_hit(likenesses))


def _sum(likenesses: Sequence[Likeness]) -> float:
    return sum(likeness.decibans for likeness in likenesses)
