"""Figures in a Vietnamese text, read into statements that can be checked: counts, shares, sums. Pure.

Only what is written plainly is read: ``85.172.210 phiếu DC01/87.306.594 nhân khẩu, đạt 97,5 %``. What a
number counts is the noun behind it and the verb before it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
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
_CLAUSE = re.compile(r"[^;\n.]+(?:\.(?!\s|$)[^;\n.]*)*")
_SENTENCE_ENDS = re.compile(r"\n|\.(?=\s|$)")
_ORDINAL = re.compile(
    r"\b(?:mức(?: độ)?|cấp độ|tháng|quý|(?:đề án|kế hoạch|thông tư|nghị định|quyết định|điều|khoản)(?: số)?)"
    r" \d+(?![\d%]|[.,]\d| ?%)(?:/[\w-]+)*|\bnăm (?:19|20)\d\d(?![\d.,]*\d)",
    re.IGNORECASE,
)
"""Numbers that count nothing: a level, a month, a law."""
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
_ENDS = re.compile(r"xử lý, truyền|[,;.()\n]|\bvà\b")
"""Where what is said of one number ends and what is said of the next one begins."""

_GOES_ON = re.compile(
    r"\s*(?:\(|(?:(?:tỷ|tỉ) lệ|đạt|chiếm|tương đương|tương ứng|tức|bằng|là|được|với|khoảng)[ :]*)+"
)
"""All that may stand between a sentence's end and a share of what that sentence counted."""

_OF_A_TARGET = re.compile(r"\s*(?:so với |của )?(?:tổng )?(?:chỉ tiêu|kế hoạch|mục tiêu)\b[^,;.()\n]{0,20}")
_OF_SOMETHING_ELSE = re.compile(r"\s*(?:chỉ tiêu|kế hoạch|mục tiêu|dân số|so với|của cùng|cùng kỳ)\b")
_CHANGED = re.compile(r"\b(?:tăng|giảm|vượt|cao hơn|thấp hơn)\b")
"""A change is no share of anything."""

_LISTED = re.compile(r"[,;+]|và")
_NEAR = 40
_STOPS = frozenset(",;.)\n") | {"và"}
_END_OF_CLAUSE = re.compile(r"[,;.\n(]")

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
    "trả lời": "requests_answered",
    "trả": "delivered",
    "nhận": "received",
    "cấp": "issued",
}
_WORD = re.compile(
    rf"(?<!\w)(?:{'|'.join(word for word in _WORDS if word != 'cấp')}"
    r"|(?<!cung )(?<!khẩn )(?<!nâng )(?<!trợ )(?<!các )(?<!đơn vị )"
    r"cấp(?! (?:xã|huyện|quận|phường|tỉnh|trung|bộ|ủy|phòng|ngành|cơ sở|độ)))(?!\w)"
)
"""A level of government is no issue of a card."""

UNDEFINED_WORDS = frozenset({"issued"})
"""Words that stand for no counter: "cấp" is said of captures, of printed cards and of cards handed over."""

OF_WHAT_IS_DONE = frozenset({"on_time", "late"})
"""What is on time or late is part of what was done last before it, and the two are all of it."""

_MOST_BACK, _SENTENCES_BACK = 12, 3
"""How many numbers, and how many sentences, a share's whole may stand before it."""

_IN_PLACE_OF_NOTHING = frozenset({"", "dossier", "yêu cầu"})
"""What a number that names nothing may count, where a verb says what was done."""

