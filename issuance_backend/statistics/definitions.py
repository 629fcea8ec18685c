"""What is counted, what may be divided by what, and which time limits run: the vocabulary of every report.

A figure is an amount *of one counter*. Amounts of two counters cannot be added, and only the shares that
are listed can be formed: "issued" is no counter, so nobody can report captures under that word.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache, cached_property
from importlib import resources
from itertools import chain

import msgspec

from issuance_backend.refusals import CountersMixed, FigureUnknown

ANY_STATE = "*"
"""In a list of states: whatever state the first step leads to."""

_WORDS = frozenset(
    {"version", "vi", "en", "means", "words", "basis", "per", "places", "part_names", "band_names"}
)
"""What a definition says to its readers; no sum depends on it."""


class Counter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that is counted once for each subject: the first time it is in one of these states.

    One that names another counter in ``after`` counts only what that one has counted before.
    """

    id: str
    kind: str
    version: int
    reached: tuple[str, ...]
    vi: str
    en: str
    means: str
    words: tuple[str, ...] = ()
    after: str | None = None

    def counts(self, state: str, counted: Collection[str]) -> bool:
        """Whether being in this state counts, for what was counted by these before and not by this one."""
        if self.id in counted or (self.after is not None and self.after not in counted):
            return False
        return ANY_STATE in self.reached or state in self.reached


