"""Under which keys a person stands in the index, and under which somebody is looked for.

Whatever is wrong in the name alone or in the date of birth alone is found: the letters of the name with
the year and with the day of the year, pairs of name parts with the year, the whole date, the numbers.
A name and a year that both went wrong share no key, unless a number does. Who is looked for is looked for
as well with the first word as the given name, and with the given name beginning as the ear may have it.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from issuance_backend.population_registry.matching.domain import Comparable
from issuance_backend.population_registry.matching.word_distance import sound

SOUGHT = {"head": 4, "ends": 2, "tail": 2}
"""How many keys of a kind somebody is looked for under, at most; of other kinds one."""

# By the letter that a word begins with: what its sound may begin with, where a letter after it is wrong.
_MAY_BEGIN = {"C": "CK", "G": "GD", "L": "LN", "N": "NL", "T": "TC"}


class Keys(NamedTuple):
    """The keys of one person; 0 for a key that cannot be made."""

    whole_year: int
    whole_day: int
    head: int
    ends: int
    tail: int


def index_keys(person: Comparable) -> Keys:
    """The keys under which the index keeps a person."""
    return _keys(person.name.bare, person.born)


def sought_keys(asked: Comparable) -> dict[str, tuple[int, ...]]:
    """The keys under which somebody is looked for, by the field of ``Keys``; at most ``SOUGHT`` of each."""
    words, year = asked.name.bare, asked.born // 10_000
    orders = (words, (*words[1:], *words[:1]))
    made = [_keys(each, asked.born) for each in orders]
    made += [Keys(0, 0, _head(each, year, first), 0, 0) for each in orders for first in _other_firsts(each)]
    return {
        name: tuple(dict.fromkeys(key for keys in made if (key := getattr(keys, name))))
        for name in Keys._fields
    }


def _other_firsts(words: tuple[str, ...]) -> list[str]:
    if len(words) < 3:
        return []
    return [first for first in _MAY_BEGIN.get(words[-1][0], "") if first != sound(words[-1])[:1]]


def _keys(words: tuple[str, ...], born: int) -> Keys:
    year, day = born // 10_000, born % 10_000
    if not words:
        return Keys(0, 0, 0, 0, 0)
    # Letters in order of the alphabet: neither the order of words nor a lost space matters.
    letters = "".join(sorted("".join(words).replace("Y", "I")))
    whole_day = _hashed("d", letters, day) if day % 100 else 0
    if not year:
        return Keys(0, whole_day, 0, 0, 0)
    ends = _hashed("e", f"{words[0]} {words[-1]}", year)
    if len(words) < 3:
        return Keys(_hashed("w", letters, year), whole_day, 0, ends, 0)
    return Keys(
        whole_year=_hashed("w", letters, year),
        whole_day=whole_day,
        head=_head(words, year, sound(words[-1])[:1]),
        ends=ends,
        tail=_hashed("t", " ".join(words[1:]), year),
    )


def _head(words: tuple[str, ...], year: int, first: str) -> int:
    # Surname and middle name alone are shared by one in eight: the given name's first sound parts them.
    return _hashed("h", f"{' '.join(words[:-1])} {first}", year) if year else 0


def whole_date(person: Comparable) -> int:
    """The date of birth to look for, 0 unless it is whole: a year alone is thousands of people."""
    return person.born if person.born % 100 else 0


def _hashed(kind: str, text: str, when: int) -> int:
    digest = hashlib.blake2b(f"{kind}{when} {text}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True) or 1
