"""Figures in a Vietnamese text, read into statements that can be checked: counts, shares, sums. Pure.

Only what is written plainly is read: ``85.172.210 phiếu DC01/87.306.594 nhân khẩu, đạt 97,5 %``. What a
number counts is the noun behind it and the verb before it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import pairwise

from verification.identity.administrative_units import provinces, units_2025
from verification.identity.person_name import without_marks

_SCALES = {"nghìn": 1_000, "ngàn": 1_000, "triệu": 1_000_000, "tỷ": 1_000_000_000, "tỉ": 1_000_000_000}
_LESS = ("gần",)
_MORE = ("hơn", "trên")
_ABOUT = ("khoảng", "~")
_NUMBER = r"\d{1,3}(?:\.\d{3})+(?!\d)|\d+\.\d{1,2}(?!\d)|\d+(?:,\d+)?"
"""A point parts thousands; before one or two digits it can only be the comma of another language."""

_POINTED = re.compile(r"\d+\.\d{1,2}")
_TOKEN = re.compile(
    rf"(?:(?P<about>gần|hơn|trên|khoảng|~)\s*)?(?<![\w.,])(?P<number>{_NUMBER})"
    r"(?:\s*(?P<percent>%)|\s+(?P<scale>nghìn|ngàn|triệu|tỷ|tỉ)\b)?",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[;\n]|\.(?=\s|$)")
_DAY = re.compile(
    r"(?<!\d)(?P<day>\d{1,2})[/.-](?P<month>\d{1,2})[/.-](?P<year>\d{4})(?!\d)"
    r"|(?:(?<=ngày )|(?<=đến )|(?<=hôm ))(?P<short_day>\d{1,2})/(?P<short_month>\d{1,2})(?![\d/.,]*\d)",
    re.IGNORECASE,
)
_ANY_YEAR = 4
"""Stands where neither the text nor its day says the year: two days of one year are two days all the same."""

_MOST_CHARACTERS = 19
"""A longer number counts nothing; fifteen digits with their points."""
_NOUNS = (
    "phiếu dc01", "nhân khẩu", "cơ sở", "hồ sơ", "yêu cầu", "địa phương", "biển số", "dịch vụ", "thẻ",
    "tỉnh", "xã", "cán bộ", "công an", "nhiệm vụ", "lượt", "bệnh nhân",
)  # fmt: skip
_OUT_OF = re.compile(
    rf"(?:(?:{'|'.join(_NOUNS)}) )?(?:(?:căn cước(?: công dân)?|cccd) )?"
    "(?:trên(?: tổng(?: số)?)?|trong(?: tổng)? số)"
)
"""Right behind what is counted "trên" says of how many; anywhere else it says "more than"."""

# The longest first: "tiếp nhận" is no "nhận".
_WORDS = {
    "xử lý, truyền": "sent",
    "thu nhận": "captured",
    "tiếp nhận": "requests_received",
    "chấp nhận": "requests_accepted",
    "giải quyết": "requests_answered",
    "đúng hạn": "on_time",
    "quá hạn": "late",
    "trễ hạn": "late",
    "hoàn thành": "finished",
    "kích hoạt": "account_activated",
    "truyền": "sent",
    "duyệt": "approved",
    "trao": "delivered",
    "trả": "delivered",
    "nhận": "received",
    "cấp": "issued",
}
UNDEFINED_WORDS = frozenset({"issued"})
"""Words that stand for no counter: "cấp" is said of captures, of printed cards and of cards handed over."""

_SAME_THING = {"thẻ": "dossier", "hồ sơ": "dossier", "tỉnh": "province", "địa phương": "province"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number as printed: between ``low`` and ``high`` where it says "nearly" or "more than"."""

    value: int
    low: int
    high: int
    noun: str = ""
    word: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """So many of something."""

    quote: str
    place: str
    as_of: date | None
    number: Number

    @property
    def subject(self) -> str:
        """What is counted, however the text calls it."""
        return _SAME_THING.get(self.number.noun, self.number.noun)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareClaim:
    """A percentage, or a plain quotient, with what it may be a share of."""

    quote: str
    place: str
    as_of: date | None
    printed: Decimal
    part: Number | None
    wholes: tuple[Number, ...]
    noun: str
    is_percent: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SumClaim:
    """A total and the parts it is said to be made of."""

    quote: str
    total: int
    parts: tuple[int, ...]


