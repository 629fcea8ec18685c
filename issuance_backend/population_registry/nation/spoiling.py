"""Single mistakes as they stand in papers and old databases, each under its own label."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from enum import StrEnum
from functools import cache, lru_cache

from issuance_backend.population_registry.nation.tables_of_names import Draw, pick
from verification.identity.administrative_units import provinces, units_2025
from verification.identity.legacy_encodings import to_tcvn3, to_viqr, to_vni


class Mistake(StrEnum):
    """What was done to a record."""

    DECOMPOSED = "name-decomposed"
    CAPITALS = "name-in-capitals"
    TONE_MOVED = "name-tone-moved"
    I_FOR_Y = "name-i-for-y"
    TCVN3 = "name-in-tcvn3"
    VNI = "name-in-vni"
    VIQR = "name-in-viqr"
    MARKS_LOST = "name-marks-lost"
    MARKS_PARTLY_LOST = "name-marks-partly-lost"
    D_STROKE_LOST = "name-d-stroke-lost"
    TONE_CONFUSED = "name-tone-confused"
    LETTER_WRONG = "name-letter-wrong"
    WRITTEN_BY_EAR = "name-written-by-ear"
    MIDDLE_LOST = "name-middle-lost"
    GIVEN_NAME_FIRST = "name-given-name-first"
    SPACES_LOST = "name-spaces-lost"
    YEAR_ONLY = "birth-year-only"
    MONTH_ONLY = "birth-month-only"
    FIRST_OF_JANUARY = "birth-first-of-january"
    DAY_MONTH_SWAPPED = "birth-day-month-swapped"
    DIGIT_WRONG = "birth-digit-wrong"
    SEX_WRONG = "sex-wrong"
    NUMBER_SLIP = "number-slip"
    NEW_UNITS = "places-in-units-of-2025"
    MOVED = "residence-former"
    FATHER_LOST = "father-lost"
    MOTHER_LOST = "mother-lost"


_Y_FOR_I = {"y": "i", "ý": "í", "ỳ": "ì", "ỷ": "ỉ", "ỹ": "ĩ", "ỵ": "ị"}
_HOOK, _TILDE = "\u0309", "\u0303"
_PAIRS = ("oa", "oe", "uy")
_TONES = "\u0300\u0301\u0309\u0303\u0323"
_BY_EAR = (("tr", "ch"), ("s", "x"), ("l", "n"), ("d", "gi"))
_MARKS_LOST_LETTERS = str.maketrans("đĐ", "dD")


def without_marks(text: str) -> str:
    """Every mark gone, as old programs and airlines write."""
    decomposed = unicodedata.normalize("NFD", text.translate(_MARKS_LOST_LETTERS))
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def _tone_moved(_draw: Draw, name: str) -> str:
    """hòa as hoà, thủy as thuỷ, and back; only open syllables have the choice."""
    return " ".join(_move(word) for word in name.split())


@lru_cache(maxsize=16_384)
def _move(word: str) -> str:
    letters = unicodedata.normalize("NFD", word)
    for pair in _PAIRS:
        for tone in _TONES:
            first, second = pair[0] + tone + pair[1], pair + tone
            for old, new in ((first, second), (second, first)):
                if letters.lower().endswith(old) and not letters.lower().endswith("q" + old):
                    return unicodedata.normalize("NFC", letters[: -len(old)] + new)
    return word


def _i_for_y(_draw: Draw, name: str) -> str:
    return " ".join(
        word[:-1] + _Y_FOR_I[word[-1]]
        if word[-1] in _Y_FOR_I and len(word) > 1 and word[-2].lower() not in "aâoôuư"
        else word
        for word in name.split()
    )


def _partly(draw: Draw, name: str) -> str:
    words = name.split()
    position = int(draw() * len(words))
    words[position] = without_marks(words[position])
    return " ".join(words)


def _tone_confused(_draw: Draw, name: str) -> str:
    swap = str.maketrans({_HOOK: _TILDE, _TILDE: _HOOK})
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).translate(swap))


def _letter_wrong(draw: Draw, name: str) -> str:
    """One letter doubled, left out, exchanged with its neighbour, or another one."""
    words = name.split()
    position = int(draw() * len(words))
    word = words[position]
    if len(word) < 3:
        return name
    at = 1 + int(draw() * (len(word) - 1))
    kind = int(draw() * 4)
    changed = (
        word[:at] + word[at - 1] + word[at:],
        word[:at] + word[at + 1 :],
        word[: at - 1] + word[at : at + 1] + word[at - 1] + word[at + 1 :],
        word[:at] + pick(draw, "abcdeghiklmnopqrstuvxy") + word[at + 1 :],
    )[kind]
    words[position] = changed.capitalize()
    return " ".join(words)


def _by_ear(draw: Draw, name: str) -> str:
    words = name.split()
    position = int(draw() * len(words))
    word = words[position].lower()
    for one, other in _BY_EAR:
        for old, new in ((one, other), (other, one)):
            if word.startswith(old) and len(word) > len(old) + 1:
                words[position] = (new + word[len(old) :]).capitalize()
                return " ".join(words)
    return name


def _middle_lost(draw: Draw, name: str) -> str:
    words = name.split()
    if len(words) > 2:
        del words[1 + int(draw() * (len(words) - 2))]
    return " ".join(words)


def _given_first(_draw: Draw, name: str) -> str:
    words = name.split()
    return " ".join([words[-1], *words[:-1]])


NAME_MISTAKES: dict[Mistake, Callable[[Draw, str], str]] = {
    Mistake.DECOMPOSED: lambda _draw, name: unicodedata.normalize("NFD", name),
    Mistake.CAPITALS: lambda _draw, name: name.upper(),
    Mistake.TONE_MOVED: _tone_moved,
    Mistake.I_FOR_Y: _i_for_y,
    Mistake.TCVN3: lambda _draw, name: to_tcvn3(name),
    Mistake.VNI: lambda _draw, name: to_vni(name),
    Mistake.VIQR: lambda _draw, name: to_viqr(name),
    Mistake.MARKS_LOST: lambda _draw, name: without_marks(name),
    Mistake.MARKS_PARTLY_LOST: _partly,
    Mistake.D_STROKE_LOST: lambda _draw, name: name.translate(_MARKS_LOST_LETTERS),
    Mistake.TONE_CONFUSED: _tone_confused,
    Mistake.LETTER_WRONG: _letter_wrong,
    Mistake.WRITTEN_BY_EAR: _by_ear,
    Mistake.MIDDLE_LOST: _middle_lost,
    Mistake.GIVEN_NAME_FIRST: _given_first,
    Mistake.SPACES_LOST: lambda _draw, name: name.replace(" ", "", 1),
}
"""What may happen to a name; a mistake that a name has no place for leaves it as it is."""


def in_units_of_2025(address: str) -> str:
    """The address after the reform of July 2025: no district, and the province it was merged into."""
    parts = [part.strip() for part in address.split(",")]
    return ", ".join([*parts[:-2], _merged().get(parts[-1], parts[-1])])


@cache
def _merged() -> dict[str, str]:
    return {entry.name: units_2025()[entry.merged_into_2025].name for entry in provinces().values()}
