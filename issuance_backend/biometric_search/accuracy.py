"""How often a search misses whom it should find, and how often it finds a stranger (ISO/IEC 19795-1).

The first capture of every person is enrolled, every later one is searched among all of them, as an
application would be. FNIR is the share of searches that did not find their own person; FPIR is the share
that found anybody else. Each is told for every threshold that a request may ask for, with the bounds of
its 95 % confidence interval: of searches, which are no independent people where one person has several.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from issuance_backend.biometric_search.adjudication import wilson
from issuance_backend.biometric_search.fusion import (
    DEFAULT_FPIR_DECIBANS,
    MAX_CANDIDATES,
    Candidate,
    Threshold,
)
from issuance_backend.biometric_search.gallery_index import Enrolment, GalleryIndex, Question
from issuance_backend.biometric_search.modality import Modalities, Sample

TARGETS = range(-20, 61, 2)
"""Wanted false positive rates, in decibans as a request names them; below 0 more hits than searches."""


@dataclass(frozen=True, slots=True)
class Capture:
    """What was captured of one person at one time."""

    person: str
    samples: tuple[Sample, ...]


class Share(msgspec.Struct, frozen=True):
    """How many of how many, with the bounds of the share."""

    count: int
    of: int
    share: float
    low: float
    high: float


class Point(msgspec.Struct, frozen=True):
    """Both rates at one threshold."""

    target_fpir_decibans: int
    threshold_decibans: float
    fnir: Share
    fpir: Share


class EngineUsed(msgspec.Struct, frozen=True):
    """What made and compared the templates of one modality, and on what its evidence is founded."""

    modality: str
    format: str
    calibration: str
    basis: str


class Accuracy(msgspec.Struct, frozen=True):
    """One measurement. ``captures`` says whose they are: no rate holds for others."""

    captures: str
    software: str
    engines: tuple[EngineUsed, ...]
    gallery: int
    searches: int
    usual_target_decibans: int
    points: tuple[Point, ...]


def measure(modalities: Modalities, captures: Iterable[Capture], whose: str, software: str) -> Accuracy:
    """Enrol, search, count; raises ValueError where nobody was captured twice."""
    index, probes = _enrolled(modalities, captures)
    if not probes:
        raise ValueError("nobody was captured twice: there is nothing to search for")
    own, others = [], []
    for person, probe in probes:
        candidates = index.identify(Question(samples=probe.samples, max_candidates=MAX_CANDIDATES))
        mates = [each for each in candidates if each.number == person]
        strangers = [each for each in candidates if each.number != person]
        own.append(_found_up_to(mates, len(index)))
        others.append(_found_up_to(strangers, len(index)))
    used = {sample.modality for _, probe in probes for sample in probe.samples}
    return Accuracy(
        captures=whose,
        software=software,
        engines=tuple(_engine(modalities, code) for code in modalities.codes if code in used),
        gallery=len(index),
        searches=len(probes),
        usual_target_decibans=DEFAULT_FPIR_DECIBANS,
        points=tuple(_point(target, len(index), own, others) for target in TARGETS),
    )


def _enrolled(
    modalities: Modalities, captures: Iterable[Capture]
) -> tuple[GalleryIndex, list[tuple[int, Capture]]]:
    """Everybody's first capture in an index, and the later ones with the number of whose they are."""
    index, probes = GalleryIndex(modalities), []
    numbers: dict[str, int] = {}
    first: list[tuple[int, Enrolment]] = []
    for capture in captures:
        modalities.require_sound(capture.samples)
        if capture.person in numbers:
            probes.append((numbers[capture.person], capture))
        else:
            numbers[capture.person] = number = len(numbers) + 1
            first.append((number, Enrolment(reference=capture.person, samples=capture.samples)))
    index.add(first)
    return index, probes


def _found_up_to(candidates: Sequence[Candidate], gallery: int) -> int:
    """The strictest target at which one of them is still a hit; less than every target where none is."""
    strictest = TARGETS.start - TARGETS.step
    for candidate in candidates:
        while strictest + TARGETS.step in TARGETS:
            threshold = Threshold.for_search(gallery, strictest + TARGETS.step)
            if not threshold.is_hit(candidate.likenesses):
                break
            strictest += TARGETS.step
    return strictest


def _point(target: int, gallery: int, own: Sequence[int], others: Sequence[int]) -> Point:
    return Point(
        target_fpir_decibans=target,
        threshold_decibans=round(Threshold.for_search(gallery, target).decibans, 2),
        fnir=_share(sum(each < target for each in own), len(own)),
        fpir=_share(sum(each >= target for each in others), len(others)),
    )


def _share(count: int, of: int) -> Share:
    share, low, high = wilson(count, of)
    return Share(count, of, round(share, 6), round(low, 6), round(high, 6))


def _engine(modalities: Modalities, code: str) -> EngineUsed:
    plugin = modalities.named(code)
    return EngineUsed(code, plugin.format, plugin.calibration.id, plugin.calibration.basis)