Statement = Count | ShareClaim | SumClaim


@dataclass(frozen=True, slots=True)
class _Token:
    start: int
    end: int
    number: Number
    printed: Decimal
    is_percent: bool
    is_whole: bool
    """Whether the number before it is said, in words, to be out of it."""


def read(text: str, as_of: date | None = None) -> list[Statement]:
    """Every statement of a text; ``as_of`` is the day it speaks of where it names none."""
    found: list[Statement] = []
    day, place = as_of, ""
    for sentence in _SENTENCE.split(unicodedata.normalize("NFC", text)):
        quote = " ".join(sentence.split())
        day = _day(quote, as_of) or day
        places = _Places(_named(quote), place)
        place = places.last
        plain = _DAY.sub(lambda match: " " * len(match.group()), quote)
        found.extend(_statements(plain, quote, places, day))
    return found


@dataclass(frozen=True, slots=True)
class _Places:
    """Where a sentence names places, and of which one the sentence before it spoke."""

    named: tuple[tuple[int, str], ...]
    former: str

    @property
    def last(self) -> str:
        return self.named[-1][1] if self.named else self.former

    def of(self, number: int) -> str:
        """Of which place a number at this position speaks: the last one named before it, or the next."""
        before = [name for start, name in self.named if start < number]
        return before[-1] if before else self.named[0][1] if self.named else self.former


def _statements(plain: str, quote: str, places: _Places, day: date | None) -> list[Statement]:
    tokens = _tokens(plain)
    found: list[Statement] = []
    total = _sum(plain, quote, tokens)
    if total is not None:
        found.append(total)
    shared: set[int] = set()
    for index, token in enumerate(tokens):
        place = places.of(token.start)
        if token.is_percent or _is_quotient(plain, tokens, index):
            claim = _share(plain, tokens, index, shared)
            claim = replace(claim, quote=quote, place=place, as_of=day)
            found.append(claim)
            shared.add(index)
            if claim.part is not None:
                shared.add(next(at for at in range(index) if tokens[at].number is claim.part))
        else:
            found.append(Count(quote=quote, place=place, as_of=day, number=token.number))
    return found


def _tokens(plain: str) -> list[_Token]:
    found: list[_Token] = []
    lower = plain.lower()
    matches = [each for each in _TOKEN.finditer(plain) if len(each["number"]) <= _MOST_CHARACTERS]
    for index, match in enumerate(matches):
        before = lower[matches[index - 1].end() if index else 0 : match.start()]
        behind = lower[match.end() : matches[index + 1].start() if index + 1 < len(matches) else len(lower)]
        printed = _decimal(match["number"])
        value = int(printed * _SCALES.get((match["scale"] or "").lower(), 1))
        about = (match["about"] or "").lower()
        is_whole = bool(found) and _is_out_of(found[-1], f"{before} {about}", value)
        low, high = _bounds(value, "" if is_whole else about)
        number = Number(value=value, low=low, high=high, noun=_noun(behind), word=_word(before, behind))
        percent = bool(match["percent"])
        found.append(_Token(match.start(), match.end(), number, printed, percent, is_whole))
    return found


def _decimal(text: str) -> Decimal:
    return Decimal(text if _POINTED.fullmatch(text) else text.replace(".", "").replace(",", "."))


def _is_out_of(former: _Token, between: str, value: int) -> bool:
    """Whether "80.000 thẻ trên 746.000 hồ sơ" is said: a smaller number of something, nothing between."""
    is_part = not former.is_percent and former.number.value <= value
    return is_part and _OUT_OF.fullmatch(" ".join(between.split())) is not None


def _share(plain: str, tokens: list[_Token], index: int, shared: set[int]) -> ShareClaim:
    claim = ShareClaim(
        quote="",
        place="",
        as_of=None,
        printed=tokens[index].printed,
        part=None,
        wholes=(),
        noun=tokens[index].number.noun,
        is_percent=tokens[index].is_percent,
    )
    before = [at for at in range(index) if not tokens[at].is_percent]
    if not before:
        return claim
    last = tokens[before[-1]]
    if len(before) > 1 and (last.is_whole or "/" in plain[tokens[before[-2]].end : last.start]):
        part = tokens[before[-2]].number
        noun = part.noun or last.number.noun or claim.noun
        return replace(claim, part=part, wholes=(last.number,), noun=noun)
    between = plain[last.end : tokens[index].start]
    if before[-1] != index - 1 or len(between) > 40:
        return claim
    wholes = tuple(
        tokens[at].number
        for at in before[:-1]
        if at not in shared and tokens[at].number.value > last.number.value
    )
    return replace(claim, part=last.number, wholes=wholes, noun=last.number.noun or claim.noun)


