"""Whether one written word may stand for another: a slip of the hand, or a sound of another region."""

from __future__ import annotations

import re
from functools import lru_cache

# Said alike in at least one large region, so that whoever writes by ear writes one for the other.
_ONSETS = (
    (re.compile(r"^(?:GI|D|R|V)(?=[AEIOUY])"), "D"),
    (re.compile(r"^(?:TR|CH)"), "CH"),
    (re.compile(r"^(?:S|X)"), "S"),
    (re.compile(r"^(?:N|L)(?=[AEIOUY])"), "L"),
    (re.compile(r"^NGH?"), "NG"),
    (re.compile(r"^GH?(?=[AEIOUY])"), "G"),
    (re.compile(r"^(?:C(?!H)|K(?!H)|Q)"), "K"),
)
_FINALS = ((re.compile(r"(?:NG|NH|N)$"), "N"), (re.compile(r"(?:CH|C|T)$"), "T"))


@lru_cache(maxsize=65_536)
def sound(word: str) -> str:
    """The word without marks as somebody from any region may have meant it."""
    for pattern, letter in _ONSETS:
        changed, times = pattern.subn(letter, word)
        if times:
            word = changed
            break
    for pattern, letter in _FINALS:
        word = pattern.sub(letter, word)
    return word.replace("Y", "I")


@lru_cache(maxsize=262_144)
def is_near(one: str, other: str) -> bool:
    """Whether one slip (a letter more, less, other, or two exchanged) or the ear explains the difference.

    A word of one or two letters has no room for a slip: An is not Ai.
    """
    if sound(one) == sound(other):
        return True
    return min(len(one), len(other)) > 2 and is_one_slip(one, other)


@lru_cache(maxsize=262_144)
def is_one_slip(one: str, other: str) -> bool:
    """Whether two words are at most one letter apart; the words of a nation's names are few.

    A letter that goes may leave a y as the only vowel, which is written i: Thủy, Thỷ and Thỉ.
    """
    return edit_distance(one.replace("Y", "I"), other.replace("Y", "I"), 1) <= 1


def edit_distance(one: str, other: str, most: int) -> int:
    """Letters put in, left out, replaced or exchanged with their neighbour; ``most`` + 1 for more."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        current = [row]
        for column, against in enumerate(other, 1):
            cost = min(last[column] + 1, current[-1] + 1, last[column - 1] + (letter != against))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == against:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        if min(current) > most:
            return most + 1
        before, last = last, current
    return min(last[-1], most + 1)