_SAME_THING = {"thẻ": "dossier", "hồ sơ": "dossier", "tỉnh": "province", "địa phương": "province"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number as printed: between ``low`` and ``high`` where it says "nearly" or "more than"."""

    value: int
    low: int
    high: int
    noun: str = ""
    word: str = ""
    is_bare: bool = False
    """Whether nothing is said behind it but what was done."""

    is_whole: bool = False
    """Whether the number before it is said to be out of it."""

    @property
    def subject(self) -> str:
        """What is counted, however the text calls it; empty where it does not say."""
        if not self.noun and self.is_bare and self.word and not self.word.startswith("requests"):
            return "" if self.word in OF_WHAT_IS_DONE else "dossier"
        return _SAME_THING.get(self.noun, self.noun)


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """So many of something."""

    quote: str
    place: str
    as_of: date | None
    number: Number
    sentence: int = 0


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
    word: str = ""
    sentence: int = 0
    low: Decimal
    high: Decimal
    """Between which the printed share lies where it says "nearly" or "about"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SumClaim:
    """A total and the parts it is said to be made of."""

    quote: str
    total: int
    parts: tuple[int, ...]
    is_all: bool = True
    """Whether the text says that these are all parts."""


Statement = Count | ShareClaim | SumClaim


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clause:
    """What stands between two ends: of one day, of the places that it names."""

    start: int
    end: int
    sentence: int
    quote: str
    places: _Places
    day: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    start: int
    end: int
    number: Number
    printed: Decimal
    low: Decimal
    high: Decimal
    is_percent: bool
    clause: _Clause
    place: str
    before: str
    """What is said of this number, and of no other, before it."""

    @property
    def about(self) -> tuple[str, date | None]:
        return self.place, self.clause.day


def read(text: str, as_of: date | None = None) -> list[Statement]:
    """Every statement of a text; ``as_of`` is the day it speaks of where it names none."""
    whole = re.sub(r"[^\S\n]+", " ", unicodedata.normalize("NFC", text))
    plain = whole
    for nothing_counted in (_DAY, _ORDINAL):
        plain = nothing_counted.sub(lambda match: " " * len(match.group()), plain)
    # Letter by letter: there are letters whose small form is two.
    plain = "".join(letter.lower()[:1] for letter in plain)
    tokens = _tokens(plain, _clauses(whole, as_of))
    found: list[Statement] = list(_sums(plain, tokens))
    shared: set[int] = set()
    for index, token in enumerate(tokens):
        clause = token.clause
        if token.is_percent or _is_quotient(plain, tokens, index):
            claim = _share(plain, tokens, index, shared)
            shared.add(index)
            if claim.part is not None:
                shared.add(next(at for at in reversed(range(index)) if tokens[at].number is claim.part))
            found.append(claim)
        else:
            found.append(
                Count(
                    quote=clause.quote,
                    place=token.place,
                    as_of=clause.day,
                    number=token.number,
                    sentence=clause.sentence,
                )
            )
    return found


def _clauses(whole: str, as_of: date | None) -> list[_Clause]:
    found: list[_Clause] = []
    day, place, sentence, ended = as_of, "", 0, 0
    for match in _CLAUSE.finditer(whole):
        sentence += len(_SENTENCE_ENDS.findall(whole[ended : match.start() + 1]))
        ended = match.end()
        day = _day(match.group(), as_of) or day
        named = tuple((start + match.start(), name) for start, name in _named(match.group()))
        places = _Places(named, place)
        place = places.last
        quote = " ".join(match.group().split())
        found.append(
            _Clause(
                start=match.start(), end=match.end(), sentence=sentence, quote=quote, places=places, day=day
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class _Places:
    """Where a clause names places, and of which one the clause before it spoke."""

    named: tuple[tuple[int, str], ...]
    former: str

    @property
    def last(self) -> str:
        return self.named[-1][1] if self.named else self.former

    def of(self, number: int) -> str:
        """Of which place a number at this position speaks: the last one named before it, or the next."""
        before = [name for start, name in self.named if start < number]
        return before[-1] if before else self.named[0][1] if self.named else self.former


def _tokens(plain: str, clauses: list[_Clause]) -> list[_Token]:
    found: list[_Token] = []
    matches = [each for each in _TOKEN.finditer(plain) if len(each["number"]) <= _MOST_CHARACTERS]
    at = former = 0
    for index, match in enumerate(matches):
        while clauses[at].end <= match.start():
            at += 1
        clause = clauses[at]
        gap = plain[former : match.start()]
        former = match.end()
        before = gap[_own_from(gap) :] if index else plain[clause.start : match.start()]
        following = matches[index + 1].start() if index + 1 < len(matches) else len(plain)
        behind = _said_behind(plain[match.end() : following])
        is_pair = index > 0 and _is_pair(gap)
        printed = _decimal(match["number"])
        value = int(printed * _SCALES.get(match["scale"] or "", 1))
        about = match["about"] or ""
        is_whole = bool(found) and (is_pair or _is_out_of(found[-1], f"{gap} {about}", value))
        low, high = _bounds(value, "" if is_whole and not is_pair else about)
        percent = bool(match["percent"])
        number = Number(
            value=value,
            low=low,
            high=high,
            noun=_noun(before if percent else "", behind),
            word=_word(before, behind),
            is_bare=not re.search(r"[^\W\d_]", _WORD.sub("", behind)),
            is_whole=is_whole,
        )
        if is_pair:
            found[-1] = _with_words_of(found[-1], number)
        slack = printed / 20 if about else Decimal(0)
        found.append(
            _Token(
                start=match.start(),
                end=match.end(),
                number=number,
                printed=printed,
                low=printed - (slack if about not in _MORE else 0),
                high=printed + (slack if about not in _LESS else 0),
                is_percent=percent,
                clause=clause,
                place=clause.places.of(match.start()),
                before=before,
            )
        )
    return found


def _own_from(gap: str) -> int:
    """From where on the words between two numbers are said of the second."""
    ends = [each.end() for each in _ENDS.finditer(gap) if len(each.group()) <= 2]
    return ends[-1] if ends else 0


def _said_behind(gap: str) -> str:
    """What is said of a number behind it: up to the next end; a bracket is opened for what follows it."""
    end = next((each.start() for each in _ENDS.finditer(gap) if each.group() in _STOPS), len(gap))
    return gap[:end]


def _is_pair(gap: str) -> bool:
    return "/" in gap and _END_OF_CLAUSE.search(gap) is None


def _with_words_of(token: _Token, whole: Number) -> _Token:
    """In "53/63 địa phương hoàn thành" what stands behind the pair is said of its first number."""
    number = token.number
    word = "" if whole.word.startswith("requests") else whole.word
    number = replace(number, noun=number.noun or whole.noun, word=number.word or word)
    return replace(token, number=number)


def _decimal(text: str) -> Decimal:
    return Decimal(text if _POINTED.fullmatch(text) else text.replace(".", "").replace(",", "."))


def _is_out_of(former: _Token, between: str, value: int) -> bool:
    """Whether "80.000 thẻ trên 746.000 hồ sơ" is said: a smaller number of something, nothing between."""
    is_part = not former.is_percent and former.number.value <= value
    return is_part and _OUT_OF.fullmatch(" ".join(between.split())) is not None


def _share(plain: str, tokens: list[_Token], index: int, shared: set[int]) -> ShareClaim:
    token = tokens[index]
    claim = ShareClaim(
        quote=token.clause.quote,
        place=token.place,
        as_of=token.clause.day,
        printed=token.printed,
        low=token.low,
        high=token.high,
        part=None,
        wholes=(),
        noun=token.number.noun,
        word=token.number.word,
        is_percent=token.is_percent,
        sentence=token.clause.sentence,
    )
    if _CHANGED.search(token.before) or not _is_of_the_last(plain, tokens, index):
        return claim
    last = tokens[index - 1].number
    if index > 1 and last.is_whole:
        part = tokens[index - 2].number
        wholes: tuple[Number, ...] = (last,)
    else:
        part, wholes = last, _wholes(plain, tokens, index, shared)
    noun = part.noun or (last.noun if last.is_whole else "") or claim.noun
    return replace(claim, part=part, wholes=wholes, noun=noun, word=part.word or claim.word)


def _is_of_the_last(plain: str, tokens: list[_Token], index: int) -> bool:
    """Whether a share is one of the number before it."""
    if index == 0 or tokens[index - 1].is_percent:
        return False
    last, token = tokens[index - 1], tokens[index]
    gap = plain[last.end : token.start]
    if last.clause is token.clause:
        return last.number.is_whole or len(gap) <= _NEAR
    is_next = token.clause.sentence - last.clause.sentence <= 1
    return is_next and not token.number.noun and _GOES_ON.fullmatch(token.before) is not None


def _wholes(plain: str, tokens: list[_Token], index: int, shared: set[int]) -> tuple[Number, ...]:
    """What the number before a share may be out of: what its own clause counts, else the ones before."""
    following = tokens[index + 1].start if index + 1 < len(tokens) else len(plain)
    behind = plain[tokens[index].end : following]
    if following < len(plain) and _OF_A_TARGET.fullmatch(behind):
        return (tokens[index + 1].number,)
    if _OF_SOMETHING_ELSE.match(behind):
        return ()
    part = tokens[index - 1]
    before = [
        tokens[at]
        for at in range(max(0, index - _MOST_BACK), index - 1)
        if at not in shared and not tokens[at].is_percent and tokens[at].number.value >= part.number.value
    ]
    own = [each for each in before if each.clause is part.clause]
    found = [each.number for each in own or before if each in own or _is_kin(part, each)]
    if part.number.word in OF_WHAT_IS_DONE:
        found = [each for each in found if each.word not in OF_WHAT_IS_DONE][-1:]
    return tuple(found)


def _is_kin(part: _Token, whole: _Token) -> bool:
    """Whether one number may be out of another that an earlier clause tells."""
    if part.about != whole.about or part.clause.sentence - whole.clause.sentence > _SENTENCES_BACK:
        return False
    one, other = part.number.subject, whole.number.subject
    if one and other:
        return one == other
    return bool(whole.number.noun or whole.number.word) and (one or other) in _IN_PLACE_OF_NOTHING


def _is_quotient(plain: str, tokens: list[_Token], index: int) -> bool:
    if index < 2 or not tokens[index - 1].number.is_whole:
        return False
    first, second = tokens[index - 2], tokens[index - 1]
    return "/" in plain[first.end : second.start] and "=" in plain[second.end : tokens[index].start]


def _sums(plain: str, tokens: list[_Token]) -> Iterator[SumClaim]:
    gaps = [plain[left.end : right.start] for left, right in pairwise(tokens)]
    first = 0
    while first < len(gaps):
        last = first
        while last < len(gaps) and "+" in gaps[last]:
            last += 1
        if last > first:
            yield from _equations(tokens, gaps, first, last)
        elif (listed := _listed(tokens, gaps, first)) is not None:
            yield listed
        first = max(last, first + 1)


def _equations(tokens: list[_Token], gaps: list[str], first: int, last: int) -> Iterator[SumClaim]:
    """The sums of numbers between which a plus stands, said before or behind them."""
    parts = tuple(each.number.value for each in tokens[first : last + 1])
    totals = [last + 1] if last < len(gaps) and "=" in gaps[last] else []
    totals += [first - 1] if first and ("=" in gaps[first - 1] or "gồm" in gaps[first - 1]) else []
    for at in totals:
        yield SumClaim(quote=tokens[at].clause.quote, total=tokens[at].number.value, parts=parts)


def _listed(tokens: list[_Token], gaps: list[str], at: int) -> SumClaim | None:
    """A total and the parts behind it: all of them behind "gồm", perhaps only some behind other words."""
    is_all, is_bracket = "gồm" in gaps[at], gaps[at].rstrip().endswith("(")
    if tokens[at].is_percent or not (is_all or is_bracket or "trong đó" in gaps[at]):
        return None
    parts: list[int] = []
    for following in range(at + 1, len(tokens)):
        part, gap = tokens[following], gaps[following - 1]
        goes_on = following == at + 1 or (_LISTED.search(gap) and not (is_bracket and ")" in gap))
        if not goes_on or part.clause.sentence != tokens[at].clause.sentence:
            break
        if is_all and (part.is_percent or part.clause is not tokens[at].clause):
            break
        if not part.is_percent:
            parts.append(part.number.value)
    quote = tokens[at].clause.quote
    return (
        SumClaim(quote=quote, total=tokens[at].number.value, parts=tuple(parts), is_all=is_all)
        if len(parts) > 1
        else None
    )


def _bounds(value: int, about: str) -> tuple[int, int]:
    slack = value // 20
    if about in _LESS:
        return value - slack, value
    if about in _MORE:
        return value, value + slack
    return (value - slack, value + slack) if about in _ABOUT else (value, value)


def _noun(before: str, behind: str) -> str:
    """What is counted: the first noun behind, else the last one before."""
    near = behind[:40]
    found = [(near.find(noun), noun) for noun in _NOUNS if noun in near]
    if found:
        return min(found)[1]
    found = [(before.rfind(noun), noun) for noun in _NOUNS if noun in before]
    return max(found)[1] if found else ""


def _word(before: str, behind: str) -> str:
    """What was done: the last verb before a number; the first one behind it where there is none before."""
    if found := _WORD.findall(before):
        return _WORDS[found[-1]]
    after = _WORD.search(behind[:30])
    return _WORDS[after.group()] if after else ""


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