def _is_quotient(plain: str, tokens: list[_Token], index: int) -> bool:
    if index < 2:
        return False
    first, second = tokens[index - 2], tokens[index - 1]
    return "/" in plain[first.end : second.start] and "=" in plain[second.end : tokens[index].start]


def _sum(plain: str, quote: str, tokens: list[_Token]) -> SumClaim | None:
    values = [token.number.value for token in tokens if not token.is_percent]
    between = [plain[left.end : right.start].lower() for left, right in pairwise(tokens)]
    if len(values) < 3 or len(values) != len(tokens):
        return None
    if "=" in between[-1] and all("+" in gap for gap in between[:-1]):
        return SumClaim(quote=quote, total=values[-1], parts=tuple(values[:-1]))
    opens = "gồm" in between[0] or "=" in between[0]
    if opens and all("+" in gap or "và" in gap or "," in gap for gap in between[1:]):
        return SumClaim(quote=quote, total=values[0], parts=tuple(values[1:]))
    return None


def _bounds(value: int, about: str) -> tuple[int, int]:
    slack = value // 20
    if about in _LESS:
        return value - slack, value
    if about in _MORE:
        return value, value + slack
    return (value - slack, value + slack) if about in _ABOUT else (value, value)


def _noun(behind: str) -> str:
    near = behind[:40]
    found = [(near.find(noun), noun) for noun in _NOUNS if noun in near]
    return min(found)[1] if found else ""


def _word(before: str, behind: str) -> str:
    """The verb before a number; the one right behind it where there is none before."""
    found = [(before.rfind(word) + len(word), len(word), word) for word in _WORDS if word in before]
    if found:
        return _WORDS[max(found)[2]]
    near = behind[:30]
    after = [(near.find(word), -len(word), word) for word in _WORDS if word in near]
    return _WORDS[min(after)[2]] if after else ""


def _day(quote: str, as_of: date | None) -> date | None:
    """The first day that a sentence names; without a year it is the last such day up to ``as_of``."""
    match = _DAY.search(quote)
    if match is None:
        return None
    if match["year"]:
        return _date(match["year"], match["month"], match["day"])
    year = as_of.year if as_of else _ANY_YEAR
    found = _date(year, match["short_month"], match["short_day"])
    if found and as_of and found > as_of:
        return _date(year - 1, match["short_month"], match["short_day"])
    return found


def _date(*parts: str | int) -> date | None:
    try:
        return date(*map(int, parts))
    except ValueError:
        return None


_NATION = ("TOAN QUOC", "CA NUOC")
_OTHER_NAMES = {
    "HO CHI MINH": ("TP.HCM", "TP HCM", "TPHCM"),
    "BA RIA - VUNG TAU": ("BA RIA-VUNG TAU", "BA RIA VUNG TAU"),
    "THUA THIEN HUE": ("THUA THIEN - HUE", "THUA THIEN-HUE"),
}


@cache
def _names() -> tuple[re.Pattern[str], dict[str, str]]:
    """Every name of a place without its marks, which are written in more than one way, and whose it is."""
    drawn = (provinces().values(), units_2025().values())
    known = {_bare(each.name): _bare(each.name) for units in drawn for each in units}
    known |= {other: name for name, others in _OTHER_NAMES.items() for other in others}
    known |= dict.fromkeys(_NATION, _NATION[0])
    longest = sorted(known, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest))})(?!\w)"), known


def _named(quote: str) -> tuple[tuple[int, str], ...]:
    pattern, known = _names()
    return tuple((match.start(), known[match.group()]) for match in pattern.finditer(_bare(quote)))


def _bare(text: str) -> str:
    """Capitals without marks, each letter in its place."""
    return "".join(without_marks(letter)[:1] or letter for letter in text)
