"""The face desk: what a counter, or quality control, asks of a face engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from verification.errors import (
    FaceFramesTooFew,
    FaceMultiple,
    FaceNotFound,
    FaceNotVerified,
    FaceQualityInsufficient,
    ImageUndecodable,
    PortraitFaceNotFound,
)
from verification.face.compare import MIN_FRAMES, FaceComparison, compare_templates
from verification.face.engine import DetectedFace, FaceEngine, Template, is_at_least_as_close
from verification.face.image import PortraitDecoder
from verification.face.picture import Picture
from verification.face.portrait import card_portrait
from verification.face.presentation_attack import HeadTurnChallenge
from verification.face.quality import QualityReport, assess_live, assess_portrait, only_face
from verification.lds.dg2 import parse_dg2

_ENLARGED = 2
"""A chip portrait of 240x320 may show a face too small for the detector's window."""


class FaceDesk:
    """Everything between pictures and a comparison; holds no picture and no template."""

    def __init__(self, engine: FaceEngine, decoder: PortraitDecoder | None = None) -> None:
        self.engine = engine
        self._decoder = decoder or PortraitDecoder()

    def prepare(self) -> None:
        """Get ready for the next portrait; call when a session starts."""
        self._decoder.prepare()

    def close(self) -> None:
        """Let go of what ``prepare`` made ready."""
        self._decoder.close()

    def portrait_picture(self, dg2: bytes) -> Picture:
        """The holder's portrait from DG2.

        Raises MalformedDocument, ImageUndecodable or LimitExceeded.
        """
        portraits = parse_dg2(dg2).portraits
        if not portraits:
            raise ImageUndecodable("DG2 without a portrait")
        return self._decoder.decode(portraits[0].image)

    def portrait_template(self, dg2: bytes) -> Template:
        """The template of the chip's portrait; raises PortraitFaceNotFound or as ``portrait_picture``."""
        return self.picture_template(self.portrait_picture(dg2))

    def picture_template(self, portrait: Picture) -> Template:
        """The template of a decoded portrait; raises PortraitFaceNotFound."""
        for picture in (portrait, _enlarge(portrait)):
            try:
                return self.engine.embed(picture, only_face(self.engine.detect(picture)))
            except FaceNotFound:
                continue
            except FaceMultiple:
                break
        raise PortraitFaceNotFound("no single face in the portrait")

    def assess(self, picture: Picture) -> QualityReport:
        """Quality of a live picture; a missing or second face is a fault of the report."""
        return self._assess(picture, assess_live)

    def assess_portrait(self, picture: Picture) -> QualityReport:
        """Quality of a captured portrait for a card, likewise."""
        return self._assess(picture, assess_portrait)

    def card_portrait(self, picture: Picture) -> Picture:
        """The 240x320 portrait for a chip; raises FaceNotFound or FaceMultiple."""
        return card_portrait(picture, only_face(self.engine.detect(picture)))

    def compare(self, portrait: Template, frames: Sequence[Picture]) -> FaceComparison:
        """Compare the portrait with the good ones of the live pictures.

        Raises FaceNotFound, FaceMultiple or FaceQualityInsufficient (with the gate) when fewer than
        three pictures are good, FaceFramesTooFew when fewer than three came at all, and FaceChanged
        when they show more than one person.
        """
        templates: list[Template] = []
        faults: list[str] = []
        for frame in frames:
            template, fault = self._live_template(frame)
            if template is not None:
                templates.append(template)
            elif fault is not None:
                faults.append(fault)
        if len(templates) < MIN_FRAMES:
            raise _too_few(len(templates), faults)
        return compare_templates(self.engine, portrait, templates)

    def compare_straight(self, portrait: Template, challenge: HeadTurnChallenge) -> FaceComparison:
        """Compare the portrait with the challenge's own straight pictures: good, and embedded already.

        Raises FaceFramesTooFew before the challenge has them, and FaceChanged.
        """
        return compare_templates(self.engine, portrait, challenge.frontal_templates)

    def same_person(self, one: Picture, other: Picture) -> bool:
        """Whether two portraits show one person, by the threshold for single pictures."""
        score = self.engine.compare(self.picture_template(one), self.picture_template(other))
        return is_at_least_as_close(self.engine, score, self.engine.thresholds.single)

    def head_turn(self, random: Callable[[int], bytes]) -> HeadTurnChallenge:
        """A new challenge; compare its straight pictures with ``compare_straight``."""
        return HeadTurnChallenge(self.engine, random)

    def _live_template(self, frame: Picture) -> tuple[Template | None, str | None]:
        try:
            face = only_face(self.engine.detect(frame))
        except (FaceNotFound, FaceMultiple) as fault:
            return None, fault.code
        faults = assess_live(frame, face).faults
        return (None, faults[0]) if faults else (self.engine.embed(frame, face), None)

    def _assess(
        self, picture: Picture, judge: Callable[[Picture, DetectedFace], QualityReport]
    ) -> QualityReport:
        try:
            face = only_face(self.engine.detect(picture))
        except (FaceNotFound, FaceMultiple) as fault:
            return QualityReport({}, (fault.code,))
        return judge(picture, face)


def _too_few(good: int, faults: Sequence[str]) -> FaceNotVerified:
    """The most frequent reason why pictures were not good."""
    if not faults:
        return FaceFramesTooFew(f"{good} pictures of {MIN_FRAMES}")
    code = max(sorted(set(faults)), key=faults.count)
    for known in (FaceNotFound, FaceMultiple):
        if code == known.code:
            return known(f"{good} good pictures of {MIN_FRAMES}")
    return FaceQualityInsufficient(code)


def _enlarge(picture: Picture) -> Picture:
    return np.asarray(
        cv2.resize(picture, None, fx=_ENLARGED, fy=_ENLARGED, interpolation=cv2.INTER_CUBIC), np.uint8
    )
