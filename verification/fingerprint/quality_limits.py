"""How good a print has to be: limits of NFIQ 2 by finger and age, data with days, which no officer lowers."""

from __future__ import annotations

from datetime import date
from functools import cache
from importlib import resources

import msgspec

_GROWN_UP = 14
"""As of whom no age is known."""


class FingerLimit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The least NFIQ 2 of these fingers (ISO/IEC 19794-4) from a full age."""

    positions: tuple[int, ...]
    from_age: int
    nfiq2: int


class QualityLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One edition: ``attempts`` is how often a finger is taken before the best available will do.

    ``same_finger`` is the matcher's score from which two prints are of one finger, ``other_finger`` that
    below which they are of two; ``basis`` is why all this is so.
    """

    id: str
    valid_from: str
    valid_to: str | None
    basis: str
    attempts: int
    same_finger: float
    other_finger: float
    least: tuple[FingerLimit, ...]

    def least_of(self, position: int, age: int | None) -> int:
        """What a print of this finger needs of somebody of this age."""
        years = _GROWN_UP if age is None else age
        of_finger = [each for each in self.least if position in each.positions and each.from_age <= years]
        return max(of_finger, key=lambda each: each.from_age).nfiq2


def limits_on(day: date) -> QualityLimits | None:
    """The edition of a day; None before there was any: what was captured then is not judged by it."""
    return next((each for each in _editions() if _is_in_force(each, day)), None)


@cache
def _editions() -> tuple[QualityLimits, ...]:
    file = resources.files(__package__) / "quality_limits.json"
    return msgspec.json.decode(file.read_bytes(), type=tuple[QualityLimits, ...])


def _is_in_force(limits: QualityLimits, day: date) -> bool:
    last = limits.valid_to
    return date.fromisoformat(limits.valid_from) <= day and (last is None or day <= date.fromisoformat(last))
