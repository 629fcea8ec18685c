"""Under which keys a person stands in the index, and under which somebody is looked for.

Whatever is wrong in the name alone or in the date of birth alone is found: the letters of the name with
the year and with the day of the year, pairs of name parts with the year, the whole date, the numbers.
A name and a year that both went wrong share no key, unless a number does.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from issuance_backend.population_registry.matching.domain import Comparable
from issuance_backend.population_registry.matching.word_distance import sound


class Keys(NamedTuple):
    """The keys of one person; 0 for a key that cannot be made."""

    whole_year: int
    whole_day: int
    head: int
    ends: int
    tail: int


def index_keys(person: Comparable) -> Keys:
    """The keys under which the index keeps a person, and under which one is looked for."""
    words, year, day = person.name.bare, person.born // 10_000, person.born % 10_000
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
    # Surname and middle name alone are shared by one in eight: the given name's first sound parts them.
    head = f"{' '.join(words[:-1])} {sound(words[-1])[:1]}"
    return Keys(
        whole_year=_hashed("w", letters, year),
        whole_day=whole_day,
        head=_hashed("h", head, year),
        ends=ends,
        tail=_hashed("t", " ".join(words[1:]), year),
    )


def whole_date(person: Comparable) -> int:
    """The date of birth to look for, 0 unless it is whole: a year alone is thousands of people."""
    return person.born if person.born % 100 else 0


def _hashed(kind: str, text: str, when: int) -> int:
    digest = hashlib.blake2b(f"{kind}{when} {text}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True) or 1