class Cause(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Codes that a step names in its detail, each counted every time it is named."""

    id: str
    kind: str
    version: int
    details: tuple[str, ...]
    vi: str
    en: str
    means: str


class Measure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole number that a step names in its detail, summed up; more than ``most`` is not believed.

    An average is of so many ``per`` one, told to so many ``places``.
    """

    id: str
    kind: str
    version: int
    detail: str
    most: int
    per: int
    places: int
    vi: str
    en: str
    means: str


class Distribution(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Into which band each part falls that a step names in its detail (``part:band``).

    The names are those that files are printed with, in the order of parts and bands.
    """

    id: str
    kind: str
    version: int
    detail: str
    parts: tuple[str, ...]
    bands: tuple[str, ...]
    part_names: tuple[str, ...]
    band_names: tuple[str, ...]
    vi: str
    en: str
    means: str

    def part_name(self, part: str) -> str:
        """What a part is called."""
        return self.part_names[self.parts.index(part)]

    def band_name(self, band: str) -> str:
        """What a band is called."""
        return self.band_names[self.bands.index(band)]


class Share(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A ratio that may be formed, with what stands above and below the line."""

    id: str
    version: int
    part: str
    whole: str


class StartsAtOnce(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A clock that starts with a subject's first step, with days of its own, where a detail says so."""

    detail: str
    says: str
    days: int


class Clock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A time limit in working days: when it starts, stops, is paused, and ends without a verdict.

    It stops as well when a counter of ``stopped_by`` first counts something that belongs to the subject.
    """

    id: str
    kind: str
    version: int
    days: int
    starts: tuple[str, ...]
    stops: tuple[str, ...]
    pauses: tuple[str, ...]
    ends: tuple[str, ...]
    basis: str
    vi: str
    en: str
    stopped_by: tuple[str, ...] = ()
    at_once: StartsAtOnce | None = None


class Ages(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A state in which the age of what waits matters, and the days that part the young from the old."""

    kind: str
    state: str
    version: int
    days: tuple[int, ...]


class _Tables(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: str
    counters: tuple[Counter, ...]
    shares: tuple[Share, ...]
    causes: tuple[Cause, ...]
    measures: tuple[Measure, ...]
    distributions: tuple[Distribution, ...]
    clocks: tuple[Clock, ...]
    finished: dict[str, tuple[str, ...]]
    unreported: dict[str, str]
    ages: tuple[Ages, ...]
    funnel: tuple[str, ...]
    account_funnel: tuple[str, ...]


@dataclass(frozen=True)
class Vocabulary:
    """Everything that is defined."""

    tables: _Tables

    @property
    def version(self) -> str:
        """Changes with every change of meaning; every report names it."""
        return self.tables.version

    @property
    def counters(self) -> tuple[Counter, ...]:
        """Every counter, in the order of reports."""
        return self.tables.counters

    @property
    def shares(self) -> tuple[Share, ...]:
        """Every ratio that may be formed."""
        return self.tables.shares

    @property
    def causes(self) -> tuple[Cause, ...]:
        """Every kind of code that is counted."""
        return self.tables.causes

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Everything that is measured; of each kind of subject one thing at most."""
        return self.tables.measures

    @property
    def distributions(self) -> tuple[Distribution, ...]:
        """Everything that is told by bands."""
        return self.tables.distributions

    @property
    def clocks(self) -> tuple[Clock, ...]:
        """Every time limit."""
        return self.tables.clocks

    @property
    def funnel(self) -> tuple[str, ...]:
        """The counters from capture to hand-over, in their order."""
        return self.tables.funnel

    @property
    def account_funnel(self) -> tuple[str, ...]:
        """The counters from an application for an electronic identity to its first use."""
        return self.tables.account_funnel

    @property
    def ages(self) -> tuple[Ages, ...]:
        """Every state in which the age of what waits is told."""
        return self.tables.ages

    @cached_property
    def counters_of(self) -> Mapping[str, tuple[Counter, ...]]:
        """The counters by kind of subject."""
        kinds = {counter.kind for counter in self.counters}
        return {kind: tuple(each for each in self.counters if each.kind == kind) for kind in kinds}

    @cached_property
    def causes_of(self) -> Mapping[str, tuple[Cause, ...]]:
        """The kinds of codes by kind of subject."""
        kinds = {cause.kind for cause in self.causes}
        return {kind: tuple(each for each in self.causes if each.kind == kind) for kind in kinds}

    @cached_property
    def measure_of(self) -> Mapping[str, Measure]:
        """What is measured, by kind of subject."""
        return {measure.kind: measure for measure in self.measures}

    @cached_property
    def distributions_of(self) -> Mapping[str, tuple[Distribution, ...]]:
        """What is told by bands, by kind of subject."""
        kinds = {each.kind for each in self.distributions}
        return {kind: tuple(each for each in self.distributions if each.kind == kind) for kind in kinds}

    @cached_property
    def clocks_of(self) -> Mapping[str, tuple[Clock, ...]]:
        """The time limits by kind of subject."""
        kinds = {clock.kind for clock in self.clocks}
        return {kind: tuple(each for each in self.clocks if each.kind == kind) for kind in kinds}

    @cached_property
    def stopping(self) -> tuple[Counter, ...]:
        """The counters that stop a clock of what the counted thing belongs to."""
        names = {name for clock in self.clocks for name in clock.stopped_by}
        return tuple(counter for counter in self.counters if counter.id in names)

    @cached_property
    def counting(self) -> bytes:
        """What decides how steps are counted, without the words in which it is told."""
        told = msgspec.to_builtins(
            {
                "counters": self.counters,
                "causes": self.causes,
                "measures": self.measures,
                "distributions": self.distributions,
                "clocks": self.clocks,
                "ages": self.ages,
            }
        )
        for definition in chain.from_iterable(told.values()):
            for word in _WORDS.intersection(definition):
                del definition[word]
        return msgspec.json.encode(told, order="sorted")

    def distribution(self, name: str) -> Distribution:
        """The distribution of this name; raises FigureUnknown."""
        for each in self.distributions:
            if each.id == name:
                return each
        raise FigureUnknown("no distribution of this name is defined")

    def counter(self, name: str) -> Counter:
        """The counter of this name; raises FigureUnknown."""
        for each in self.counters:
            if each.id == name:
                return each
        raise FigureUnknown("no counter of this name is defined")

    def share(self, name: str) -> Share:
        """The share of this name; raises FigureUnknown."""
        for each in self.shares:
            if each.id == name:
                return each
        raise FigureUnknown("no share of this name is defined")

    def is_reported(self, kind: str) -> bool:
        """Whether what is recorded of this kind of subject is work that moves from state to state."""
        return kind not in self.tables.unreported

    def is_waiting(self, kind: str, state: str) -> bool:
        """Whether somebody still has to do something with what is in this state; never with mere counts."""
        finished = self.tables.finished.get(kind, ())
        return state not in finished and ANY_STATE not in finished


@cache
def vocabulary() -> Vocabulary:
    """The definitions that lie beside this file."""
    content = resources.files("issuance_backend.statistics").joinpath("definitions.json").read_bytes()
    return Vocabulary(msgspec.json.decode(content, type=_Tables))


@dataclass(frozen=True, slots=True)
class Amount:
    """So many of one counter. Only the same counter, seen at the same moment, adds up."""

    counter: str
    value: int
    as_of: str

    def __add__(self, other: Amount) -> Amount:
        """The sum; raises CountersMixed for another counter or another moment."""
        if (other.counter, other.as_of) != (self.counter, self.as_of):
            raise CountersMixed(f"{self.counter} and {other.counter} cannot be added up")
        return Amount(self.counter, self.value + other.value, self.as_of)


@dataclass(frozen=True, slots=True)
class Quotient:
    """A share with its numerator and denominator, which it never loses."""

    share: Share
    part: int
    whole: int

    @property
    def percent(self) -> Decimal | None:
        """Per cent to one decimal, halves up; None of nothing."""
        return percentage(self.part, self.whole)


def quotient(share: Share, part: Amount, whole: Amount) -> Quotient:
    """Form a listed share; raises CountersMixed where these amounts are not what it divides."""
    if (part.counter, whole.counter) != (share.part, share.whole) or part.as_of != whole.as_of:
        raise CountersMixed(f"{share.id} divides {share.part} by {share.whole}, at one moment")
    return Quotient(share, part.value, whole.value)


def percentage(part: int, whole: int, places: int = 1) -> Decimal | None:
    """Per cent, rounded halves up as people do; None of nothing."""
    return rounded(Decimal(part) * 100 / Decimal(whole), places) if whole else None


def rounded(value: Decimal, places: int) -> Decimal:
    """A decimal with so many places, halves up."""
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
