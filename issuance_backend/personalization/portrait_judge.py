"""The face engine's opinion of a portrait, taken over the picture as it will stand on the card."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from threading import Lock

from issuance_backend.personalization.portrait_pictures import bgr, card_picture
from verification.errors import FaceNotVerified, ImageUndecodable
from verification.face.choice import choose_engine
from verification.face.engine import FaceEngine
from verification.face.quality import assess_portrait, only_face


class EngineJudge:
    """Applies the portrait gates with one engine."""

    def __init__(self, engine: FaceEngine) -> None:
        self._engine = engine
        self.engine: str | None = engine.id
        self.model_digests = engine.model_digests

    def faults(self, portrait: bytes) -> tuple[str, ...]:
        """Fault codes of the gates that do not hold, the most telling first."""
        try:
            picture = bgr(card_picture(portrait))
            face = only_face(self._engine.detect(picture))
        except (FaceNotVerified, ImageUndecodable) as fault:
            return (fault.code,)
        return assess_portrait(picture, face).faults


class NoEngine:
    """No face models at this office: an officer looks at every portrait and says why it is good."""

    engine: str | None = None
    model_digests: tuple[str, ...] = ()

    def faults(self, portrait: bytes) -> tuple[str, ...]:
        """Whether a chip's picture can be made of it; the rest is for the officer's eyes."""
        try:
            card_picture(portrait)
        except ImageUndecodable as fault:
            return (fault.code,)
        return ()


_loading = Lock()


def installed_engine(model_dir: Path) -> FaceEngine | None:
    """The best engine whose models are in the folder; loaded once for all threads of a process."""
    with _loading:
        return _loaded_engine(model_dir)


@cache
def _loaded_engine(model_dir: Path) -> FaceEngine | None:
    return choose_engine(model_dir)


def judge_from(model_dir: Path | None) -> EngineJudge | NoEngine:
    """A judge with the best engine whose models are in the folder, or one without any."""
    engine = installed_engine(model_dir) if model_dir else None
    return EngineJudge(engine) if engine else NoEngine()
