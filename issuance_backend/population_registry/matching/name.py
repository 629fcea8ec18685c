"""A name prepared for comparing, and how far two of them agree."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

from issuance_backend.population_registry.matching.word_distance import is_near, is_one_slip, sound
from verification.identity.vietnamese_syllable import canonical_word, skeleton_word

_WORDS = re.compile(r"[^\W\d_]+")
_KNOWN_FROM = 5
_HOOK_OR_TILDE = frozenset("34")


@dataclass(frozen=True, slots=True)
class Name:
    """Canonical words (tone as a digit, i for y) and the same without any mark."""

    words: tuple[str, ...]
    bare: tuple[str, ...]

    @property
    def text(self) -> str:
        """The canonical words in one line, as the index keeps them."""
        return " ".join(self.words)

    @property
    def is_marked(self) -> bool:
        """Whether any word carries a mark: a name without one may have lost them all."""
        return any(word.upper() != bare for word, bare in zip(self.words, self.bare, strict=True))


@lru_cache(maxsize=65_536)
def prepare_name(text: str) -> Name:
    """Read a name in Unicode, composed or not, in any case and with either habit of tone and i or y."""
    composed = unicodedata.normalize("NFC", text)
    return name_of_canonical(" ".join(canonical_word(word) for word in _WORDS.findall(composed)))


@lru_cache(maxsize=262_144)
def name_of_canonical(text: str) -> Name:
    """The name whose canonical words stand in the index."""
    words = tuple(text.split())
    return Name(words, tuple(skeleton_word(word) for word in words))


class NameLevel(StrEnum):
    """How two names agree, from best to worst."""

    SAME = "same"
    MARKS_MISSING = "marks-missing"
    TONE_CONFUSED = "tone-confused"  # hook and tilde, which half of the country speaks alike
    MARKS_DIFFER = "marks-differ"
    OTHER_ORDER = "other-order"
    SPACES_DIFFER = "spaces-differ"
    WORD_MISSPELT = "word-misspelt"
    WORD_MISSING = "word-missing"
    OTHER_ORDER_MISSPELT = "other-order-and-misspelt"
    TWO_MISTAKES = "two-mistakes"  # a word or a space lost, and something else besides
    MIDDLE_OTHER = "middle-name-other"
    SURNAME_OTHER = "surname-other"
    GIVEN_NEARLY = "given-name-nearly"  # one letter apart, and both are names: Sáng and Bằng
    GIVEN_OTHER = "given-name-other"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class NameAgreement:
    """The level and the words (without marks) that do agree; ``doubtful`` words agree only nearly."""

    level: NameLevel
    agreeing: tuple[str, ...]
    doubtful: tuple[str, ...] = ()


def compare_names(
    one: Name, other: Name, is_known: Callable[[str], bool] = lambda _word: False
) -> NameAgreement:
    """How far two names agree; ``is_known`` says whether people bear a word as part of their name."""
    if one.bare == other.bare:
        return NameAgreement(_marks_level(one, other), one.bare)
    if sorted(one.bare) == sorted(other.bare):
        return NameAgreement(NameLevel.OTHER_ORDER, one.bare)
    if _joined(one.bare) == _joined(other.bare):
        return NameAgreement(NameLevel.SPACES_DIFFER, max(one.bare, other.bare, key=len))
    if not one.bare or not other.bare:
        return NameAgreement(NameLevel.OTHER, ())
    if len(one.bare) == len(other.bare):
        return _same_length(one.bare, other.bare, is_known)
    shorter, longer = sorted((one.bare, other.bare), key=len)
    return _other_length(shorter, longer, is_known)


def _joined(words: Iterable[str]) -> str:
    # Where words run together, nobody knows any more which y was a syllable's only vowel.
    return "".join(words).replace("Y", "I")


def _marks_level(one: Name, other: Name) -> NameLevel:
    if one.words == other.words:
        return NameLevel.SAME
    if not one.is_marked or not other.is_marked:
        return NameLevel.MARKS_MISSING
    pairs = [(a, b) for a, b in zip(one.words, other.words, strict=True) if a != b]
    if all(a[:-1] == b[:-1] and {a[-1], b[-1]} == _HOOK_OR_TILDE for a, b in pairs):
        return NameLevel.TONE_CONFUSED
    return NameLevel.MARKS_DIFFER


def _same_length(
    one: tuple[str, ...], other: tuple[str, ...], is_known: Callable[[str], bool]
) -> NameAgreement:
    agreement = _word_by_word(one, other, is_known)
    if agreement.level is NameLevel.OTHER:
        for turned in ((*one[1:], one[0]), (one[-1], *one[:-1])):
            again = _word_by_word(turned, other, is_known)
            if again.level is NameLevel.WORD_MISSPELT:
                return replace(again, level=NameLevel.OTHER_ORDER_MISSPELT)
    return agreement


def _word_by_word(
    one: tuple[str, ...], other: tuple[str, ...], is_known: Callable[[str], bool]
) -> NameAgreement:
    agreeing, near, differing = [], [], []
    for position, (a, b) in enumerate(zip(one, other, strict=True)):
        if a == b:
            agreeing.append(a)
        elif is_near(a, b) or (is_one_slip(a, b) and not (is_known(a) and is_known(b))):
            near.append(a)
        else:
            differing.append(position)
    # Brothers share a middle name or none: another one beside another given name is another person.
    is_other_middle = bool(differing) and differing[0] < len(one) - 1
    is_brother = is_other_middle and _are_two_names(one[-1], other[-1], is_known)
    if len(differing) > 1 or len(near) > 2 or not agreeing or is_brother:
        return NameAgreement(NameLevel.OTHER, tuple(agreeing), tuple(near))
    level = _position_level(differing, len(one) - 1)
    if level is NameLevel.WORD_MISSPELT and _are_two_names(one[-1], other[-1], is_known):
        level = NameLevel.GIVEN_NEARLY
    elif level is NameLevel.GIVEN_OTHER and not near and is_one_slip(one[-1], other[-1]):
        level = NameLevel.GIVEN_NEARLY  # too short to tell a slip from another name
    return NameAgreement(level, tuple(agreeing), tuple(near))


def _are_two_names(one: str, other: str, is_known: Callable[[str], bool]) -> bool:
    return one != other and sound(one) != sound(other) and is_known(one) and is_known(other)


def _position_level(differing: list[int], last: int) -> NameLevel:
    if not differing:
        return NameLevel.WORD_MISSPELT
    if differing[0] == last:
        return NameLevel.GIVEN_OTHER
    return NameLevel.MIDDLE_OTHER if differing[0] else NameLevel.SURNAME_OTHER


def _other_length(
    shorter: tuple[str, ...], longer: tuple[str, ...], is_known: Callable[[str], bool]
) -> NameAgreement:
    agreement = _with_words_missing(shorter, longer)
    if agreement.level is NameLevel.OTHER:
        return _with_two_mistakes(shorter, longer, is_known) or agreement
    return agreement


def _with_words_missing(shorter: tuple[str, ...], longer: tuple[str, ...]) -> NameAgreement:
    """Middle names fall away and married women gain one; surname and given name stay."""
    if len(shorter) < 2 or shorter[-1] != longer[-1]:
        return NameAgreement(NameLevel.OTHER, tuple(set(shorter) & set(longer)))
    rest = iter(longer)
    if all(any(word == candidate for candidate in rest) for word in shorter):
        return NameAgreement(NameLevel.WORD_MISSING, shorter)
    return NameAgreement(NameLevel.OTHER, tuple(set(shorter) & set(longer)))


def _with_two_mistakes(
    shorter: tuple[str, ...], longer: tuple[str, ...], is_known: Callable[[str], bool]
) -> NameAgreement | None:
    """A word or a space was lost, and the order, a further word or one letter besides; None if more."""
    turned = (*shorter[1:], shorter[0])
    if _with_words_missing(turned, longer).level is NameLevel.WORD_MISSING:
        return NameAgreement(NameLevel.TWO_MISTAKES, shorter)
    joined = _joined(shorter)
    if joined == _joined((longer[-1], *longer[:-1])) or _runs_together(joined, longer, is_known):
        return NameAgreement(NameLevel.TWO_MISTAKES, longer)
    for place in range(1, len(longer) - 1):
        rest = longer[:place] + longer[place + 1 :]
        if joined == _joined(rest):
            return NameAgreement(NameLevel.TWO_MISTAKES, rest)
        if len(rest) == len(shorter):
            agreement = _word_by_word(shorter, rest, is_known)
            if agreement.level is NameLevel.WORD_MISSPELT and len(agreement.doubtful) == 1:
                return replace(agreement, level=NameLevel.TWO_MISTAKES)
    return None


def _runs_together(joined: str, words: tuple[str, ...], is_known: Callable[[str], bool]) -> bool:
    """Whether letters without spaces are these words but for one slip, which makes no other given name."""
    before, given = _joined(words[:-1]), _joined(words[-1:])
    if joined.endswith(given) and is_near(joined[: -len(given)], before):
        return True
    rest = joined.removeprefix(before)
    return rest != joined and is_near(rest, given) and not _are_two_names(rest, given, is_known)


class WordFrequencies:
    """How much an agreeing word says: minus the logarithm of the share of people who bear it."""

    def __init__(self, people_of_word: Mapping[str, int], people: int) -> None:
        self.people = max(people, 1)
        self._bits = {
            word: math.log2(self.people / count) for word, count in people_of_word.items() if count > 0
        }
        self._most_of_a_known = math.log2(self.people / _KNOWN_FROM) if self.people > _KNOWN_FROM else 0.0
        self._unheard_of = math.log2(self.people + 1)

    def is_known(self, word: str) -> bool:
        """Whether the word is a name and no slip: enough people bear it."""
        return self._bits.get(word, math.inf) <= self._most_of_a_known

    def bits(self, words: Iterable[str]) -> float:
        """The information in these words together; a word that nobody bears says most."""
        return sum(self._bits.get(word, self._unheard_of) for word in words)
