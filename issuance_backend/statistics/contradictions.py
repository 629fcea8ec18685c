"""What is wrong with printed figures: they contradict each other, or say too little to be checked. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, localcontext
from enum import StrEnum
from itertools import pairwise
from typing import TypeVar

from issuance_backend.statistics.claims import (
    OF_WHAT_IS_DONE,
    UNDEFINED_WORDS,
    Count,
    Number,
    ShareClaim,
    Statement,
    SumClaim,
)
from verification.messages.statistics import TextFinding

_DIGITS_OF_A_SHARE = 80
"""Enough for fifteen digits of milliards over one, and as many places behind the comma."""


_Claim = TypeVar("_Claim", Count, ShareClaim)


_OTHERS = re.compile(r"còn lại|đang|chưa|trước hạn|trong hạn|sớm hạn")
"""Words of a dossier that is neither on time nor late."""

_NEARLY_ALL = 100
"""Listed parts that miss their whole by more than a hundredth were not meant to be all of it."""


class Verdict(StrEnum):
    """How bad it is."""

    WRONG = "wrong"
    CONTRADICTION = "contradiction"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True)
class _Fit:
    """How a printed share fits one possible denominator."""

    whole: Number
    exact: Decimal
    is_rounded: bool
    is_cut: bool


def findings(statements: Sequence[Statement]) -> tuple[TextFinding, ...]:
    """Everything that is the matter with these statements, in the order of the text.

    A statement that contradicts several others is named once: what is said a thousand times over would
    else be a million findings.
    """
    with localcontext(prec=_DIGITS_OF_A_SHARE):
        return _findings(statements)


def _findings(statements: Sequence[Statement]) -> tuple[TextFinding, ...]:
    shares = [each for each in statements if isinstance(each, ShareClaim)]
    counts = [each for each in statements if isinstance(each, Count)]
    sums = [each for each in statements if isinstance(each, SumClaim)]
    found: list[TextFinding] = []
    for share in shares:
        found.extend(_share_findings(share))
    found.extend(_split_findings(shares))
    found.extend(_rate_findings(shares))
    found.extend(_repeated_shares(shares))
    found.extend(_sum_findings(sums))
    found.extend(_vocabulary(counts))
    found.extend(_repeated_counts(counts, shares))
    found.extend(_missing_states(counts))
    return tuple(found)


def _share_findings(share: ShareClaim) -> Iterable[TextFinding]:
    wholes = [whole for whole in share.wholes if whole.value]
    if share.part is None or not wholes:
        return
    fits = [_fit(share, whole) for whole in wholes]
    good = [fit for fit in fits if fit.is_rounded]
    facts = {"printed": _plain(share.printed), "part": str(share.part.value)}
    if good and len(fits) > 1:
        others = ", ".join(f"{_show(share, fit)} of {fit.whole.value}" for fit in fits)
        yield _finding("DENOMINATOR_HIDDEN", Verdict.AMBIGUOUS, share.quote, {**facts, "of": others})
    elif not good and any(fit.is_cut for fit in fits):
        fit = next(fit for fit in fits if fit.is_cut)
        facts |= {"of": str(fit.whole.value), "computed": _show(share, fit)}
        yield _finding("CUT_NOT_ROUNDED", Verdict.AMBIGUOUS, share.quote, facts)
    elif not good:
        nearest = min(fits, key=lambda fit: abs(fit.exact - share.printed))
        facts |= {"of": str(nearest.whole.value), "computed": _show(share, nearest)}
        if share.is_percent and share.printed:
            facts["would_need_of"] = str(int(Decimal(share.part.value) * 100 / share.printed))
        yield _finding("SHARE_WRONG", Verdict.WRONG, share.quote, facts)


def _fit(share: ShareClaim, whole: Number) -> _Fit:
    part = share.part
    if part is None or not whole.value:
        return _Fit(whole, Decimal(0), is_rounded=False, is_cut=False)
    scale = 100 if share.is_percent else 1
    exact = Decimal(part.value) * scale / whole.value
    low = Decimal(part.low) * scale / whole.high
    high = Decimal(part.high) * scale / max(1, whole.low)
    unit = _unit(share)
    rounded = low.quantize(unit, ROUND_HALF_UP) <= share.high and share.low <= high.quantize(
        unit, ROUND_HALF_UP
    )
    return _Fit(whole, exact, rounded, exact.quantize(unit, ROUND_DOWN) == share.printed)


def _split_findings(shares: Sequence[ShareClaim]) -> Iterable[TextFinding]:
    """Parts that make a whole have shares that make a hundred, but for rounding."""
    return _against_earlier([share for share in shares if share.part and share.wholes], _split_finding)


def _split_finding(one: ShareClaim, other: ShareClaim) -> TextFinding | None:
    if not _make_a_whole(one, other):
        return None
    # Rounded well, the two can miss a hundred by one unit of their last place, and only by rounding.
    if one.printed + other.printed == 100 or (_fits(one) and _fits(other)):
        return None
    return _split(one, other)


def _make_a_whole(one: ShareClaim, other: ShareClaim) -> bool:
    common = set(_values(one.wholes)) & set(_values(other.wholes))
    return one.part is not None and other.part is not None and one.part.value + other.part.value in common


def _rate_findings(shares: Sequence[ShareClaim]) -> Iterable[TextFinding]:
    """What is on time and what is late make a hundred, also where only their shares are told."""
    for one, other in pairwise(shares):
        is_one_breath = (one.place, one.as_of) == (other.place, other.as_of)
        is_one_breath &= other.sentence - one.sentence <= 2
        if not is_one_breath or {one.word, other.word} != OF_WHAT_IS_DONE or _make_a_whole(one, other):
            continue
        missed = 100 - one.printed - other.printed
        # Where something is left, a third share or a word may say what it is.
        beside = [each.printed for each in shares if each.quote in {one.quote, other.quote}]
        is_told = missed > 0 and (missed in beside or _OTHERS.search(f"{one.quote} {other.quote}".lower()))
        if abs(missed) > max(_unit(one), _unit(other)) and not is_told:
            yield _split(one, other)


def _split(one: ShareClaim, other: ShareClaim) -> TextFinding:
    total = one.printed + other.printed
    facts = {"parts": f"{_plain(one.printed)} + {_plain(other.printed)}", "sum": _plain(total)}
    return _finding("SPLIT_NOT_HUNDRED", Verdict.WRONG, other.quote, facts)


def _repeated_shares(shares: Sequence[ShareClaim]) -> Iterable[TextFinding]:
    return _against_earlier([share for share in shares if share.noun], _repeated_share)


def _repeated_share(one: ShareClaim, other: ShareClaim) -> TextFinding | None:
    is_same = (one.noun, one.place, one.as_of) == (other.noun, other.place, other.as_of)
    is_repeat = one.part is None or other.part is None
    if not (is_same and is_repeat) or one.printed == other.printed:
        return None
    facts = {"first": _plain(one.printed), "second": _plain(other.printed), "counted": one.noun}
    if _digits(one.printed) == _digits(other.printed):
        facts["hint"] = "same_digits"
    return _finding("TWO_VALUES", Verdict.CONTRADICTION, other.quote, facts)


def _against_earlier(
    claims: Sequence[_Claim], compared: Callable[[_Claim, _Claim], TextFinding | None]
) -> Iterable[TextFinding]:
    """What is the matter between each claim and the first one before it with which anything is."""
    for index, other in enumerate(claims):
        found = (compared(one, other) for one in claims[:index])
        finding = next((each for each in found if each is not None), None)
        if finding is not None:
            yield finding


def _sum_findings(sums: Sequence[SumClaim]) -> Iterable[TextFinding]:
    for claim in sums:
        missed = abs(sum(claim.parts) - claim.total)
        if missed and (claim.is_all or missed * _NEARLY_ALL <= claim.total):
            facts = {"printed": str(claim.total), "computed": str(sum(claim.parts))}
            yield _finding("SUM_WRONG", Verdict.WRONG, claim.quote, facts)


def _vocabulary(counts: Sequence[Count]) -> Iterable[TextFinding]:
    """A word that stands for no counter, beside a counter of the same things in the same place."""
    for count in counts:
        if count.number.word not in UNDEFINED_WORDS or count.number.subject != "dossier":
            continue
        others = [
            each
            for each in counts
            if each.number.subject == count.number.subject
            and each.place == count.place
            and each.number.word not in UNDEFINED_WORDS
            and each.number.word
        ]
        facts = {"word": "cấp", "value": str(count.number.value)}
        if others:
            facts["beside"] = ", ".join(sorted({each.number.word for each in others}))
        yield _finding("COUNTER_UNDEFINED", Verdict.AMBIGUOUS, count.quote, facts)


def _repeated_counts(counts: Sequence[Count], shares: Sequence[ShareClaim]) -> Iterable[TextFinding]:
    """Two values of one counter contradict each other on one day; of no day, nobody can tell."""
    parts = {id(share.part) for share in shares}
    same: dict[tuple[str, str, str], dict[tuple[int, date | None, str], Count]] = {}
    for count in counts:
        number = count.number
        if number.noun and number.word and not number.is_whole and id(number) not in parts:
            said = same.setdefault((count.number.subject, number.word, count.place), {})
            said.setdefault((number.value, count.as_of, count.quote), count)
    for said in same.values():
        yield from _against_earlier(list(said.values()), _repeated_count)


def _repeated_count(one: Count, other: Count) -> TextFinding | None:
    if one.quote == other.quote or one.number.value == other.number.value:
        return None
    facts = {
        "first": str(one.number.value),
        "second": str(other.number.value),
        "counted": one.number.noun,
    }
    if one.as_of is None or other.as_of is None:
        return _finding("AS_OF_MISSING", Verdict.AMBIGUOUS, other.quote, facts)
    if one.as_of == other.as_of:
        return _finding("TWO_VALUES", Verdict.CONTRADICTION, other.quote, facts)
    return None


_BREATH = 4
"""So many sentences say what became of what came in: what is done, what is on time, late, and left."""

_WHOLE, _BETWEEN, _DONE = "requests_received", "requests_accepted", "requests_answered"


def _missing_states(counts: Sequence[Count]) -> Iterable[TextFinding]:
    """Of what came in, some is done: what the rest is must be said in the same breath."""
    sentences: dict[int, list[Count]] = {}
    for count in counts:
        sentences.setdefault(count.sentence, []).append(count)
    for sentence, same in sentences.items():
        for came_in in (each for each in same if each.number.word == _WHOLE):
            breath = [
                each
                for near in range(sentence, sentence + _BREATH)
                for each in sentences.get(near, ())
                if (each.place, each.as_of) == (came_in.place, came_in.as_of)
            ]
            whole, values = came_in.number.value, {each.number.value for each in breath}
            if any(each.number.word == _BETWEEN for each in breath):
                continue
            done = (each for each in breath if each.sentence <= sentence + 1 and each.number.word == _DONE)
            part = next(
                (one for one in done if one.number.value < whole and whole - one.number.value not in values),
                None,
            )
            if part is not None:
                left = whole - part.number.value
                facts = {"came_in": str(whole), "done": str(part.number.value), "unaccounted": str(left)}
                yield _finding("STATE_MISSING", Verdict.AMBIGUOUS, part.quote, facts)


def _fits(share: ShareClaim) -> bool:
    return any(_fit(share, whole).is_rounded for whole in share.wholes)


def _unit(share: ShareClaim) -> Decimal:
    exponent = share.printed.as_tuple().exponent
    return Decimal(1).scaleb(exponent if isinstance(exponent, int) else 0)


def _show(share: ShareClaim, fit: _Fit) -> str:
    return _plain(fit.exact.quantize(_unit(share), ROUND_HALF_UP))


def _values(numbers: Iterable[Number]) -> list[int]:
    return [number.value for number in numbers]


def _digits(value: Decimal) -> list[str]:
    return sorted(_plain(value).replace(".", ""))


def _plain(value: Decimal) -> str:
    return format(value, "f")


def _finding(code: str, verdict: Verdict, quote: str, facts: dict[str, str]) -> TextFinding:
    return TextFinding(code, verdict.value, quote, facts)
