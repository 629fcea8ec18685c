"""A known question with a known answer, asked before an engine is used.

It catches swapped colours, a broken quantised model and a changed runtime: faults that make an engine
answer, only wrongly.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import msgspec
import numpy as np

from verification.errors import FaceSelfTestFailed, VerificationError
from verification.face.engine import FaceEngine, Template
from verification.face.procedural_portrait import Capture, person, render
from verification.face.quality import only_face

HOLDER_SEED, IMPOSTOR_SEED = 117, 68
_SIZE = 200
_TOLERANCE = 0.01
"""Other processors round differently: one grey level in every pixel moves the template by 0.004."""


class KnownAnswer(msgspec.Struct, frozen=True):
    """What an engine answers for the two drawn persons."""

    template: tuple[float, ...]
    impostor_score: float


@cache
def known_answers() -> dict[str, KnownAnswer]:
    """The pinned answers by engine."""
    encoded = (resources.files("verification.face") / "known_answers.json").read_bytes()
    return msgspec.json.decode(encoded, type=dict[str, KnownAnswer])


def answer(engine: FaceEngine) -> tuple[Template, float]:
    """The engine's own answer: the holder's template and the score against the impostor."""
    holder, impostor = (_template(engine, seed) for seed in (HOLDER_SEED, IMPOSTOR_SEED))
    return holder, engine.compare(holder, impostor)


def self_test(engine: FaceEngine) -> None:
    """Raise FaceSelfTestFailed unless the engine gives its known answer.

    An engine without a pinned answer must at least tell the two persons apart.
    """
    try:
        holder, impostor_score = answer(engine)
    except VerificationError as fault:
        raise FaceSelfTestFailed(f"{engine.id}: {fault.code}") from None
    expected = known_answers().get(engine.id)
    if expected is None:
        closer = impostor_score <= engine.thresholds.review
        is_confused = closer == engine.smaller_is_closer
    else:
        apart = float(np.abs(holder - np.asarray(expected.template, np.float32)).max())
        is_confused = apart > _TOLERANCE or abs(impostor_score - expected.impostor_score) > _TOLERANCE
    if is_confused or not np.isfinite(impostor_score):
        raise FaceSelfTestFailed(f"{engine.id}: not the known answer")


def _template(engine: FaceEngine, seed: int) -> Template:
    picture = render(person(seed), _SIZE, Capture(seed=seed))
    return engine.embed(picture, only_face(engine.detect(picture)))
