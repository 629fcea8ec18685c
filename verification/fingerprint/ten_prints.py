"""Ten prints are ten fingers: two of them that match each other are one finger taken twice."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

from verification.fingerprint.engine import FingerEngine

Pair = tuple[int, int]


def repeated(engine: FingerEngine, templates: Mapping[int, bytes], same_finger: float) -> tuple[Pair, ...]:
    """The pairs of positions whose prints are of one finger; raises FingerTemplateMalformed."""
    prepared = {position: engine.prepare(template) for position, template in templates.items()}
    return tuple(
        (one, other)
        for one, other in combinations(sorted(templates), 2)
        if prepared[one].score(templates[other]) >= same_finger
    )
